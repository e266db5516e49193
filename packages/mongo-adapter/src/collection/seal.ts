/** Encrypting the values of documents, with keys that are open. */

import { type Encrypted, invalidArgument, type Scalar, StrongroomError } from '@strongroom/core'
import { Binary } from 'mongodb'

import type { EncryptedNode, SchemaNode } from '../schema/node.ts'
import { ownerName } from '../schema/owner-path.ts'
import { bsonScalar } from '../values/bson-scalar.ts'
import { encodeValue } from '../values/bson-value.ts'
import type { Tree } from '../values/resolve.ts'
import { mapDocument, valueAt } from './documents.ts'
import type { BatchKeys, NeededIndex, Owner } from './keys.ts'
import { type Layout, type SealedPath, sealedOf } from './layout.ts'

/** The subtype of stored values: BSON's first that is for users. */
export const SUBTYPE = 0x80

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

/** The id that values are bound to. @throws StrongroomError `invalid_argument` */
export function recordOf(layout: Layout, id: unknown): Scalar | undefined {
  return layout.boundToRecord ? bsonScalar(id, '_id') : undefined
}

/** All indexes that a node's values are written to. */
export function indexesBeneath(layout: Layout, node: SchemaNode, tenant: string): readonly NeededIndex[] {
  switch (node.kind) {
    case 'plain':
      return []
    case 'encrypted': {
      const { index } = sealedOf(layout, node)
      return index === undefined ? [] : [neededIndex(index, tenant)]
    }
    case 'array':
      return indexesBeneath(layout, node.element, tenant)
    case 'object':
      return [...node.members.values()].flatMap((member) => indexesBeneath(layout, member, tenant))
  }
}

export function neededIndex(index: NonNullable<SealedPath['index']>, tenant: string): NeededIndex {
  return { index, tenant: index.scope === 'tenant' ? tenant : undefined }
}

const OTHER_SHAPE = {
  mismatch: (at: string): Error => invalidArgument(at, 'must have the shape that the schema says: what it holds is encrypted'),
  undeclared: (at: string): Error =>
    invalidArgument(at === '' ? 'document' : at, 'must have no other members than the schema declares; use z.looseObject() to allow them'),
}

/**
 * Refuses what no key is needed to refuse, so that none is made for somebody of whom nothing will be written.
 *
 * @throws StrongroomError `invalid_argument`
 */
export function requireSealable(layout: Layout, node: SchemaNode, tree: unknown, path: string): void {
  const value = (each: unknown, encrypted: EncryptedNode): unknown => {
    const sealed = sealedOf(layout, encrypted)
    encodeValue(each, sealed.path)
    return sealed.index === undefined ? undefined : bsonScalar(each, sealed.path)
  }
  mapDocument(node, tree, { value, ...OTHER_SHAPE }, path)
}

/**
 * A resolved value with everything encrypted that its node says.
 *
 * @param path - of the value within its document, for errors
 * @throws StrongroomError `invalid_argument`, and what encrypting throws
 */
export function sealTree(
  layout: Layout,
  node: SchemaNode,
  tree: unknown,
  path: string,
  owner: Owner,
  record: Scalar | undefined,
  keys: BatchKeys,
): unknown {
  const subject = keys.subject(owner)
  return mapDocument(
    node,
    tree,
    {
      value(value, encrypted) {
        const sealed = sealedOf(layout, encrypted)
        const encoded = encodeValue(value, sealed.path)
        const bytes: Encrypted<unknown> =
          record === undefined ? subject.encrypt(sealed.field, encoded) : subject.encrypt(sealed.field, encoded, { record })
        const c = new Binary(bytes, SUBTYPE)
        return sealed.index === undefined ? c : { c, i: indexBinary(sealed, value, owner.tenant, keys) }
      },
      ...OTHER_SHAPE,
    },
    path,
  )
}

/** The index value of a value, to be written. */
function indexBinary(sealed: SealedPath, value: unknown, tenant: string, keys: BatchKeys): Binary {
  const found = indexValueOf(sealed, value, tenant, keys)
  if (found === undefined) throw new StrongroomError('not_found', `there is no index key for ${sealed.path}`)
  return new Binary(found, SUBTYPE)
}

/** The index value of a value; `undefined` where nothing was ever indexed. @throws StrongroomError `invalid_argument` naming the path */
export function indexValueOf(sealed: SealedPath, value: unknown, tenant: string, keys: BatchKeys): Uint8Array | undefined {
  if (sealed.index === undefined) return undefined
  const index = keys.index(neededIndex(sealed.index, tenant))
  const scalar = bsonScalar(value, sealed.path)
  try {
    return index?.value(scalar)
  } catch (error) {
    if (error instanceof StrongroomError && error.code === 'invalid_argument')
      throw invalidArgument(sealed.path, error.message.replace(/^value /, ''))
    throw error
  }
}
