/** The key that signs receipts: a service key of the vault's own node. */

import { ed25519PublicKey } from '../crypto/ed25519.ts'
import { wipe } from '../crypto/hash.ts'
import { decryptFailed } from '../errors.ts'
import { EMPTY } from '../format/bytes.ts'
import { NodeKind } from '../format/records.ts'
import { serviceName, VAULT_REF } from '../format/reference.ts'
import { required, type Step } from '../keys/key-tree.ts'
import type { KeyOperations } from '../keys/shred.ts'

const FIRST_GENERATION = 1
const SIGNING_STEP: Step = {
  kind: NodeKind.service,
  name: serviceName('signing-certificate', EMPTY, { generation: FIRST_GENERATION }),
}

/** Uses the 32-byte seed, which is made where there is none, and wipes it. */
export async function withSigningSeed<T>({ tree }: Pick<KeyOperations, 'tree'>, use: (seed: Uint8Array) => Promise<T>): Promise<T> {
  const path = required(await tree.open(VAULT_REF, [SIGNING_STEP], true))
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

/** The public keys of this vault's receipts, 32 bytes each. */
export function receiptKeys(keys: Pick<KeyOperations, 'tree'>): Promise<readonly Uint8Array[]> {
  return withSigningSeed(keys, (seed) => Promise.resolve([ed25519PublicKey(seed)]))
}
