/** What can be asked of a collection and written to it, from its schema, for the compiler. All clever types are in this file. */

import type {
  AlternativeType,
  BSONRegExp,
  Document,
  Filter,
  FilterOperators,
  IndexDirection,
  IndexSpecification,
  IntegerType,
  NumericType,
  ObjectId,
  Sort,
  Timestamp,
  UpdateFilter,
} from 'mongodb'
import type { z } from 'zod'

import type { EncryptedMark } from '../schema/encrypted.ts'

/**
 * A filter that can work: equality on encrypted paths with an index, `$exists` and `null` on all, everything on plain ones, and no path that
 * the schema does not declare. Of a schema of which only its output is known, as `z.ZodType<T>`, it is the driver's.
 *
 * @example
 * ```ts
 * import { encrypted, type EncryptedFilter } from '@strongroom/mongo-adapter'
 * import { z } from 'zod'
 *
 * const User = z.object({ _id: z.string(), age: z.number(), email: encrypted(z.email(), { index: { scope: 'application' } }) })
 *
 * const adult: EncryptedFilter<typeof User> = { age: { $gte: 18 }, email: { $exists: true } }
 * ```
 */
export type EncryptedFilter<S extends z.ZodType> = S extends DocumentSchema ? Conditions<FilterEntry<S> | IdEntry<S>> : Filter<z.output<S>>

/** An update that can work. `Owner`: the paths of tenant and subject, which as `_id` no update changes; `$setOnInsert` says them. */
export type EncryptedUpdate<S extends z.ZodType, Owner extends string = never> = S extends DocumentSchema
  ? UpdateOf<UpdateEntry<S> | IdEntry<S>, Owner>
  : UpdateFilter<z.output<S>>

/** What takes the place of a document: another, whose `_id` may be left out. */
export type Replacement<T> = T extends unknown ? Readonly<Omit<T, '_id'>> & Readonly<Partial<Pick<T, '_id' & keyof T>>> : never

/** A sort by plain paths, in the driver's forms. */
export type EncryptedSort<S extends z.ZodType> = S extends DocumentSchema ? SortBy<FilterEntry<S> | IdEntry<S>> : Sort

/** Paths to take, or paths to leave out; `_id` beside either. */
export type EncryptedProjection<S extends z.ZodType> = S extends DocumentSchema
  ? Projected<ProjectionEntry<S>, 1 | true> | Projected<ProjectionEntry<S>, 0 | false>
  : Document

/** What `distinct` can list: a plain path, or an encrypted one with an index. */
export type EncryptedKey<S extends z.ZodType> = S extends DocumentSchema
  ? PathOf<FilterEntry<S> | IdEntry<S>, 'plain' | 'indexed' | 'indexedList'>
  : string

/** What an index may be over: plain paths, and encrypted ones with an index. */
export type EncryptedIndexKey<S extends z.ZodType> = S extends DocumentSchema
  ? IndexBy<EncryptedKey<S> | `${PathOf<FilterEntry<S>, 'plain'>}.$**`>
  : IndexSpecification

/** A filter of `bulkWrite`: one that searches by no index, since no hit could be compared. */
export type EncryptedBulkFilter<S extends z.ZodType> = S extends DocumentSchema
  ? Conditions<FilterEntry<S> | IdEntry<S>, false>
  : Filter<z.output<S>>

// Entries: all paths of a schema, each with the schema that stands there. As the walker does at run time, they look through wrappers, arrays,
// objects and discriminated unions, and not into what is encrypted.

type Entry = readonly [path: string, schema: unknown]
type Defined<D, Internals = unknown> = { readonly _zod: { readonly def: D } & Internals }
type WrapperOf<Inner> = Defined<{ readonly type: 'optional' | 'nullable' | 'default' | 'readonly'; readonly innerType: Inner }>
type ObjectOf<Shape, Out> = Defined<{ readonly type: 'object'; readonly shape: Shape }, { readonly config: { readonly out: Out } }>
type ListOf<Element> = Defined<{ readonly type: 'array'; readonly element: Element }>
type UnionOf<Options> = Defined<{ readonly type: 'union'; readonly discriminator: string; readonly options: Options }>
/** Of which the paths are known. */
export type DocumentSchema = ObjectOf<unknown, unknown> | UnionOf<unknown> | WrapperOf<ObjectOf<unknown, unknown> | UnionOf<unknown>>

