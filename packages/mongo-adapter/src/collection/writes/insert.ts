/** insertOne and insertMany: everything is checked before a key is made, and encrypted before the first command is sent. */

import { invalidArgument } from '@strongroom/core'
import { type BulkWriteOptions, type Document, type InsertManyResult, type InsertOneOptions, type InsertOneResult, ObjectId } from 'mongodb'

import { readList, resolveDocument, type Tree } from '../../values/resolve.ts'
import { requireOwners, withKeys } from '../keys.ts'
import { INSERT_MANY_OPTIONS, INSERT_OPTIONS, readDriverOptions } from '../options.ts'
import { indexesFor, ownerOf, prepareTree, boundTo, sealTree } from '../seal.ts'
import { fillScope, ignoresUndefined, type Source } from '../source.ts'
import { sending } from './act.ts'

const BATCH = 1000

/** Options of insertOne. */
export type EncryptedInsertOneOptions = Pick<
  InsertOneOptions,
  'session' | 'writeConcern' | 'comment' | 'maxTimeMS' | 'timeoutMS' | 'ignoreUndefined' | 'bypassDocumentValidation'
>
/** Options of insertMany. */
export type EncryptedInsertManyOptions = EncryptedInsertOneOptions & Pick<BulkWriteOptions, 'ordered'>

export async function insertOne<T>(
  source: Source,
  document: unknown,
  options: EncryptedInsertOneOptions | undefined,
): Promise<InsertOneResult<T>> {
  const sent = readDriverOptions(options, INSERT_OPTIONS)
  const [sealed] = await sealAll(source, [document], sent)
  return sending(source.layout, () => source.collection.insertOne(sealed as Document, sent)) as Promise<InsertOneResult<T>>
}

export async function insertMany<T>(
  source: Source,
  documents: unknown,
  options: EncryptedInsertManyOptions | undefined,
): Promise<InsertManyResult<T>> {
  const sent = readDriverOptions(options, INSERT_MANY_OPTIONS)
  const sealed = await sealAll(source, readList(documents, 'documents', 'documents'), sent)
  return sending(source.layout, () => source.collection.insertMany([...sealed], sent)) as Promise<InsertManyResult<T>>
}

/** All documents, encrypted, in the same order; or nothing. */
async function sealAll(source: Source, given: readonly unknown[], options: EncryptedInsertOneOptions): Promise<readonly Tree[]> {
  const { layout, vault, validation } = source
  const reading = { argument: 'document', operators: false, ignoreUndefined: ignoresUndefined(source, options) }
  const documents = given.map((each) => {
    const document = resolveDocument(each, reading)
    fillScope(source, document)
    return withId(source, document)
  })
  await validation?.documents(documents)
  const prepared = documents.map((document) => ({
    owner: ownerOf(layout, document),
    bound: boundTo(layout, document['_id']),
    document: prepareTree(layout, layout.root, document, ''),
  }))
  await requireOwners(
    vault,
    prepared.map(({ owner }) => owner),
  )
  const sealed: Tree[] = []
  for (let at = 0; at < prepared.length; at += BATCH) {
    const batch = prepared.slice(at, at + BATCH)
    const indexes = batch.flatMap(({ owner, document }) => indexesFor(document, owner.tenant))
    const owners = batch.map(({ owner }) => owner)
    const trees = await withKeys(vault, { owners, indexes, mint: true }, (keys) =>
      batch.map(({ owner, bound, document }) => sealTree(document, owner, bound, keys) as Tree),
    )
    sealed.push(...trees)
  }
  return sealed
}

function withId({ layout, collection }: Source, document: Tree): Tree {
  if (document['_id'] !== undefined && document['_id'] !== null) return document
  if (!layout.mintsIds || document['_id'] === null)
    throw invalidArgument('_id', 'must be there: the schema says what it is, and only an ObjectId can be made here')
  return { _id: collection.db.options?.pkFactory?.createPk() ?? new ObjectId(), ...document }
}
