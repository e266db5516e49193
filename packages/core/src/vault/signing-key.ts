/** The key that signs receipts and closure certificates: a service key of the vault's own node, made with the vault. */

import { ed25519PublicKey } from '../crypto/ed25519.ts'
import { wipe } from '../crypto/hash.ts'
import { decryptFailed } from '../errors.ts'
import { EMPTY } from '../format/bytes.ts'
import { NodeKind } from '../format/records.ts'
import { serviceName, VAULT_REF } from '../format/reference.ts'
import { trustedKey } from '../format/trusted-key.ts'
import { bytesStep, type Step } from '../keys/known-refs.ts'
import type { KeyOperations } from '../keys/shred.ts'

const FIRST_GENERATION = 1
/** The step from the vault's node to its signing key. */
export const SIGNING_STEP: Step = bytesStep(NodeKind.service, serviceName('signing-certificate', EMPTY, { generation: FIRST_GENERATION }))

/**
 * Uses the 32-byte seed, and wipes it. It is made with the vault and never here: another one would sign what nobody who holds the
 * published key believes.
 *
 * @throws StrongroomError `decrypt_failed` where its record is missing, and what stores and provider throw
 */
export async function withSigningSeed<T>({ tree }: Pick<KeyOperations, 'tree'>, use: (seed: Uint8Array) => Promise<T>): Promise<T> {
  const path = await tree.open(VAULT_REF, [SIGNING_STEP], false)
  if (path === undefined) throw decryptFailed()
  let seed: Uint8Array | undefined
  try {
    seed = path.nodes[0]?.active?.serviceKey('signing-certificate')
  } finally {
    path.release()
  }
  if (seed === undefined) throw decryptFailed()
  try {
    return await use(seed)
  } finally {
    wipe(seed)
  }
}

/** The public keys of this vault's receipts, as keys that are trusted. */
export function receiptKeys(keys: Pick<KeyOperations, 'tree'>): Promise<readonly Uint8Array[]> {
  return withSigningSeed(keys, (seed) => Promise.resolve([trustedKey(keys.tree.context.vaultId, ed25519PublicKey(seed))]))
}