type FilterEntry<S> = EntryOf<S, '', `${number}`, true, 6>
type UpdateEntry<S> = EntryOf<S, '', `${number}` | '$' | `$[${string}]`, false, 6>
type ProjectionEntry<S> = EntryOf<S, '', never, true, 6> | IdEntry<S>
type IdEntry<S> = z.output<S> extends { readonly _id: unknown } ? never : readonly ['_id', z.ZodType<ObjectId>]
type Anything<Prefix extends string> = readonly [`${Prefix}${string}`, z.ZodUnknown]
type Below = [0, 0, 1, 2, 3, 4, 5]

// `Position`: how a path names an element. `Through`: whether it may leave that out. Deeper than `Depth` paths are not checked.
type EntryOf<S, Prefix extends string, Position extends string, Through, Depth extends number> = Depth extends 0
  ? Anything<Prefix>
  : S extends EncryptedMark
    ? never
    : S extends WrapperOf<infer Inner>
      ? EntryOf<Inner, Prefix, Position, Through, Depth>
      : S extends ObjectOf<infer Shape, infer Out>
        ? MemberEntry<Shape, Prefix, Position, Through, Depth> | (string extends keyof Out ? Anything<Prefix> : never)
        : S extends UnionOf<infer Options extends readonly unknown[]>
          ? EntryOf<Options[number], Prefix, Position, Through, Depth>
          : S extends ListOf<infer Element>
            ?
                | readonly [`${Prefix}${Position}`, Element]
                | EntryOf<Element, `${Prefix}${Position}.`, Position, Through, Below[Depth]>
                | (Through extends true ? EntryOf<Element, Prefix, Position, Through, Below[Depth]> : never)
            : z.output<S> extends Scalar
              ? never
              : Anything<Prefix>
type MemberEntry<Shape, Prefix extends string, Position extends string, Through, Depth extends number> = {
  [Name in keyof Shape & string]:
    | readonly [`${Prefix}${Name}`, Shape[Name]]
    | EntryOf<Shape[Name], `${Prefix}${Name}.`, Position, Through, Below[Depth]>
}[keyof Shape & string]
type Scalar = string | number | bigint | boolean | null | undefined | Date | Uint8Array | { readonly _bsontype: string }

// Kinds: what the rules of operators tell apart. `…List`: an array of such values; a holder has some further below.

type Kind<S> = KindOf<Peeled<S>>
type KindOf<P> =
  P extends EncryptedMark<infer Indexed>
    ? Indexed extends true
      ? 'indexed'
      : 'sealed'
    : P extends ListOf<infer Element>
      ? Peeled<Element> extends EncryptedMark<infer Indexed>
        ? Indexed extends true
          ? 'indexedList'
          : 'sealedList'
        : Holds<Element, 'holderList'>
      : Holds<P, 'holder'>
type Peeled<S> = S extends EncryptedMark ? S : S extends WrapperOf<infer Inner> ? Peeled<Inner> : S
type Holds<S, Holder> = [Extract<Peeled<EntryOf<S, '', never, true, 6>[1]>, EncryptedMark>] extends [never] ? 'plain' : Holder
type PathOf<E extends Entry, Wanted> = E extends Entry ? (Kind<E[1]> extends Wanted ? E[0] : never) : never
type ElementOf<V> = unknown extends V ? unknown : V extends readonly (infer Element)[] ? Element : never
type ElementSchema<S> = Peeled<S> extends ListOf<infer Element> ? Element : never
type Held<S> = NonNullable<z.output<S>>

// Filters.

