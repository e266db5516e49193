/** `rotateSubjectKey`: a new secret encrypts, the old one only decrypts, and what hangs beneath moves to the new one. */

import { StrongroomError } from '../errors.ts'
import { wipe } from '../crypto/hash.ts'
import { equalBytes } from '../crypto/hash.ts'
import { KeyState, type NodeRecord } from '../format/records.ts'
import { makeVersion } from '../keys/make-version.ts'
import { type FreshPath, openFresh } from '../keys/open-fresh.ts'
import type { OpenNode } from '../keys/open-node.ts'
import { retryConflicts } from '../keys/retry.ts'
import { changeVersions, isOutdated, rewrapVersion } from '../keys/rewrap-node.ts'
import { stateError } from '../keys/seal-value.ts'
import type { KeyOperations, NodePlaceRef } from '../keys/shred.ts'
import { openLiving, requireOpen, rewrapAll } from './move-tenant.ts'
import type { CheckedRun, Progress } from './progress.ts'
import { TenantReading } from './tenant-reading.ts'
import { waitOutCacheBound } from './wait-bound.ts'
import { walkNodes } from './walk-nodes.ts'

/** Where `rotateSubjectKey` is. */
export type RotateSubjectPhase = 'preparing' | 'waiting' | 'rewrapping'

/**
 * A rotation whose children were not all moved is ended; else a new one is made.
 *
 * @throws StrongroomError `not_found`, `shredded`, `suspended`, and what stores and provider throw
 */
export async function* rotateSubjectKey(
  keys: KeyOperations,
  place: NodePlaceRef,
  run: CheckedRun,
): AsyncGenerator<Progress<RotateSubjectPhase>> {
  const { context } = keys.tree
  yield { phase: 'preparing', done: 0, total: 1 }
  await keys.reconciler.run()
  await addVersion(keys, place, run)
  keys.tree.invalidate(place.ref)
  await context.failpoint('version.stored')
  yield { phase: 'preparing', done: 1, total: 1 }

  yield { phase: 'waiting', done: 0, total: 1 }
  await waitOutCacheBound(context, run.signal)
  await context.failpoint('version.waited')
  yield { phase: 'waiting', done: 1, total: 1 }

  await keys.reconciler.run()
  let done = 0
  yield { phase: 'rewrapping', done, total: done }
  for (let left = true; left;) {
    left = false
    for await (const moved of moveChildren(keys, place, run)) {
      left = true
      done += moved
      yield { phase: 'rewrapping', done, total: done }
    }
  }
}

async function addVersion(keys: KeyOperations, place: NodePlaceRef, run: CheckedRun): Promise<void> {
  const { context } = keys.tree
  let first: number | undefined
  await retryConflicts(async () => {
    const path = await openActive(keys, place)
    try {
      const newest = path.node.versions.at(-1)?.version ?? 0
      // Another runner was first: this is then its rotation.
      if (first !== undefined && newest > first) return
      first = newest
      if (await hasChildrenBehind(keys, path, run)) return
      await context.keyStore.put(await withNewVersion(keys, path))
    } finally {
      path.close()
    }
  })
}

async function withNewVersion(keys: KeyOperations, { tenant, parent, node }: FreshPath): Promise<NodeRecord> {
  const { context } = keys.tree
  const above = parent?.versions.at(-1)
  if (above === undefined)
    throw new StrongroomError('unsupported_operation', "a tenant's own key is not rotated: rotateTenantKey moves all that is its")
  const wrappingKey = await tenant.forNewWraps()
  const record = changeVersions(node, (version, open) =>
    rewrapVersion(context, node.record, { ...version, state: KeyState.deactivated }, open, { above, wrappingKey }),
  )
  const wrapWith = { key: above.wrapKey(wrappingKey.id, wrappingKey.key), wrappingKeyId: wrappingKey.id }
  const { version, secret } = makeVersion(context, record, (record.versions.at(-1)?.version ?? 0) + 1, above, wrapWith)
  wipe(secret)
  return { ...record, versions: [...record.versions, version] }
}

async function hasChildrenBehind(keys: KeyOperations, { tenant, node }: FreshPath, run: CheckedRun): Promise<boolean> {
  if (node.versions.length < 2) return false
  const { ref, tenantRef } = node.record
  const options = { parentRef: ref, skip: hangsBeneath(node) }
  for await (const { nodes } of walkNodes(keys.tree.context, tenantRef, () => Promise.resolve(tenant), options)) {
    run.signal?.throwIfAborted()
    if (nodes.some((walked) => requireOpen(walked) && isOutdated(walked.node, walked.parent, () => false))) return true
  }
  return false
}

async function* moveChildren(keys: KeyOperations, place: NodePlaceRef, run: CheckedRun): AsyncGenerator<number> {
  const { context } = keys.tree
  const path = await openActive(keys, place)
  const reading = new TenantReading(context, () => openLiving(context, place.tenantRef), path.tenant)
  try {
    const options = { parentRef: place.ref, skip: hangsBeneath(path.node) }
    for await (const { nodes, tenant } of walkNodes(context, place.tenantRef, () => reading.now(), options)) {
      run.signal?.throwIfAborted()
      const behind = nodes.filter((walked) => requireOpen(walked) && isOutdated(walked.node, walked.parent, () => false))
      if (behind.length === 0) continue
      // Asked now: opening the page has shown every newer wrapping key that one of them was moved to, so that none is moved back.
      yield rewrapAll(context, behind, await tenant.forNewWraps(), run)
      await context.failpoint('child.moved')
    }
  } finally {
    reading.destroy()
    path.close()
  }
}

// Children that hang beneath the newest version are not worth opening.
function hangsBeneath(node: OpenNode): (child: NodeRecord) => boolean {
  const newest = node.versions.at(-1)
  return (child) =>
    child.versions.every(
      (version) => version.state === KeyState.shredded || (newest !== undefined && equalBytes(version.parentCommitment, newest.commitment)),
    )
}

/** A node that encrypts, open. @throws StrongroomError `not_found`, `shredded`, `suspended` */
export async function openActive(keys: KeyOperations, place: NodePlaceRef): Promise<FreshPath> {
  const path = await openFresh(keys.tree, place)
  if (path === undefined) throw new StrongroomError('not_found', 'there is no key at that place')
  const { node } = path
  if (node.active !== undefined && node.active === node.versions.at(-1)) return path
  path.close()
  throw stateError(node.state)
}
