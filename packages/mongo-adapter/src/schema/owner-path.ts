/** Tenant and subject of a document: the paths of two plain values, each of one type, that are the names of keys. */

import { invalidArgument } from '@strongroom/core'
import { Binary, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'mongodb'
import type { z } from 'zod'

import type { ObjectNode, SchemaNode } from './node.ts'
import { seeThrough } from './see-through.ts'

/** What the values of such a path are: one type each, so that no two values have one name. */
export type OwnerType = 'string' | 'integer' | 'objectId' | 'uuid'

/** Where the name of a tenant or subject stands in a document. */
export interface OwnerPath {
  readonly path: string
  readonly steps: readonly string[]
  readonly type: OwnerType
}

const TYPES: Readonly<Record<string, OwnerType>> = {
  string: 'string',
  enum: 'string',
  template_literal: 'string',
  number: 'integer',
  int: 'integer',
  bigint: 'integer',
}

/**
 * The path of a tenant or subject.
 *
 * @param argument - `tenant` or `subject`
 * @throws StrongroomError `invalid_argument`: it is not a declared plain path that leads through objects only, or of no type that can name a key
 */
export function ownerPath(root: ObjectNode, schema: z.core.$ZodType, path: unknown, argument: string): OwnerPath {
  if (typeof path !== 'string' || path === '') throw invalidArgument(argument, 'must be the path of a plain member of the schema')
  const steps = path.split('.')
  let node: SchemaNode | undefined = root
  let at: z.core.$ZodType | undefined = schema
  for (const step of steps) {
    node = node?.kind === 'object' ? node.members.get(step) : undefined
    at = memberOf(at, step)
  }
  if (node?.kind !== 'plain' || at === undefined)
    throw invalidArgument(argument, 'must be the path of a plain member of the schema, through objects only')
  return { path, steps, type: typeOf(seeThrough(at), argument) }
}

/**
 * The name that a value stands for: a string as it is, an ObjectId in hexadecimal, a UUID in canonical form, an integer in decimal.
 *
 * @returns `undefined` for values of another type, and for what is no name
 */
export function ownerName(type: OwnerType, value: unknown): string | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' && value !== '' ? value : undefined
    case 'integer':
      if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value === 0 ? 0 : value) : undefined
      if (typeof value === 'bigint') return String(value)
      if (value instanceof Int32 || value instanceof Double) return ownerName('integer', value.valueOf())
      return value instanceof Long && !(value instanceof Timestamp) ? value.toString() : undefined
    case 'objectId':
      return value instanceof ObjectId ? value.toHexString() : undefined
    case 'uuid':
      if (value instanceof UUID) return value.toHexString()
      return value instanceof Binary && value.sub_type === Binary.SUBTYPE_UUID && value.length() === 16
        ? value.toUUID().toHexString()
        : undefined
  }
}

/** The value that a name stands for, as documents hold it. @returns `undefined` for what is no name of this type */
export function ownerValue(type: OwnerType, name: unknown): unknown {
  if (typeof name !== 'string' || name === '') return undefined
  const value = valueNamed(type, name)
  return value !== undefined && ownerName(type, value) === name ? value : undefined
}

function valueNamed(type: OwnerType, name: string): unknown {
  switch (type) {
    case 'string':
      return name
    case 'integer': {
      const integer = /^-?\d{1,19}$/u.test(name) ? BigInt(name) : undefined
      return integer === undefined || integer !== BigInt.asIntN(64, integer) ? undefined : Long.fromBigInt(integer)
    }
    case 'objectId':
      return /^[0-9a-f]{24}$/u.test(name) ? new ObjectId(name) : undefined
    case 'uuid':
      return UUID.isValid(name) ? new UUID(name) : undefined
  }
}

function memberOf(schema: z.core.$ZodType | undefined, name: string): z.core.$ZodType | undefined {
  if (schema === undefined) return undefined
  const inner = seeThrough(schema)
  const definition = inner._zod.def as {
    readonly shape?: Readonly<Record<string, z.core.$ZodType>>
    readonly options?: readonly z.core.$ZodType[]
  }
  if (definition.shape !== undefined) return Object.hasOwn(definition.shape, name) ? definition.shape[name] : undefined
  // Of a discriminated union every option must have it, and the first says of which type it is.
  const members = definition.options?.map((option) => memberOf(option, name)) ?? []
  return members.every((member) => member !== undefined) ? members[0] : undefined
}

function typeOf(schema: z.core.$ZodType, argument: string): OwnerType {
  const { type } = schema._zod.def
  const known = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined
  if (known !== undefined) return known
  // What an instance of a class must be, a schema does not say: it is asked.
  const accepted = (type === 'custom' ? PROBES : []).filter(([, probe]) => accepts(schema, probe()))
  const [only] = accepted
  if (only === undefined || accepted.length > 1)
    throw invalidArgument(argument, 'must be of one type: a string, an integer, z.instanceof(ObjectId) or z.instanceof(UUID)')
  return only[0]
}

const PROBES: readonly (readonly [OwnerType, () => unknown])[] = [
  ['objectId', () => new ObjectId()],
  ['uuid', () => new UUID()],
]

function accepts(schema: z.core.$ZodType, value: unknown): boolean {
  try {
    return (schema as z.ZodType).safeParse(value).success
  } catch {
    return false
  }
}
