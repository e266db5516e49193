/** `status`: how old keys are, what still hangs on which root version, and which shreds older backups still outlive. Never writes. */

import { equalBytes } from '../crypto/hash.ts'
import { hasCode, StrongroomError, type StrongroomErrorCode } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { LedgerOp } from '../format/ledger-entry.ts'
import {
  type Destruction,
  KeyState,
  type KnownRootVersion,
  type LiveVersion,
  NodeKind,
  type NodeRecord,
  type RegionRecord,
  type WrappingKeyRecord,
} from '../format/records.ts'
import type { KeyContext } from '../keys/key-context.ts'
import { type Ledger, LEDGER_START } from '../keys/ledger.ts'
import { findRegion } from '../keys/regions.ts'
import type { KeyOperations } from '../keys/shred.ts'
import { readVaultRecord } from '../keys/vault-record.ts'
import { NODES_PER_PAGE } from './walk-nodes.ts'
import { isLivingTenant, walkWrappingKeys } from './walk-tenants.ts'

/** A vault as it was found: plain data, fit for JSON, without names. Instants are UTC milliseconds. */
export interface VaultStatus {
  /** When the reading began. */
  readonly at: number
  readonly homeRegion: string
  /** How many entries there are, and up to which of them the key store has acknowledged the effect. */
  readonly ledger: { readonly n: number; readonly applied: number }
  /** In the order of their names. */
  readonly regions: readonly RegionStatus[]
}

/** One region. The vault's own keys count in its home region. */
export interface RegionStatus {
  readonly region: string
  /** The root version that new wraps use; `undefined` where nothing was ever wrapped. */
  readonly current?: number | undefined
  /** In ascending order. */
  readonly rootVersions: readonly RootVersionStatus[]
  readonly provider: ProviderStatus
  readonly rotation: RotationStatus
  /** Tenants that are not shredded, the vault itself not counted. */
  readonly tenants: number
  readonly wrappingKeys: WrappingKeyCounts
  readonly nodes: NodeCounts
  readonly shreds: ShredStatus
}

/** A root version as the key store knows it. */
export interface RootVersionStatus {
  readonly number: number
  /** `closing`: a `closeEpoch` that is to destroy it was begun. */
  readonly state: 'live' | 'closing' | 'destroyed'
  readonly created: number
  /** When the ledger was told of its destruction, and what the provider said to it. */
  readonly destroyed?: number | undefined
  readonly destruction?: Destruction | undefined
  /** Wrapping keys in use that it wraps, and those of them that no other living root version wraps. */
  readonly wrappingKeys: { readonly wrapped: number; readonly only: number }
}

/** What the provider's own list says. Where it answers and all four lists are empty, it agrees with the key store. */
export interface ProviderStatus {
  /** `none`: this process has no provider for the region. */
  readonly state: 'answers' | 'unavailable' | 'none'
  /** Why it is unavailable. */
  readonly code?: StrongroomErrorCode | undefined
  /** Live there, and unknown to the key store: made by the provider itself, or by a rotation that was killed. */
  readonly unknown: readonly number[]
  /** Known to the key store, and not there: another root key, or an older copy. Until it is put right, no epoch turns. */
  readonly missing: readonly number[]
  /** Destroyed there, and live as far as the key store knows: by a `closeEpoch` that was killed, or by someone else. */
  readonly gone: readonly number[]
  /** Still live there, although its destruction should be in effect: not destroyed, or brought back by a restored root key. */
  readonly undestroyed: readonly number[]
}

/** How far `rotateRootKey` is. Where a provider rotates by itself, that begins a rotation as well. */
export interface RotationStatus {
  readonly state: 'none' | 'unfinished' | 'finished'
  /** The root version that is, or was, rotated to. */
  readonly rootVersion?: number | undefined
  readonly endedAt?: number | undefined
}

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

/**
 * The ledger's shreds. What was shredded is dead in every backup when all root versions up to the one that its entry names are destroyed,
 * that is in effect, and no copy of them may be left; nothing is claimed before.
 */
