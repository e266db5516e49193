/** Putting a hold on a place, and releasing it. */

import { invalidArgument, readOptions } from '@strongroom/core'

import type { ErasureParts } from '../parts.ts'
import { type Erasable, VaultPlace } from '../places/place.ts'
import { areReferences } from '../records/keys.ts'
import { unlessDamaged } from '../records/sealed-entries.ts'
import type { Hold } from './holds.ts'

/** Options of `hold` and of `release`. */
export interface HoldOptions {
  /** Why, in words: 1 to 1,000 characters, kept encrypted under the vault's own key, and for good. Name cases, not people. */
  readonly reason: string
}

/** What a hold has met. */
export interface HoldResult {
  /** Ids of requests whose destruction had begun. */
  readonly mayBeTooLate: readonly string[]
  /** Ids of records that do not open, as `discardDamaged` takes them. Nothing is destroyed by their word; whether anything was, `state()` of the place says. */
  readonly unreadable: readonly string[]
}

const MOST = 1000

export async function hold({ vault, holds, open, options, tell }: ErasureParts, place: Erasable, how: HoldOptions): Promise<HoldResult> {
  const reason = reasonOf(how)
  const { references } = await VaultPlace.of(vault, place)
  await holds.put(references, reason)
  await options.failpoint('hold.put')
  tell({ type: 'held', references })
  // Behind the hold: whoever begins to destroy now sees it.
  const [mayBeTooLate, unreadable]: [string[], string[]] = [[], []]
  for await (const unread of open.around(references)) {
    const erasure = await unread.open().catch(unlessDamaged)
    if (erasure === undefined) unreadable.push(unread.references.join('.'))
    else if (erasure.record.state === 'shredding') mayBeTooLate.push(erasure.id)
  }
  return { mayBeTooLate, unreadable }
}

export async function release(
  { vault, holds, options, tell }: ErasureParts,
  held: Erasable | Pick<Hold, 'references'>,
  how: HoldOptions,
): Promise<void> {
  const reason = reasonOf(how)
  const references = isHold(held) ? referencesOf(held) : (await VaultPlace.of(vault, held)).references
  await holds.release(references, reason, () => options.failpoint('release.noted'))
  await options.failpoint('release.removed')
  tell({ type: 'released', references })
}

// Of a tenant whose keys are gone nobody finds a place by its name any more.
function isHold(held: Erasable | Pick<Hold, 'references'>): held is Pick<Hold, 'references'> {
  return typeof held === 'object' && held !== null && 'references' in held && Array.isArray(held.references)
}

function referencesOf({ references }: Pick<Hold, 'references'>): readonly string[] {
  if (!areReferences(references)) throw invalidArgument('held', 'must be a place, or a hold as holds() gives it')
  return references
}

function reasonOf(how: HoldOptions): string {
  const { reason } = readOptions(how, ['reason'])
  if (typeof reason !== 'string' || reason === '' || reason.length > MOST || !reason.isWellFormed())
    throw invalidArgument('reason', `must be text of 1 to ${MOST} characters`)
  return reason
}
