/** Putting a hold on a place, and releasing it. */

import { invalidArgument, readOptions } from '@strongroom/core'

import type { ErasureParts } from '../parts.ts'
import { type Erasable, VaultPlace } from '../places/place.ts'
import { areReferences } from '../records/keys.ts'
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
}

const MOST = 1000

export async function hold({ vault, holds, open, options, tell }: ErasureParts, place: Erasable, how: HoldOptions): Promise<HoldResult> {
  const reason = reasonOf(how)
  const { references } = await VaultPlace.of(vault, place)
  await holds.put(references, reason)
  await options.failpoint('hold.put')
  tell({ type: 'held', references })
  // Behind the hold: whoever begins to destroy now sees it.
  const mayBeTooLate: string[] = []
  for await (const { id, record } of open.around(references)) if (record.state === 'shredding') mayBeTooLate.push(id)
  return { mayBeTooLate }
}

export async function release({ vault, holds, open, options, tell }: ErasureParts, held: Erasable | Hold, how: HoldOptions): Promise<void> {
  const reason = reasonOf(how)
  const references = isHold(held) ? referencesOf(held) : (await VaultPlace.of(vault, held)).references
  await holds.release(references, reason, () => options.failpoint('release.noted'))
  await options.failpoint('release.removed')
  tell({ type: 'released', references })
  // Sweeping looks at them again anyhow, and so at once.
  for await (const erasure of open.around(references))
    await open.change(erasure, ({ state, due }) => (state === 'suspended' ? { changes: {}, due } : undefined))
}

// Of a tenant whose keys are gone nobody finds a place by its name any more.
function isHold(held: Erasable | Hold): held is Hold {
  return typeof held === 'object' && held !== null && 'references' in held && Array.isArray(held.references)
}

function referencesOf({ references }: Hold): readonly string[] {
  if (!areReferences(references)) throw invalidArgument('held', 'must be a place, or a hold as holds() gives it')
  return references
}

function reasonOf(how: HoldOptions): string {
  const { reason } = readOptions(how, ['reason'])
  if (typeof reason !== 'string' || reason === '' || reason.length > MOST || !reason.isWellFormed())
    throw invalidArgument('reason', `must be text of 1 to ${MOST} characters`)
  return reason
}
