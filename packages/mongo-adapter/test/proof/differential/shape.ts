// What random operations are done on: a schema, and what may stand in its documents: few values each, so that much is found.
import fc from 'fast-check'
import type { Document } from 'mongodb'
import type { z } from 'zod'

/** A path, and what can be asked of it. */
export interface Path {
  readonly path: string
  /** `holder`: an array of objects that hold something encrypted. */
  readonly kind: 'plain' | 'indexed' | 'sealed' | 'holder'
  readonly array: boolean
  /** Leads through an array of objects. */
  readonly through: boolean
  readonly value: fc.Arbitrary<unknown>
  /** Paths within an element of a holder. */
  readonly within: readonly Path[]
}

export interface Shape {
  readonly name: string
  readonly schema: z.ZodType
  readonly tenant: string
  readonly subject: string
  readonly tenants: readonly unknown[]
  /** Where the subject is not `_id`. */
  readonly subjects: readonly unknown[]
  readonly ids: readonly unknown[]
  /** The unique indexes that the plain collection needs to be like the encrypted one. */
  readonly unique: readonly Readonly<Record<string, 1>>[]
  /** A document without `_id`. Whose it is goes mostly by its id, so that what is asked for is there. */
  readonly document: fc.Arbitrary<Document>
  readonly paths: readonly Path[]
  /** Of updates: members of `$set`, `$push` and others that write something encrypted, and that do not. */
  readonly sealedUpdates: fc.Arbitrary<Document>
  readonly plainUpdates: fc.Arbitrary<Document>
  /** Of updates of one operator that is to stand alone, and takes elements of encrypted arrays out or adds what is not there. */
  readonly elementUpdates?: fc.Arbitrary<Document>
  readonly projections: readonly Document[]
  /** Paths whose distinct values are asked for. */
  readonly distinct: readonly string[]
}

export const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
export const path = (name: string, kind: Path['kind'], value: fc.Arbitrary<unknown>, more: Partial<Path> = {}): Path => ({
  path: name,
  kind,
  value,
  array: false,
  through: false,
  within: [],
  ...more,
})
/** `{ operator: { path: value } }` of one of these. */
export const updates = (...each: readonly (readonly [string, string, fc.Arbitrary<unknown>])[]): fc.Arbitrary<Document> =>
  fc.oneof(...each.map(([operator, name, value]) => value.map((operand) => ({ [operator]: { [name]: operand } }))))

/** These as often as that, beside others. */
export const often = <T>(times: number, each: readonly T[]): readonly T[] => Array.from({ length: times }, () => each).flat()
/** Operators of numbers, and what they are given. */
export const NUMBERS: readonly (readonly [string, fc.Arbitrary<unknown>])[] = [
  ['$inc', oneOf(1, -1)],
  ['$mul', oneOf(2)],
  ['$max', oneOf(2)],
  ['$min', oneOf(1)],
  ['$bit', oneOf({ or: 1 }, { xor: 3 })],
]
export const emails = oneOf('ada@example.com', 'bob@example.com', 'eve@example.com', 'zoe@example.com', 'yan@example.com')
export const names = oneOf('Ada', 'Bob', '', 'Ünïcode 🔑', 'x'.repeat(300))
export const plans = oneOf('free', 'pro', 'team')
export const ages = oneOf(0, 1, 36, 36.5, -7)
export const nothing = fc.constant('')
export const tags = oneOf('red', 'green', 'blue')
