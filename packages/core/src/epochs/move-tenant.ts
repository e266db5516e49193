/**
 * Moving a tenant to another wrapping key: (1) the new one is current, the old ones retire; (2) wait out the fleet's cache bound;
 * (3) wrap every node anew by compare-and-set; (4) look again, until none is left; (5) those that are older than the one that was
 * waited for are retired: what followed since has a wait of its own. Each step may be repeated, by any number of runners. What is stored after the last look is wrapped anew by whoever loads it (`KeyTree`).
 */

import { equalBytes } from '../crypto/hash.ts'
import { hasCode, StrongroomError } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { KeyState, type NodeRecord, type WrappingKeyRecord } from '../format/records.ts'
import { instant } from '../keys/key-cache.ts'
import type { KeyContext } from '../keys/key-context.ts'
import type { OpenNode } from '../keys/open-node.ts'
import { openTenant, type OpenTenant, type OpenWrappingKey } from '../keys/open-tenant.ts'
import { firstWrappingKeyId, nextWrappingKeyId } from '../format/reference.ts'
import { requireRegion } from '../keys/regions.ts'
import { retryConflicts } from '../keys/retry.ts'
import { isOutdated, rewrapNode } from '../keys/rewrap-node.ts'
import {
  findWrappingKey,
  isCovered,
  listWrappingKeys,
  newestWrappingKey,
  nextWrappingKey,
  wrappingKeyForNewWraps,
} from '../keys/wrapping-keys.ts'
import { inLanes } from './lanes.ts'
import type { CheckedRun } from './progress.ts'
import { TenantReading } from './tenant-reading.ts'
import { NODES_PER_PAGE, type WalkedNode, walkNodes } from './walk-nodes.ts'

/** The older wrapping keys of a tenant that are not retired yet, and the newest. */
interface Standing {
  readonly newest: WrappingKeyRecord
  readonly older: readonly WrappingKeyRecord[]
}

/**
 * Step 1 for a new root version: an unmarked wrapping key is wrapped by it as well; a marked one is followed by another.
 *
 * @param least - number of the root version
 * @returns the id of the wrapping key that the tenant's nodes are to be moved to, if they are
 */
export async function coverTenant(context: KeyContext, tenantRef: Uint8Array, least: number): Promise<Uint8Array | undefined> {
  const { newest } = await standing(context, tenantRef)
  await orBlocked(() => wrappingKeyForNewWraps(context, newest, least))
  const { newest: to, older } = await retireOlder(context, tenantRef)
  return older.length > 0 ? to.id : undefined
}

/**
 * Step 1 on its own: a new wrapping key, unless a move is under way already, which is then the one to be finished.
 *
 * @returns the id of the wrapping key that the tenant's nodes are to be moved to
 */
export async function beginMove(context: KeyContext, tenantRef: Uint8Array): Promise<Uint8Array> {
  const { newest, older } = await standing(context, tenantRef)
  const next = older.length === 0 ? await nextWrappingKey(context, newest) : newest
  // By the newest root version that is known now: the wrap may have been asked for long ago.
  const { current } = await requireRegion(context, next.region)
  await orBlocked(() => wrappingKeyForNewWraps(context, next, current))
  return (await retireOlder(context, tenantRef)).newest.id
}

/**
 * Steps 3 to 5. Reports how many nodes it has wrapped anew.
 *
 * @param to - id of the wrapping key that step 1 named, and that the cache bound was waited out for
 * @throws StrongroomError `epoch_blocked` if one does not open
 */
export async function* finishMove(context: KeyContext, tenantRef: Uint8Array, to: Uint8Array, run: CheckedRun): AsyncGenerator<number> {
  let left = true
  while (left) {
    left = false
    for await (const moved of moveOnce(context, tenantRef, run)) {
      left = true
      yield moved
    }
  }
  await context.failpoint('move.rescanned')
  await retire(context, tenantRef, to)
  await context.failpoint('move.retired')
}

/** What of a tenant's nodes one look is to move. */
interface Late {
  /** The ids, in hex, of the wrapping keys that go: what another move has to do with the others is not waited for yet. */
  readonly lost: ReadonlySet<string>
  /** Called before a page of nodes is wrapped anew. */
  before(): Promise<void>
}

