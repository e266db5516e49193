/** findOneAndUpdate, findOneAndReplace and findOneAndDelete. */

import { invalidArgument, StrongroomError } from '@strongroom/core'
import type { FindOneAndDeleteOptions, FindOneAndReplaceOptions, FindOneAndUpdateOptions, ModifyResult } from 'mongodb'
import type { z } from 'zod'

import type { Tree } from '../../values/resolve.ts'
import { readingAs } from '../find.ts'
import { type OnShredded, openDocuments, requireOnShredded } from '../open.ts'
import {
  type BsonReading,
  FIND_ONE_AND_DELETE_OPTIONS,
  FIND_ONE_AND_REPLACE_OPTIONS,
  FIND_ONE_AND_UPDATE_OPTIONS,
  readDriverOptions,
} from '../options.ts'
import { planProjection } from '../projection.ts'
import { type FilterPlan, ignoresUndefined, planFilter, type Source } from '../source.ts'
import type { EncryptedProjection, EncryptedSort } from '../typed.ts'
import { checkArrayFilters } from './array-filters.ts'
import { type Insertion, insertionOfReplacement, insertionOfUpdate } from './insertion.ts'
import { reachNone, reachOne } from './pinned-retry.ts'
import { planReplacement } from './plan-replacement.ts'
import { planUpdate, resolveUpdate } from './plan-update.ts'
import { lookingFor, onInsert, sendable } from './update.ts'
import { readUpsert, upserted } from './upsert.ts'
import { type Change, NOTHING, type Write } from './write.ts'

/** Options of findOneAndDelete. */
export type EncryptedFindOneAndDeleteOptions<S extends z.ZodType = z.ZodType> = Pick<
  FindOneAndDeleteOptions,
  | BsonReading
  | 'session'
  | 'writeConcern'
  | 'comment'
  | 'maxTimeMS'
  | 'timeoutMS'
  | 'ignoreUndefined'
  | 'collation'
  | 'hint'
  | 'includeResultMetadata'
> & {
  /** What becomes of values whose keys are destroyed: as for findOne. */
  readonly shredded?: OnShredded
  readonly sort?: EncryptedSort<S>
  readonly projection?: EncryptedProjection<S>
}
/** Options of findOneAndReplace. */
export type EncryptedFindOneAndReplaceOptions<S extends z.ZodType = z.ZodType> = EncryptedFindOneAndDeleteOptions<S> &
  Pick<FindOneAndReplaceOptions, 'bypassDocumentValidation' | 'returnDocument' | 'upsert'>
/** Options of findOneAndUpdate. */
export type EncryptedFindOneAndUpdateOptions<S extends z.ZodType = z.ZodType> = EncryptedFindOneAndReplaceOptions<S> &
  Pick<FindOneAndUpdateOptions, 'arrayFilters'>

/** The document, or all that the server says of it. */
type Found = Tree | ModifyResult | null

export async function findOneAndUpdate(
  source: Source,
  filter: unknown,
  given: unknown,
  options: EncryptedFindOneAndUpdateOptions | undefined,
): Promise<Found> {
  const { layout, collection } = source
  const read = readDriverOptions(options, FIND_ONE_AND_UPDATE_OPTIONS)
  const inserts = readUpsert(source, read.upsert, read.writeConcern)
  const plan = planFilter(source, filter, read)
  const ignoreUndefined = ignoresUndefined(source, read)
  const tree = resolveUpdate(given, ignoreUndefined)
  const change = await planUpdate(source, tree)
  const answering = answeringOf(source, plan, read, change)
  const arrayFilters =
    read.arrayFilters === undefined ? {} : { arrayFilters: checkArrayFilters(layout, read.arrayFilters, tree, ignoreUndefined) }
  const insertion = inserts ? await insertionOfUpdate(source, plan, tree) : undefined
  const sent = { ...answering.sent, ...arrayFilters }
  const send = async (where: Tree, what: Tree, more = sent): Promise<ModifyResult> => collection.findOneAndUpdate(where, what, more)
  return answering.done(send, insertion, (where, what) => send(where, what, onInsert(sent)))
}

