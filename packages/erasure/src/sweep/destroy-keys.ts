/** What an erasure comes to when it is due: its keys are destroyed, unless a hold stands or the place is in use. */

import { type ErasedPlace, type Resource, StrongroomError } from '@strongroom/core'

import { codeOf, type ErasureParts, placeOf } from '../parts.ts'
import { newClaim, type OpenErasure } from '../records/open-erasures.ts'
import type { OpenRecord, ResourceProgress } from '../records/record.ts'
import { failureAfter, LEASE, pauseAfter } from './pauses.ts'
import { COUNT_WITHIN, within } from './within.ts'

/** Of what is held: it stays due, every sweep says that it waits, and the first behind the release goes on. */
export const DUE_WHILE_HELD = 0

/** `destroyed`, or why not: a hold stands, or nobody has suspended the place, so that the request is none of today's. */
export interface Destruction {
  readonly how: 'destroyed' | 'held' | 'not_suspended'
  readonly erasure: OpenErasure
}

/**
 * Repeating it goes on where it stopped.
 *
 * @param given - one on which no hold stood a moment ago
 * @param confirmed - the erasures' own time
 * @throws what the shred throws, once it is noted
 */
export async function destroyKeys(parts: ErasureParts, given: OpenErasure, confirmed: number): Promise<Destruction> {
  const noted = await noteIntent(parts, given, confirmed)
  return noted.how === 'noted' ? destroyNoted(parts, noted.erasure, confirmed) : { how: noted.how, erasure: noted.erasure }
}

/** The first half: from then on nothing is taken back. Parameters as of {@link destroyKeys}. */
export async function noteIntent(
  parts: ErasureParts,
  given: OpenErasure,
  confirmed: number,
): Promise<{ readonly how: 'noted' | 'not_suspended'; readonly erasure: OpenErasure }> {
  const { open, options } = parts
  const { failpoint } = options
  const again = confirmed + LEASE
  if (given.record.state !== 'shredding' && (await isInUse(parts, given))) return notSuspended(parts, given, confirmed)
  const noted = await open.saveClaimed(given, { state: 'shredding', resources: allOf(parts, given), claim: newClaim() }, again)
  await failpoint('shred.noted')
  const erasure = await open.saveClaimed(noted, { resources: await counted(parts, noted) }, again)
  await failpoint('shred.counted')
  return { how: 'noted', erasure }
}

/**
 * The second half.
 *
 * @param shredded - gives the receipt of what has been shredded together with others, or throws what kept them; `undefined`: it is shredded by itself
 * @throws StrongroomError `conflict` where the claim was lost
 */
export async function destroyNoted(
  parts: ErasureParts,
  noted: OpenErasure,
  confirmed: number,
  shredded?: () => string,
): Promise<Destruction> {
  const { open, options } = parts
  const { failpoint } = options
  if (shredded === undefined) {
    // Whoever had it since may have ended it: what is there now would be of another life.
    await open.requireClaimed(noted)
    if (await isInUse(parts, noted)) return notSuspended(parts, noted, confirmed)
  }
  const receipt = await orHeld(parts, noted, confirmed, shredded ?? (() => shred(parts, noted)))
  if (receipt === undefined) {
    const changes = { state: 'suspended', resources: uncounted(noted), ...heldBack(parts, noted, confirmed) } as const
    return { how: 'held', erasure: await open.saveClaimed(noted, changes, DUE_WHILE_HELD) }
  }
  await failpoint('shred.done')
  const erasure = await open.saveClaimed(noted, { receipt, failure: undefined }, confirmed + LEASE)
  await failpoint('shred.entered')
  parts.tell({ type: 'shredded', id: erasure.id })
  return { how: 'destroyed', erasure }
}

/**
 * Behind the intent: whoever puts a hold either sees that it comes too late, or is seen here.
 *
 * @returns what `work` gives; `undefined` where a hold stands
 */
