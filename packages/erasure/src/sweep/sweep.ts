/** All that is due: safe on any number of machines at once, and killed anywhere. */

import { type Attempted, isAway, type SweepFailure, type SweepOptions, type SweepReport, SweepTally } from '@strongroom/core'

import { close } from '../closing/close.ts'
import { type ErasureParts, placeOf, reasonOf } from '../parts.ts'
import { isConflict, unlessConflict, unlessDamaged } from '../records/sealed-entries.ts'
import { newClaim, type OpenErasure } from '../records/open-erasures.ts'
import { finishCancel } from '../requests/cancel.ts'
import { suspend } from '../requests/suspend.ts'
import { waitOutCacheBound } from './cache-bound.ts'
import { destroyNoted, DUE_WHILE_HELD, heldBack, noteIntent } from './destroy-keys.ts'
import { eraseResources, isClean } from './erase-resources.ts'
import { finish } from './finish.ts'
import { keepClaims } from './keep-claims.ts'
import { LEASE } from './pauses.ts'
import { SHRED_AT_ONCE, shredTogether } from './shred-together.ts'

// They wait out one cache bound together. What comes first is not kept waiting, and claimed, by all that comes behind it.
const BATCH = 1000
const LONGEST_BATCH = 5 * 60_000

// What is noted waits for others, to be shredded with them; not so long that its claim ends.
const LONGEST_WAIT = 60_000
const RECENT = 5000

/**
 * What became of one. `failed`: its record says why; `noted`: its keys are to be destroyed; `clean`: nothing is left of it. Both are claimed.
 */
type Step =
  | { readonly how: 'done' | 'waiting' | 'held' | 'nothing' }
  | { readonly how: 'failed'; readonly erasure: OpenErasure }
  | { readonly how: 'noted' | 'clean'; readonly claimed: Claimed }

/** By the erasures' time at which it was claimed last, and by this machine's own. */
interface Claimed {
  readonly erasure: OpenErasure
  readonly confirmed: number
  readonly since: number
}

export async function sweep(parts: ErasureParts, options: SweepOptions | undefined): Promise<SweepReport> {
  const tally = new SweepTally(options)
  const { confirmed, isDoubtful, before, damaged } = await parts.time.observe()
  if (before !== undefined) await keepClaims(parts, before, confirmed)
  if (damaged !== undefined) tally.damaged(damaged)
  if (isDoubtful) addFailures(tally, [{ place: 'clock', reason: 'clocks_disagree' }])
  const noted: Claimed[] = []
  const clean: Claimed[] = []
  const attempt = (place: string, work: () => Promise<Step>): Promise<Attempted> =>
    tally.attempt(place, async () => {
      const came = await work().catch(unlessConflictNothing)
      if (came.how === 'noted') noted.push(came.claimed)
      else if (came.how === 'clean') clean.push(came.claimed)
      else if (came.how === 'failed') addFailures(tally, failuresOf(parts, came.erasure))
      else return came.how
      return 'nothing'
    })
  let done = 0
  const start = parts.vault.clock.monotonic()
  const hasPassed = (since: number, ms: number): boolean => parts.vault.clock.monotonic() - since > ms
  const isLate = (ended: number): boolean => ended > 0 && hasPassed(start, LONGEST_BATCH)
  const destroyAndErase = async (): Promise<void> => {
    const together = await shredTogether(
      parts,
      noted.map(({ erasure }) => erasure),
    )
    // One by one: what ends the sweep takes nobody along who comes behind it.
    for (let claimed = noted.shift(); claimed !== undefined; claimed = noted.shift()) {
      const one = { claimed, shredded: together.get(claimed.erasure.id), isLate: isLate(done + clean.length) }
      if ((await attempt(claimed.erasure.id, () => destroyAndEraseOne(parts, one, tally.signal))) === 'done') done++
    }
  }
  const soFar: SweepSoFar = { confirmed, signal: tally.signal, away: new Set(), here: new Set() }
  try {
    for await (const unread of parts.open.due(confirmed)) {
      tally.signal?.throwIfAborted()
      const found = await unread.open().catch(unlessDamaged)
      if (found === undefined) tally.damaged(unread.place)
      else if ((await attempt(found.id, () => step(parts, found, soFar))) === 'done') done++
      const [first] = noted
      if (noted.length >= SHRED_AT_ONCE || (first !== undefined && hasPassed(first.since, LONGEST_WAIT))) await destroyAndErase()
      // Only what has got on counts: the rest may be what nobody here can do.
      const ended = done + noted.length + clean.length
      if (ended >= BATCH || isLate(ended)) break
    }
    await destroyAndErase()
  } finally {
    // A store that does not answer for one of them must not keep the others waiting for ever.
    tally.signal?.throwIfAborted()
    await destroyAndErase()
    if (clean.length > 0) await waitOutCacheBound(parts.vault, tally.signal)
    for (const claimed of clean) await attempt(claimed.erasure.id, () => end(parts, claimed, tally.signal))
    await close(parts, tally)
  }
  return tally.report()
}

