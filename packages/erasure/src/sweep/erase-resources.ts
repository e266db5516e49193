/** Erasing what lies outside of the key store. Each resource is tried by itself, until nothing is left of it. */

import { codeOf, type ErasureParts, placeOf } from '../parts.ts'
import type { OpenErasure } from '../records/open-erasures.ts'
import type { ResourceProgress } from '../records/record.ts'
import { allOf, isCount } from './destroy-keys.ts'
import { failureAfter, LEASE, pauseAfter } from './pauses.ts'
import { whileRenewed } from './renewed.ts'

/** What a resource's answers are refused for, beside what it throws. */
type Refusal = 'resource_missing' | 'resource_malformed' | 'resource_remains'

/**
 * @param confirmed - the erasures' own time
 * @returns the erasure as it is stored then; `undefined` where the place lives again, and the record is older than that
 */
export async function eraseResources(
  parts: ErasureParts,
  given: OpenErasure,
  confirmed: number,
  signal: AbortSignal | undefined,
): Promise<OpenErasure | undefined> {
  // Nobody comes back while this record stands. Where somebody has, it was put back from before.
  if (['active', 'suspended'].includes(await placeOf(parts, given).state())) return superseded(parts, given)
  const { failpoint } = parts.options
  let erasure = given
  for (const { name } of allOf(parts, given)) {
    const progress = allOf(parts, erasure).find((each) => each.name === name) as ResourceProgress
    if (progress.verifiedAt !== undefined || (progress.retryAt ?? 0) > confirmed) continue
    signal?.throwIfAborted()
    const { done, erasure: renewed } = await whileRenewed(parts, erasure, signal, (until) =>
      tried(parts, erasure, progress, until, confirmed),
    )
    await failpoint('resource.erased')
    erasure = await saveProgress(parts, renewed, done, confirmed)
    await failpoint('resource.noted')
  }
  return erasure
}

/** Whether nothing is left of any. */
export function isClean({ record }: OpenErasure): boolean {
  return record.resources.every(({ verifiedAt }) => verifiedAt !== undefined)
}

/** Looks again at all of them. @returns the erasure as it is stored then, with what was found */
export async function verifyResources(parts: ErasureParts, given: OpenErasure, confirmed: number): Promise<OpenErasure> {
  let erasure = given
  for (const progress of given.record.resources) {
    const verified = await verify(parts, given, progress, confirmed)
    if (verified.verifiedAt === undefined) erasure = await saveProgress(parts, erasure, verified, confirmed)
    else erasure = { ...erasure, record: { ...erasure.record, resources: replaced(erasure.record.resources, verified) } }
  }
  return erasure
}

function saveProgress(parts: ErasureParts, erasure: OpenErasure, progress: ResourceProgress, confirmed: number): Promise<OpenErasure> {
  const resources = replaced(allOf(parts, erasure), progress)
  const retries = resources.filter(({ verifiedAt }) => verifiedAt === undefined).map(({ retryAt }) => retryAt ?? confirmed + LEASE)
  return parts.open.save(erasure, { resources }, Math.min(confirmed + LEASE, ...retries))
}

async function tried(
  parts: ErasureParts,
  erasure: OpenErasure,
  progress: ResourceProgress,
  signal: AbortSignal,
  confirmed: number,
): Promise<ResourceProgress> {
  const { record, references } = erasure
  const resource = parts.options.resources.get(progress.name)
  if (resource === undefined) return failed(parts, progress, 'resource_missing', confirmed)
  const place = placeOf(parts, { record }).asErased(references)
  try {
    const found = progress.found ?? (await resource.count(place))
    if (!isCount(found)) return failed(parts, progress, 'resource_malformed', confirmed)
    await resource.erase(place, { signal })
    return await verify(parts, erasure, { ...progress, found }, confirmed)
  } catch (error) {
    signal.throwIfAborted()
    return failed(parts, progress, codeOf(error), confirmed)
  }
}

async function verify(
  parts: ErasureParts,
  { record, references }: OpenErasure,
  progress: ResourceProgress,
  confirmed: number,
): Promise<ResourceProgress> {
  const { verifiedAt: _, failure: __, retryAt: ___, ...rest } = progress
  const resource = parts.options.resources.get(progress.name)
  if (resource === undefined) return failed(parts, progress, 'resource_missing', confirmed)
  try {
    const remaining: unknown = await resource.verify(placeOf(parts, { record }).asErased(references))
    if (!isCount(remaining)) return failed(parts, progress, 'resource_malformed', confirmed)
    if (remaining > 0) return failed(parts, progress, 'resource_remains', confirmed, remaining)
    return { ...rest, verifiedAt: parts.vault.clock.now() }
  } catch (error) {
    return failed(parts, progress, codeOf(error), confirmed)
  }
}

function failed(
  { vault }: Pick<ErasureParts, 'vault'>,
  progress: ResourceProgress,
  code: Refusal | (string & {}),
  confirmed: number,
  remaining?: number,
): ResourceProgress {
  const { verifiedAt: _, ...rest } = progress
  const failure = failureAfter(progress.failure, { code, at: vault.clock.now(), remaining })
  return { ...rest, failure, retryAt: confirmed + pauseAfter(failure.failures) }
}

function replaced(all: readonly ResourceProgress[], one: ResourceProgress): readonly ResourceProgress[] {
  return all.map((each) => (each.name === one.name ? one : each))
}

async function superseded({ open, tell }: ErasureParts, erasure: OpenErasure): Promise<undefined> {
  if (await open.remove(erasure)) tell({ type: 'superseded', id: erasure.id })
  return undefined
}
