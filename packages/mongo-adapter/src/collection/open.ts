/** Decrypting the values of documents, a batch at a time. */

import {
  decryptFailed,
  equalBytes,
  invalidArgument,
  StrongroomError,
  type StrongroomErrorCode,
  type UnlockedKeys,
  type ValueOptions,
  type Vault,
} from '@strongroom/core'
import type { BSONSerializeOptions } from 'mongodb'

import { type EncryptedNode, holdsEncrypted, type SchemaNode } from '../schema/node.ts'
import { ownerName } from '../schema/owner-path.ts'
import { bsonScalar } from '../values/bson-scalar.ts'
import { type DecodeValue, valueDecoder } from '../values/bson-value.ts'
import { promoteBuffers } from '../values/promote-buffers.ts'
import type { Tree } from '../values/resolve.ts'
import { encryptedIn, mapDocument, valueAt } from './documents.ts'
import { type BatchKeys, isShredded, type Owner, withKeys } from './keys.ts'
import type { Sought } from './filters/filter.ts'
import { type Layout, type SealedPath, sealedOf } from './layout.ts'
import { located } from './located.ts'
import { indexValueOf, neededIndex, boundTo } from './seal.ts'
import { partsOf } from './stored-form.ts'
import { SHREDDED } from './shredded-mark.ts'
import type { FilterPlan } from './source.ts'

/** What to do about values whose keys are destroyed. */
export type OnShredded = 'throw' | 'mark'

/** @throws StrongroomError `invalid_argument` */
export function requireOnShredded(shredded: unknown): asserts shredded is OnShredded {
  if (shredded !== 'throw' && shredded !== 'mark') throw invalidArgument('shredded', "must be 'throw' or 'mark'")
}

export interface OpenOptions {
  /** How the caller wants values. Documents themselves are read without `promoteBuffers`, which would take from `_id` what it is bound by. */
  readonly bson: BSONSerializeOptions
  readonly shredded: OnShredded
  /** What was searched for: an index value proves nothing, so what a hit holds there is compared. */
  readonly verify: Verify
}

/** What a filter says of the documents that it finds. */
export type Verify = Pick<FilterPlan, 'searched' | 'required'>

export const NOTHING: Verify = { searched: [], required: [] }

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
  const owners = documents.map((document) => ownerOfValues(layout, document))
  const known = owners.filter((owner) => owner !== undefined)
  const indexes = options.verify.searched.flatMap(({ index }) =>
    index === undefined ? [] : known.map(({ tenant }) => neededIndex(index, tenant)),
  )
  const reading = readingOf(options)
  return withKeys(vault, { owners: known, indexes, mint: false }, (keys) => {
    const soughtIn = soughtBy(keys)
    return documents.map((document, i) => openDocument(layout, document, owners[i], keys, reading, soughtIn))
  })
}

/** What the keys of documents say of them. One without encrypted values is in neither. */
export interface LivesOfDocuments {
  /** All of whose values are of an earlier life of their person: each was encrypted under a key that was shredded. */
  readonly earlier: ReadonlySet<Tree>
  /** With a value of a key version that a rotation has ended: it tells of no other life, and no key opens it. */
  readonly retired: ReadonlySet<Tree>
}

/** @throws StrongroomError what opening keys throws */
export async function livesOf(vault: Vault, layout: Layout, documents: readonly Tree[]): Promise<LivesOfDocuments> {
  const owners = documents.map((document) => ownerOfValues(layout, document))
  const known = owners.filter((owner) => owner !== undefined)
  const reading = readingOf({ bson: {}, shredded: 'throw', verify: NOTHING })
  return withKeys(vault, { owners: known, indexes: [], mint: false }, (keys) => {
    const refusalOf = (stored: unknown, node: EncryptedNode, id: unknown, owner: Owner | undefined): StrongroomErrorCode | undefined => {
      try {
        openStored(openingOf(layout, id, owner, keys), stored, sealedOf(layout, node), keys, reading, [])
      } catch (error) {
        if (error instanceof StrongroomError && ['shredded', 'retired', 'decrypt_failed'].includes(error.code)) return error.code
        throw error
      }
      return undefined
    }
    const refusals = documents.map((document, i) =>
      [...encryptedIn(layout.root, document)].map(({ value, node }) => refusalOf(value, node, document['_id'], owners[i])),
    )
    return {
      earlier: new Set(documents.filter((_, i) => refusals[i]?.length !== 0 && refusals[i]?.every((code) => code === 'shredded'))),
      retired: new Set(documents.filter((_, i) => refusals[i]?.includes('retired'))),
    }
  })
}

