// Random operations that an encrypted collection does, as data: each is done on both collections.
import fc from 'fast-check'
import type { Document } from 'mongodb'

import { filterOf, unpinnedOf } from './filters.ts'
import { writesOf } from './writes.ts'
import type { Shape } from './shape.ts'

/** How a cursor is read. */
export type Reading = 'toArray' | 'next' | 'hasNext' | 'forEach' | 'iterate' | 'stream'

export type Operation = {
  /** The tenant whose collection it is done on; `undefined` for the whole. */
  readonly scope: unknown
} & (
  | { readonly kind: 'insertOne'; readonly document: Document }
  | { readonly kind: 'insertMany'; readonly documents: readonly Document[]; readonly ordered: boolean }
  | { readonly kind: 'find'; readonly filter: Document; readonly options: Document; readonly reading: Reading }
  | { readonly kind: 'findOne'; readonly filter: Document; readonly options: Document }
  | { readonly kind: 'countDocuments'; readonly filter: Document; readonly options: Document }
  | { readonly kind: 'distinct'; readonly key: string; readonly filter: Document }
  | {
      readonly kind: 'updateOne' | 'updateMany'
      readonly filter: Document
      readonly update: Document
      readonly sealed: boolean
      readonly options?: Document
    }
  | { readonly kind: 'replaceOne'; readonly filter: Document; readonly document: Document; readonly options?: Document }
  | { readonly kind: 'findOneAndUpdate'; readonly filter: Document; readonly update: Document; readonly options: Document }
  | { readonly kind: 'findOneAndReplace'; readonly filter: Document; readonly document: Document; readonly options: Document }
  | { readonly kind: 'findOneAndDelete'; readonly filter: Document; readonly options: Document }
  | { readonly kind: 'bulkWrite'; readonly operations: readonly Document[]; readonly ordered: boolean; readonly sealed: boolean }
  | { readonly kind: 'deleteOne' | 'deleteMany'; readonly filter: Document }
  | { readonly kind: 'estimatedDocumentCount' }
)

