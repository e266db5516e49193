/** updateOne, updateMany and replaceOne. */

import { StrongroomError } from '@strongroom/core'
import type { ReplaceOptions, UpdateOptions, UpdateResult } from 'mongodb'
import type { z } from 'zod'

import { hintOf } from '../indexes/index-keys.ts'
import { readDriverOptions, REPLACE_OPTIONS, UPDATE_MANY_OPTIONS, UPDATE_OPTIONS } from '../options.ts'
import { sortOf } from '../sort.ts'
import { collationOf, type FilterPlan, ignoresUndefined, planFilter, type Source } from '../source.ts'
import type { EncryptedSort } from '../typed.ts'
import type { VerifyingOptions } from '../verified-hits.ts'
import { checkArrayFilters } from './array-filters.ts'
import { type Insertion, insertionOfReplacement, insertionOfUpdate } from './insertion.ts'
import { reachMany } from './pinned-batches.ts'
import { reachNone, reachOne } from './pinned-retry.ts'
import { planReplacement } from './plan-replacement.ts'
import { planUpdate, resolveUpdate } from './plan-update.ts'
import { readUpsert, upserted } from './upsert.ts'
import type { Write } from './write.ts'

/** Options of replaceOne. */
export type EncryptedReplaceOptions<S extends z.ZodType = z.ZodType> = Pick<
  ReplaceOptions,
  | 'session'
  | 'writeConcern'
  | 'comment'
  | 'maxTimeMS'
  | 'timeoutMS'
  | 'ignoreUndefined'
  | 'bypassDocumentValidation'
  | 'collation'
  | 'hint'
  | 'upsert'
> & { readonly sort?: EncryptedSort<S> }
/** Options of updateMany. */
export type EncryptedUpdateManyOptions = Omit<EncryptedReplaceOptions, 'sort'> & Pick<UpdateOptions, 'arrayFilters'>
/** Options of updateOne. */
export type EncryptedUpdateOneOptions<S extends z.ZodType = z.ZodType> = EncryptedUpdateManyOptions & { readonly sort?: EncryptedSort<S> }

export async function update(
  source: Source,
  many: boolean,
  filter: unknown,
  given: unknown,
  options: EncryptedUpdateOneOptions | undefined,
): Promise<UpdateResult> {
  const { layout, collection } = source
  const { upsert, ...read } = readDriverOptions(options, many ? UPDATE_MANY_OPTIONS : UPDATE_OPTIONS)
  const inserts = readUpsert(source, upsert, read.writeConcern)
  const plan = planFilter(source, filter, read)
  const ignoreUndefined = ignoresUndefined(source, read)
  const tree = resolveUpdate(given, ignoreUndefined)
  const change = await planUpdate(source, tree)
  if (many && change.guarded)
    throw new StrongroomError(
      'unsupported_operation',
      '$addToSet on an encrypted path does not work in updateMany; instead: updateOne of each; nothing was sent',
    )
  const sent: UpdateOptions = sendable(source, plan, read, change.seals)
  if (read.arrayFilters !== undefined) sent.arrayFilters = checkArrayFilters(layout, read.arrayFilters, tree, ignoreUndefined)
  const insertion = inserts ? await insertionOfUpdate(source, plan, tree) : undefined
  const write: Write<UpdateResult> = {
    source,
    plan,
    change,
    reading: lookingFor(sent),
    send: (where, what) => (many ? collection.updateMany(where, what, sent) : collection.updateOne(where, what, sent)),
    reached: matched,
  }
  const reach = async (): Promise<UpdateResult | undefined> => (many ? reachMany(write, tree, sent) : reachOne(write))
  return done(write, reach, insertion, (where, what) => collection.updateOne(where, what, onInsert(sent)))
}

export async function replaceOne(
  source: Source,
  filter: unknown,
  given: unknown,
  options: EncryptedReplaceOptions | undefined,
): Promise<UpdateResult> {
  const { collection } = source
  const { upsert, ...read } = readDriverOptions(options, REPLACE_OPTIONS)
  const inserts = readUpsert(source, upsert, read.writeConcern)
  const plan = planFilter(source, filter, read)
  const change = await planReplacement(source, given, ignoresUndefined(source, read))
  const sent = sendable(source, plan, read, true)
  const insertion = inserts ? insertionOfReplacement(source, plan, change) : undefined
  const write: Write<UpdateResult> = {
    source,
    plan,
    change,
    reading: lookingFor(sent),
    send: (where, what) => collection.replaceOne(where, what, sent),
    reached: matched,
  }
  return done(
    write,
    () => reachOne(write),
    insertion,
    (where, what) => collection.replaceOne(where, what, onInsert(sent)),
  )
}

async function done(
  write: Write<UpdateResult>,
  reach: () => Promise<UpdateResult | undefined>,
  insertion: Insertion | undefined,
  insert: Write<UpdateResult>['send'],
): Promise<UpdateResult> {
  if (insertion === undefined) return (await reach()) ?? reachNone(write)
  const { source, reading, reached } = write
  return upserted({ source, attempt: reach, reached, insertion, insert, session: reading.session })
}

/** The options as they are sent. @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function sendable<O extends EncryptedReplaceOptions>(
  source: Source,
  plan: FilterPlan,
  { collation, hint, sort, ...rest }: O,
  seals: boolean,
): Omit<O, 'collation' | 'hint' | 'sort'> & Pick<ReplaceOptions, 'collation' | 'hint' | 'sort'> {
  const ordered = sort === undefined ? undefined : sortOf(source.layout, sort)
  return {
    ...rest,
    ...collationOf(source, plan, collation, seals),
    ...(hint === undefined ? {} : { hint: hintOf(source.layout, hint) }),
    ...(ordered === undefined ? {} : { sort: ordered }),
  }
}

/** Those with which documents are looked for. */
export function lookingFor({ session, maxTimeMS, timeoutMS, hint, sort, collation }: ReplaceOptions): VerifyingOptions {
  const options = { session, maxTimeMS, timeoutMS, hint, sort, collation }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** Those with which one is inserted: there is none to be chosen. */
export function onInsert<O extends ReplaceOptions>(options: O): Omit<O, 'hint' | 'sort' | 'collation'> & { readonly upsert: true } {
  const { hint: _hint, sort: _sort, collation: _collation, ...sent } = options
  return { ...sent, upsert: true }
}

// Of what is not acknowledged the driver knows no count.
function matched({ acknowledged, matchedCount }: UpdateResult): number | undefined {
  return acknowledged ? matchedCount : undefined
}
