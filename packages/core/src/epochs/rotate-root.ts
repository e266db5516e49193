/** `rotateRootKey`: a new root version for a region, and every living key of the region opened by it. */

import { randomBytes } from '../crypto/random.ts'
import { hasCode, StrongroomError } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import type { RootVersion } from '../format/records.ts'
import type { KeyContext } from '../keys/key-context.ts'
import { newestRootVersion, requireRegion, updateRegion } from '../keys/regions.ts'
import type { KeyOperations } from '../keys/shred.ts'
import { coverWrappingKey, isCovered } from '../keys/wrapping-keys.ts'
import { announceLive } from './announce-live.ts'
import { inLanes } from './lanes.ts'
import { coverTenant, finishMove, movesTo, orBlocked } from './move-tenant.ts'
import type { CheckedRun, Progress } from './progress.ts'
import { waitOutCacheBound } from './wait-bound.ts'
import { countNodes } from './walk-nodes.ts'
import { countTenants, isLivingTenant, walkTenants, walkWrappingKeys } from './walk-tenants.ts'

/** Where `rotateRootKey` is. */
export type RotateRootPhase = 'preparing' | 'wrapping' | 'waiting' | 'rewrapping' | 'checking'

const MARKER_BYTES = 16
const MOST_ROUNDS = 20

/**
 * Goes on with a rotation that was begun, by this process or another, or by a provider that rotates by itself; else begins one.
 *
 * @throws StrongroomError `wrong_root_key`, `epoch_blocked`, and what stores and provider throw
 */
export async function* rotateRootKey(keys: KeyOperations, region: string, run: CheckedRun): AsyncGenerator<Progress<RotateRootPhase>> {
  const { context } = keys.tree
  yield { phase: 'preparing', done: 0, total: 1 }
  // Every shred again: neither a shredded key that was put back by hand, nor a wrapping key whose mark is gone, must be carried into
  // the new epoch.
  await keys.reconciler.run({ again: 'shreds' })
  const target = await targetVersion(context, region)
  yield { phase: 'preparing', done: 1, total: 1 }

  // A shred may mark a key, and a tenant may be made, at any moment: until a look at all of them finds nothing to do.
  for (let finished = false, round = 1; !finished; round++) {
    if (round > MOST_ROUNDS) throw neverDone()
    const moving = yield* coverAll(context, region, target, run)
    if (moving.size > 0) {
      yield { phase: 'waiting', done: 0, total: 1 }
      await waitOutCacheBound(context, run.signal)
      await context.failpoint('move.waited')
      yield { phase: 'waiting', done: 1, total: 1 }
      await keys.reconciler.run({ again: 'shreds' })
      yield* moveAll(context, region, moving, run)
    }
    await keys.reconciler.run()
    finished = yield* checkAll(context, region, target, run)
  }

  await keys.reconciler.run()
  run.signal?.throwIfAborted()
  const epoch = { rootVersion: target, marker: randomBytes(MARKER_BYTES), instant: context.clock.now() }
  await updateRegion(context, region, (record) => ((record.epoch?.rootVersion ?? 0) >= target ? undefined : { ...record, epoch }))
  await context.failpoint('epoch.marked')
}

// The root version to rotate to: the newest that is not rotated to yet, or else a new one.
async function targetVersion(context: KeyContext, region: string): Promise<number> {
  const record = await requireRegion(context, region)
  // What the vault began with needs no rotation.
  const reached = record.epoch?.rootVersion ?? Math.min(...record.versions.map(({ number }) => number))
  const begun = await newestLiveVersion(context, region)
  if (begun !== undefined && begun.number > reached) {
    await announceLive(context, region, reached)
    return begun.number
  }
  // Those that were destroyed have used their numbers as well.
  const last = Math.max(...(await context.providers.versions(region)).map(({ number }) => number))
  let created: RootVersion | undefined
  try {
    created = await context.providers.createVersion(region, last + 1)
  } catch (error) {
    // Another runner was first, or the provider itself, which may have made more than one: this is then that rotation.
    if (!hasCode(error, 'conflict')) throw error
    created = await newestLiveVersion(context, region)
    if (created === undefined || created.number <= reached) throw error
    await announceLive(context, region, reached)
  }
  await context.failpoint('root.created')
  await context.announce(region, created)
  await context.failpoint('root.announced')
  return created.number
}

