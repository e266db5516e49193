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
  let erasure = given
  for (const { name } of allOf(parts, given)) {
    let progress = allOf(parts, erasure).find((each) => each.name === name) as ResourceProgress
    if (progress.verifiedAt !== undefined || (progress.retryAt ?? 0) > confirmed) continue
    for (const attempt of progress.found === undefined ? [counted, erased] : [erased]) {
      signal?.throwIfAborted()
      const [before, last] = [erasure, progress]
      const { done, erasure: renewed } = await whileRenewed(parts, before, signal, (until) =>
        tried(parts, last, { place: placeOf(parts, before).asErased(before.references), attempt, signal: until, confirmed }),
      )
      await failpoint('resource.erased')
      erasure = await saveProgress(parts, renewed, done, confirmed)
      await failpoint('resource.noted')
      progress = done
      if (progress.found === undefined) break
    }
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
  const place = placeOf(parts, given).asErased(given.references)
  for (const progress of given.record.resources) {
    const done = await tried(parts, progress, { place, attempt: verified, signal: undefined, confirmed })
    if (done.verifiedAt === undefined) erasure = await saveProgress(parts, erasure, done, confirmed)
    else erasure = { ...erasure, record: { ...erasure.record, resources: replaced(erasure.record.resources, done) } }
  }
  return erasure
}

function saveProgress(parts: ErasureParts, erasure: OpenErasure, progress: ResourceProgress, confirmed: number): Promise<OpenErasure> {
  const resources = replaced(allOf(parts, erasure), progress)
  // What this process comes to next is not due to others: its pause is over, and it is claimed.
  const retries = resources.flatMap(({ verifiedAt, retryAt = 0 }) => (verifiedAt === undefined && retryAt > confirmed ? [retryAt] : []))
  return parts.open.save(erasure, { resources }, Math.min(confirmed + LEASE, ...retries))
}

/** One call or two of a resource, and what it has come to then. */
type Attempt = (parts: ErasureParts, resource: Resource, progress: ResourceProgress, trying: Trying) => Promise<ResourceProgress>

interface Trying {
  readonly place: ErasedPlace
  readonly signal: AbortSignal | undefined
  readonly confirmed: number
}

async function tried(
  parts: ErasureParts,
  progress: ResourceProgress,
  { attempt, ...trying }: Trying & { readonly attempt: Attempt },
): Promise<ResourceProgress> {
  const { signal, confirmed } = trying
  const resource = parts.options.resources.get(progress.name)
  if (resource === undefined) return failed(parts, progress, 'resource_missing', confirmed)
  try {
    return await within(WORK_WITHIN, signal, (ends) => attempt(parts, resource, progress, { ...trying, signal: ends }))
  } catch (error) {
    signal?.throwIfAborted()
    return failed(parts, progress, codeOf(error), confirmed)
  }
}

// Where nobody knew before the keys went: noted before anything is removed, so that no kill makes the certificate say 0.
const counted: Attempt = async (parts, resource, progress, { place, confirmed }) => {
  const found: unknown = await resource.count(place)
  return isCount(found) ? { ...progress, found, retryAt: undefined } : failed(parts, progress, 'resource_malformed', confirmed)
}

const erased: Attempt = async (parts, resource, progress, trying) => {
  await resource.erase(trying.place, { signal: trying.signal })
  return verified(parts, resource, progress, trying)
}

const verified: Attempt = async (parts, resource, progress, { place, confirmed }) => {
  const remaining: unknown = await resource.verify(place)
  if (!isCount(remaining)) return failed(parts, progress, 'resource_malformed', confirmed)
  if (remaining > 0) return failed(parts, progress, 'resource_remains', confirmed, remaining)
  const { verifiedAt: _, failure: __, retryAt: ___, ...rest } = progress
  return { ...rest, verifiedAt: parts.vault.clock.now() }
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
