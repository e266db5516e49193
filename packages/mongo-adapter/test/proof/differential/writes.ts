// Random writes that look up whose a document is, give it back, insert what is not there, or come many at once.
import fc from 'fast-check'
import type { Document } from 'mongodb'

import { at, combined, mostly, type Operation, ownedBy } from './operations.ts'
import { often, type Shape } from './shape.ts'

interface Parts {
  readonly id: fc.Arbitrary<unknown>
  readonly document: fc.Arbitrary<Document>
  /** Of whatever documents. */
  readonly filter: fc.Arbitrary<Document>
  /** Of one, that says whose it is. */
  readonly pinned: fc.Arbitrary<Document>
  readonly update: fc.Arbitrary<{ readonly update: Document; readonly sealed: boolean }>
  readonly sort: fc.Arbitrary<Document>
}

export function writesOf(shape: Shape, { id, document, filter, pinned, update, sort }: Parts): readonly fc.Arbitrary<Operation>[] {
  const scope = undefined
  const options = fc.record({ sort })
  const answering = fc.record(
    {
      sort,
      returnDocument: fc.constantFrom('before', 'after'),
      includeResultMetadata: fc.boolean(),
      projection: fc.constantFrom(...shape.projections),
      promoteValues: fc.boolean(),
    },
    { requiredKeys: ['sort'] },
  )
  const deleting = answering.map((all): Document => {
    const { returnDocument: _, ...rest } = all
    return rest
  })
  // By their ids, or by whatever they hold.
  const some = fc.oneof(
    filter,
    fc.tuple(id, filter).map(([_id, more]): Document => ({ $and: [{ _id }, more] })),
    id.map((_id) => ({ _id })),
  )
  const owned = fc.tuple(id, document).map(([_id, rest]) => ({ _id, ...withoutId(ownedBy(shape, _id, rest)) }))
  const elements = shape.elementUpdates
  return [
    fc
      .tuple(some, update, options)
      .map(([where, what, how]): Operation => ({ scope, kind: 'updateOne', filter: where, ...what, options: how })),
    fc
      .tuple(some, combined(shape.plainUpdates), options)
      .map(([where, what, how]): Operation => ({ scope, kind: 'updateOne', filter: where, update: what, sealed: false, options: how })),
    // Of several updates of which one makes a duplicate, secantusd takes all back, and mongod none.
    fc
      .tuple(
        some,
        update.filter(({ update: what }) => !writesUnique(shape, what)),
      )
      .map(([where, what]): Operation => ({ scope, kind: 'updateMany', filter: where, ...what })),
    fc
      .tuple(some, update, answering)
      .map(([where, { update: what }, how]): Operation => ({ scope, kind: 'findOneAndUpdate', filter: where, update: what, options: how })),
    fc
      .tuple(owned, answering)
      .map(([{ _id, ...rest }, how]): Operation => ({ scope, kind: 'findOneAndReplace', filter: { _id }, document: rest, options: how })),
    fc
      .tuple(owned, options)
      .map(([{ _id, ...rest }, how]): Operation => ({ scope, kind: 'replaceOne', filter: { _id }, document: rest, options: how })),
    fc.tuple(some, deleting).map(([where, how]): Operation => ({ scope, kind: 'findOneAndDelete', filter: where, options: how })),
    ...upsertsOf(shape, { id, document, update, answering }),
    bulksOf(shape, { document, pinned, update }),
    ...(elements === undefined
      ? []
      : often(2, [
          fc.tuple(some, elements, options).map(([where, what, how]): Operation => ({
            scope,
            kind: 'updateOne',
            filter: where,
            update: what,
            sealed: false,
            options: how,
          })),
          fc
            .tuple(pinned, fc.oneof(elements, shape.sealedUpdates))
            .map(([where, what]): Operation => ({ scope, kind: 'updateOne', filter: where, update: what, sealed: true })),
          fc
            .tuple(pinned, elements, answering)
            .map(([where, what, how]): Operation => ({ scope, kind: 'findOneAndUpdate', filter: where, update: what, options: how })),
          fc
            .tuple(
              some,
              elements.filter((what) => what['$addToSet'] === undefined),
            )
            .map(([where, what]): Operation => ({ scope, kind: 'updateMany', filter: where, update: what, sealed: false })),
        ])),
  ]
}