// `Search`: whether an index may be searched by. Not readonly: filters and updates are put together.
type Conditions<E extends Entry, Search = true> = { [M in E as M[0]]?: Condition<M[1], Kind<M[1]>, Search> } & Logic<E, Search>
interface Logic<E extends Entry, Search> {
  $and?: readonly Conditions<E, Search>[]
  $or?: readonly Conditions<E, Search>[]
  $nor?: readonly Conditions<E, Search>[]
  $comment?: string | Document
}
type Condition<S, K, Search, V = Held<S>> = K extends 'plain'
  ? PlainCondition<z.output<S>, ElementSchema<S>>
  : K extends 'holder'
    ? null | HolderAbsence
    : K extends 'holderList'
      ? null | HolderList<Conditions<FilterEntry<ElementSchema<S>>, Search>>
      : K extends 'sealed' | (Search extends true ? never : 'indexed')
        ? null | Absence
        : K extends 'sealedList' | (Search extends true ? never : 'indexedList')
          ? null | ListAbsence
          : K extends 'indexedList'
            ? NonNullable<ElementOf<z.output<S>>> | null | ListEquality<NonNullable<ElementOf<z.output<S>>>>
            : V | null | Equality<V>
interface Equality<V> {
  readonly $eq?: V | null
  readonly $ne?: V | null
  readonly $in?: readonly (V | null)[]
  readonly $nin?: readonly (V | null)[]
  readonly $all?: readonly V[]
  readonly $exists?: boolean | 0 | 1
  readonly $not?: Equality<V>
}
interface ListEquality<V> extends Equality<V> {
  readonly $size?: number
  readonly $elemMatch?: ElementEquality<V>
  readonly $not?: ListEquality<V>
}
interface ElementEquality<V> {
  readonly $eq?: V
  readonly $ne?: V
  readonly $in?: readonly V[]
  readonly $nin?: readonly V[]
  readonly $not?: ElementEquality<V>
}
interface HolderAbsence {
  readonly $eq?: null
  readonly $ne?: null
  readonly $exists?: boolean | 0 | 1
  readonly $not?: HolderAbsence
}
interface Absence extends HolderAbsence {
  readonly $in?: readonly null[]
  readonly $nin?: readonly null[]
  readonly $not?: Absence
}
interface ListAbsence extends Absence {
  readonly $size?: number
  readonly $not?: ListAbsence
}
interface HolderList<Inner> extends HolderAbsence {
  readonly $size?: number
  readonly $elemMatch?: Inner
  readonly $not?: HolderList<Inner>
}
type PlainCondition<V, E = never> = unknown extends V ? unknown : PlainValue<V> | PlainOperators<PlainValue<V>, E>
// Whatever is missing is null.
type PlainValue<V> = AlternativeType<Exclude<V, undefined> | null>
type PlainOperators<V, E = never> = Readonly<Pick<FilterOperators<V>, PlainOperator>> & {
  readonly $elemMatch?: [E] extends [never] ? Document : PlainElement<E>
  readonly $not?: PlainOperators<V, E> | RegExp | BSONRegExp
  readonly $minDistance?: number
}
type PlainElement<E> = PlainOperators<PlainValue<z.output<E>>> | (z.output<E> extends Scalar ? never : Conditions<FilterEntry<E>>)
type PlainOperator =
  | ('$eq' | '$ne' | '$in' | '$nin' | '$all' | '$exists' | '$size' | '$type' | '$gt' | '$gte' | '$lt' | '$lte' | '$mod')
  | ('$regex' | '$options' | '$bitsAllClear' | '$bitsAllSet' | '$bitsAnyClear' | '$bitsAnySet')
  | ('$geoIntersects' | '$geoWithin' | '$near' | '$nearSphere' | '$maxDistance')

// Updates. What an operator does not take is `never`, and not left out: of a loose object all other names are free.

