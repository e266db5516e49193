/** Which shreds are dead in every backup, and what keeps the others from it. */

import type { Destruction, RegionRecord } from '../format/records.ts'
import { newestLive, type ProviderStatus } from './provider-status.ts'

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

/** Whether what was shredded is dead in every backup; with `status` this agrees, being the same sums. Instants are UTC milliseconds. */
export interface Finality {
  /** When it was read. */
  readonly at: number
  /** Nothing is in its way. */
  readonly final: boolean
  /** Where nothing has to be done any more: when the last copy of a root version is gone. */
  readonly until?: number | undefined
  /** What has to happen first, in order; empty where it is final. */
  readonly blockedBy: readonly ClosureBlocker[]
  /** The root versions up to the one that was asked about whose destruction was asked for, and what the provider has said to that. */
  readonly versions: readonly ({ readonly number: number } & Destruction)[]
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

/** The ledger's word on a region. */
export interface RegionEntries {
  /** Numbers of root versions. */
  readonly created: Set<number>
  /** The record of a region is a column like any other: only what the ledger says is destroyed counts as destroyed. */
  readonly destroyed: Set<number>
  /** Shreds by the number of the root version that they have to outlive. */
  readonly shreds: Map<number, { count: number; since: number }>
}

/** How a root version stands in the way of shreds: by something that must be done, or until an instant. */
type Obstacle = { readonly act: readonly ClosureBlocker[] } | { readonly until: number; readonly why: readonly ClosureBlocker[] }

/** How far the shreds of a region are. */
export function shredStatus(entries: RegionEntries, record: RegionRecord | undefined, provider: ProviderStatus, now: number): ShredStatus {
  const { shreds } = entries
  const waiting = { count: 0, since: undefined as number | undefined }
  const awaiting = { count: 0, since: undefined as number | undefined, until: undefined as number | undefined }
  const blockers = new Set<ClosureBlocker>()
  let final = 0
  const obstacles = obstaclesOf(entries, record, provider, now, shreds.keys())
  for (const [number, group] of [...shreds].toSorted(([a], [b]) => a - b)) {
    const { acts, whys, until } = summed(obstacles, number)
    for (const blocker of [...acts, ...whys]) blockers.add(blocker)
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

/** Whether shreds whose entries name a root version are final, as `shredStatus` has it of those that it counts. */
export function finalityOf(
  entries: RegionEntries,
  record: RegionRecord | undefined,
  provider: ProviderStatus,
  now: number,
  rootVersion: number,
): Finality {
  const { acts, whys, until } = summed(obstaclesOf(entries, record, provider, now, [...entries.shreds.keys(), rootVersion]), rootVersion)
  const blockers = new Set([...acts, ...whys])
  if (provider.state !== 'answers' && (acts.length > 0 || until <= now)) blockers.add('provider_unavailable')
  if (acts.length > 0 && provider.missing.length > 0) blockers.add('wrong_root_key')
  const versions = (record?.versions ?? []).flatMap(({ number, destruction }) =>
    number > rootVersion || destruction === undefined ? [] : [{ number, ...destruction }],
  )
  return {
    at: now,
    final: blockers.size === 0,
    ...(acts.length > 0 ? {} : { until }),
    blockedBy: IN_ORDER.filter((blocker) => blockers.has(blocker)),
    versions,
  }
}

/** Of each root version that somebody knows of. @param asked - numbers that count in any case */
function obstaclesOf(
  { created, destroyed }: RegionEntries,
  record: RegionRecord | undefined,
  provider: ProviderStatus,
  now: number,
  asked: Iterable<number>,
): ReadonlyMap<number, Obstacle> {
  // Whoever knows of a root version is believed: one that the key store has not heard of is live.
  const known = record?.versions.map(({ number }) => number) ?? []
  // What the provider had before the vault began has wrapped nothing of it.
  const first = Math.min(...known, ...created)
  const unknown = provider.unknown.filter((number) => number > first)
  return new Map(
    [...known, ...created, ...unknown, ...asked].map((number) => [
      number,
      destroyed.has(number) ? obstacle(number, record, provider, now) : { act: actsFor(number, record, provider) },
    ]),
  )
}

/** All that stands in the way of what names a root version: it has to outlive that, and all before it. */
function summed(
  obstacles: ReadonlyMap<number, Obstacle>,
  upTo: number,
): { readonly acts: readonly ClosureBlocker[]; readonly whys: readonly ClosureBlocker[]; readonly until: number } {
  const passed = [...obstacles].filter(([number]) => number <= upTo).map(([, each]) => each)
  return {
    acts: passed.flatMap((each) => ('act' in each ? each.act : [])),
    whys: passed.flatMap((each) => ('why' in each ? each.why : [])),
    until: Math.max(0, ...passed.map((each) => ('until' in each ? each.until : 0))),
  }
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
