/** What is pending, why, and until when. */

import type { ClosureBlocker, Finality, ReasonName } from '@strongroom/core'

import type { ErasureParts } from './parts.ts'
import type { ErasedRecord } from './records/ended.ts'
import type { OpenErasure } from './records/open-erasures.ts'
import type { ErasedNames, OpenState, ResourceProgress } from './records/record.ts'

/**
 * What an erasure waits for. `suspension`: it is noted, and nobody has suspended the place yet. `grace`: until it is due. `hold`: until it is
 * released. `sweep`: whoever sweeps next goes on with it. `keys`: they could not be destroyed. `resources`: something is left of these, or one
 * is missing. `epoch`: no backup brings the keys back once that is closed.
 */
export type WaitsFor = 'suspension' | 'grace' | 'hold' | 'sweep' | 'keys' | 'resources' | 'epoch'

/** An erasure that has not come to its end. Instants are UTC milliseconds. */
export interface PendingErasure {
  readonly id: string
  /** As they were given; `undefined` once nothing is to be erased by them any more. */
  readonly names?: ErasedNames | undefined
  /** From the tenant's down to its own. */
  readonly references: readonly string[]
  readonly region: string
  readonly state: OpenState | 'erased'
  readonly reason: ReasonName
  readonly requested: number
  readonly due: number
  readonly waitsFor: WaitsFor
  /** When that is over, where it is known. */
  readonly until?: number | undefined
  /** What keeps older backups from being dead, in order. */
  readonly blockedBy: readonly ClosureBlocker[]
  /** A code, never a message. */
  readonly failure?: { readonly code: string; readonly since: number; readonly at: number; readonly failures: number } | undefined
  /** Those of which something may be left. */
  readonly resources: readonly ResourceProgress[]
}

/** Those that are under way, then those that wait for their epoch. Reads by pages. One that is damaged is thrown for once all others were given. */
export async function* list(parts: ErasureParts): AsyncGenerator<PendingErasure> {
  let failure: unknown
  for await (const { open } of parts.open.beneath([])) {
    const erasure = await open().catch((error: unknown) => void (failure ??= error))
    if (erasure !== undefined) yield pendingOf(parts, erasure)
  }
  // One for each epoch that is not closed: of all that it says, only what is shown is kept.
  const known = new Map<string, Pick<Finality, 'blockedBy' | 'until'>>()
  const finalityOf = async ({ region, rootVersion }: ErasedRecord): Promise<Pick<Finality, 'blockedBy' | 'until'>> => {
    const key = `${region}/${rootVersion}`
    const there = known.get(key)
    if (there !== undefined) return there
    const { blockedBy, until } = await parts.vault.finality({ region, rootVersion })
    known.set(key, { blockedBy, until })
    return { blockedBy, until }
  }
  for await (const { id, references, open } of parts.ended.list()) {
    const record = await open().catch((error: unknown) => void (failure ??= error))
    if (record === undefined) continue
    const { blockedBy, until } = await finalityOf(record)
    const { region, reason, requestedAt: requested, dueAt: due } = record
    const when = until === undefined ? {} : { until }
    yield { id, references, region, state: 'erased', reason, requested, due, waitsFor: 'epoch', ...when, blockedBy, resources: [] }
  }
  if (failure !== undefined) throw failure
}

async function pendingOf(parts: ErasureParts, { id, references, record }: OpenErasure): Promise<PendingErasure> {
  const { names, region, state, reason, requested, due, failure, resources } = record
  const waitsFor = await waitsForOf(parts, { id, references, record })
  return {
    id,
    names,
    references,
    region,
    state,
    reason,
    requested,
    due,
    waitsFor,
    until: waitsFor === 'grace' ? due : undefined,
    blockedBy: [],
    failure,
    resources: resources.filter(({ verifiedAt }) => verifiedAt === undefined),
  }
}

async function waitsForOf(parts: ErasureParts, { references, record }: Omit<OpenErasure, 'entry'>): Promise<WaitsFor> {
  const { state, receipt, failure, resources, due, grace } = record
  if (state === 'requested') return 'suspension'
  if (receipt === undefined && (await parts.holds.stand(references))) return 'hold'
  if (failure !== undefined) return 'keys'
  if (resources.some((each) => each.failure !== undefined && each.verifiedAt === undefined)) return 'resources'
  return state === 'suspended' && grace > 0 && due > (await parts.time.now()) ? 'grace' : 'sweep'
}
