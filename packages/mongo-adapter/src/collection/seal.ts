/** Encrypting the values of documents: first everything is checked and encoded, without a key, then encrypted with keys that are open. */

import {
  CanonicalScalar,
  invalidArgument,
  requireIndexable,
  type Scalar,
  shownName,
  StrongroomError,
  type UnlockedKeys,
  type ValueOptions,
} from '@strongroom/core'
import { Binary } from 'mongodb'

import type { SchemaNode } from '../schema/node.ts'
import { ownerName } from '../schema/owner-path.ts'
import { bsonScalar } from '../values/bson-scalar.ts'
import { encodeValue, type FieldValue } from '../values/bson-value.ts'
import { isTree, type Tree } from '../values/resolve.ts'
import { mapDocument, setMember, valueAt } from './documents.ts'
import type { BatchKeys, NeededIndex, Owner } from './keys.ts'
import { type Layout, type SealedPath, sealedOf } from './layout.ts'

/** The subtype of stored values: BSON's first that is for users. */
export const SUBTYPE = 0x80

/** A value that is to be encrypted, in a tree that is otherwise as it will be stored. */
class Prepared {
  readonly sealed: SealedPath
  readonly encoded: FieldValue
  /** `undefined` where there is no index. */
  readonly scalar: Scalar | undefined

  constructor(sealed: SealedPath, encoded: FieldValue, scalar: Scalar | undefined) {
    this.sealed = sealed
    this.encoded = encoded
    this.scalar = scalar
  }
}

export interface PreparedTree {
  readonly tree: unknown
  /** Indexes of the tree's values: each has to be opened for the owner's tenant. */
  readonly indexed: readonly SealedPath[]
}

/** The owner of a document. @throws StrongroomError `invalid_argument` where it does not say one */
export function ownerOf(layout: Layout, document: Tree): Owner {
  const owner = {
    tenant: ownerName(layout.tenant.type, valueAt(document, layout.tenant.steps)),
    subject: ownerName(layout.subject.type, valueAt(document, layout.subject.steps)),
  }
  for (const argument of ['tenant', 'subject'] as const)
    if (owner[argument] === undefined)
      throw invalidArgument(
        layout[argument].path,
        `must be there, and be of type ${layout[argument].type}: it says whose keys encrypt the document`,
      )
  return owner as Owner
}

/** How values are bound to the id of their document. @throws StrongroomError `invalid_argument` */
export function boundTo(layout: Layout, id: unknown): ValueOptions | undefined {
  return layout.boundToRecord ? { record: CanonicalScalar.of(bsonScalar(id, '_id'), '_id') } : undefined
}

export function neededIndex(index: NonNullable<SealedPath['index']>, tenant: string): NeededIndex {
  return { index, tenant: index.scope === 'tenant' ? tenant : undefined }
}

/** The indexes that a tree's values need, where they are of this tenant. */
export function indexesFor({ indexed }: PreparedTree, tenant: string): readonly NeededIndex[] {
  return indexed.flatMap(({ index }) => (index === undefined ? [] : [neededIndex(index, tenant)]))
}

/**
 * Whether a resolved value can be stored where its node is, and everything in it that is to be encrypted.
 *
 * @param path - of the value within its document, for errors
 * @throws StrongroomError `invalid_argument`
 */
export function prepareTree(layout: Layout, node: SchemaNode, tree: unknown, path: string): PreparedTree {
  const indexed = new Set<SealedPath>()
  const prepared = mapDocument(
    node,
    tree,
    {
      value(value, encrypted) {
        const sealed = sealedOf(layout, encrypted)
        const encoded = encodeValue(value, sealed.path)
        if (sealed.index === undefined) return new Prepared(sealed, encoded, undefined)
        indexed.add(sealed)
        const scalar = bsonScalar(value, sealed.path)
        requireIndexable(sealed.index.normalize, scalar, sealed.path)
        return new Prepared(sealed, encoded, scalar)
      },
      plain: (value) => value,
      mismatch: (at) => invalidArgument(at, 'must have the shape that the schema says'),
      undeclared: (at, name) =>
        invalidArgument(
          at === '' ? 'document' : at,
          `must have no other members than the schema declares, as ${shownName(name)}; use z.looseObject() to allow them`,
        ),
      positions: false,
    },
    path,
  )
  return { tree: prepared, indexed: [...indexed] }
}

/** A prepared tree as it is stored. @throws StrongroomError what encrypting throws */
export function sealTree({ tree }: PreparedTree, owner: Owner, bound: ValueOptions | undefined, keys: BatchKeys): unknown {
  const subject = keys.subject(owner)
  return sealed(tree)

  function sealed(value: unknown): unknown {
    if (value instanceof Prepared) return sealValue(value, owner, subject, bound, keys)
    if (Array.isArray(value)) return value.map(sealed)
    if (!isTree(value)) return value
    const out: Tree = {}
    for (const name of Object.keys(value)) setMember(out, name, sealed(value[name]))
    return out
  }
}

function sealValue(
  { sealed, encoded, scalar }: Prepared,
  owner: Owner,
  subject: UnlockedKeys,
  bound: ValueOptions | undefined,
  keys: BatchKeys,
): unknown {
  const c = new Binary(subject.encrypt(sealed.field, encoded, bound), SUBTYPE)
  if (scalar === undefined) return c
  const i = indexValueOf(sealed, scalar, owner.tenant, keys)
  if (i === undefined) throw new StrongroomError('not_found', `there is no index key for ${sealed.path}`)
  return { c, i: new Binary(i, SUBTYPE) }
}

/** The index value of a value; `undefined` where nothing was ever indexed. @throws StrongroomError `invalid_argument` naming the path */
export function indexValueOf(sealed: SealedPath, scalar: Scalar, tenant: string, keys: BatchKeys): Uint8Array | undefined {
  if (sealed.index === undefined) return undefined
  const index = keys.index(neededIndex(sealed.index, tenant))
  try {
    return index?.value(scalar)
  } catch (error) {
    if (error instanceof StrongroomError && error.code === 'invalid_argument')
      throw invalidArgument(sealed.path, error.message.replace(/^value /, ''))
    throw error
  }
}
