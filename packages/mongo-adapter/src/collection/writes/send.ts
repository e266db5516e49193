/** Sending a command, and what its filter and its errors have to say. */

import { invalidArgument } from '@strongroom/core'
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

/** Sends what was encrypted. What is guarded takes a second command, which only matches what has the element already. */
export async function sendSealed<R>({ source, send, reached }: Write<R>, filter: Tree, { tree, guard }: Sealed): Promise<R> {
  const sent = (where: Tree, what: Tree): Promise<R> => sending(source.layout, () => send(where, what))
  if (guard === undefined) return sent(filter, tree)
  const added = await sent(narrowed(filter, guard.absent), tree)
  return reached(added) === 0 ? sent(narrowed(filter, guard.present), guard.nothing) : added
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
