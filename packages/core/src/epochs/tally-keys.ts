/** Counting keys and wrapping keys, by state, age, and the root versions that they hang on. */

import { equalBytes } from '../crypto/hash.ts'
import { hex } from '../format/bytes.ts'
import { KeyState, type LiveVersion, NodeKind, type NodeRecord, type RegionRecord, type WrappingKeyRecord } from '../format/records.ts'
import type { KeyContext } from '../keys/key-context.ts'
import { NODES_PER_PAGE } from './walk-nodes.ts'
import { isLivingTenant, walkWrappingKeys } from './walk-tenants.ts'

/** Wrapping keys of living tenants and of the vault, by state. */
export interface WrappingKeyCounts {
  readonly current: number
  /** More than 0: a move to another wrapping key has not ended. */
  readonly retiring: number
  readonly retired: number
  /** Of those in use (current or retiring): how many were there at a shred, so that no later root version may wrap them. */
  readonly marked: number
  /** When the oldest of those in use was made. */
  readonly oldest?: number | undefined
}

/** How many wrapping keys a root version wraps, and how many no other living one does. */
export interface RootVersionUse {
  readonly wrapped: number
  readonly only: number
}

/** Keys of tenants, subjects and items, and service keys, by the state of their newest living version. */
export interface NodeCounts {
  readonly active: number
  readonly deactivated: number
  readonly suspended: number
  /** Shredded themselves, or with what is above them. */
  readonly shredded: number
  /** Versions that only decrypt: `retireVersion` ends them. */
  readonly deactivatedVersions: number
  /** When the oldest living version was made. */
  readonly oldest?: number | undefined
}

export type Tally = { -readonly [K in keyof NodeCounts]: NodeCounts[K] } & { tenants: number }

/** Nothing counted yet. */
export function newTally(): Tally {
  return { tenants: 0, active: 0, deactivated: 0, suspended: 0, shredded: 0, deactivatedVersions: 0, oldest: undefined }
}

/** The keys of each region. */
export async function tallyNodes(context: KeyContext, goOn: () => Promise<void>): Promise<ReadonlyMap<string, Tally>> {
  const tallies = new Map<string, Tally>()
  let after: Uint8Array | undefined
  for (;;) {
    await goOn()
    const page = await context.keyStore.scan({ type: 'node', limit: NODES_PER_PAGE, ...(after === undefined ? {} : { after }) })
    const nodes = page.filter((record): record is NodeRecord => record.type === 'node')
    const above = await readAbove(context, nodes)
    for (const node of nodes) {
      const tally = tallies.get(node.region) ?? newTally()
      tallies.set(node.region, tally)
      addTo(tally, node.kind, livingVersions(node, above))
    }
    const last = nodes.at(-1)
    if (page.length < NODES_PER_PAGE || last === undefined) return tallies
    after = last.ref
  }
}

function addTo(tally: Tally, kind: NodeKind, living: readonly LiveVersion[]): void {
  const newest = living.at(-1)
  if (newest === undefined) {
    tally.shredded++
    return
  }
  if (kind === NodeKind.tenant) tally.tenants++
  if (newest.state === KeyState.active) tally.active++
  else if (newest.state === KeyState.suspended) tally.suspended++
  else tally.deactivated++
  for (const { state, created } of living) {
    if (state === KeyState.deactivated) tally.deactivatedVersions++
    tally.oldest = Math.min(tally.oldest ?? created, created)
  }
}

// Depth is fixed: what is above a node is its parent and its tenant.
async function readAbove(context: KeyContext, nodes: readonly NodeRecord[]): Promise<ReadonlyMap<string, NodeRecord>> {
  const refs = new Map<string, Uint8Array>()
  for (const { parentRef, tenantRef } of nodes) if (parentRef.length > 0) for (const ref of [parentRef, tenantRef]) refs.set(hex(ref), ref)
  if (refs.size === 0) return new Map()
  const found = await context.keyStore.get([...refs.values()].map((ref) => ({ type: 'node', ref })))
  return new Map(found.flatMap((record) => (record?.type === 'node' ? [[hex(record.ref), record]] : [])))
}

// A version whose parent version is shredded counts as shredded: nothing can open it any more.
function livingVersions(record: NodeRecord, above: ReadonlyMap<string, NodeRecord>): readonly LiveVersion[] {
  return record.versions.filter(
    (version): version is LiveVersion => version.state !== KeyState.shredded && !hasDied(record, version, above),
  )
}

function hasDied({ parentRef }: NodeRecord, version: LiveVersion, above: ReadonlyMap<string, NodeRecord>): boolean {
  const parent = above.get(hex(parentRef))
  const over = parent?.versions.find(({ commitment }) => equalBytes(commitment, version.parentCommitment))
  if (parent === undefined || over === undefined) return false
  return over.state === KeyState.shredded || hasDied(parent, over, above)
}

export interface WrappingKeyTally {
  readonly counts: WrappingKeyCounts
  /** By the number of a root version. */
  readonly uses: ReadonlyMap<number, RootVersionUse>
}

/** The wrapping keys of a region. */
export async function tallyWrappingKeys(
  context: KeyContext,
  region: string,
  known: RegionRecord | undefined,
  goOn: () => Promise<void>,
): Promise<WrappingKeyTally> {
  const counts = { current: 0, retiring: 0, retired: 0, marked: 0, oldest: undefined as number | undefined }
  const uses = new Map<number, { wrapped: number; only: number }>()
  const destroyed = new Set(known?.versions.filter(({ state }) => state === 'destroyed').map(({ number }) => number))
  const add = ({ state, marked, created, wraps }: WrappingKeyRecord): void => {
    counts[state]++
    if (state === 'retired') return
    if (marked) counts.marked++
    counts.oldest = Math.min(counts.oldest ?? created, created)
    const numbers = new Set(wraps.map(({ rootVersion }) => rootVersion.number))
    const living = [...numbers].filter((number) => !destroyed.has(number))
    for (const number of numbers) {
      const use = uses.get(number) ?? { wrapped: 0, only: 0 }
      uses.set(number, { wrapped: use.wrapped + 1, only: use.only + (living.length === 1 && living[0] === number ? 1 : 0) })
    }
  }
  for await (const page of walkWrappingKeys(context, region)) {
    await goOn()
    if (page.length === 0) continue
    const tenants = await context.keyStore.get(page.map(({ tenantRef }) => ({ type: 'node', ref: tenantRef })))
    for (const [i, record] of page.entries()) {
      const tenant = tenants[i]
      if (tenant?.type === 'node' && isLivingTenant(tenant)) add(record)
    }
  }
  return { counts, uses }
}