// One thing that has failed, in one or more ways.
function addFailures(tally: SweepTally, failures: readonly SweepFailure[]): void {
  tally.add({ done: 0, waiting: 0, damaged: 0, failed: 1, failures })
}

// Somebody else works on it.
function unlessConflictNothing(error: unknown): Step {
  if (!isConflict(error)) throw error
  return { how: 'nothing' }
}

/** What one sweep knows. `away`: regions whose provider does not answer it; `here`: tenants that open. */
interface SweepSoFar {
  readonly confirmed: number
  readonly signal: AbortSignal | undefined
  readonly away: Set<string>
  readonly here: Set<string>
}

async function step(parts: ErasureParts, found: OpenErasure, { confirmed, signal, away, here }: SweepSoFar): Promise<Step> {
  const { open, vault } = parts
  const { state, due, grace, region, names } = found.record
  if (state === 'suspended' && due > confirmed && grace > 0) {
    // Whoever writes the store can have any come early.
    await open.save(found, {}, due)
    return { how: 'nothing' }
  }
  // Not claimed: it stays due.
  if (state === 'suspended' && (await parts.holds.stand(found.references))) {
    await open.save(found, heldBack(parts, found, confirmed), DUE_WHILE_HELD).catch(unlessConflict)
    return { how: 'held' }
  }
  // Before it is claimed: what this process has no provider for is left as it is. It is asked once, however many wait for it.
  if (away.has(region)) return { how: 'waiting' }
  try {
    if (!here.has(names.tenant)) await placeOf(parts, found).tenant.self().state()
    here.add(names.tenant)
  } catch (error) {
    if (isAway(error)) away.add(region)
    throw error
  }
  // Others go on with the time meanwhile: it is claimed from where that is now.
  const now = await parts.time.confirmed()
  const claimed = await open.save(found, { claim: newClaim() }, now + LEASE)
  await parts.options.failpoint('sweep.claimed')
  switch (state) {
    case 'requested':
      await suspend(parts, claimed, now)
      return { how: 'done' }
    case 'cancelling':
      await finishCancel(parts, claimed)
      return { how: 'done' }
    default:
      return noteOrErase(parts, { erasure: claimed, confirmed: now, since: vault.clock.monotonic() }, signal)
  }
}

async function noteOrErase(parts: ErasureParts, claimed: Claimed, signal: AbortSignal | undefined): Promise<Step> {
  if (claimed.erasure.record.receipt !== undefined) return erase(parts, claimed, signal)
  const noted = await noteIntent(parts, claimed.erasure, claimed.confirmed)
  return noted.how === 'noted'
    ? { how: 'noted', claimed: { ...claimed, erasure: noted.erasure } }
    : { how: 'failed', erasure: noted.erasure }
}

/** `shredded`: as `destroyNoted` has it; `isLate`: what others wait for comes first, and the rest of this is for the next sweep. */
interface Noted {
  readonly claimed: Claimed
  readonly shredded: (() => string) | undefined
  readonly isLate: boolean
}

async function destroyAndEraseOne(
  parts: ErasureParts,
  { claimed, shredded, isLate }: Noted,
  signal: AbortSignal | undefined,
): Promise<Step> {
  const confirmed = await nowOf(parts, claimed)
  const { how, erasure } = await destroyNoted(parts, claimed.erasure, confirmed, shredded)
  if (how !== 'destroyed') return how === 'held' ? { how } : { how: 'failed', erasure }
  if (!isLate) return erase(parts, { ...claimed, erasure, confirmed }, signal)
  await parts.open.saveClaimed(erasure, {}, confirmed)
  return { how: 'nothing' }
}

// Those before it may have taken long, and others have gone on with the time.
async function nowOf({ time, vault }: ErasureParts, { confirmed, since }: Claimed): Promise<number> {
  return vault.clock.monotonic() - since > RECENT ? time.confirmed() : confirmed
}

async function erase(parts: ErasureParts, claimed: Claimed, signal: AbortSignal | undefined): Promise<Step> {
  const left = await eraseResources(parts, claimed.erasure, claimed.confirmed, signal)
  if (left === undefined) return { how: 'done' }
  return isClean(left.record.resources) ? { how: 'clean', claimed: { ...claimed, erasure: left } } : { how: 'failed', erasure: left }
}

async function end(parts: ErasureParts, { erasure, confirmed }: Claimed, signal: AbortSignal | undefined): Promise<Step> {
  const ended = await finish(parts, erasure, confirmed, signal)
  return ended === 'erased' ? { how: 'done' } : { how: 'failed', erasure: ended }
}

function failuresOf({ tell }: ErasureParts, { id, record }: OpenErasure): readonly SweepFailure[] {
  const all = [{ about: 'keys', failure: record.failure }, ...record.resources.map(({ name: about, failure }) => ({ about, failure }))]
  return all.flatMap(({ about, failure }) => {
    if (failure === undefined) return []
    const { code, remaining } = failure
    tell({ type: 'failed', id, about, code, remaining })
    const place = about === 'keys' ? id : `${id} ${about}`
    return [{ place, ...reasonOf(code), ...(remaining === undefined ? {} : { remaining }) }]
  })
}