const asItIs = (value: unknown): unknown => value

// What is plain may be of any shape: only of what holds encrypted values it says that somebody changed it.
function misfit(node: SchemaNode, id: unknown, path: string): Error | undefined {
  return holdsEncrypted(node) ? located(decryptFailed(), id, path) : undefined
}

/** Whose keys a document's values need; `undefined` where it holds none, or does not say. */
export function ownerOfValues(layout: Layout, document: Tree): Owner | undefined {
  const tenant = ownerName(layout.tenant.type, valueAt(document, layout.tenant.steps))
  const subject = ownerName(layout.subject.type, valueAt(document, layout.subject.steps))
  if (tenant === undefined || subject === undefined) return undefined
  return encryptedIn(layout.root, document).next().done === true ? undefined : { tenant, subject }
}

/** What one document's values are opened with. */
export interface Opening {
  readonly subject: UnlockedKeys
  readonly tenant: string
  readonly bound: ValueOptions | undefined
}

/** How values are read, the same for all documents. */
export interface Reading extends OpenOptions {
  readonly decode: DecodeValue
  /** Whether the caller wants buffers in place of binary. */
  readonly promoted: boolean
}

export function readingOf(options: OpenOptions): Reading {
  const { promoteBuffers: buffers, promoteValues } = options.bson
  return { ...options, decode: valueDecoder(options.bson), promoted: buffers === true && promoteValues !== false }
}

// As values are indexed, whatever the caller wants to see.
const AS_INDEXED = valueDecoder({})

/** @throws StrongroomError `decrypt_failed` where nobody has such a value, `shredded`, `suspended` */
export function openingOf(layout: Layout, id: unknown, owner: Owner | undefined, keys: BatchKeys): Opening {
  if (owner === undefined) throw decryptFailed()
  try {
    return { subject: keys.subject(owner), tenant: owner.tenant, bound: boundTo(layout, id) }
  } catch (error) {
    // Neither such an owner nor such an id has any value: somebody put them beside it.
    if (error instanceof StrongroomError && (error.code === 'not_found' || error.code === 'invalid_argument')) throw decryptFailed()
    throw error
  }
}

/** Opens values of one document, wherever in it they stand. */
export class TreeOpener {
  readonly #layout: Layout
  readonly #whose: { readonly id: unknown; readonly owner: Owner | undefined }
  readonly #keys: BatchKeys
  readonly #reading: Reading
  #opening: Opening | undefined
  #gone: Error | undefined
  #comparable = true
  readonly compared: Compared[] = []

  constructor(layout: Layout, whose: { readonly id: unknown; readonly owner: Owner | undefined }, keys: BatchKeys, reading: Reading) {
    this.#layout = layout
    this.#whose = whose
    this.#keys = keys
    this.#reading = reading
  }

  /** Of the first value whose key is destroyed: it stands marked. */
  get gone(): Error | undefined {
    return this.#gone
  }

  /** Whether none of those is one that was searched for. */
  get comparable(): boolean {
    return this.#comparable
  }

  /** @param path - of the node within the document. @throws StrongroomError `decrypt_failed`, `suspended`, naming the document and the path */
  open(node: SchemaNode, value: unknown, path: string): unknown {
    const { id } = this.#whose
    return mapDocument(
      node,
      value,
      {
        value: (stored, encrypted, at) => this.#value(stored, sealedOf(this.#layout, encrypted), at),
        plain: this.#reading.promoted ? promoteBuffers : asItIs,
        mismatch: (at, other) => misfit(other, id, at),
      },
      path,
    )
  }

