/** Finding, counting, and the values that there are. */

import { invalidArgument, readOptions } from '@strongroom/core'
import { BSON, type BSONSerializeOptions, type FindOptions } from 'mongodb'

import { isTree, type Tree } from '../values/resolve.ts'
import { type CursorSource, EncryptedFindCursor } from './find-cursor.ts'
import { placeOf, unsupported } from './layout.ts'
import { openDocuments, type OnShredded } from './open.ts'
import { checkSort, planProjection } from './projection.ts'
import { type FilterPlan, planFilter, type Source } from './source.ts'

/** Options of find and findOne: the driver's that work on what is encrypted, and what to do about shredded values. */
export interface EncryptedFindOptions extends Pick<
  FindOptions,
  | 'session'
  | 'readConcern'
  | 'readPreference'
  | 'projection'
  | 'sort'
  | 'limit'
  | 'skip'
  | 'batchSize'
  | 'hint'
  | 'comment'
  | 'maxTimeMS'
  | 'timeoutMS'
  | 'allowDiskUse'
  | 'noCursorTimeout'
  | 'promoteLongs'
  | 'promoteValues'
  | 'promoteBuffers'
  | 'useBigInt64'
  | 'bsonRegExp'
> {
  /** Values whose keys are destroyed: `throw`, or stand as `SHREDDED`. Without it, single documents throw and lists mark. */
  readonly shredded?: OnShredded
}

const SENT = [
  ...([
    'session',
    'readConcern',
    'readPreference',
    'sort',
    'limit',
    'skip',
    'batchSize',
    'hint',
    'comment',
    'maxTimeMS',
    'timeoutMS',
  ] as const),
  ...(['allowDiskUse', 'noCursorTimeout', 'promoteLongs', 'promoteValues', 'promoteBuffers', 'useBigInt64', 'bsonRegExp'] as const),
]

/** @throws StrongroomError at once for what is refused */
export function find<T>(
  source: Source,
  filter: unknown,
  options: EncryptedFindOptions | undefined,
  byDefault: OnShredded,
): EncryptedFindCursor<T> {
  const { projection, shredded = source.shredded ?? byDefault, ...sent } = readOptions(options, ['projection', 'shredded', ...SENT])
  if (shredded !== 'throw' && shredded !== 'mark') throw invalidArgument('shredded', "must be 'throw' or 'mark'")
  const plan = planFilter(source, filter)
  if (sent.sort !== undefined) checkSort(source.layout, sent.sort)
  if (sent.hint !== undefined && typeof sent.hint !== 'string')
    throw unsupported('hint by anything but the name of an index', 'a collection')
  return new EncryptedFindCursor<T>(cursorSource(source, plan, projection, shredded, sent), sent)
}