/**
 * One look at all nodes of a tenant: those wrapped by a key that was followed are wrapped anew. Yields for each page that had one.
 *
 * @param late - only these, for whoever closes an epoch
 */
export async function* moveOnce(context: KeyContext, tenantRef: Uint8Array, run: CheckedRun, late?: Late): AsyncGenerator<number> {
  const reading = new TenantReading(context, () => openUnlessLost(context, tenantRef))
  const goes = (tenant: OpenTenant, id: Uint8Array): boolean => tenant.isOutdated(id) && (late === undefined || late.lost.has(hex(id)))
  try {
    const skip = (record: NodeRecord, tenant: OpenTenant): boolean =>
      !record.versions.some((version) => version.state !== KeyState.shredded && goes(tenant, version.wrappingKeyId))
    for await (const { nodes, tenant } of walkNodes(context, tenantRef, () => reading.now(), { skip })) {
      run.signal?.throwIfAborted()
      const outdated = nodes.filter((walked) => requireOpen(walked) && isOutdated(walked.node, undefined, (id) => goes(tenant, id)))
      if (outdated.length === 0) continue
      await late?.before()
      // Asked now: opening the page has shown every newer wrapping key that one of them was moved to, so that none is moved back.
      yield rewrapAll(context, outdated, await orBlocked(() => tenant.forNewWraps()), run)
    }
  } finally {
    reading.destroy()
  }
}

/** Wraps nodes anew and stores them by compare-and-set. @returns how many; another writer was first for the others, which are met again */
export async function rewrapAll(
  context: KeyContext,
  nodes: readonly WalkedNode[],
  to: OpenWrappingKey,
  { concurrency, signal }: CheckedRun,
): Promise<number> {
  let moved = 0
  await inLanes(nodes, concurrency, async ({ node, parent }) => {
    if (node === undefined) return
    signal?.throwIfAborted()
    await context.failpoint('move.read')
    try {
      await context.keyStore.put(rewrapNode(context, node, parent, to))
      moved++
    } catch (error) {
      if (!hasCode(error, 'conflict')) throw error
    }
    await context.failpoint('move.rewrapped')
  })
  return moved
}

/**
 * Narrows to a node that is open. One whose root version is destroyed is past saving, by this or by anything else: it stands in nobody's way.
 *
 * @throws StrongroomError `epoch_blocked` for one whose bytes do not open; else what kept it from opening
 */
export function requireOpen(walked: WalkedNode): walked is WalkedNode & { readonly node: OpenNode } {
  if (walked.node !== undefined) return true
  if (hasCode(walked.failure, 'root_version_destroyed')) return false
  if (!hasCode(walked.failure, 'decrypt_failed', 'wrong_root_key')) throw walked.failure
  throw new StrongroomError(
    'epoch_blocked',
    'a key in the key store does not open, and would be lost for good: verifyKeys names it. Put its record back from a backup, or shred it; then run this again',
    { cause: walked.failure },
  )
}

/** The tenant, not for the cache; `undefined` if it is gone. */
export async function openLiving(context: KeyContext, tenantRef: Uint8Array): Promise<OpenTenant | undefined> {
  try {
    return await openTenant(context, tenantRef, instant(context.clock))
  } catch (error) {
    if (hasCode(error, 'shredded', 'not_found')) return undefined
    throw error
  }
}

/**
 * Does what needs a tenant's own keys.
 *
 * @throws StrongroomError `epoch_blocked` where its records are damaged; and what else `work` throws
 */
export async function orBlocked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!hasCode(error, 'decrypt_failed')) throw error
    throw new StrongroomError(
      'epoch_blocked',
      "a tenant's own key, the key of its references or its wrapping key does not open, and all beneath it would be lost for good: verifyKeys names the tenant. Find the record that is damaged or missing and put it back from a backup, or end the tenant with shred({ region }); then run this again",
      { cause: error },
    )
  }
}

// A tenant that only destroyed root versions open is past saving, like a node (`requireOpen`): it keeps no other from being rotated.
async function openUnlessLost(context: KeyContext, tenantRef: Uint8Array): Promise<OpenTenant | undefined> {
  try {
    return await orBlocked(() => openLiving(context, tenantRef))
  } catch (error) {
    if (hasCode(error, 'root_version_destroyed')) return undefined
    throw error
  }
}

