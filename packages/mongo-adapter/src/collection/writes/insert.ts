/** insertOne and insertMany: everything is checked before a key is made, and encrypted before the first command is sent. */

import { invalidArgument } from '@strongroom/core'
import type { BulkWriteOptions, Document, InsertManyResult, InsertOneOptions, InsertOneResult } from 'mongodb'

import { readList, resolveDocument, type Tree } from '../../values/resolve.ts'
import { type Owner, requireOwners } from '../keys.ts'
import { mintedId } from '../minted-id.ts'
import { INSERT_MANY_OPTIONS, INSERT_OPTIONS, readDriverOptions } from '../options.ts'
import { boundTo, checkTree, indexesFor, ownerOf, prepareTree, sealTree } from '../seal.ts'
import { fillScope, ignoresUndefined, type Source } from '../source.ts'
import { sending } from './send.ts'
import { asPrepared, type Prepared, SEALED_AT_ONCE, sealAll } from './write.ts'

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
  const [sealed] = await sealDocuments(source, [document], sent)
  return sending(source.layout, () => source.collection.insertOne(sealed as Document, sent)) as Promise<InsertOneResult<T>>
}

export async function insertMany<T>(
  source: Source,
  documents: unknown,
  options: EncryptedInsertManyOptions | undefined,
): Promise<InsertManyResult<T>> {
  const sent = readDriverOptions(options, INSERT_MANY_OPTIONS)
  const sealed = await sealDocuments(source, readList(documents, 'documents', 'documents'), sent)
  return sending(source.layout, () => source.collection.insertMany([...sealed], sent)) as Promise<InsertManyResult<T>>
}

/** A document that is to be inserted; nothing of it is encoded yet. */
function readDocument(source: Source, given: unknown, ignoreUndefined: boolean): Tree {
  const document = resolveDocument(given, { argument: 'document', operators: false, ignoreUndefined })
  fillScope(source, document)
  if (document['_id'] === null) throw invalidArgument('_id', 'must be there, or not be there at all')
  return document['_id'] === undefined ? { _id: mintedId(source), ...document } : document
}

/** Takes the document over. @throws StrongroomError `invalid_argument` */
function prepareDocument({ layout }: Source, document: Tree): Prepared<Tree> {
  const owner = ownerOf(layout, document)
  const bound = boundTo(layout, document['_id'])
  const prepared = prepareTree(layout, layout.root, document, '')
  return {
    owner,
    indexes: indexesFor(prepared, owner.tenant),
    seal: (keys) => sealTree(prepared, owner, bound, keys) as Tree,
  }
}

/** A document, ready to be encrypted. @throws StrongroomError `invalid_argument`, `schema_mismatch` */
export async function planInsert(source: Source, given: unknown, ignoreUndefined: boolean): Promise<Prepared<Tree>> {
  const document = readDocument(source, given, ignoreUndefined)
  await source.validation?.documents([document])
  return prepareDocument(source, document)
}

/** All documents, encrypted, in the same order; or nothing. */
async function sealDocuments(source: Source, given: readonly unknown[], options: EncryptedInsertOneOptions): Promise<readonly Tree[]> {
  const { vault } = source
  const ignoreUndefined = ignoresUndefined(source, options)
  const documents = given.map((each) => readDocument(source, each, ignoreUndefined))
  await source.validation?.documents(documents)
  if (documents.length > SEALED_AT_ONCE) {
    await requireOwners(
      vault,
      documents.map((document) => checkDocument(source, document)),
    )
    // What checking has given is made anew for each batch: kept until its turn, it would be most of what garbage is collected from.
    return sealAll(vault, documents, (document) => prepareDocument(source, document))
  }
  const prepared = documents.map((document) => prepareDocument(source, document))
  await requireOwners(
    vault,
    prepared.map(({ owner }) => owner),
  )
  return sealAll(vault, prepared, asPrepared)
}

/** Whether it can be prepared. @returns whose it is. @throws StrongroomError `invalid_argument` */
function checkDocument({ layout }: Source, document: Tree): Owner {
  const owner = ownerOf(layout, document)
  boundTo(layout, document['_id'])
  checkTree(layout, layout.root, document, '')
  return owner
}