/** Options that BSON is read with, as the driver would. */
export function readingOf({ collection }: Source, options: BSONSerializeOptions): BSONSerializeOptions {
  const { promoteLongs, promoteValues, promoteBuffers, useBigInt64, bsonRegExp } = { ...collection.bsonOptions, ...options }
  const all = { promoteLongs, promoteValues, promoteBuffers, useBigInt64, bsonRegExp }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

function cursorSource(source: Source, plan: FilterPlan, projection: unknown, shredded: OnShredded, options: FindOptions): CursorSource {
  const { layout, vault, collection } = source
  const planned = planProjection(layout, projection, plan.searched)
  const bson = readingOf(source, options)
  return {
    async open(sent) {
      return collection.find(await plan.physical(), {
        ...sent,
        ...(planned.projection === undefined ? {} : { projection: planned.projection }),
      })
    },
    checkSort: (sort) => checkSort(layout, sort),
    project: (other) => cursorSource(source, plan, other, shredded, options),
    async decrypt(documents) {
      const opened = await openDocuments(vault, layout, documents, { bson, shredded, verify: plan.searched })
      return opened.map((document) => (document === undefined ? undefined : planned.strip(document)))
    },
  }
}

export async function findOne<T>(source: Source, filter: unknown, options: EncryptedFindOptions | undefined): Promise<T | null> {
  const cursor = find<T>(source, filter, options, 'throw')
  // A hit of an index may turn out to be none, so that the next one counts.
  if (planFilter(source, filter).searched.length === 0) cursor.limit(1)
  else cursor.batchSize(2)
  try {
    return await cursor.next()
  } finally {
    await cursor.close()
  }
}

/** Ids of documents that a filter lets through, those compared that were searched by an index; a batch at a time. */
export async function* verifiedIds(source: Source, plan: FilterPlan, options: FindOptions): AsyncGenerator<readonly unknown[], void> {
  const { layout, vault, collection } = source
  const paths = ['_id', layout.tenant.path, layout.subject.path, ...plan.searched.map(({ path }) => path.replaceAll('[]', ''))]
  const cursor = collection.find(await plan.physical(), { ...options, projection: Object.fromEntries(paths.map((path) => [path, 1])) })
  try {
    while (await cursor.hasNext()) {
      const batch = cursor.readBufferedDocuments() as Tree[]
      const opened = await openDocuments(vault, layout, batch, { bson: {}, shredded: 'mark', verify: plan.searched })
      yield batch.flatMap((document, i) => (opened[i] === undefined ? [] : [document['_id']]))
    }
  } finally {
    await cursor.close()
  }
}

/** Options of countDocuments. */
export type EncryptedCountOptions = Pick<
  FindOptions,
  'session' | 'limit' | 'skip' | 'comment' | 'maxTimeMS' | 'timeoutMS' | 'readConcern' | 'readPreference'
>

export async function countDocuments(source: Source, filter: unknown, options: EncryptedCountOptions | undefined): Promise<number> {
  const sent = readOptions(options, ['session', 'limit', 'skip', 'comment', 'maxTimeMS', 'timeoutMS', 'readConcern', 'readPreference'])
  const plan = planFilter(source, filter)
  if (plan.searched.length === 0) return source.collection.countDocuments(await plan.physical(), sent)
  let count = 0
  for await (const ids of verifiedIds(source, plan, sent)) count += ids.length
  return count
}

/** Options of distinct. */
export type EncryptedDistinctOptions = Pick<
  FindOptions,
  'session' | 'comment' | 'maxTimeMS' | 'timeoutMS' | 'readConcern' | 'readPreference'
>

export async function distinct(
  source: Source,
  key: unknown,
  filter: unknown,
  options: EncryptedDistinctOptions | undefined,
): Promise<unknown[]> {
  const sent = readOptions(options, ['session', 'comment', 'maxTimeMS', 'timeoutMS', 'readConcern', 'readPreference'])
  const path = String(key)
  const place = placeOf(source.layout, path)
  const plan = planFilter(source, filter)
  if (place.kind === 'within' || place.kind === 'holder') throw unsupported('distinct', path)
  if (place.kind === 'sealed' && place.sealed.index === undefined) throw unsupported('distinct', path, 'it has no index')
  if (place.kind === 'plain' && plan.searched.length === 0) return source.collection.distinct(path, await plan.physical(), sent)
  const found = new Map<string, unknown>()
  // A projection knows no positions.
  const projected = path.split('.').filter((step) => !POSITION.test(step))
  const cursor = find<Tree>(source, filter, { ...sent, projection: { [projected.join('.')]: 1 } }, 'throw')
  for await (const document of cursor) {
    for (const value of valuesAt(document, path.split('.'))) found.set(Buffer.from(BSON.serialize({ '': value })).toString('latin1'), value)
  }
  return [...found.values()]
}

const POSITION = /^\d+$/u

// As the server: arrays on the way count by the element that the path names or by all, and one at the end by its elements.
function valuesAt(value: unknown, steps: readonly string[]): readonly unknown[] {
  const [first, ...rest] = steps
  if (Array.isArray(value)) {
    const all = value as readonly unknown[]
    if (first === undefined) return all
    if (POSITION.test(first)) return Number(first) < all.length ? valuesAt(all[Number(first)], rest) : []
    return all.flatMap((each) => valuesAt(each, steps))
  }
  if (first === undefined) return [value]
  return isTree(value) && Object.hasOwn(value, first) ? valuesAt(value[first], rest) : []
}