function neverDone(): StrongroomError {
  return new StrongroomError(
    'epoch_blocked',
    'new keys keep appearing that the new root version does not open: run this again; if it stays so, verifyKeys says more',
  )
}

async function newestLiveVersion(context: KeyContext, region: string): Promise<RootVersion | undefined> {
  // Refuses a provider that does not know what the key store knows.
  await newestRootVersion(context, region)
  const live = (await context.providers.versions(region)).filter(({ state }) => state === 'live')
  const newest = live.toSorted((a, b) => b.number - a.number)[0]
  return newest === undefined ? undefined : { number: newest.number, id: newest.id }
}

async function* coverAll(
  context: KeyContext,
  region: string,
  target: number,
  run: CheckedRun,
): AsyncGenerator<Progress<RotateRootPhase>, ReadonlyMap<string, Uint8Array>> {
  const total = await countTenants(context, region)
  let done = 0
  const moving = new Map<string, Uint8Array>()
  yield { phase: 'wrapping', done, total }
  for await (const page of walkTenants(context, region)) {
    await inLanes(page, run.concurrency, async ({ ref }) => {
      run.signal?.throwIfAborted()
      const to = await coverTenant(context, ref, target)
      if (to !== undefined) moving.set(hex(ref), to)
    })
    done += page.length
    yield { phase: 'wrapping', done, total: Math.max(done, total) }
  }
  return moving
}

// A move to a wrapping key that came after the wait waits for the next round.
async function* moveAll(
  context: KeyContext,
  region: string,
  moving: ReadonlyMap<string, Uint8Array>,
  run: CheckedRun,
): AsyncGenerator<Progress<RotateRootPhase>> {
  const due = async (ref: Uint8Array): Promise<Uint8Array | undefined> => {
    const to = moving.get(hex(ref))
    return to !== undefined && (await movesTo(context, ref, to)) ? to : undefined
  }
  let total = 0
  for await (const page of walkTenants(context, region)) {
    for (const { ref } of page) if ((await due(ref)) !== undefined) total += await countNodes(context, ref)
  }
  let done = 0
  yield { phase: 'rewrapping', done, total }
  for await (const page of walkTenants(context, region)) {
    for (const { ref } of page) {
      run.signal?.throwIfAborted()
      const to = await due(ref)
      if (to === undefined) continue
      for await (const moved of finishMove(context, ref, to, run)) {
        done += moved
        yield { phase: 'rewrapping', done, total: Math.max(done, total) }
      }
    }
  }
  yield { phase: 'rewrapping', done: Math.max(done, total), total: Math.max(done, total) }
}

// Whether every wrapping key of the region that is of use opens with the root version. Those of tenants whose making was not ended too.
async function* checkAll(
  context: KeyContext,
  region: string,
  target: number,
  run: CheckedRun,
): AsyncGenerator<Progress<RotateRootPhase>, boolean> {
  let finished = true
  yield { phase: 'checking', done: 0, total: 1 }
  for await (const page of walkWrappingKeys(context, region)) {
    run.signal?.throwIfAborted()
    const open = page.filter((record) => record.state === 'retiring' || (record.state === 'current' && !isCovered(record, target)))
    if (open.length === 0) continue
    const tenants = await context.keyStore.get(open.map(({ tenantRef }) => ({ type: 'node', ref: tenantRef })))
    for (const [i, record] of open.entries()) {
      const tenant = tenants[i]
      if (tenant === undefined) await orBlocked(() => coverWrappingKey(context, record, target))
      else if (tenant.type === 'node' && isLivingTenant(tenant)) finished = false
    }
  }
  yield { phase: 'checking', done: 1, total: 1 }
  return finished
}
