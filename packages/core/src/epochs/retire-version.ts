/** `retireVersion`: shredding the versions that a rotation has left behind, once nothing needs them. */

import { equalBytes } from '../crypto/hash.ts'
import { invalidArgument, StrongroomError } from '../errors.ts'
import { indexTag, valueTag } from '../format/derivations.ts'
import { KeyState, type NodeRecord } from '../format/records.ts'
import { utf8 } from '../format/bytes.ts'
import type { KeyContext } from '../keys/key-context.ts'
import type { OpenVersion } from '../keys/open-node.ts'
import { type KeyOperations, type NodePlaceRef, shredRetired } from '../keys/shred.ts'
import { openActive } from './rotate-subject.ts'
import type { CheckedRun, Progress } from './progress.ts'
import { waitOutCacheBound } from './wait-bound.ts'

/** Where `retireVersion` is. */
export type RetirePhase = 'counting' | 'waiting' | 'counting again' | 'shredding'

/** A key version that is to be destroyed, as whoever holds data sees it. */
export interface RetiringVersion {
  readonly tenant: string
  /** `undefined` for what belongs to the tenant itself. */
  readonly subject: string | undefined
  readonly item: string | undefined
  readonly version: number
  /** The 16 bytes after the first in every value of this version in a context: what to search for. */
  valueTag(context: string): Uint8Array
  /** The 4 bytes after the first in every index value of this version. */
  readonly indexTag: Uint8Array
}

/** Whoever holds encrypted values: a collection, a table, a bucket. */
export interface ValueHolder {
  /** How many stored values, index values included, only this version opens. Reads what is majority-written. */
  countValues(retiring: RetiringVersion): Promise<number>
}

const PAGE = 1000

/**
 * Twice, one cache bound apart, nothing must hang on the versions that only decrypt: no value, no child. Then they are shredded.
 *
 * @param backupStartedAt - the owner's word: a backup of the data that began then holds no value of the old versions
 * @throws StrongroomError `still_referenced`, `invalid_argument`, `not_found`, `shredded`, `suspended`, and what stores and provider throw
 */
export async function* retireVersion(
  keys: KeyOperations,
  place: NodePlaceRef,
  whose: Pick<RetiringVersion, 'tenant' | 'subject' | 'item'>,
  holders: readonly ValueHolder[],
  backupStartedAt: number,
  run: CheckedRun,
): AsyncGenerator<Progress<RetirePhase>> {
  const { context } = keys.tree
  await keys.reconciler.run()
  const { retiring, since } = await deactivatedVersions(keys, place, whose)
  if (retiring.length === 0) return
  // Until then a process may have encrypted with the old version.
  if (backupStartedAt <= since + context.cacheBound)
    throw invalidArgument(
      'dataBackup.startedAt',
      'is before the new version was used everywhere: re-encrypt, take a newer backup of the data, and give its beginning; if the clock of the machine that rotated was ahead, run rotateSubjectKey again with the right time before that',
    )
  if (backupStartedAt > context.clock.now()) throw invalidArgument('dataBackup.startedAt', 'must not lie in the future')

  const gone = (commitment: Uint8Array): boolean => retiring.some((version) => equalBytes(version.commitment, commitment))

  yield* count('counting')
  yield { phase: 'waiting', done: 0, total: 1 }
  await waitOutCacheBound(context, run.signal)
  yield { phase: 'waiting', done: 1, total: 1 }
  yield* count('counting again')
  await context.failpoint('version.counted')

  run.signal?.throwIfAborted()
  yield { phase: 'shredding', done: 0, total: retiring.length }
  await shredRetired(keys, place, ({ commitment }) => gone(commitment))
  yield { phase: 'shredding', done: retiring.length, total: retiring.length }

  async function* count(phase: RetirePhase): AsyncGenerator<Progress<RetirePhase>> {
    const total = holders.length + 1
    yield { phase, done: 0, total }
    await requireNoChildren(context, place, gone)
    for (const [i, holder] of holders.entries()) {
      yield { phase, done: i + 1, total }
      run.signal?.throwIfAborted()
      for (const { seen } of retiring) await requireNoValues(holder, i, seen)
    }
    yield { phase, done: total, total }
  }
}

interface Retiring {
  readonly commitment: Uint8Array
  /** What holders get to know of it. */
  readonly seen: RetiringVersion
}

async function deactivatedVersions(
  keys: KeyOperations,
  place: NodePlaceRef,
  whose: Pick<RetiringVersion, 'tenant' | 'subject' | 'item'>,
): Promise<{ readonly retiring: readonly Retiring[]; readonly since: number }> {
  const path = await openActive(keys, place)
  try {
    const { node } = path
    const newest = node.record.versions.at(-1)
    const since = newest?.state === KeyState.shredded ? 0 : (newest?.created ?? 0)
    return {
      since,
      retiring: node.versions.filter(({ state }) => state === KeyState.deactivated).map((version) => asRetiring(version, whose)),
    }
  } finally {
    path.close()
  }
}

function asRetiring(
  { version, commitment }: OpenVersion,
  { tenant, subject, item }: Pick<RetiringVersion, 'tenant' | 'subject' | 'item'>,
): Retiring {
  const seen: RetiringVersion = {
    tenant,
    subject,
    item,
    version,
    valueTag: (context) => valueTag(commitment, utf8(context, 'context')),
    indexTag: indexTag(commitment),
  }
  return { commitment, seen }
}

async function requireNoChildren(
  context: KeyContext,
  { ref, tenantRef }: NodePlaceRef,
  gone: (commitment: Uint8Array) => boolean,
): Promise<void> {
  let after: Uint8Array | undefined
  for (;;) {
    const page = await context.keyStore.scan({
      type: 'node',
      tenantRef,
      parentRef: ref,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    })
    for (const record of page)
      if (record.type === 'node' && hangsBeneath(record, gone))
        throw new StrongroomError(
          'still_referenced',
          'nothing was destroyed: an old version is still needed by a key beneath it; run rotateSubjectKey again, then this',
        )
    const last = page.at(-1)
    if (page.length < PAGE || last?.type !== 'node') return
    after = last.ref
  }
}

function hangsBeneath(record: NodeRecord, gone: (commitment: Uint8Array) => boolean): boolean {
  return record.versions.some((version) => version.state !== KeyState.shredded && gone(version.parentCommitment))
}

async function requireNoValues(holder: ValueHolder, place: number, version: RetiringVersion): Promise<void> {
  const values: unknown = await holder.countValues(version)
  if (typeof values !== 'number' || !Number.isSafeInteger(values) || values < 0) {
    throw new StrongroomError('invalid_argument', 'countValues of a holder must resolve to a whole number', { argument: 'holders' })
  }
  if (values > 0)
    throw new StrongroomError(
      'still_referenced',
      `nothing was destroyed: version ${version.version} is still needed by values that holders[${place}] counts; re-encrypt them first`,
    )
}
