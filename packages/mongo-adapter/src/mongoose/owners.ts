/** Tenant and subject of documents, by the types that Mongoose casts them to. */

import { invalidArgument } from '@strongroom/core'

import { type OwnerPath, type OwnerType } from '../schema/owner-path.ts'
import type { SchemaInternals } from './internals.ts'
import { markOf } from './marks.ts'

const TYPES: Readonly<Record<string, OwnerType>> = {
  String: 'string',
  Number: 'integer',
  Int32: 'integer',
  BigInt: 'integer',
  ObjectId: 'objectId',
  UUID: 'uuid',
}

/** @throws StrongroomError `invalid_argument`: it is no plain path through objects only, or of a type that cannot name a key */
export function ownerOf(schema: SchemaInternals, path: string, argument: 'tenant' | 'subject'): OwnerPath {
  const type = typeAt(schema, path)
  const owner = type === undefined ? undefined : TYPES[type]
  if (owner === undefined)
    throw invalidArgument(
      argument,
      'must be a plain path of the schema, through objects only, of type String, Number, BigInt, ObjectId or UUID',
    )
  return { path, steps: path.split('.'), type: owner }
}

/** Whether documents get an ObjectId where they have none. */
export function mintsIds(schema: SchemaInternals): boolean {
  return typeAt(schema, '_id') === 'ObjectId'
}

// Neither elements of arrays nor values of maps are among these.
function typeAt({ paths, singleNestedPaths }: SchemaInternals, path: string): string | undefined {
  const type = [paths, singleNestedPaths].find((each) => Object.hasOwn(each, path))?.[path]
  return type === undefined || typeof type !== 'object' || markOf(type, path) !== undefined ? undefined : type.instance
}