async function standing(context: KeyContext, tenantRef: Uint8Array): Promise<Standing> {
  const all = await listWrappingKeys(context, tenantRef)
  const newest = newestWrappingKey(all)
  if (newest === undefined) {
    throw new StrongroomError(
      'epoch_blocked',
      'a tenant has no wrapping key: its record is missing from the key store; put it back from a backup',
    )
  }
  await requireWhole(context, tenantRef, all, newest)
  return { newest, older: all.filter((record) => record !== newest && record.state !== 'retired') }
}

// Wrapping keys are never deleted, and their ids follow from each other. Where one is missing, nodes may hang on it that its record,
// put back from a backup, still saves: until the epoch closes.
async function requireWhole(
  context: KeyContext,
  tenantRef: Uint8Array,
  all: readonly WrappingKeyRecord[],
  newest: WrappingKeyRecord,
): Promise<void> {
  const there = new Set(all.map(({ id }) => hex(id)))
  let links = 0
  let id = firstWrappingKeyId(context.vaultId, tenantRef)
  while (there.has(hex(id)) && links++ < all.length && hex(id) !== hex(newest.id)) id = nextWrappingKeyId(context.vaultId, id)
  if (hex(id) === hex(newest.id)) return
  let after: Uint8Array | undefined
  for (;;) {
    const page = await context.keyStore.scan({ type: 'node', tenantRef, limit: NODES_PER_PAGE, ...(after === undefined ? {} : { after }) })
    for (const record of page)
      if (record.type === 'node' && record.versions.some((v) => v.state !== KeyState.shredded && !there.has(hex(v.wrappingKeyId))))
        throw new StrongroomError(
          'epoch_blocked',
          'keys of a tenant are wrapped by a wrapping key whose record is missing: verifyKeys names it. Put it back from a backup; after the close it is too late',
        )
    const last = page.at(-1)
    if (page.length < NODES_PER_PAGE || last?.type !== 'node') return
    after = last.ref
  }
}

// Everything that was followed by another is retiring.
async function retireOlder(context: KeyContext, tenantRef: Uint8Array): Promise<Standing> {
  return retryConflicts(async () => {
    const stands = await standing(context, tenantRef)
    const { older } = stands
    for (const record of older) {
      if (record.state === 'current') await context.keyStore.put({ ...record, state: 'retiring', revision: record.revision + 1 })
    }
    if (older.length > 0) await context.failpoint('move.begun')
    return stands
  })
}

// Those before the one that was moved to. One that another runner has made since is not waited for yet, nor is what it follows drained.
async function retire(context: KeyContext, tenantRef: Uint8Array, to: Uint8Array): Promise<void> {
  await retryConflicts(async () => {
    const reached = await findWrappingKey(context, to)
    if (reached === undefined) return
    for (const { id, state, created } of (await standing(context, tenantRef)).older) {
      if (state !== 'retiring' || created >= reached.created) continue
      const record = await findWrappingKey(context, id)
      if (record?.state === 'retiring') await context.keyStore.put({ ...record, state: 'retired', revision: record.revision + 1 })
    }
  })
}

/** Whether a tenant has wrapping keys to be retired yet, and this is the one that its nodes are to be moved to. */
export async function movesTo(context: KeyContext, tenantRef: Uint8Array, to: Uint8Array): Promise<boolean> {
  const { newest, older } = await standing(context, tenantRef)
  return older.length > 0 && equalBytes(newest.id, to)
}

/** The ids, in hex, of the older wrapping keys of a tenant that go with root versions below this number: nodes may still name them. */
export async function lostKeys(context: KeyContext, tenantRef: Uint8Array, least: number): Promise<ReadonlySet<string>> {
  const all = await listWrappingKeys(context, tenantRef)
  const newest = newestWrappingKey(all)
  if (newest !== undefined) await requireWhole(context, tenantRef, all, newest)
  return new Set(all.filter((record) => record !== newest && !isCovered(record, least)).map(({ id }) => hex(id)))
}