async function orHeld(
  parts: ErasureParts,
  erasure: OpenErasure,
  confirmed: number,
  work: () => string | Promise<string | undefined>,
): Promise<string | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StrongroomError && error.code === 'held') return undefined
    if (codeOf(error) === 'region_refused') throw error
    const failure = failureAfter(erasure.record.failure, { code: codeOf(error), at: parts.vault.clock.now() })
    await parts.open.saveClaimed(erasure, { failure }, confirmed + pauseAfter(failure.failures))
    throw error
  }
}

async function shred(parts: ErasureParts, erasure: OpenErasure): Promise<string | undefined> {
  const place = placeOf(parts, erasure)
  const { reason } = erasure.record
  if (place.isTenant || (await place.tenantInfo()).state !== 'shredded') return (await place.handle.shred({ reason })).receipt
  // Beneath a tenant that is gone nothing has a shred of its own: it went with that. Nothing else goes now, and so no other hold is asked.
  if (await parts.holds.stand(erasure.references)) return undefined
  const gone = await place.tenant.pastShred()
  if (gone === undefined) throw onlySaysSo()
  return gone.receipt
}

// A column that whoever writes the key store can change: one person's erasure must not become everybody's.
function onlySaysSo(): StrongroomError {
  return new StrongroomError(
    'decrypt_failed',
    'the key store says that the tenant is shredded, and the ledger knows of no shred: put its records back from a backup, or shred the tenant',
  )
}

/** The certificate says that a hold stood, from when and until when: as sweeping has found it. */
export function heldBack({ vault }: Pick<ErasureParts, 'vault'>, { record }: OpenErasure, confirmed: number): Pick<OpenRecord, 'held'> {
  const now = Math.max(vault.clock.now(), confirmed)
  return { held: { from: record.held?.from ?? now, until: now } }
}

// An older record that was put back destroys nothing of whoever has taken the request back, or has come again.
export async function isInUse(parts: ErasureParts, erasure: OpenErasure): Promise<boolean> {
  return (await placeOf(parts, erasure).state()) === 'active'
}

async function notSuspended(
  { open, vault }: ErasureParts,
  erasure: OpenErasure,
  confirmed: number,
): Promise<{ readonly how: 'not_suspended'; readonly erasure: OpenErasure }> {
  const failure = failureAfter(erasure.record.failure, { code: 'not_suspended', at: vault.clock.now() })
  const changes = { state: 'suspended', failure, resources: uncounted(erasure) } as const
  return { how: 'not_suspended', erasure: await open.saveClaimed(erasure, changes, confirmed + pauseAfter(failure.failures)) }
}

/** Those of the record and those that this process has: whoever asked may not have known one, and one that nobody has here is not skipped. */
export function allOf({ options }: Pick<ErasureParts, 'options'>, { record }: OpenErasure): readonly ResourceProgress[] {
  const known = new Set(record.resources.map(({ name }) => name))
  return [...record.resources, ...[...options.resources.keys()].filter((name) => !known.has(name)).map((name) => ({ name }))]
}

// Before the keys go, since what goes with them is not found afterwards. One that does not answer keeps no key from being destroyed.
async function counted(parts: ErasureParts, { record, references }: OpenErasure): Promise<readonly ResourceProgress[]> {
  const place = placeOf(parts, { record }).asErased(references)
  const found: ResourceProgress[] = []
  for (const progress of record.resources) {
    const count = progress.found ?? (await countOf(parts.options.resources.get(progress.name), place))
    found.push(isCount(count) ? { ...progress, found: count } : progress)
  }
  return found
}

async function countOf(resource: Resource | undefined, place: ErasedPlace): Promise<unknown> {
  try {
    return resource === undefined ? undefined : await within(COUNT_WITHIN, undefined, () => resource.count(place))
  } catch {
    return undefined
  }
}

function uncounted({ record }: OpenErasure): readonly ResourceProgress[] {
  return record.resources.map(({ name }) => ({ name }))
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
