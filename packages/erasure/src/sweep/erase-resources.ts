/** Erasing what lies outside of the key store. Each resource is tried by itself, until nothing is left of it. */

import type { ErasedPlace, Resource } from '@strongroom/core'

import { codeOf, type ErasureParts, placeOf } from '../parts.ts'
import type { OpenErasure } from '../records/open-erasures.ts'
import type { ResourceProgress } from '../records/record.ts'
import { allOf, isCount } from './destroy-keys.ts'
import { failureAfter, LEASE, pauseAfter } from './pauses.ts'
import { whileRenewed } from './renewed.ts'
import { within, WORK_WITHIN } from './within.ts'

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
  let now = { erasure: given, confirmed }
  for (const { name } of allOf(parts, given)) {
    let progress = allOf(parts, now.erasure).find((each) => each.name === name) as ResourceProgress
    if (progress.verifiedAt !== undefined || (progress.retryAt ?? 0) > now.confirmed) continue
    for (const attempt of progress.found === undefined ? [counted, erased] : [erased]) {
      signal?.throwIfAborted()
      const [{ erasure }, last] = [now, progress]
      const renewed = await whileRenewed(parts, now, signal, (until) =>
        tried(parts, last, { place: placeOf(parts, erasure).asErased(erasure.references), attempt, signal: until }),
      )
      await failpoint('resource.erased')
      progress = paused(last, renewed.done, renewed.confirmed)
      now = { ...renewed, erasure: await saveProgress(parts, renewed.erasure, [progress], renewed.confirmed) }
      await failpoint('resource.noted')
      if (progress.found === undefined) break
    }
  }
  return isClean(now.erasure.record.resources) ? now.erasure : leave(parts, now.erasure, [], now.confirmed)
}

/** Whether nothing is left of any. */
export function isClean(resources: readonly ResourceProgress[]): boolean {
  return resources.every(({ verifiedAt }) => verifiedAt !== undefined)
}

/** Looks again at all of them. @returns what was found */
export async function verifyResources(
  parts: ErasureParts,
  { record, references }: OpenErasure,
  signal: AbortSignal,
): Promise<readonly ResourceProgress[]> {
  const place = placeOf(parts, { record }).asErased(references)
  const found: ResourceProgress[] = []
  for (const progress of record.resources) found.push(await tried(parts, progress, { place, attempt: verified, signal }))
  return found
}

/** Notes how far some of them are. Whoever works on it comes to the others next: it stays claimed. @returns the erasure as it is stored then */
function saveProgress(
  parts: ErasureParts,
  erasure: OpenErasure,
  progress: readonly ResourceProgress[],
  confirmed: number,
): Promise<OpenErasure> {
  return parts.open.saveClaimed(erasure, { resources: merged(parts, erasure, progress) }, confirmed + LEASE)
}

/** The same behind the last: from when the first pause is over it is anybody's. */
export function leave(
  parts: ErasureParts,
  erasure: OpenErasure,
  progress: readonly ResourceProgress[],
  confirmed: number,
): Promise<OpenErasure> {
  const resources = merged(parts, erasure, progress)
  const retries = resources.flatMap(({ verifiedAt, retryAt = 0 }) => (verifiedAt === undefined && retryAt > confirmed ? [retryAt] : []))
  return parts.open.saveClaimed(erasure, { resources }, Math.min(confirmed + LEASE, ...retries))
}

function merged(parts: ErasureParts, erasure: OpenErasure, progress: readonly ResourceProgress[]): readonly ResourceProgress[] {
  return allOf(parts, erasure).map((each) => progress.find(({ name }) => name === each.name) ?? each)
}

/** One that has failed just now is not tried again at once. */
export function paused(before: ResourceProgress, now: ResourceProgress, confirmed: number): ResourceProgress {
  const { failure } = now
  const retryAt = failure === undefined || failure === before.failure ? undefined : confirmed + pauseAfter(failure.failures)
  return { ...now, retryAt }
}

/** One call or two of a resource, and what it has come to then. */
type Attempt = (parts: ErasureParts, resource: Resource, progress: ResourceProgress, trying: Trying) => Promise<ResourceProgress>

interface Trying {
  readonly place: ErasedPlace
  readonly signal: AbortSignal
}

async function tried(
  parts: ErasureParts,
  progress: ResourceProgress,
  { attempt, place, signal }: Trying & { readonly attempt: Attempt },
): Promise<ResourceProgress> {
  const resource = parts.options.resources.get(progress.name)
  if (resource === undefined) return failed(parts, progress, 'resource_missing')
  try {
    return await within(WORK_WITHIN, signal, (ends) => attempt(parts, resource, progress, { place, signal: ends }))
  } catch (error) {
    signal.throwIfAborted()
    return failed(parts, progress, codeOf(error))
  }
}

// Where nobody knew before the keys went: noted before anything is removed, so that no kill makes the certificate say 0.
const counted: Attempt = async (parts, resource, progress, { place }) => {
  const found: unknown = await resource.count(place)
  return isCount(found) ? { ...progress, found } : failed(parts, progress, 'resource_malformed')
}

const erased: Attempt = async (parts, resource, progress, trying) => {
  await resource.erase(trying.place, { signal: trying.signal })
  return verified(parts, resource, progress, trying)
}

const verified: Attempt = async (parts, resource, progress, { place }) => {
  const remaining: unknown = await resource.verify(place)
  if (!isCount(remaining)) return failed(parts, progress, 'resource_malformed')
  if (remaining > 0) return failed(parts, progress, 'resource_remains', remaining)
  const { verifiedAt: _, failure: __, ...rest } = progress
  return { ...rest, verifiedAt: parts.vault.clock.now() }
}

function failed(
  { vault }: Pick<ErasureParts, 'vault'>,
  progress: ResourceProgress,
  code: Refusal | (string & {}),
  remaining?: number,
): ResourceProgress {
  const { verifiedAt: _, ...rest } = progress
  return { ...rest, failure: failureAfter(progress.failure, { code, at: vault.clock.now(), remaining }) }
}

async function superseded({ open, tell }: ErasureParts, erasure: OpenErasure): Promise<undefined> {
  if (await open.removeClaimed(erasure)) tell({ type: 'superseded', id: erasure.id })
  return undefined
}