export interface ShredStatus {
  /** Dead in every backup. */
  readonly final: number
  /** Something has to be done first: a root version that counts is not destroyed. `since`: when the oldest was shredded. */
  readonly waiting: { readonly count: number; readonly since?: number | undefined }
  /** Only time has to pass, for the last of them until `until`. */
  readonly awaiting: { readonly count: number; readonly since?: number | undefined; readonly until?: number | undefined }
  /** What has to happen before all of them are final, in order; empty where they are. */
  readonly blockedBy: readonly ClosureBlocker[]
}

/** What keeps shreds from being final. */
export type ClosureBlocker =
  /** The provider holds another root key than the vault's, or an older copy: restore the newest. */
  | 'wrong_root_key'
  /** What is to be done needs the region's provider: it does not answer, or this process has none. */
  | 'provider_unavailable'
  /** A rotation has begun: run `rotateRootKey` to its end. */
  | 'rotation_unfinished'
  /** A shred names the newest root version: run `rotateRootKey`. */
  | 'rotation_needed'
  /** A close has begun: run `closeEpoch` to its end. */
  | 'close_unfinished'
  /** An older root version is live: run `closeEpoch`, once the rotation has ended. */
  | 'close_needed'
  /** The provider's list has as live what was destroyed: restore the newest root key, or run `closeEpoch` again. */
  | 'not_destroyed'
  /** The provider has put the destruction off. */
  | 'scheduled'
  /** Copies of the root version may still exist after its destruction. */
  | 'copies_live'

const IN_ORDER: readonly ClosureBlocker[] = [
  'wrong_root_key',
  'provider_unavailable',
  'rotation_unfinished',
  'rotation_needed',
  'close_unfinished',
  'close_needed',
  'not_destroyed',
  'scheduled',
  'copies_live',
]

/**
 * @param region - this one only, whether anything was wrapped there or not; `undefined`: all where something was
 * @param goOn - called before each page is read; throws where the reading is to end
 * @throws StrongroomError `ledger_invalid`, and what the stores throw, and the provider that the ledger's key needs
 */
export async function vaultStatus(keys: KeyOperations, region: string | undefined, goOn: () => Promise<void>): Promise<VaultStatus> {
  const { context } = keys.tree
  const at = context.clock.now()
  const { homeRegion, head, applied } = await readVaultRecord(context.keyStore)
  await keys.ledger.requireHead(head)
  const ledger = await surveyLedger(keys.ledger, goOn)
  const nodes = await tallyNodes(context, goOn)
  const names = region === undefined ? [...new Set([...ledger.regions.keys(), ...nodes.keys()])].toSorted() : [region]
  const regions: RegionStatus[] = []
  for (const name of names) {
    const record = await findRegion(context, name)
    const provider = await askProvider(context, name, record, at)
    const wrapping = await tallyWrappingKeys(context, name, record, goOn)
    const { tenants, ...counts } = nodes.get(name) ?? newTally()
    const entries = ledger.regions.get(name) ?? { created: new Set(), destroyed: new Set(), shreds: new Map() }
    regions.push({
      region: name,
      current: record?.current,
      rootVersions: (record?.versions ?? []).map((version) => versionStatus(version, record, wrapping.uses.get(version.number))),
      provider,
      rotation: rotationStatus(record, provider),
      tenants,
      wrappingKeys: wrapping.counts,
      nodes: counts,
      shreds: shredStatus(entries, record, provider, at),
    })
  }
  return { at, homeRegion, ledger: { n: ledger.n, applied }, regions }
}

const ENTRIES_PER_TURN = 1000

/** The ledger's word on a region. */
interface RegionEntries {
  /** Numbers of root versions. */
  readonly created: Set<number>
  /** The record of a region is a column like any other: only what the ledger says is destroyed counts as destroyed. */
  readonly destroyed: Set<number>
  /** Shreds by the number of the root version that they have to outlive. */
  readonly shreds: Map<number, { count: number; since: number }>
}