  #value(stored: unknown, sealed: SealedPath, path: string): unknown {
    const { id, owner } = this.#whose
    try {
      this.#opening ??= openingOf(this.#layout, id, owner, this.#keys)
      return openStored(this.#opening, stored, sealed, this.#keys, this.#reading, this.compared)
    } catch (error) {
      if (!isShredded(error)) throw located(error, id, path)
      if (this.#reading.verify.searched.includes(sealed)) this.#comparable = false
      this.#gone ??= located(error, id, path)
      return SHREDDED
    }
  }
}

function openDocument(
  layout: Layout,
  document: Tree,
  owner: Owner | undefined,
  keys: BatchKeys,
  reading: Reading,
  soughtIn: SoughtIn,
): Tree | undefined {
  const id = document['_id']
  const opener = new TreeOpener(layout, { id, owner }, keys, reading)
  const opened = opener.open(layout.root, document, '') as Tree
  if (!opener.comparable) return undefined
  // What the server took for a hit may be something that is no value of the path.
  for (const sought of reading.verify.required)
    if (owner === undefined || !opener.compared.some(({ sealed, index }) => soughtIn(sought, sealed, owner.tenant).has(index)))
      throw located(decryptFailed(), id, [...new Set(sought.map(({ sealed }) => sealed.path))].join(' or '))
  if (opener.gone !== undefined && reading.shredded === 'throw') throw opener.gone
  return opened
}

/** The true index value of something that a document holds. */
export interface Compared {
  readonly sealed: SealedPath
  /** In hexadecimal. */
  readonly index: string
}

/** The index values of what a list seeks at a path, for a tenant. */
export type SoughtIn = (list: readonly Sought[], sealed: SealedPath, tenant: string) => ReadonlySet<string>

// Made once for all documents of a batch: lists may be as long as batches.
export function soughtBy(keys: BatchKeys): SoughtIn {
  const known = new Map<readonly Sought[], Map<string, ReadonlySet<string>>>()
  return (list, sealed, tenant) => {
    const ofList = known.get(list) ?? new Map<string, ReadonlySet<string>>()
    known.set(list, ofList)
    // For an index of the application the tenant does not count. No path has a NUL in it.
    const where = `${sealed.path}\0${sealed.index?.scope === 'tenant' ? tenant : ''}`
    const found = ofList.get(where) ?? new Set(list.flatMap((each) => (each.sealed === sealed ? indexIn(each, tenant, keys) : [])))
    ofList.set(where, found)
    return found
  }
}

function indexIn({ sealed, value }: Sought, tenant: string, keys: BatchKeys): readonly string[] {
  const index = indexValueOf(sealed, bsonScalar(value, sealed.path), tenant, keys)
  return index === undefined ? [] : [hexOf(index)]
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** @param compared - takes the index values that were found to be true */
export function openStored(
  { subject, tenant, bound }: Opening,
  stored: unknown,
  sealed: SealedPath,
  keys: BatchKeys,
  reading: Reading,
  compared: Compared[],
): unknown {
  const { c, i } = partsOf(stored)
  if (c === undefined) throw decryptFailed()
  const encoded = subject.decrypt(sealed.field, c, bound)
  const value = reading.decode(encoded)
  if (value === undefined) throw decryptFailed()
  if (reading.verify.searched.includes(sealed)) {
    const expected = indexValueOf(sealed, bsonScalar(AS_INDEXED(encoded), sealed.path), tenant, keys)
    // All of them: one of another value beside the own would make the document a hit of a search for that value.
    if (expected === undefined || i.length === 0 || !i.every((each) => equalBytes(each, expected))) throw decryptFailed()
    compared.push({ sealed, index: hexOf(expected) })
  }
  return value
}
