/** Decrypting the values of documents, a batch at a time. */

import { decryptFailed, equalBytes, type Scalar, StrongroomError, type Vault } from '@strongroom/core'
import { Binary, type BSONSerializeOptions } from 'mongodb'

import type { EncryptedNode } from '../schema/node.ts'
import { ownerName } from '../schema/owner-path.ts'
import { bsonScalar } from '../values/bson-scalar.ts'
import { decodeValue } from '../values/bson-value.ts'
import { promoteBuffers } from '../values/promote-buffers.ts'
import { isTree, type Tree } from '../values/resolve.ts'
import { mapDocument, valueAt, type Walk } from './documents.ts'
import { type BatchKeys, isShredded, type Owner, withKeys } from './keys.ts'
import { type Layout, type SealedPath, sealedOf } from './layout.ts'
import { indexValueOf, neededIndex, recordOf } from './seal.ts'
import { SHREDDED } from './shredded-mark.ts'

/** What to do about values whose keys are destroyed. */
export type OnShredded = 'throw' | 'mark'

export interface OpenOptions {
  /** How the caller wants values. Documents themselves are read without `promoteBuffers`, which would take from `_id` what it is bound by. */
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
  return withKeys(vault, { owners: known, indexes, mint: false }, (keys) =>
    documents.map((document, i) => openDocument(layout, document, owners[i], keys, options)),
  )
}

/** How many encrypted values documents hold, and how many of them open. @throws StrongroomError what opening keys throws, and `decrypt_failed` for what is none */
export async function countReadable(
  vault: Vault,
  layout: Layout,
  documents: readonly Tree[],
): Promise<{ readonly values: number; readonly readable: number }> {
  const owners = documents.map((document) => storedOwner(layout, document))
  const known = owners.filter((owner) => owner !== undefined)
  return withKeys(vault, { owners: known, indexes: [], mint: false }, (keys) => {
    const count = { values: 0, readable: 0 }
    for (const [i, document] of documents.entries()) {
      const id = document['_id']
      mapDocument(layout.root, document, {
        ...READING,
        mismatch: (path) => located(decryptFailed(), id, path),
        value(stored, node) {
          count.values++
          try {
            openStored(layout, stored, node, owners[i], recordOf(layout, id), keys, { bson: {}, shredded: 'throw', verify: [] })
            count.readable++
          } catch (error) {
            if (!isShredded(error) && !isDamage(error)) throw error
          }
        },
      })
    }
    return count
  })
}

// What is stored may have members that the schema does not have any more.
const READING: Pick<Walk, 'plain' | 'undeclared' | 'positions'> = {
  plain: (value) => value,
  undeclared: () => undefined,
  positions: true,
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
  const promoted = options.bson.promoteBuffers === true && options.bson.promoteValues !== false
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
    ...READING,
    ...(promoted ? { plain: promoteBuffers } : {}),
    mismatch: (path) => located(decryptFailed(), id, path),
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
    const expected = indexValueOf(sealed, bsonScalar(decodeValue(encoded, {}), sealed.path), owner.tenant, keys)
    if (expected === undefined || !i.some((each) => equalBytes(each, expected))) throw decryptFailed()
  }
  return value
}

/** Both forms of a stored value: bare, and with its index values, of which there are two while an index key is exchanged. */
export function partsOf(stored: unknown): { readonly c: Uint8Array | undefined; readonly i: readonly Uint8Array[] } {
  if (!isTree(stored)) return { c: bytesOf(stored), i: [] }
  const listed = Array.isArray(stored['i']) ? (stored['i'] as readonly unknown[]) : [stored['i']]
  return { c: bytesOf(stored['c']), i: listed.map(bytesOf).filter((bytes) => bytes !== undefined) }
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Binary) return value.value()
  return value instanceof Uint8Array ? value : undefined
}

function isDamage(error: unknown): boolean {
  return error instanceof StrongroomError && error.code === 'decrypt_failed'
}

function located(error: unknown, id: unknown, path: string): Error {
  if (!(error instanceof StrongroomError)) return error as Error
  if (error.code !== 'decrypt_failed' && error.code !== 'shredded') return error
  return new StrongroomError(error.code, `${path} of the document with _id ${String(id)}: ${error.message}`, { cause: error })
}