async function surveyLedger(
  ledger: Ledger,
  goOn: () => Promise<void>,
): Promise<{ readonly n: number; readonly regions: ReadonlyMap<string, RegionEntries> }> {
  const regions = new Map<string, RegionEntries>()
  let last = 0
  for await (const { n, op, region, rootVersion, instant } of ledger.after(LEDGER_START)) {
    if (n % ENTRIES_PER_TURN === 0) await goOn()
    last = n
    const entries = regions.get(region) ?? { created: new Set(), destroyed: new Set(), shreds: new Map() }
    regions.set(region, entries)
    if (op === LedgerOp.rootCreated) entries.created.add(rootVersion.number)
    if (op === LedgerOp.rootDestroyed) entries.destroyed.add(rootVersion.number)
    if (op !== LedgerOp.shred) continue
    const { count, since } = entries.shreds.get(rootVersion.number) ?? { count: 0, since: instant }
    entries.shreds.set(rootVersion.number, { count: count + 1, since: Math.min(since, instant) })
  }
  return { n: last, regions }
}

type Tally = { -readonly [K in keyof NodeCounts]: NodeCounts[K] } & { tenants: number }

function newTally(): Tally {
  return { tenants: 0, active: 0, deactivated: 0, suspended: 0, shredded: 0, deactivatedVersions: 0, oldest: undefined }
}

