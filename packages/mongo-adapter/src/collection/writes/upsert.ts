/** Upserts: turns of writing the document that there is, or inserting one, until one of the two is done. */

import { invalidArgument, StrongroomError } from '@strongroom/core'
import { type ClientSession, MongoServerError, type WriteConcern, type WriteConcernSettings } from 'mongodb'

import type { Tree } from '../../values/resolve.ts'
import type { Source } from '../source.ts'
import type { Insertion } from './insertion.ts'
import { acknowledges, sending } from './send.ts'
import { sealOne } from './write.ts'

/** Each time somebody else has inserted a document, which is then to be written, and by then is there no more. */
const MOST_TRIES = 5
const DUPLICATE = 11_000

interface Upsert<R> {
  readonly source: Source
  /** Writes what there is; `undefined` where there is nothing. */
  readonly attempt: () => Promise<R | undefined>
  readonly reached: (answer: R) => number | undefined
  readonly insertion: Insertion
  readonly insert: (filter: Tree, tree: Tree) => Promise<R>
  readonly session: ClientSession | undefined
}

/** @throws what writing and inserting throw; the error of a duplicate where it stays one, and at once in a transaction, which it has ended */
export async function upserted<R>({ source, attempt, reached, insertion, insert, session }: Upsert<R>): Promise<R> {
  for (let tries = 1; ; tries++) {
    const answer = await attempt()
    if (answer !== undefined && reached(answer) !== 0) return answer
    const tree = await sealOne(source.vault, insertion.prepared)
    try {
      return await sending(source.layout, () => insert(insertion.filter, tree))
    } catch (error) {
      const isDuplicate = error instanceof MongoServerError && error.code === DUPLICATE
      if (!isDuplicate || tries === MOST_TRIES || session?.inTransaction() === true) throw error
    }
  }
}

/** @throws StrongroomError `invalid_argument`; `unsupported_operation` where no answer would say whether there is a document */
export function readUpsert(source: Source, upsert: unknown, writeConcern: WriteConcern | WriteConcernSettings | undefined): boolean {
  if (upsert === undefined || upsert === null || upsert === false) return false
  if (upsert !== true) throw invalidArgument('upsert', 'must be true or false')
  if (!acknowledges(source, writeConcern))
    throw new StrongroomError('unsupported_operation', 'an upsert does not work without acknowledgement of writes; nothing was sent')
  return true
}
