/** The keys that whoever checks a signature believes: each is of one vault, so that no vault's key speaks for another. */

import { ED25519_PUBLIC_KEY } from '../crypto/ed25519.ts'
import { equalBytes } from '../crypto/hash.ts'
import { invalidArgument } from '../errors.ts'
import { concat, hex, isBytes } from './bytes.ts'

const VAULT_ID = 16
const LENGTH = VAULT_ID + ED25519_PUBLIC_KEY

/** Vault id 16 ‖ public key 32 (docs/format.md, "Shred receipt"). */
export function trustedKey(vaultId: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return concat(vaultId, publicKey)
}

/** @throws StrongroomError `invalid_argument` */
export function requireTrustedKeys(trustedKeys: readonly Uint8Array[]): void {
  if (!Array.isArray(trustedKeys) || trustedKeys.length === 0 || !trustedKeys.every((key) => isBytes(key) && key.length === LENGTH))
    throw invalidArgument(
      'trustedKeys',
      `must be at least one key of ${LENGTH} bytes, as receiptKeys gives them: a vault's id and its public key`,
    )
  const vaults = new Map<string, string>()
  for (const key of trustedKeys as readonly Uint8Array[]) {
    const [vault, publicKey] = [hex(key.subarray(0, VAULT_ID)), hex(key.subarray(VAULT_ID))]
    if ((vaults.get(publicKey) ?? vault) !== vault) throw invalidArgument('trustedKeys', 'must not give one public key to two vaults')
    vaults.set(publicKey, vault)
  }
}

/** The 16 bytes of the vault whose key a public key is trusted as, or `undefined`. @param trustedKeys - checked */
export function vaultOfKey(trustedKeys: readonly Uint8Array[], publicKey: Uint8Array): Uint8Array | undefined {
  return trustedKeys.find((key) => equalBytes(key.subarray(VAULT_ID), publicKey))?.subarray(0, VAULT_ID)
}
