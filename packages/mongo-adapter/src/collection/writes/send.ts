/** Sending a command, and what its filter and its errors have to say. */

import { invalidArgument, StrongroomError } from '@strongroom/core'
import type { WriteConcern, WriteConcernSettings } from 'mongodb'

import type { Tree } from '../../values/resolve.ts'
import { withoutValues } from '../duplicates.ts'
import type { Layout } from '../layout.ts'
import type { Source } from '../source.ts'
import type { Sealed, Write } from './write.ts'

/** Sends; an error of the server comes without values. @throws StrongroomError `invalid_argument` for what is too large to be sent */
export async function sending<R>(layout: Layout, send: () => Promise<R>): Promise<R> {
  try {
    return await send()
  } catch (error) {
    // Of the driver, before it sends: what it writes documents into is little larger than the largest.
    if (error instanceof RangeError) throw invalidArgument('document', 'is larger than MongoDB takes, encrypted as it is; nothing was sent')
    throw withoutValues(layout, error)
  }
}

/** Each time somebody else has changed the document between two commands, so that the second finds it no more. */
export const MOST_TRIES = 5

export function changedByOthers(): StrongroomError {
  return new StrongroomError(
    'conflict',
    `the document that the filter finds was changed by others each of ${MOST_TRIES} times before it could be written; nothing was written`,
  )
}

/**
 * Sends what was encrypted. What is guarded may take more commands: one that only matches what has the element already, and one that matches
 * whatever the filter does, so that the element is not missed that was taken out in between.
 *
 * @throws StrongroomError `conflict`, and what sending throws
 */
export async function sendSealed<R>({ source, send, reached }: Write<R>, filter: Tree, { tree, guard }: Sealed): Promise<R> {
  const sent = (where: Tree, what: Tree): Promise<R> => sending(source.layout, () => send(where, what))
  if (guard === undefined) return sent(filter, tree)
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const added = await sent(narrowed(filter, guard.absent), tree)
    if (reached(added) !== 0) return added
    const there = await sent(narrowed(filter, guard.present), guard.nothing)
    if (reached(there) !== 0) return there
    const none = await sent(filter, guard.nothing)
    if (reached(none) === 0) return none
  }
  throw changedByOthers()
}

/** A filter with one more condition. Its own stay at the top, where `$` in an update looks for the element that they found. */
export function narrowed(physical: Tree, condition: Tree): Tree {
  const joined = Array.isArray(physical['$and']) ? (physical['$and'] as readonly unknown[]) : []
  return { ...physical, $and: [...joined, condition] }
}

/** Whether there will be an answer that says what was done. */
export function acknowledges({ collection }: Source, writeConcern: WriteConcern | WriteConcernSettings | undefined): boolean {
  return (writeConcern ?? collection.writeConcern)?.w !== 0
}
