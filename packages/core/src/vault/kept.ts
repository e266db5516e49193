/**
 * What outlives the keys of a place for a while: tokens that wait to be revoked, each under a key of the vault's own that is destroyed on a fixed
 * day. A receipt says which keys these are; so the names of such entries say it too, and nobody has to be able to read them.
 */

import type { KeptUnder } from '../format/receipt.ts'
import { NodeKind, Reason } from '../format/records.ts'
import { VAULT_REF } from '../format/reference.ts'
import { liveKeys, type NodePlaceRef, readNode, shredNode } from '../keys/shred.ts'
import { scanEntries } from '../keys/state-pages.ts'
import type { StateStore } from '../keys/state-store.ts'
import { mayHaveEntries, prefixOf } from './entries-beneath.ts'
import { periodEnd, periodOf, seriesStep, VAULT_SERIES } from './period-series.ts'
import { referencesOf, type VaultKeys } from './shred-guards.ts'

/** The namespace of the state store that such entries are in. */
const KEPT = 'strongroom/revocations'
const DAYS = VAULT_SERIES.revocation
const UNTIL = /^[1-9]\d{0,14}$/

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
 * The keys under which something of each place is kept, in the order of their ends. Only those that are there: anybody who writes the state
 * store can name others. One whose day is over is destroyed now, where nobody has done it: a receipt tells of no end that has passed.
 *
 * @param places - of one tenant
 */
export async function keptOf(
  keys: VaultKeys,
  places: readonly { readonly node: NodePlaceRef }[],
): Promise<readonly (readonly KeptUnder[])[]> {
  const { stateStore, vaultId } = keys.tree.context
  const references = places.map(({ node }) => referencesOf(node))
  const [tenantRef] = references[0] ?? []
  if (tenantRef !== undefined && !(await mayHaveEntries(stateStore, KEPT, { vaultId, tenantRef, places: places.length })))
    return places.map(() => [])
  const ends = await Promise.all(
    references.map(async (each) => (each === undefined ? [] : endsBeneath(stateStore, prefixOf(vaultId, each)))),
  )
  const alive = new Map<number, KeptUnder>()
  for (const until of new Set(ends.flat())) {
    const key = await livingKey(keys, until)
    if (key !== undefined) alive.set(until, key)
  }
  return ends.map((each) => each.flatMap((until) => alive.get(until) ?? []))
}

async function livingKey(keys: VaultKeys, until: number): Promise<KeptUnder | undefined> {
  const place = await periodPlace(keys, until)
  if (liveKeys(await readNode(keys, place.ref)).length === 0) return undefined
  if (keys.tree.context.clock.now() < until) return { ref: place.ref, until }
  await shredNode(keys, place, Reason.retentionEnded)
  return undefined
}

async function periodPlace({ tree }: VaultKeys, until: number): Promise<NodePlaceRef> {
  const vault = await tree.vault()
  const { ref } = vault.refTo(vault.top, seriesStep(DAYS, periodOf(DAYS, until - 1)))
  return { kind: NodeKind.service, ref, parentRef: VAULT_REF, tenantRef: VAULT_REF, region: vault.node.record.region }
}

/** When the keys end under which something may be kept, in order. Reads by pages. What is not the end of a period was not put there by us. */
async function endsBeneath(stateStore: StateStore, prefix: string): Promise<readonly number[]> {
  const ends = new Set<number>()
  for await (const { key } of scanEntries(stateStore, KEPT, prefix)) {
    const until = key.split('/').at(-2) ?? ''
    if (UNTIL.test(until) && periodEnd(DAYS, Number(until) - 1) === Number(until)) ends.add(Number(until))
  }
  return [...ends].toSorted((a, b) => a - b)
}
