/** Putting a hold on a place, and releasing it. */

import { invalidArgument, readOptions } from '@strongroom/core'

import type { ErasureParts } from '../parts.ts'
import { areReferences } from '../records/keys.ts'
import { type Erasable, namesOf, VaultPlace } from '../places/place.ts'

/** Options of `hold` and of `release`. */
export interface HoldOptions {
  /** Why, in words: 1 to 1,000 characters, kept encrypted under the vault's own key, and for good. Name cases, not people. */
  readonly reason: string
}

/** What a hold has met. */
export interface HoldResult {
  /** Ids of requests whose destruction had begun. */
  readonly mayBeTooLate: readonly string[]
}

const MOST = 1000

export async function hold({ vault, holds, open, options, tell }: ErasureParts, place: Erasable, how: HoldOptions): Promise<HoldResult> {
  const reason = reasonOf(how)
  const references = await new VaultPlace(vault, namesOf(place)).references()
  await holds.put(references, reason)
  await options.failpoint('hold.put')
  tell({ type: 'held', references })
  // Behind the hold: whoever begins to destroy now sees it.
  const around = await open.around(references)
  return { mayBeTooLate: around.filter(({ record }) => record.state === 'shredding').map(({ id }) => id) }
}

/** @param place - or its references, as `holds` has them: beneath a tenant that is shredded, nobody can tell them from the names any more */
export async function release(
  { vault, holds, open, options, tell }: ErasureParts,
  place: Erasable | readonly string[],
  how: HoldOptions,
): Promise<void> {
  const reason = reasonOf(how)
  const references = isList(place) ? requireReferences(place) : await new VaultPlace(vault, namesOf(place)).references()
  await holds.release(references, reason, () => options.failpoint('release.noted'))
  await options.failpoint('release.removed')
  tell({ type: 'released', references })
  // Sweeping looks at them again anyhow, and so at once.
  for (const erasure of await open.around(references))
    await open.change(erasure, ({ state, due }) => (state === 'suspended' ? { changes: {}, due } : undefined))
}

function isList(place: Erasable | readonly string[]): place is readonly string[] {
  return Array.isArray(place)
}

function requireReferences(given: readonly string[]): readonly string[] {
  if (!areReferences(given)) throw invalidArgument('place', 'must be references as holds() gives them, each of 32 hexadecimal digits')
  return [...given]
}

function reasonOf(how: HoldOptions): string {
  const { reason } = readOptions(how, ['reason'])
  if (typeof reason !== 'string' || reason === '' || reason.length > MOST || !reason.isWellFormed())
    throw invalidArgument('reason', `must be text of 1 to ${MOST} characters`)
  return reason
}
