/** The signature of a closure certificate: what it says is its package's. It is never one of a receipt, nor a receipt's one of it. */

import { ED25519_PUBLIC_KEY, ED25519_SIGNATURE, ed25519PublicKey, ed25519Sign, ed25519Verify } from '../crypto/ed25519.ts'
import { invalidArgument } from '../errors.ts'
import { ascii, concat, hex, isBytes, lp } from '../format/bytes.ts'
import { requireTrustedKeys, vaultOfKey } from '../format/trusted-key.ts'
import type { KeyOperations } from '../keys/shred.ts'
import { withSigningSeed } from './signing-key.ts'

const SIGNED = lp(ascii('strongroom/v1/closure-certificate'))

/** A signature, and which of the vault's keys has made it. */
export interface CertificateSignature {
  /** 32 bytes. It says which key was used and proves nothing: whoever checks the signature has it from somewhere else. */
  readonly publicKey: Uint8Array
  /** Ed25519 (RFC 8032) over `LP('strongroom/v1/closure-certificate')` and the body, 64 bytes. */
  readonly signature: Uint8Array
}

export function signCertificateBody(keys: Pick<KeyOperations, 'tree'>, body: Uint8Array): Promise<CertificateSignature> {
  return withSigningSeed(keys, (seed) =>
    Promise.resolve({ publicKey: ed25519PublicKey(seed), signature: ed25519Sign(seed, concat(SIGNED, body)) }),
  )
}

/**
 * Whose trusted key, of those the one that is named, has signed these bytes of a closure certificate. For packages that issue certificates:
 * whoever has one calls `verifyCertificate` of `@strongroom/erasure`.
 *
 * @param trustedKeys - of 48 bytes, as `vault.receiptKeys()` gave them to be published
 * @returns the id of the vault that the key is trusted as one of, 32 hexadecimal digits: a certificate of any other is none. `undefined` where no
 *   trusted key has signed it
 * @throws StrongroomError `invalid_argument`
 * @example
 * ```ts
 * import { type Vault, verifyCertificateSignature } from '@strongroom/core'
 *
 * async function isSigned(vault: Vault, body: Uint8Array) {
 *   return verifyCertificateSignature(body, await vault.signCertificate(body), await vault.receiptKeys()) === vault.id
 * }
 * ```
 */
export function verifyCertificateSignature(
  body: Uint8Array,
  { publicKey, signature }: CertificateSignature,
  trustedKeys: readonly Uint8Array[],
): string | undefined {
  requireTrustedKeys(trustedKeys)
  if (!isBytes(body)) throw invalidArgument('body', 'must be bytes')
  if (!isBytes(publicKey) || publicKey.length !== ED25519_PUBLIC_KEY) throw invalidArgument('publicKey', 'must be 32 bytes')
  if (!isBytes(signature) || signature.length !== ED25519_SIGNATURE) throw invalidArgument('signature', 'must be 64 bytes')
  const vaultId = vaultOfKey(trustedKeys, publicKey)
  return vaultId !== undefined && ed25519Verify(publicKey, concat(SIGNED, body), signature) ? hex(vaultId) : undefined
}