async function tallyNodes(context: KeyContext, goOn: () => Promise<void>): Promise<ReadonlyMap<string, Tally>> {
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

interface WrappingKeyTally {
  readonly counts: WrappingKeyCounts
  /** By the number of a root version. */
  readonly uses: ReadonlyMap<number, RootVersionStatus['wrappingKeys']>
}

async function tallyWrappingKeys(
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

function versionStatus(
  { number, state, announced, destroyed, destruction }: KnownRootVersion,
  record: RegionRecord | undefined,
  wrappingKeys: RootVersionStatus['wrappingKeys'] = { wrapped: 0, only: 0 },
): RootVersionStatus {
  const closing = state === 'live' && number <= (record?.closing ?? 0)
  return {
    number,
    state: closing ? 'closing' : state,
    created: announced.instant,
    destroyed: destroyed?.instant,
    destruction,
    wrappingKeys,
  }
}

async function askProvider(context: KeyContext, region: string, record: RegionRecord | undefined, now: number): Promise<ProviderStatus> {
  const nothing = { unknown: [], missing: [], gone: [], undestroyed: [] }
  try {
    context.providers.require(region)
  } catch (error) {
    if (!hasCode(error, 'region_refused')) throw error
    return { state: 'none', ...nothing }
  }
  try {
    const listed = await context.providers.versions(region)
    const known = record?.versions ?? []
    const there = ({ number, id }: KnownRootVersion): 'live' | 'destroyed' | undefined =>
      listed.find((other) => other.number === number && equalBytes(other.id, id))?.state
    const which = (wanted: (version: KnownRootVersion) => boolean): readonly number[] => known.filter(wanted).map(({ number }) => number)
    return {
      state: 'answers',
      unknown: listed
        .filter(({ number, state }) => state === 'live' && !known.some((version) => version.number === number))
        .map(({ number }) => number)
        .toSorted((a, b) => a - b),
      missing: which((version) => there(version) === undefined),
      gone: which((version) => version.state === 'live' && there(version) === 'destroyed'),
      undestroyed: which((version) => (version.destruction?.effectiveAt ?? now + 1) <= now && there(version) === 'live'),
    }
  } catch (error) {
    if (!(error instanceof StrongroomError)) throw error
    return { state: 'unavailable', code: error.code, ...nothing }
  }
}

function rotationStatus(record: RegionRecord | undefined, { unknown }: ProviderStatus): RotationStatus {
  if (record === undefined) return { state: 'none' }
  const { epoch } = record
  const newest = newestLive(record, unknown)
  // What the vault began with needs no rotation.
  if (newest > (epoch?.rootVersion ?? Math.min(...record.versions.map(({ number }) => number))))
    return { state: 'unfinished', rootVersion: newest }
  return epoch === undefined ? { state: 'none' } : { state: 'finished', rootVersion: epoch.rootVersion, endedAt: epoch.instant }
}

function newestLive({ versions }: RegionRecord, unknown: readonly number[]): number {
  return Math.max(0, ...versions.filter(({ state }) => state === 'live').map(({ number }) => number), ...unknown)
}

/** How a root version stands in the way of shreds: by something that must be done, or until an instant. */
type Obstacle = { readonly act: readonly ClosureBlocker[] } | { readonly until: number; readonly why: readonly ClosureBlocker[] }

function shredStatus(
  { created, destroyed, shreds }: RegionEntries,
  record: RegionRecord | undefined,
  provider: ProviderStatus,
  now: number,
): ShredStatus {
  const waiting = { count: 0, since: undefined as number | undefined }
  const awaiting = { count: 0, since: undefined as number | undefined, until: undefined as number | undefined }
  const blockers = new Set<ClosureBlocker>()
  let final = 0
  // Whoever knows of a root version is believed: one that the key store has not heard of is live.
  const known = record?.versions.map(({ number }) => number) ?? []
  // What the provider had before the vault began has wrapped nothing of it.
  const first = Math.min(...known, ...created)
  const unknown = provider.unknown.filter((number) => number > first)
  const numbers = [...new Set([...known, ...created, ...unknown, ...shreds.keys()])].toSorted((a, b) => a - b)
  const passed: Obstacle[] = []
  for (const number of numbers) {
    passed.push(destroyed.has(number) ? obstacle(number, record, provider, now) : { act: actsFor(number, record, provider) })
    const group = shreds.get(number)
    if (group === undefined) continue
    const acts = passed.flatMap((each) => ('act' in each ? each.act : []))
    const until = Math.max(0, ...passed.map((each) => ('until' in each ? each.until : 0)))
    for (const blocker of [...acts, ...passed.flatMap((each) => ('why' in each ? each.why : []))]) blockers.add(blocker)
    if (acts.length === 0 && until <= now) {
      final += group.count
      continue
    }
    const open = acts.length > 0 ? waiting : awaiting
    open.count += group.count
    open.since = Math.min(open.since ?? group.since, group.since)
    if (open === awaiting) awaiting.until = Math.max(awaiting.until ?? 0, until)
  }
  // Without its answer nobody knows whether what was destroyed is still gone.
  if (waiting.count + final > 0 && provider.state !== 'answers') blockers.add('provider_unavailable')
  if (waiting.count > 0 && provider.missing.length > 0) blockers.add('wrong_root_key')
  return { final, waiting, awaiting, blockedBy: IN_ORDER.filter((blocker) => blockers.has(blocker)) }
}

function obstacle(number: number, record: RegionRecord | undefined, provider: ProviderStatus, now: number): Obstacle {
  const version = record?.versions.find((known) => known.number === number)
  if (record === undefined || version === undefined || version.state === 'live') return { act: actsFor(number, record, provider) }
  const { destruction } = version
  // Killed before the provider's answer was noted: the next run asks again.
  if (destruction === undefined) return { act: ['close_unfinished'] }
  if (provider.undestroyed.includes(number)) return { act: ['not_destroyed'] }
  const { effectiveAt, copiesUntil } = destruction
  return {
    until: Math.max(effectiveAt, copiesUntil),
    why: [
      ...(effectiveAt > now ? (['scheduled'] as const) : []),
      ...(copiesUntil > Math.max(effectiveAt, now) ? (['copies_live'] as const) : []),
    ],
  }
}

function actsFor(number: number, record: RegionRecord | undefined, { unknown }: ProviderStatus): readonly ClosureBlocker[] {
  if (record === undefined) return ['rotation_needed', 'close_needed']
  const { closing, epoch } = record
  if (number <= closing) return ['close_unfinished']
  if ((epoch?.rootVersion ?? 0) > number) return ['close_needed']
  return [newestLive(record, unknown) > number ? 'rotation_unfinished' : 'rotation_needed', 'close_needed']
}
