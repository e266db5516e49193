/** What a caller hands over, read once into a tree of our own: what is checked is then what is sent, whatever getters and `toBSON` do. */

import { types } from 'node:util'
import { invalidArgument, shownName, StrongroomError } from '@strongroom/core'
import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb'

/** A document of our own making: no getters, no inherited members. */
export type Tree = Record<string, unknown>

export interface ResolveOptions {
  /** What the caller calls it, for errors. */
  readonly argument: string
  /** Filters and updates have `$` and dots in their keys, documents must not. */
  readonly operators: boolean
  /** As the driver's option: `undefined` is left out, and not stored as null. */
  readonly ignoreUndefined: boolean
}

// The server refuses documents that are nested deeper.
const MOST_DEPTH = 100
const BSON_CLASSES = [
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
]

/** @throws StrongroomError `invalid_argument` for what has no place in a document, or threw when it was read */
export function resolveDocument(value: unknown, options: ResolveOptions): Tree {
  const tree = guarded(options.argument, () => resolve(value, options, 0, ''))
  if (!isTree(tree)) throw invalidArgument(options.argument, 'must be a document')
  return tree
}

/** As {@link resolveDocument}, for any value. */
export function resolveValue(value: unknown, options: ResolveOptions): unknown {
  return guarded(options.argument, () => resolve(value, options, 0, ''))
}

/** The elements of a list, read once. @throws StrongroomError `invalid_argument` for what is none, or threw when it was read */
export function readList(value: unknown, argument: string, what: string): readonly unknown[] {
  const list = guarded(argument, () =>
    Array.isArray(value) ? Array.from({ length: value.length }, (_, i) => value[i] as unknown) : undefined,
  )
  if (list === undefined) throw invalidArgument(argument, `must be a list of ${what}`)
  return list
}

/** Whether this is an object that {@link resolveDocument} made, and no array, date or value of a BSON class. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** Reads what is the caller's. @throws StrongroomError `invalid_argument` naming `argument` where that throws */
export function guarded<T>(argument: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof StrongroomError) throw error
    // A getter's or a proxy's: what it threw may hold the value.
    throw invalidArgument(argument, 'could not be read: it threw')
  }
}

/** @param where - the member that it belongs to, for errors */
function resolve(given: unknown, options: ResolveOptions, depth: number, where: string): unknown {
  const value = ownForm(given)
  if (typeof value === 'function' || typeof value === 'symbol') throw misfit(options, 'must not hold functions or symbols', where)
  // The driver would cut it to 64 bits.
  if (typeof value === 'bigint' && value !== BigInt.asIntN(64, value))
    throw misfit(options, 'must hold no integers of more than 64 bits', where)
  if (typeof value === 'string' && !value.isWellFormed()) throw misfit(options, 'must not hold lone surrogates', where)
  if (typeof value !== 'object' || value === null) return value
  if (depth > MOST_DEPTH) throw misfit(options, `must not be nested deeper than ${MOST_DEPTH} levels, nor hold itself`, where)
  // By what they are, and not by their class: another realm has classes of its own.
  if (types.isDate(value)) return new Date(Date.prototype.getTime.call(value))
  if (types.isRegExp(value)) return new RegExp(value)
  if (ArrayBuffer.isView(value)) {
    if (!types.isUint8Array(value)) throw misfit(options, 'must hold bytes as Uint8Array, Buffer or Binary only', where)
    return new Binary(new Uint8Array(value), Binary.SUBTYPE_DEFAULT)
  }
  // Most objects are plain, and of none of those classes.
  if (!isTree(value) && BSON_CLASSES.some((each) => value instanceof each)) return copied(value)
  if ('_bsontype' in value) throw misfit(options, "must hold values of BSON by the mongodb package's own classes only", where)
  // By index: holes are null, as in the driver.
  if (Array.isArray(value)) return Array.from({ length: value.length }, (_, i) => resolve(value[i], options, depth + 1, where) ?? null)
  return resolveMembers(value, options, depth, where)
}

// As the driver: whatever has `toBSON` is asked for it, once.
function ownForm(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'toBSON' in value && typeof value.toBSON === 'function'
    ? (value.toBSON as () => unknown)()
    : value
}

const AS_WRITTEN = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true }

// As it is written now, an unsigned Long as the signed one that is stored: the caller may change it before it is sent, and a class that
// extends one of them may say something else then.
function copied(value: object): unknown {
  return BSON.deserialize(BSON.serialize({ '': value }), AS_WRITTEN)['']
}

function resolveMembers(value: object, options: ResolveOptions, depth: number, where: string): Tree {
  const tree: Tree = {}
  if (types.isMap(value)) {
    // All of them before the first is read: what is read may change the map.
    const members = Array.from(Map.prototype.entries.call(value))
    for (const [key, member] of members) resolveMember(tree, key, member, options, depth, where)
    return tree
  }
  const names = Object.keys(value)
  // What keeps all that it is to itself would be stored as an empty object.
  if (types.isBoxedPrimitive(value) || types.isNativeError(value) || (names.length === 0 && !isPlain(value)))
    throw misfit(options, 'must hold plain objects, or such as have members or toBSON(), and no others', where)
  for (const name of names) resolveMember(tree, name, (value as Readonly<Record<string, unknown>>)[name], options, depth, where)
  return tree
}

function resolveMember(tree: Tree, key: unknown, member: unknown, options: ResolveOptions, depth: number, where: string): void {
  requireKey(key, options, where)
  const resolved = resolve(member, options, depth + 1, below(where, key))
  if (resolved !== undefined) tree[key] = resolved
  else if (!options.ignoreUndefined) tree[key] = null
}

// Of this realm or another: with no prototype, or one that has none.
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return typeof prototype !== 'object' || prototype === null || Object.getPrototypeOf(prototype) === null
}

function requireKey(key: unknown, options: ResolveOptions, where: string): asserts key is string {
  if (typeof key !== 'string') throw misfit(options, 'must have only strings as keys', where)
  // To the driver an object with a `_bsontype` is a value of BSON, whatever it is made of.
  if (key === '__proto__' || key === '_bsontype' || key.includes('\0') || !key.isWellFormed())
    throw misfit(options, 'must have no key that is __proto__ or _bsontype, or holds NUL or lone surrogates', where)
  if (!options.operators && (key.startsWith('$') || key.includes('.')))
    throw misfit(options, 'must have no keys with dots in them or $ before them', below(where, key))
}

// No key holds it.
const PART = '\0'

// The first member, and of operators the path behind the first: what is deeper may be a key that is data.
function below(where: string, key: string): string {
  if (where === '') return key
  return where.startsWith('$') && !where.includes(PART) ? `${where}${PART}${key}` : where
}

function misfit({ argument }: ResolveOptions, mustBe: string, where: string): StrongroomError {
  return invalidArgument(argument, where === '' ? mustBe : `${mustBe}, as at ${where.split(PART).map(shownName).join(' ')}`)
}