export function operationsOf(shape: Shape): fc.Arbitrary<readonly Operation[]> {
  const id = fc.constantFrom(...shape.ids)
  const whole = { scope: fc.constant(undefined) }
  const document = fc
    .tuple(id, shape.document, mostly)
    .map(([_id, rest, usual]): Document => ({ _id, ...(usual ? ownedBy(shape, _id, rest) : rest) }))
  const filter = filterOf(shape)
  // The owner of what is written has to be said: so the document is asked for as whose it is.
  // Two owners at once are refused, whoever they are.
  const others = shape.paths.filter(({ path }) => path !== shape.subject)
  const pinned = fc
    .tuple(id, shape.document, unpinnedOf(others), mostly, fc.boolean())
    .map(([_id, other, more, usual, plainly]): Document => {
      const owned = usual ? ownedBy(shape, _id, other) : other
      const pins = {
        _id,
        [shape.tenant]: at(owned, shape.tenant),
        [shape.subject]: shape.subject === '_id' ? _id : at(owned, shape.subject),
      }
      return plainly ? pins : { $and: [pins, more] }
    })
  const update = fc.oneof(
    fc.record({ update: combined(shape.plainUpdates), sealed: fc.constant(false) }),
    fc.record({ update: combined(shape.plainUpdates, shape.sealedUpdates), sealed: fc.constant(true) }),
  )
  const projection = { projection: fc.constantFrom(...shape.projections) }
  const plainPaths = shape.paths.filter(({ kind, array }) => kind === 'plain' && !array).map(({ path }) => path)
  // By `_id` at last, since equal documents have no order.
  const sort = fc.oneof(
    fc.constantFrom<Document>({ _id: 1 }, { _id: -1 }),
    fc.tuple(fc.constantFrom(...plainPaths), fc.constantFrom(1, -1)).map(([path, direction]): Document => ({ [path]: direction, _id: 1 })),
  )
  const page = { skip: fc.nat(3), limit: fc.nat(4) }
  const reading = fc.constantFrom<Reading>('toArray', 'next', 'hasNext', 'forEach', 'iterate', 'stream')
  const options = fc
    .tuple(
      fc.record({ sort }),
      fc.record({ ...projection, ...page, batchSize: fc.integer({ min: 1, max: 3 }), promoteValues: fc.boolean() }, { requiredKeys: [] }),
    )
    .map(([sorted, more]): Document => ({ ...sorted, ...more }))
  const one = options.map((all): Document => Object.fromEntries(Object.entries(all).filter(([name]) => name !== 'limit')))

  const inserts = [
    fc.record({ ...whole, kind: fc.constant('insertOne' as const), document }),
    fc.record({
      ...whole,
      kind: fc.constant('insertMany' as const),
      documents: fc.array(document, { minLength: 1, maxLength: 5 }),
      ordered: fc.boolean(),
    }),
  ]
  const reads = [
    fc.record({ ...whole, kind: fc.constant('find' as const), filter, options, reading }),
    fc.record({ ...whole, kind: fc.constant('findOne' as const), filter, options: one }),
    fc.record({
      ...whole,
      kind: fc.constant('countDocuments' as const),
      filter,
      options: fc.record({ skip: fc.nat(2), limit: fc.integer({ min: 1, max: 3 }) }, { requiredKeys: [] }),
    }),
    fc.record({
      scope: fc.constantFrom(...shape.tenants),
      kind: fc.constant('find' as const),
      filter: unpinnedOf(shape.paths),
      options,
      reading,
    }),
    fc.record({ scope: fc.constantFrom(...shape.tenants), kind: fc.constant('deleteMany' as const), filter: unpinnedOf(shape.paths) }),
    fc.record({ ...whole, kind: fc.constant('estimatedDocumentCount' as const) }),
    ...(shape.distinct.length === 0
      ? []
      : [fc.record({ ...whole, kind: fc.constant('distinct' as const), key: fc.constantFrom(...shape.distinct), filter })]),
  ]
  const writes = [
    fc
      .tuple(fc.constantFrom('updateOne' as const, 'updateMany' as const), pinned, update)
      .map(([kind, where, what]) => ({ scope: undefined, kind, filter: where, ...what })),
    fc
      .tuple(filter, shape.plainUpdates)
      .map(([where, what]) => ({ scope: undefined, kind: 'updateMany' as const, filter: where, update: what, sealed: false })),
    fc.tuple(pinned, shape.document).map(([where, { ...rest }]) => ({
      scope: undefined,
      kind: 'replaceOne' as const,
      filter: where,
      document: ownedAs(shape, where, rest),
    })),
    fc.record({ ...whole, kind: fc.constant('deleteOne' as const), filter: pinned }),
    fc.record({ ...whole, kind: fc.constant('deleteMany' as const), filter }),
  ]
  const more = writesOf(shape, { id, document, filter, pinned, update, sort })
  const operation = fc.oneof(
    { weight: 3, arbitrary: fc.oneof(...inserts) },
    { weight: 5, arbitrary: fc.oneof(...reads) },
    { weight: 4, arbitrary: fc.oneof(...writes) },
    { weight: 6, arbitrary: fc.oneof(...more) },
  ) as fc.Arbitrary<Operation>
  const first = fc.record({
    ...whole,
    kind: fc.constant('insertMany' as const),
    documents: fc.array(document, { minLength: 2, maxLength: 8 }),
    ordered: fc.constant(false),
  })
  return fc.tuple(first, fc.array(operation, { minLength: 14, maxLength: 40 })).map(([start, rest]) => [start, ...rest])
}

export const mostly = fc.nat(9).map((n) => n > 0)

/** One update of several, where no two of them write to one path or into one another. */
export function combined(...each: readonly fc.Arbitrary<Document>[]): fc.Arbitrary<Document> {
  return fc.tuple(...each).map((some) => {
    const out: Record<string, Document> = {}
    const met: string[] = []
    // The last one always: it is the one that was asked for.
    for (const update of [...some].reverse())
      for (const [operator, members] of Object.entries(update))
        for (const [path, operand] of Object.entries(members as Document)) {
          const names = operator === '$rename' ? [path, String(operand)] : [path]
          if (names.some((name) => met.some((other) => `${other}.`.startsWith(`${name}.`) || `${name}.`.startsWith(`${other}.`)))) continue
          met.push(...names)
          out[operator] = { ...out[operator], [path]: operand }
        }
    return out
  })
}

/** The document as one of the owner that goes with its id. */
export function ownedBy(shape: Shape, id: unknown, document: Document): Document {
  const number = shape.ids.indexOf(id)
  return withOwner(shape, document, shape.tenants[number % shape.tenants.length], shape.subjects[number % shape.subjects.length])
}

function ownedAs(shape: Shape, filter: Document, document: Document): Document {
  const pins = (filter['$and'] as readonly Document[] | undefined)?.[0] ?? filter
  return withOwner(shape, document, pins[shape.tenant], pins[shape.subject])
}

function withOwner(shape: Shape, document: Document, tenant: unknown, subject: unknown): Document {
  const [first = '', second] = shape.tenant.split('.')
  return {
    ...document,
    [first]: second === undefined ? tenant : { ...(document[first] as Document), [second]: tenant },
    ...(shape.subject === '_id' ? {} : { [shape.subject]: subject }),
  }
}

export function at(document: Document, path: string): unknown {
  return path.split('.').reduce<unknown>((value, step) => (value as Document | undefined)?.[step], document)
}
