/** updateOne, updateMany and replaceOne, where the filter says whose document it is that encrypted values are written to. */

import { StrongroomError } from '@strongroom/core'
import { type Document, type Filter, type ReplaceOptions, type Sort, type UpdateOptions, type UpdateResult } from 'mongodb'

import { resolveDocument, type Tree } from '../../values/resolve.ts'
import { hintOf } from '../indexes/index-keys.ts'
import { withKeys, type Owner } from '../keys.ts'
import { readDriverOptions, REPLACE_OPTIONS, UPDATE_MANY_OPTIONS, UPDATE_OPTIONS } from '../options.ts'
import { indexesFor, ownerOf, prepareTree, boundTo, sealTree } from '../seal.ts'
import { sortOf } from '../sort.ts'
import { collationOf, type FilterPlan, fillScope, ignoresUndefined, pinnedOwner, planFilter, type Source } from '../source.ts'
import { acted } from './act.ts'
import { checkArrayFilters } from './array-filters.ts'
import { type CheckedUpdate, checkUpdate } from './check-update.ts'

/** Options of replaceOne. */
export type EncryptedReplaceOptions = Pick<
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
  | 'sort'
>
/** Options of updateMany. */
export type EncryptedUpdateManyOptions = Omit<EncryptedReplaceOptions, 'sort'> & Pick<UpdateOptions, 'arrayFilters'>
/** Options of updateOne. */
export type EncryptedUpdateOneOptions = EncryptedUpdateManyOptions & { readonly sort?: Sort }

export async function update(
  source: Source,
  many: boolean,
  filter: unknown,
  given: unknown,
  options: EncryptedUpdateOneOptions | undefined,
): Promise<UpdateResult> {
  const { layout, collection, validation } = source
  const read = readDriverOptions(options, many ? UPDATE_MANY_OPTIONS : UPDATE_OPTIONS)
  const plan = planFilter(source, filter, read)
  if (Array.isArray(given))
    throw new StrongroomError(
      'unsupported_operation',
      'an update by a pipeline does not work on encrypted collections; instead: findOne, and $set of the result, in a transaction; nothing was sent',
    )
  const ignoreUndefined = ignoresUndefined(source, read)
  const change = resolveDocument(given, { argument: 'update', operators: true, ignoreUndefined })
  const checked = checkUpdate(layout, change)
  const writes = checked.written.length > 0
  const owner = writes ? pinnedOwner(source, plan.pins, 'the update') : undefined
  const sent: UpdateOptions = { ...sendable(source, plan, read, writes) }
  if (read.arrayFilters !== undefined) sent.arrayFilters = checkArrayFilters(layout, read.arrayFilters, change, ignoreUndefined)
  await validation?.values(checked.assigned)
  const sealed = owner === undefined ? checked.with(() => undefined) : await sealUpdate(source, checked, owner, plan.pins.id)
  const results = await acted(
    source,
    plan,
    many,
    lookingFor(sent),
    (physical) => (many ? collection.updateMany(physical, sealed, sent) : collection.updateOne(physical, sealed, sent)),
    ({ matchedCount }) => matchedCount,
  )
  return summed(results)
}

/** Everything is checked and encoded before a key is opened. */
async function sealUpdate({ layout, vault }: Source, checked: CheckedUpdate, owner: Owner, id: unknown): Promise<Tree> {
  const bound = boundTo(layout, id)
  const prepared = checked.written.map((each) => [each, prepareTree(layout, each.node, each.value, each.path)] as const)
  const indexes = prepared.flatMap(([, tree]) => indexesFor(tree, owner.tenant))
  return withKeys(vault, { owners: [owner], indexes, mint: true }, (keys) => {
    const trees = new Map(prepared.map(([each, tree]) => [each, sealTree(tree, owner, bound, keys)]))
    return checked.with((each) => trees.get(each))
  })
}

export async function replaceOne(
  source: Source,
  filter: unknown,
  given: unknown,
  options: EncryptedReplaceOptions | undefined,
): Promise<UpdateResult> {
  const { layout, vault, collection, validation } = source
  const read = readDriverOptions(options, REPLACE_OPTIONS)
  const plan = planFilter(source, filter, read)
  const document = resolveDocument(given, { argument: 'replacement', operators: false, ignoreUndefined: ignoresUndefined(source, read) })
  fillScope(source, document)
  const pinned = pinnedOwner(source, plan.pins, 'the replacement')
  if (document['_id'] === undefined && plan.pins.id !== undefined) document['_id'] = plan.pins.id
  const owner = ownerOf(layout, document)
  const moved = (['tenant', 'subject'] as const).find((each) => owner[each] !== pinned[each])
  if (moved !== undefined)
    throw new StrongroomError(
      'unsupported_operation',
      `the replacement has another ${layout[moved].path} than the filter: insert another document, and delete this one; nothing was sent`,
    )
  const sent = sendable(source, plan, read, true)
  await validation?.documents([document])
  const bound = boundTo(layout, plan.pins.id)
  const prepared = prepareTree(layout, layout.root, document, '')
  const needed = { owners: [owner], indexes: indexesFor(prepared, owner.tenant), mint: true }
  const sealed = await withKeys(vault, needed, (keys) => sealTree(prepared, owner, bound, keys) as Tree)
  const replace = (physical: Filter<Document>): Promise<UpdateResult> => collection.replaceOne(physical, sealed, sent)
  return summed(await acted(source, plan, false, lookingFor(sent), replace, ({ matchedCount }) => matchedCount))
}

/** The options as they are sent. @throws StrongroomError `unsupported_operation`, `invalid_argument` */
function sendable(source: Source, plan: FilterPlan, options: EncryptedReplaceOptions, pinned: boolean): ReplaceOptions {
  const { collation, hint, sort, ...rest } = options
  const ordered = sort === undefined ? undefined : sortOf(source.layout, sort)
  return {
    ...rest,
    ...collationOf(source, plan, collation, pinned),
    ...(hint === undefined ? {} : { hint: hintOf(source.layout, hint) }),
    ...(ordered === undefined ? {} : { sort: ordered }),
  }
}

function lookingFor({ session, maxTimeMS, timeoutMS, hint, sort, collation }: ReplaceOptions): Document {
  const options = { session, maxTimeMS, timeoutMS, hint, sort, collation }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function summed(results: readonly [UpdateResult, ...UpdateResult[]]): UpdateResult {
  const [first] = results
  // Of what is not acknowledged the driver knows no counts.
  if (!first.acknowledged) return first
  return {
    ...first,
    matchedCount: results.reduce((sum, { matchedCount }) => sum + matchedCount, 0),
    modifiedCount: results.reduce((sum, { modifiedCount }) => sum + modifiedCount, 0),
  }
}
