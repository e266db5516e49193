/** Inserting, updating, replacing, deleting: everything is encrypted before the first command is sent. */

import { invalidArgument, readOptions, StrongroomError } from '@strongroom/core'
import {
  type DeleteOptions,
  type DeleteResult,
  type Document,
  type InsertManyResult,
  type InsertOneOptions,
  type InsertOneResult,
  ObjectId,
  type UpdateOptions,
  type UpdateResult,
} from 'mongodb'

import { resolveDocument, type Tree } from '../values/resolve.ts'
import { withoutValues } from './duplicates.ts'
import { BatchKeys, type Owner } from './keys.ts'
import { verifiedIds } from './reads.ts'
import { indexesBeneath, ownerOf, recordOf, requireSealable, sealTree } from './seal.ts'
import { type FilterPlan, fillScope, ignoresUndefined, pinnedOwner, planFilter, type Source } from './source.ts'
import { checkUpdate } from './updates/update.ts'

const BATCH = 1000
// A filter that says whose a document is must mean no other: a collection may have a default by which `ADA` is `ada`.
const EXACT = { locale: 'simple' }
const WRITE = ['session', 'writeConcern', 'comment', 'maxTimeMS', 'timeoutMS', 'ignoreUndefined'] as const

/** Options of insertOne and insertMany. */
export type EncryptedInsertOptions = Pick<
  InsertOneOptions,
  'session' | 'writeConcern' | 'comment' | 'maxTimeMS' | 'timeoutMS' | 'ignoreUndefined'
> & {
  /** Of insertMany: go on after a document that the server refuses. */
  readonly ordered?: boolean
}
/** Options of updateOne, updateMany and replaceOne. */
export type EncryptedUpdateOptions = Pick<
  UpdateOptions,
  'session' | 'writeConcern' | 'comment' | 'maxTimeMS' | 'timeoutMS' | 'ignoreUndefined'
>
/** Options of deleteOne and deleteMany. */
export type EncryptedDeleteOptions = Pick<
  DeleteOptions,
  'session' | 'writeConcern' | 'comment' | 'maxTimeMS' | 'timeoutMS' | 'ignoreUndefined'
>

export async function insertOne(source: Source, document: unknown, options: EncryptedInsertOptions | undefined): Promise<InsertOneResult> {
  const sent = readOptions(options, WRITE)
  const [sealed] = await sealAll(source, [document], sent)
  return sending(source, () => source.collection.insertOne(sealed as Document, sent))
}

export async function insertMany(
  source: Source,
  documents: unknown,
  options: EncryptedInsertOptions | undefined,
): Promise<InsertManyResult> {
  const sent = readOptions(options, [...WRITE, 'ordered'])
  if (!Array.isArray(documents)) throw invalidArgument('documents', 'must be a list of documents')
  const sealed = await sealAll(source, documents, sent)
  return sending(source, () => source.collection.insertMany([...sealed], sent))
}

/** All documents, encrypted, in the same order; or nothing. */
async function sealAll(source: Source, given: readonly unknown[], options: EncryptedInsertOptions): Promise<readonly Tree[]> {
  const { layout, vault } = source
  const documents = given.map((each) => {
    const document = resolveDocument(each, { argument: 'document', operators: false, ignoreUndefined: ignoresUndefined(source, options) })
    fillScope(source, document)
    return withId(source, document)
  })
  const owners = documents.map((document) => ownerOf(layout, document))
  for (const document of documents) requireSealable(layout, layout.root, document, '')
  const sealed: Tree[] = []
  for (let at = 0; at < documents.length; at += BATCH) {
    const batch = owners.slice(at, at + BATCH)
    const indexes = batch.flatMap(({ tenant }) => indexesBeneath(layout, layout.root, tenant))
    const keys = await BatchKeys.open(vault, batch, indexes, true)
    try {
      for (const [i, owner] of batch.entries()) {
        const document = documents[at + i] as Tree
        sealed.push(sealTree(layout, layout.root, document, '', owner, recordOf(layout, document['_id']), keys) as Tree)
      }
    } finally {
      keys.dispose()
    }
  }
  return sealed
}

function withId({ layout }: Source, document: Tree): Tree {
  if (document['_id'] !== undefined && document['_id'] !== null) return document
  if (!layout.mintsIds || document['_id'] === null)
    throw invalidArgument('_id', 'must be there: the schema says what it is, and only an ObjectId can be made here')
  return { _id: new ObjectId(), ...document }
}