export async function findOneAndReplace(
  source: Source,
  filter: unknown,
  given: unknown,
  options: EncryptedFindOneAndReplaceOptions | undefined,
): Promise<Found> {
  const { collection } = source
  const read = readDriverOptions(options, FIND_ONE_AND_REPLACE_OPTIONS)
  const inserts = readUpsert(source, read.upsert, read.writeConcern)
  const plan = planFilter(source, filter, read)
  const change = await planReplacement(source, given, ignoresUndefined(source, read))
  const answering = answeringOf(source, plan, read, change)
  const insertion = inserts ? insertionOfReplacement(source, plan, change) : undefined
  const { sent } = answering
  const send = async (where: Tree, what: Tree, more = sent): Promise<ModifyResult> => collection.findOneAndReplace(where, what, more)
  return answering.done(send, insertion, (where, what) => send(where, what, onInsert(sent)))
}

export async function findOneAndDelete(
  source: Source,
  filter: unknown = {},
  options: EncryptedFindOneAndDeleteOptions | undefined,
): Promise<Found> {
  const read = readDriverOptions(options, FIND_ONE_AND_DELETE_OPTIONS)
  const plan = planFilter(source, filter, read)
  const answering = answeringOf(source, plan, read, NOTHING)
  return answering.done((where) => source.collection.findOneAndDelete(where, answering.sent))
}

const ALL: { readonly includeResultMetadata: true; readonly promoteBuffers: false } = { includeResultMetadata: true, promoteBuffers: false }

interface Answering {
  readonly sent: FindOneAndUpdateOptions & typeof ALL
  done(send: Write<ModifyResult>['send'], insertion?: Insertion, insert?: Write<ModifyResult>['send']): Promise<Found>
}

/** How a call is answered: everything about it is checked at once. */
function answeringOf(source: Source, plan: FilterPlan, options: EncryptedFindOneAndReplaceOptions, change: Change): Answering {
  const { layout, vault } = source
  const { projection, shredded = source.shredded ?? 'throw', includeResultMetadata, returnDocument, upsert: _, ...rest } = options
  requireOnShredded(shredded)
  if (returnDocument !== undefined && returnDocument !== 'before' && returnDocument !== 'after')
    throw invalidArgument('returnDocument', "must be 'before' or 'after'")
  const planned = planProjection(layout, projection, [])
  const bson = readingAs(source, rest)
  const reading = sendable(source, plan, rest, change.seals)
  const sent: Answering['sent'] = {
    // The driver takes names of indexes as well, whatever its types say.
    ...(reading as FindOneAndUpdateOptions),
    ...ALL,
    ...(planned.projection === undefined ? {} : { projection: planned.projection }),
    ...(returnDocument === undefined ? {} : { returnDocument }),
  }

  async function opened(answer: ModifyResult): Promise<Tree | null> {
    if (answer.value === null || answer.value === undefined) return null
    try {
      const [document] = await openDocuments(vault, layout, [answer.value], { bson, shredded, verify: { searched: [], required: [] } })
      return document === undefined ? null : planned.strip(document)
    } catch (error) {
      throw writtenAllTheSame(error)
    }
  }

  return {
    sent,
    async done(send, insertion, insert) {
      const write: Write<ModifyResult> = { source, plan, change, reading: lookingFor(reading), send, reached }
      const reach = (): Promise<ModifyResult | undefined> => reachOne(write)
      const answer =
        insertion === undefined || insert === undefined
          ? ((await reach()) ?? (await reachNone(write)))
          : await upserted({ source, attempt: reach, reached, insertion, insert, session: rest.session })
      const value = await opened(answer)
      return includeResultMetadata === true ? { ...answer, value } : value
    },
  }
}

// The server answers only once it is done.
function writtenAllTheSame(error: unknown): unknown {
  if (!(error instanceof StrongroomError)) return error
  return new StrongroomError(error.code, `${error.message}; the document was written or deleted all the same`, { cause: error })
}

function reached({ lastErrorObject }: ModifyResult): number | undefined {
  const n = lastErrorObject?.['n'] as unknown
  return n === undefined ? undefined : Number(n)
}