/** What is inserted has an id that is the same on both sides: it is in the filter, or in `$setOnInsert`. */
function upsertsOf(
  shape: Shape,
  { id, document, update, answering }: Pick<Parts, 'id' | 'document' | 'update'> & { readonly answering: fc.Arbitrary<Document> },
): readonly fc.Arbitrary<Operation>[] {
  const scope = undefined
  const upsert = { upsert: true }
  const asked = fc.constantFrom(
    ...shape.paths.filter(({ kind, array, through }) => kind !== 'holder' && kind !== 'sealed' && !array && !through),
  )
  const equal = asked.chain((path) => path.value.map((value): Document => ({ [path.path]: value })))
  const where = fc
    .tuple(id, document, fc.option(equal, { nil: {} as Document }), fc.constantFrom('id', 'owner', 'on insert'))
    .map(([_id, rest, more, how]) => {
      const { [shape.tenant]: __, ...besides } = more
      const owner = ownerOf(shape, ownedBy(shape, _id, rest), _id)
      if (how === 'id') return { filter: { ...besides, ...owner, _id }, onInsert: {} }
      if (how === 'owner') return { filter: { ...besides, ...owner }, onInsert: shape.subject === '_id' ? {} : { _id } }
      return { filter: { ...besides, [shape.tenant]: owner[shape.tenant] }, onInsert: { ...owner, _id } }
    })
  const change = fc
    .tuple(where, update, fc.option(combined(shape.sealedUpdates.map(onInsertOf)), { nil: {} as Document }))
    .map(([{ filter, onInsert }, { update: what, sealed }, more]) => ({
      filter,
      sealed,
      update: merged(what, { ...(more['$setOnInsert'] as Document | undefined), ...onInsert }),
    }))
  const owned = fc.tuple(id, document).map(([_id, rest]) => ({ _id, ...withoutId(ownedBy(shape, _id, rest)) }))
  return [
    fc
      .tuple(fc.constantFrom('updateOne' as const, 'updateMany' as const), change)
      .map(([kind, what]): Operation => ({ scope, kind: writesUnique(shape, what.update) ? 'updateOne' : kind, ...what, options: upsert })),
    fc.tuple(change, answering).map(([{ filter, update: what }, how]): Operation => ({
      scope,
      kind: 'findOneAndUpdate',
      filter,
      update: what,
      options: { ...how, ...upsert },
    })),
    owned.map(({ _id, ...rest }): Operation => ({ scope, kind: 'replaceOne', filter: { _id }, document: rest, options: upsert })),
    fc.tuple(owned, answering).map(([{ _id, ...rest }, how]): Operation => ({
      scope,
      kind: 'findOneAndReplace',
      filter: { _id },
      document: rest,
      options: { ...how, ...upsert },
    })),
  ]
}

function bulksOf(shape: Shape, { document, pinned, update }: Pick<Parts, 'document' | 'pinned' | 'update'>): fc.Arbitrary<Operation> {
  const simple = pinned.map((filter) => (filter['$and'] === undefined ? filter : ((filter['$and'] as readonly Document[])[0] as Document)))
  const plain = shape.paths.filter(({ kind, array }) => kind === 'plain' && !array)
  const byPlain = fc.constantFrom(...plain).chain((path) => path.value.map((value): Document => ({ [path.path]: value })))
  const one = fc.oneof(
    document.map((each): Document => ({ insertOne: { document: each } })),
    fc
      .tuple(simple, update, mostly)
      .map(([filter, { update: what }, usual]): Document => ({ updateOne: { filter, update: what, upsert: !usual } })),
    fc.tuple(simple, update).map(([filter, { update: what }]): Document => ({ updateMany: { filter, update: what } })),
    fc.tuple(byPlain, shape.plainUpdates).map(([filter, what]): Document => ({ updateMany: { filter, update: what } })),
    fc.tuple(simple, document).map(([filter, each]): Document => {
      const { _id: _, ...replacement } = ownedBy(shape, filter['_id'], each)
      return { replaceOne: { filter: { ...filter, ...ownerOf(shape, ownedBy(shape, filter['_id'], each), filter['_id']) }, replacement } }
    }),
    simple.map((filter): Document => ({ deleteOne: { filter } })),
    byPlain.map((filter): Document => ({ deleteMany: { filter } })),
  )
  return fc
    .tuple(fc.array(one, { minLength: 2, maxLength: 8 }), fc.boolean())
    .map(([operations, ordered]): Operation => ({ scope: undefined, kind: 'bulkWrite', operations, ordered, sealed: true }))
}

function ownerOf(shape: Shape, document: Document, _id: unknown): Document {
  return {
    [shape.tenant]: at(document, shape.tenant),
    [shape.subject]: shape.subject === '_id' ? _id : at(document, shape.subject),
  }
}

/** What an update sets, only for a new document. */
function onInsertOf(update: Document): Document {
  return { $setOnInsert: (update['$set'] as Document | undefined) ?? {} }
}

/** With members of `$setOnInsert` that no other operator touches. */
function merged(update: Document, onInsert: Document): Document {
  const met = Object.entries(update).flatMap(([operator, members]) =>
    Object.entries(members as Document).flatMap(([path, operand]) => (operator === '$rename' ? [path, String(operand)] : [path])),
  )
  const free = Object.entries(onInsert).filter(
    ([path]) => !met.some((other) => `${other}.`.startsWith(`${path}.`) || `${path}.`.startsWith(`${other}.`)),
  )
  return free.length === 0 ? update : { ...update, $setOnInsert: Object.fromEntries(free) }
}

function writesUnique({ unique }: Shape, { $set = {} }: Document): boolean {
  const paths = unique.map((key) => Object.keys(key).at(-1) as string)
  return Object.keys($set as Document).some((path) => paths.some((each) => `${each}.`.startsWith(`${path}.`)))
}

function withoutId(document: Document): Document {
  const { _id: _, ...rest } = document
  return rest
}
