/** Decrypting the values of documents, a batch at a time. */

import { decryptFailed, equalBytes, type Scalar, StrongroomError, type Vault } from '@strongroom/core'
import { Binary, type BSONSerializeOptions } from 'mongodb'

import type { EncryptedNode } from '../schema/node.ts'
import { ownerName } from '../schema/owner-path.ts'
import { decodeValue } from '../values/bson-value.ts'
import { isTree, type Tree } from '../values/resolve.ts'
import { mapDocument, valueAt } from './documents.ts'
import { BatchKeys, isShredded, type Owner } from './keys.ts'
import { type Layout, type SealedPath, sealedOf } from './layout.ts'
import { indexValueOf, neededIndex, recordOf } from './seal.ts'
import { SHREDDED } from './shredded-mark.ts'

/** What to do about values whose keys are destroyed. */
export type OnShredded = 'throw' | 'mark'

export interface OpenOptions {
  readonly bson: BSONSerializeOptions
  readonly shredded: OnShredded
  /** Paths that were searched by: an index value proves nothing, so what a hit holds there is compared. */
  readonly verify: readonly SealedPath[]
}

/**
 * Documents as the application sees them, in the same order. A hit whose searched path is shredded cannot be compared, and is `undefined`.
 *
 * @throws StrongroomError `decrypt_failed` naming `_id` and path, `shredded`, and what opening keys throws
 */
export async function openDocuments(
  vault: Vault,
  layout: Layout,
  documents: readonly Tree[],
  options: OpenOptions,
): Promise<readonly (Tree | undefined)[]> {
  const owners = documents.map((document) => storedOwner(layout, document))
  const known = owners.filter((owner) => owner !== undefined)
  const indexes = options.verify.flatMap(({ index }) => (index === undefined ? [] : known.map(({ tenant }) => neededIndex(index, tenant))))
  const keys = await BatchKeys.open(vault, known, indexes, false)
  try {
    return documents.map((document, i) => openDocument(layout, document, owners[i], keys, options))
  } finally {
    keys.dispose()
  }
}

function storedOwner(layout: Layout, document: Tree): Owner | undefined {
  const tenant = ownerName(layout.tenant.type, valueAt(document, layout.tenant.steps))
  const subject = ownerName(layout.subject.type, valueAt(document, layout.subject.steps))
  return tenant === undefined || subject === undefined ? undefined : { tenant, subject }
}

function openDocument(layout: Layout, document: Tree, owner: Owner | undefined, keys: BatchKeys, options: OpenOptions): Tree | undefined {
  let comparable = true
  let gone: Error | undefined
  const id = document['_id']
  const opened = mapDocument(layout.root, document, {
    value(stored, node, path) {
      try {
        return openStored(layout, stored, node, owner, recordOf(layout, id), keys, options)
      } catch (error) {
        if (!isShredded(error)) throw located(error, id, path)
        if (options.verify.includes(sealedOf(layout, node))) comparable = false
        gone ??= located(error, id, path)
        return SHREDDED
      }
    },
    mismatch: (path) => located(decryptFailed(), id, path),
    undeclared: () => undefined,
  }) as Tree
  if (!comparable) return undefined
  if (gone !== undefined && options.shredded === 'throw') throw gone
  return opened
}

function openStored(
  layout: Layout,
  stored: unknown,
  node: EncryptedNode,
  owner: Owner | undefined,
  record: Scalar | undefined,
  keys: BatchKeys,
  { bson, verify }: OpenOptions,
): unknown {
  const sealed = sealedOf(layout, node)
  const { c, i } = partsOf(stored)
  if (owner === undefined || c === undefined) throw decryptFailed()
  const subject = keys.subject(owner)
  const encoded = record === undefined ? subject.decrypt(sealed.field, c) : subject.decrypt(sealed.field, c, { record })
  const value = decodeValue(encoded, bson)
  if (value === undefined) throw decryptFailed()
  if (verify.includes(sealed)) {
    const expected = indexValueOf(sealed, decodeValue(encoded, {}), owner.tenant, keys)
    // All of them: one of another value beside the own would make the document a hit of a search for that value.
    if (expected === undefined || i.length === 0 || !i.every((each) => each !== undefined && equalBytes(each, expected)))
      throw decryptFailed()
  }
  return value
}

/** Both forms of a stored value: bare, and with its index values. What is no index value is `undefined` among them. */
function partsOf(stored: unknown): { readonly c: Uint8Array | undefined; readonly i: readonly (Uint8Array | undefined)[] } {
  if (!isTree(stored)) return { c: bytesOf(stored), i: [] }
  const listed = Array.isArray(stored['i']) ? (stored['i'] as readonly unknown[]) : [stored['i']]
  return { c: bytesOf(stored['c']), i: listed.map(bytesOf) }
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Binary) return value.value()
  return value instanceof Uint8Array ? value : undefined
}

function located(error: unknown, id: unknown, path: string): Error {
  if (!(error instanceof StrongroomError)) return error as Error
  if (error.code !== 'decrypt_failed' && error.code !== 'shredded') return error
  return new StrongroomError(error.code, `${path} of the document with _id ${String(id)}: ${error.message}`, { cause: error })
}