type UpdateOf<E extends Entry, Owner extends string> = {
  [Operator in keyof Operands<unknown, never>]?: {
    [M in E as M[0]]?: Operator extends '$setOnInsert' ? z.output<M[1]> : Free<M, Owner, Operands<M[1], PathOf<E, 'plain'>>[Operator]>
  }
}
interface Operands<S, PlainPath, K = Kind<S>, Element = ElementOf<z.output<S>>> {
  $set: z.output<S>
  $setOnInsert: z.output<S>
  $unset: '' | 1 | true
  $push: OfLists<Element, K extends 'plain' ? Element | SortedEach<Element> : K extends AnyList ? Element | Each<Element> : never>
  $pop: OfLists<Element, K extends 'plain' | AnyList ? 1 | -1 : never>
  $pull: OfLists<
    Element,
    K extends 'plain'
      ? PlainCondition<Element> | Conditions<FilterEntry<ElementSchema<S>>>
      : K extends 'indexedList'
        ? NonNullable<Element> | { readonly $eq: NonNullable<Element> } | { readonly $in: readonly NonNullable<Element>[] }
        : K extends 'holderList'
          ? Conditions<FilterEntry<ElementSchema<S>>>
          : never
  >
  $pullAll: OfLists<Element, K extends 'plain' ? readonly Element[] : K extends 'indexedList' ? readonly NonNullable<Element>[] : never>
  $addToSet: OfLists<
    Element,
    K extends 'plain'
      ? Element | { readonly $each: readonly Element[] }
      : K extends 'indexedList'
        ? NonNullable<Element> | { readonly $each: readonly [NonNullable<Element>] }
        : never
  >
  $inc: OfPlain<S, K, NumericType, NumericType>
  $mul: OfPlain<S, K, NumericType, NumericType>
  $bit: OfPlain<S, K, NumericType, { readonly and: IntegerType } | { readonly or: IntegerType } | { readonly xor: IntegerType }>
  $min: OfPlain<S, K, unknown, z.output<S>>
  $max: OfPlain<S, K, unknown, z.output<S>>
  $currentDate: OfPlain<S, K, Date | Timestamp, true | { readonly $type: 'date' | 'timestamp' }>
  $rename: OfPlain<S, K, unknown, PlainPath>
}
type AnyList = 'indexedList' | 'sealedList' | 'holderList'
type OfLists<Element, Operand> = [Element] extends [never] ? never : Operand
// Of values that may be of a class.
type OfPlain<S, K, Class, Operand> = K extends 'plain'
  ? unknown extends z.output<S>
    ? Operand
    : [Extract<z.output<S>, Class>] extends [never]
      ? never
      : Operand
  : never
interface Each<Element> {
  readonly $each: readonly Element[]
  readonly $position?: number
  readonly $slice?: number
}
interface SortedEach<Element> extends Each<Element> {
  readonly $sort?: 1 | -1 | Readonly<Record<string, 1 | -1>>
}
// Neither `_id` nor the owner's paths, nor what holds them, nor what is within them.
type Free<M extends Entry, Owner extends string, Operand> = [Touched<M[0], '_id' | (string extends Owner ? never : Owner)>] extends [never]
  ? Operand
  : never
type Touched<Path extends string, Bound extends string> = Path extends Bound | `${Bound}.${string}`
  ? Path
  : Extract<Bound, `${Path}.${string}`>

// Sorts, projections and indexes.

type Direction = 1 | -1 | 'asc' | 'desc' | 'ascending' | 'descending'
type SortBy<E extends Entry, Path = PathOf<E, 'plain'> | '$natural'> =
  | Path
  | readonly Path[]
  | readonly (readonly [Path, Direction])[]
  | readonly [Path, Direction]
  | ReadonlyMap<Path, Direction>
  | ({ readonly [M in E as M[0]]?: Kind<M[1]> extends 'plain' ? Direction : never } & { readonly $natural?: Direction })
type Projected<E extends Entry, Choice> = { readonly [M in E as Exclude<M[0], '_id'>]?: Choice } & { readonly _id?: 0 | 1 | boolean }
type IndexBy<Path extends string> = IndexPart<Path> | readonly IndexPart<Path>[]
type IndexPart<Path extends string> =
  | Path
  | readonly [Path, IndexDirection]
  | { readonly [P in Path]?: IndexDirection }
  | ReadonlyMap<Path, IndexDirection>
