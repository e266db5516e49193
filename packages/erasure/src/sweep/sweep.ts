/** All that is due: safe on any number of machines at once, and killed anywhere. */

import type { SweepFailure, SweepOptions, SweepReport } from '@strongroom/core'

import { close } from '../closing/close.ts'
import { codeOf, type ErasureParts, placeOf } from '../parts.ts'
import { isConflict } from '../records/sealed-entries.ts'
import type { OpenErasure, UnreadErasure } from '../records/open-erasures.ts'
import { finishCancel } from '../requests/cancel.ts'
import { suspend } from '../requests/suspend.ts'
import { waitOutCacheBound } from './cache-bound.ts'
import { destroyKeys } from './destroy-keys.ts'
import { eraseResources, isClean } from './erase-resources.ts'
import { finish } from './finish.ts'
import { LEASE } from './pauses.ts'

// They wait out one cache bound together.
const BATCH = 1000

/** What became of one. */
interface Step {
  readonly how: 'done' | 'waiting' | 'clean' | 'nothing'
  readonly erasure?: OpenErasure | undefined
}

export async function sweep(parts: ErasureParts, { signal }: SweepOptions): Promise<SweepReport> {
  const tally = { done: 0, waiting: 0 }
  const failures: SweepFailure[] = []
  const { confirmed, isDoubtful } = await parts.time.observe()
  if (isDoubtful) failures.push({ about: 'clock', code: 'clocks_disagree' })
  const clean: OpenErasure[] = []
  const note = ({ how, erasure }: Step): void => {
    if (how === 'clean' && erasure !== undefined) clean.push(erasure)
    if (how === 'done' || how === 'waiting') tally[how]++
    if (how === 'waiting' && erasure !== undefined) failures.push(...failuresOf(parts, erasure))
  }
  const attempt = async (about: string, work: () => Promise<Step>): Promise<void> => {
    signal?.throwIfAborted()
    try {
      note(await work())
    } catch (error) {
      signal?.throwIfAborted()
      // Somebody else works on it.
      if (isConflict(error)) return
      tally.waiting++
      const code = codeOf(error)
      // Another process has a provider for its region.
      if (code !== 'region_refused') failures.push({ about, code })
    }
  }
  for (const unread of await parts.open.due(confirmed, BATCH))
    await attempt(unread.references.join('.'), () => step(parts, unread, confirmed, signal))
  if (clean.length > 0) await waitOutCacheBound(parts.vault, signal)
  for (const erasure of clean) await attempt(erasure.id, () => end(parts, erasure, confirmed))
  const closed = await close(parts, attempt)
  tally.done += closed
  return failures.length === 0 ? tally : { ...tally, failures }
}

async function step(parts: ErasureParts, unread: UnreadErasure, confirmed: number, signal: AbortSignal | undefined): Promise<Step> {
  const { open } = parts
  const found = await unread.open()
  const { state, due, grace } = found.record
  if (state === 'suspended' && due > confirmed && grace > 0) {
    // Whoever writes the store can have any come early.
    await open.save(found, {}, due)
    return { how: 'nothing' }
  }
  // Before it is claimed: what this process has no provider for is left as it is.
  await placeOf(parts, found).tenant.self().state()
  const claimed = await open.save(found, {}, confirmed + LEASE)
  await parts.options.failpoint('sweep.claimed')
  switch (state) {
    case 'requested':
      await suspend(parts, claimed, confirmed)
      return { how: 'done' }
    case 'cancelling':
      await finishCancel(parts, claimed)
      return { how: 'done' }
    default:
      return destroyAndErase(parts, claimed, confirmed, signal)
  }
}

async function destroyAndErase(
  parts: ErasureParts,
  claimed: OpenErasure,
  confirmed: number,
  signal: AbortSignal | undefined,
): Promise<Step> {
  let erasure = claimed
  if (erasure.record.receipt === undefined) {
    const destroyed = await destroyKeys(parts, erasure, confirmed)
    erasure = destroyed.erasure
    if (destroyed.how !== 'destroyed') return { how: 'waiting', erasure }
  }
  const left = await eraseResources(parts, erasure, confirmed, signal)
  if (left === undefined) return { how: 'done' }
  return { how: isClean(left) ? 'clean' : 'waiting', erasure: left }
}

async function end(parts: ErasureParts, erasure: OpenErasure, confirmed: number): Promise<Step> {
  const ended = await finish(parts, erasure, confirmed)
  return ended === 'erased' ? { how: 'done' } : { how: 'waiting', erasure: ended }
}

function failuresOf({ tell }: ErasureParts, { id, record }: OpenErasure): readonly SweepFailure[] {
  const all = [{ about: 'keys', failure: record.failure }, ...record.resources.map(({ name: about, failure }) => ({ about, failure }))]
  return all.flatMap(({ about, failure }) => {
    if (failure === undefined) return []
    const { code, remaining } = failure
    tell({ type: 'failed', id, about, code, remaining })
    return [{ about: about === 'keys' ? id : `${id} ${about}`, code, ...(remaining === undefined ? {} : { remaining }) }]
  })
}
