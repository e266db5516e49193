/**
 * What outlives the keys of a place for a while: tokens that wait to be revoked, each under a key of the vault's own that is destroyed on a fixed
 * day. A receipt says which keys these are; so the names of such entries say it too, and nobody has to be able to read them.
 */

import { decryptFailed } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import type { KeptUnder } from '../format/receipt.ts'
import type { NodePlaceRef } from '../keys/shred.ts'
import type { StateStore } from '../keys/state-store.ts'
import { periodStep } from './period-step.ts'
import { referencesOf, type VaultKeys } from './shred-guards.ts'

/** The namespace of the state store that such entries are in. */
const KEPT = 'strongroom/revocations'
const PAGE = 500
const UNTIL = /^\d{1,15}$/
// From so many places of one tenant on, one look says first whether that has any.
const MANY = 3

/**
 * The key under which the state store keeps an entry of `strongroom/revocations`: vault id, references from the tenant's down, when the key
 * under which it is encrypted ends, and an id, joined by `/`.
 *
 * @param until - `until` of the period key, UTC milliseconds
 */
export function keptEntryKey(vaultId: string, references: readonly string[], until: number, id: string): string {
  return [vaultId, ...references, until, id].join('/')
}

/**
 * The keys under which something of each place is kept, in the order of their ends.
 *
 * @param places - of one tenant
 */
export async function keptOf(
  keys: VaultKeys,
  places: readonly { readonly node: NodePlaceRef }[],
): Promise<readonly (readonly KeptUnder[])[]> {
  const { stateStore, vaultId } = keys.tree.context
  const prefixOf = (references: readonly string[]): string => `${[hex(vaultId), ...references].join('/')}/`
  const references = places.map(({ node }) => referencesOf(node))
  const [tenantRef] = references[0] ?? []
  if (places.length >= MANY && tenantRef !== undefined && (await stateStore.scan(KEPT, prefixOf([tenantRef]), { limit: 1 })).length === 0)
    return places.map(() => [])
  const vault = await keys.tree.vault()
  const keyOf = (until: number): KeptUnder => ({ ref: vault.refTo(vault.top, periodStep('revocation', until - 1)).ref, until })
  return Promise.all(references.map(async (each) => (each === undefined ? [] : (await endsBeneath(stateStore, prefixOf(each))).map(keyOf))))
}

/** When the keys end under which something is kept. Reads by pages. */
async function endsBeneath(stateStore: StateStore, prefix: string): Promise<readonly number[]> {
  const ends = new Set<number>()
  for (let after: string | undefined; ;) {
    const page = await stateStore.scan(KEPT, prefix, { limit: PAGE, ...(after === undefined ? {} : { after }) })
    for (const { key } of page) {
      const until = key.split('/').at(-2) ?? ''
      if (!UNTIL.test(until)) throw decryptFailed()
      ends.add(Number(until))
    }
    after = page.at(-1)?.key
    if (page.length < PAGE) return [...ends].toSorted((a, b) => a - b)
  }
}
