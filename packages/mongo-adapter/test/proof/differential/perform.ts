// Doing an operation on a collection, and what it answered, in a form in which two answers can be compared.
import { StrongroomError } from '@strongroom/core'
import type { EncryptedCollection } from '@strongroom/mongo-adapter'
import { BSON, type Collection, type Document, type FindCursor, MongoBulkWriteError, MongoError } from 'mongodb'

import type { Operation, Reading } from './operations.ts'
import type { Shape } from './shape.ts'

/** Both kinds of collection are called alike. */
export type Target = Pick<
  Collection,
  | 'insertOne'
  | 'insertMany'
  | 'find'
  | 'findOne'
  | 'countDocuments'
  | 'distinct'
  | 'updateOne'
  | 'updateMany'
  | 'replaceOne'
  | 'deleteOne'
  | 'deleteMany'
  | 'estimatedDocumentCount'
  | 'findOneAndUpdate'
  | 'findOneAndReplace'
  | 'findOneAndDelete'
  | 'bulkWrite'
>

/** @param ordered - whether the order of members counts */
export function onEncrypted(users: EncryptedCollection<unknown>, operation: Operation, ordered: boolean): Promise<string> {
  const target = operation.scope === undefined ? users : users.for({ tenant: operation.scope })
  return answerOf(() => perform(target as unknown as Target, operation), ordered)
}

/** As a programmer would do it who has no `for()`. */
export async function onPlain(collection: Target, shape: Shape, operation: Operation, ordered: boolean): Promise<string> {
  const narrowed =
    operation.scope === undefined || !('filter' in operation)
      ? operation
      : { ...operation, filter: { $and: [operation.filter, { [shape.tenant]: operation.scope }] } }
  const asked = 'update' in narrowed && (await isThere(collection, narrowed)) ? withoutNewId(narrowed) : narrowed
  return answerOf(() => perform(collection, asked), ordered)
}

// Where there is a document, secantusd takes the `_id` of `$setOnInsert` for a change of its own; mongod does not look at it.
async function isThere(collection: Target, { update, filter }: { readonly update: Document; readonly filter: Document }): Promise<boolean> {
  return (update['$setOnInsert'] as Document | undefined)?.['_id'] !== undefined && (await collection.countDocuments(filter)) > 0
}

function withoutNewId<O extends { readonly update: Document }>(operation: O): O {
  const { _id: _, ...rest } = operation.update['$setOnInsert'] as Document
  return { ...operation, update: { ...operation.update, $setOnInsert: rest } }
}

async function perform(target: Target, operation: Operation): Promise<unknown> {
  switch (operation.kind) {
    case 'insertOne':
      // The driver puts an `_id` into the document of the caller.
      return target.insertOne({ ...operation.document })
    case 'insertMany':
      return target.insertMany(
        operation.documents.map((each) => ({ ...each })),
        { ordered: operation.ordered },
      )
    case 'find':
      return shown(operation, await read(target.find(operation.filter, operation.options) as FindCursor<Document>, operation.reading))
    case 'findOne':
      return shown(operation, await target.findOne(operation.filter, operation.options))
    case 'countDocuments':
      return target.countDocuments(operation.filter, operation.options)
    case 'distinct':
      // In no order.
      return (await target.distinct(operation.key, operation.filter)).map((each: unknown) => textOf(each)).sort()
    case 'updateOne':
    case 'updateMany':
      return counted(await target[operation.kind](operation.filter, operation.update, operation.options ?? {}), operation.sealed)
    case 'replaceOne':
      return counted((await target.replaceOne(operation.filter, operation.document, operation.options ?? {})) as Document, true)
    case 'findOneAndUpdate':
      return shown(operation, answered(await target.findOneAndUpdate(operation.filter, operation.update, operation.options)))
    case 'findOneAndReplace':
      return shown(operation, answered(await target.findOneAndReplace(operation.filter, operation.document, operation.options)))
    case 'findOneAndDelete':
      return shown(operation, answered(await target.findOneAndDelete(operation.filter, operation.options)))
    case 'bulkWrite': {
      const { insertedCount, matchedCount, deletedCount, upsertedCount, upsertedIds, insertedIds } = await target.bulkWrite(
        operation.operations.map((each) => ({ ...each })) as never,
        { ordered: operation.ordered },
      )
      return { insertedCount, matchedCount, deletedCount, upsertedCount, upsertedIds, insertedIds }
    }
    case 'deleteOne':
    case 'deleteMany':
      return target[operation.kind](operation.filter)
    case 'estimatedDocumentCount':
      return target.estimatedDocumentCount()
  }
}

// Of the whole answer what is not of the server's time.
function answered(found: unknown): unknown {
  if (typeof found !== 'object' || found === null || !('lastErrorObject' in found)) return found
  const { value, lastErrorObject, ok } = found as Document
  return { value: value as unknown, lastErrorObject: lastErrorObject as unknown, ok: ok as unknown }
}

// Members are in the order of the document on mongod, and sometimes in that of the projection on secantusd.
function shown({ options }: { readonly options: Document }, found: unknown): unknown {
  return options['projection'] === undefined ? found : sorted(found)
}

/** With members in one order: what a projection leaves has them in that of the document on mongod, and sometimes in its own on secantusd. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  )
}

// A value that is encrypted anew is another one, also where it says the same: the README says so.
function counted({ modifiedCount, ...rest }: Document, sealed: boolean): unknown {
  return sealed ? rest : { modifiedCount: modifiedCount as unknown, ...rest }
}

async function read(cursor: FindCursor<Document>, reading: Reading): Promise<readonly Document[]> {
  const all: Document[] = []
  switch (reading) {
    case 'toArray':
      return cursor.toArray()
    case 'next':
      for (let next = await cursor.next(); next !== null; next = await cursor.next()) all.push(next)
      return all
    case 'hasNext':
      while (await cursor.hasNext()) all.push((await cursor.next()) as Document)
      return all
    case 'forEach':
      await cursor.forEach((each) => void all.push(each))
      return all
    case 'iterate':
      for await (const each of cursor) all.push(each)
      return all
    case 'stream':
      for await (const each of cursor.stream()) all.push(each as Document)
      return all
  }
}

/** An answer or an error as text, in which types count, and where it is `ordered` the order of members. */
export async function answerOf(call: () => Promise<unknown>, ordered = true): Promise<string> {
  try {
    const answer = await call()
    return textOf(ordered ? answer : sorted(answer))
  } catch (error) {
    if (error instanceof StrongroomError) return `refused: ${error.code} ${error.message}`
    if (error instanceof MongoBulkWriteError) {
      const failed = [error.writeErrors].flat().map(({ index, code }) => ({ index, code }))
      const { insertedCount, matchedCount, deletedCount, upsertedCount, upsertedIds, insertedIds } = error
      return `error ${textOf({ code: error.code, insertedCount, matchedCount, deletedCount, upsertedCount, upsertedIds, insertedIds, failed })}`
    }
    if (error instanceof MongoError) return `error ${textOf({ name: error.name, code: error.code })}`
    throw error
  }
}

function textOf(value: unknown): string {
  return BSON.EJSON.stringify({ value }, { relaxed: false })
}