export async function update(
  source: Source,
  many: boolean,
  filter: unknown,
  given: unknown,
  options: EncryptedUpdateOptions | undefined,
): Promise<UpdateResult> {
  const { layout, vault, collection } = source
  const sent = readUpdateOptions(options)
  const plan = planFilter(source, filter)
  if (Array.isArray(given))
    throw new StrongroomError('unsupported_operation', 'updates by a pipeline do not work on encrypted collections; nothing was sent')
  const checked = checkUpdate(
    layout,
    resolveDocument(given, { argument: 'update', operators: true, ignoreUndefined: ignoresUndefined(source, sent) }),
  )
  const keys = checked.written.length === 0 ? undefined : await keysFor(source, plan, checked.written)
  let sealed: Tree
  try {
    sealed = checked.with(({ node, value, path }) => {
      const { owner, batch } = keys as NonNullable<typeof keys>
      return sealTree(layout, node, value, path, owner, recordOf(layout, plan.pins.id), batch)
    })
  } finally {
    keys?.batch.dispose()
  }
  const exactly = checked.written.length === 0 ? sent : { ...sent, collation: EXACT }
  const results = await acted(source, plan, many, sent, (physical) =>
    many ? collection.updateMany(physical, sealed, exactly) : collection.updateOne(physical, sealed, exactly),
  )
  return summed(results)

  async function keysFor(_: Source, { pins }: FilterPlan, written: typeof checked.written): Promise<{ owner: Owner; batch: BatchKeys }> {
    const owner = pinnedOwner(source, pins, 'the update')
    for (const { node, value, path } of written) requireSealable(layout, node, value, path)
    const indexes = written.flatMap(({ node }) => indexesBeneath(layout, node, owner.tenant))
    return { owner, batch: await BatchKeys.open(vault, [owner], indexes, true) }
  }
}

export async function replaceOne(
  source: Source,
  filter: unknown,
  given: unknown,
  options: EncryptedUpdateOptions | undefined,
): Promise<UpdateResult> {
  const { layout, vault, collection } = source
  const sent = readUpdateOptions(options)
  const plan = planFilter(source, filter)
  const document = resolveDocument(given, { argument: 'replacement', operators: false, ignoreUndefined: ignoresUndefined(source, sent) })
  fillScope(source, document)
  const pinned = pinnedOwner(source, plan.pins, 'the replacement')
  if (document['_id'] === undefined && plan.pins.id !== undefined) document['_id'] = plan.pins.id
  const owner = ownerOf(layout, document)
  if (owner.tenant !== pinned.tenant || owner.subject !== pinned.subject)
    throw new StrongroomError(
      'unsupported_operation',
      'the replacement has another tenant or subject than the filter: moving a document is not an update; nothing was sent',
    )
  requireSealable(layout, layout.root, document, '')
  const keys = await BatchKeys.open(vault, [owner], indexesBeneath(layout, layout.root, owner.tenant), true)
  let sealed: Tree
  try {
    sealed = sealTree(layout, layout.root, document, '', owner, recordOf(layout, plan.pins.id), keys) as Tree
  } finally {
    keys.dispose()
  }
  return summed(
    await acted(source, plan, false, sent, (physical) => collection.replaceOne(physical, sealed, { ...sent, collation: EXACT })),
  )
}

export async function remove(
  source: Source,
  many: boolean,
  filter: unknown,
  options: EncryptedDeleteOptions | undefined,
): Promise<DeleteResult> {
  const { collection } = source
  const sent = readOptions(options, WRITE)
  const plan = planFilter(source, filter)
  const results = await acted(source, plan, many, sent, (physical) =>
    many ? collection.deleteMany(physical, sent) : collection.deleteOne(physical, sent),
  )
  return {
    acknowledged: results.every(({ acknowledged }) => acknowledged),
    deletedCount: results.reduce((sum, { deletedCount }) => sum + deletedCount, 0),
  }
}

/** Acts on what a filter lets through; hits of an index are compared first, and then named by their ids. */
async function acted<R>(
  source: Source,
  plan: FilterPlan,
  many: boolean,
  { session, maxTimeMS, timeoutMS }: EncryptedUpdateOptions,
  act: (physical: Tree) => Promise<R>,
): Promise<readonly R[]> {
  const physical = await plan.physical()
  if (plan.searched.length === 0) return [await sending(source, () => act(physical))]
  const results: R[] = []
  const reading = Object.fromEntries(Object.entries({ session, maxTimeMS, timeoutMS }).filter(([, value]) => value !== undefined))
  for await (const ids of verifiedIds(source, plan, { ...reading, readPreference: 'primary' })) {
    const [first] = ids
    if (ids.length === 0) continue
    const hits: Tree = { _id: many ? { $in: ids } : first }
    results.push(await sending(source, () => act({ $and: [physical, hits] })))
    if (!many) return results
  }
  // So that a call that finds nothing answers as the driver does.
  return results.length > 0 ? results : [await sending(source, () => act({ $and: [physical, { _id: { $in: [] } }] }))]
}

function summed(results: readonly UpdateResult[]): UpdateResult {
  const [first] = results
  if (first === undefined) throw new StrongroomError('conflict', 'the update did not say what it did')
  return {
    ...first,
    matchedCount: results.reduce((sum, { matchedCount }) => sum + matchedCount, 0),
    modifiedCount: results.reduce((sum, { modifiedCount }) => sum + modifiedCount, 0),
  }
}

function readUpdateOptions(options: EncryptedUpdateOptions | undefined): EncryptedUpdateOptions {
  const { upsert, ...rest } = (options ?? {}) as EncryptedUpdateOptions & { readonly upsert?: unknown }
  if (upsert !== undefined && upsert !== false)
    throw new StrongroomError(
      'unsupported_operation',
      'upsert does not work on encrypted collections (docs/operations.md); nothing was sent',
    )
  return readOptions(rest, WRITE)
}

async function sending<R>({ layout }: Source, send: () => Promise<R>): Promise<R> {
  try {
    return await send()
  } catch (error) {
    throw withoutValues(layout, error)
  }
}
