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

import type { EncryptedNode, SchemaNode } from '../schema/node.ts'
import { ownerName } from '../schema/owner-path.ts'
import { bsonScalar } from '../values/bson-scalar.ts'
import { encodeValue, type FieldValue } from '../values/bson-value.ts'
import type { Tree } from '../values/resolve.ts'
import { eachEncrypted, type Holder, valueAt, type WritingWalk } from './documents.ts'
import type { BatchKeys, NeededIndex, Owner } from './keys.ts'
import { type Layout, type SealedPath, sealedOf } from './layout.ts'
import { likelyStored, SUBTYPE } from './stored-form.ts'

/** Stands in a document for a value that is to be encrypted. The driver refuses to send it: to BSON it is of a class that there is not. */
class Unsealed {
  readonly holder: Holder
  readonly name: string | number
  readonly sealed: SealedPath
  readonly encoded: FieldValue
  /** `undefined` where there is no index. */
  readonly scalar: Scalar | undefined
  /** What may be encrypted already. */
  readonly stored: Uint8Array | undefined

  constructor(holder: Holder, name: string | number, sealed: SealedPath) {
    const value = holder[name]
    this.holder = holder
    this.name = name
    this.sealed = sealed
    this.encoded = encodeValue(value, sealed.path)
    this.scalar = scalarOf(sealed, value)
    this.stored = likelyStored(value)
  }

  get _bsontype(): string {
    return 'Unsealed'
  }
}

/** A tree that was checked, and is to be encrypted where it stands. */
export interface PreparedTree {
  readonly root: { tree: unknown }
  readonly values: readonly Unsealed[]
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

/** The indexes that a tree's values need, where they are of this tenant: a few, of which some may be the same. */
export function indexesFor({ values }: PreparedTree, tenant: string): readonly NeededIndex[] {
  const needed: NeededIndex[] = []
  for (const { sealed } of values) if (sealed.index !== undefined) needed.push(neededIndex(sealed.index, tenant))
  return needed
}

/**
 * Whether a resolved value can be stored where its node is, and everything in it that is to be encrypted. The tree is taken
 * over: such values leave it, and come back encrypted.
 *
 * @param path - of the value within its document, for errors
 * @throws StrongroomError `invalid_argument`
 */
export function prepareTree(layout: Layout, node: SchemaNode, tree: unknown, path: string): PreparedTree {
  const root = { tree }
  const values: Unsealed[] = []
  const value: WritingWalk['value'] = (holder, name, encrypted) => {
    const here = new Unsealed(holder, name, sealedOf(layout, encrypted))
    holder[name] = here
    values.push(here)
  }
  eachEncrypted(node, root, 'tree', { value, mismatch, undeclared }, path)
  return { root, values }
}

/** The same check alone: the tree stays as it is. @throws StrongroomError `invalid_argument` */
export function checkTree(layout: Layout, node: SchemaNode, tree: unknown, path: string): void {
  eachEncrypted(
    node,
    { tree },
    'tree',
    { value: (holder, name, encrypted) => checkValue(layout, holder[name], encrypted), mismatch, undeclared },
    path,
  )
}

function checkValue(layout: Layout, value: unknown, node: EncryptedNode): void {
  const sealed = sealedOf(layout, node)
  encodeValue(value, sealed.path)
  scalarOf(sealed, value)
}

function mismatch(at: string): StrongroomError {
  return invalidArgument(at, 'must have the shape that the schema says')
}

function undeclared(at: string, name: string): StrongroomError {
  return invalidArgument(
    at === '' ? 'document' : at,
    `must have no other members than the schema declares, as ${shownName(name)}; use z.looseObject() to allow them`,
  )
}

// What its index value is made of; `undefined` where there is no index.
function scalarOf({ index, path }: SealedPath, value: unknown): Scalar | undefined {
  if (index === undefined) return undefined
  const scalar = bsonScalar(value, path)
  requireIndexable(index.normalize, scalar, path)
  return scalar
}

/** A prepared tree as it is stored; once more, if it is asked again. @throws StrongroomError what encrypting throws */
export function sealTree({ root, values }: PreparedTree, owner: Owner, bound: ValueOptions | undefined, keys: BatchKeys): unknown {
  const subject = keys.subject(owner)
  for (const each of values) each.holder[each.name] = sealValue(each, owner, subject, bound, keys)
  return root.tree
}

function sealValue(
  { sealed, encoded, scalar, stored }: Unsealed,
  owner: Owner,
  subject: UnlockedKeys,
  bound: ValueOptions | undefined,
  keys: BatchKeys,
): unknown {
  if (stored !== undefined && subject.isOwnValue(sealed.field, stored))
    throw invalidArgument(sealed.path, 'is encrypted already: write what the collection reads there, and not what is stored')
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
