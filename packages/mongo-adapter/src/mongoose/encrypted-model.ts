/** A model whose collection is closed, whatever connection it comes to use. */

import { Collection } from 'mongodb'

import { refusedOperation } from '../collection/operations.ts'
import { encryptCalls, sharedCollectionOf } from './calls.ts'
import { NOT_CAST } from './driver-options.ts'
import {
  CASTING_OF_MODELS,
  CASTING_OF_QUERIES,
  type Method,
  type MongooseModel,
  type NativeCollection,
  requireInternals,
} from './internals.ts'
import { rememberOwners } from './known-owners.ts'
import { type Paths, REDACTED, redactError, redactErrorsOfResult } from './redact.ts'
import { refuseStored } from './refuse-stored.ts'
import { adaptSavedChanges } from './saved-changes.ts'
import { followShredded } from './shredded-paths.ts'
import { typesIn } from './schema-types.ts'
import { type Declared, requireOneDriver } from './shared-collection.ts'

/** The collections of models that are encrypted. */
const collections = new WeakMap<object, NativeCollection>()

/** Whether documents of a model are encrypted; classes that extend one are models of its collection. */
export function isEncrypted(model: unknown): boolean {
  return typeof model === 'function' && (collections.has(model) || isEncrypted(Object.getPrototypeOf(model)))
}

/**
 * Puts the encrypted view beneath a model. Called again, it looks at its schema anew. A model that it throws for writes nothing any more.
 *
 * @throws StrongroomError `invalid_argument`, `unsupported_operation`
 */
export function encryptModel(model: MongooseModel, declared: Declared): void {
  const native = model.collection
  if (!collections.has(model)) {
    try {
      requireInternals(model)
    } catch (error) {
      // Others may have the collection.
      encryptCalls(native, model.schema, declared)
      throw error
    }
    collections.set(model, native)
    holdCollection(model, declared)
    refuseWhatPassesBy(model)
    checkWatch(model)
    rememberOwners(model, [declared.tenant, declared.subject])
    followShredded(model)
    refuseStored(model.schema)
    adaptSavedChanges(model)
    followDiscriminators(model, declared)
    redactErrorsOf(model)
  }
  encryptCalls(native, model.schema, declared)
  requireOneDriver(model.base.mongo.Collection === Collection)
}

// useConnection() and models of another collection set these: what they bring is closed before it is used.
function holdCollection(model: MongooseModel, declared: Declared): void {
  for (const name of ['collection', '$__collection'])
    Object.defineProperty(model, name, {
      get(this: object) {
        return collections.get(this) ?? collections.get(model)
      },
      set(this: MongooseModel, other: NativeCollection) {
        collections.set(this, other)
        encryptCalls(other, this.schema, declared)
      },
      enumerable: true,
      configurable: false,
    })
}

function refuseWhatPassesBy(model: MongooseModel): void {
  // Connection.bulkWrite() asks for it, and sends what it is given to the client, past all collections.
  model['namespace'] = () => {
    throw refusedOperation('bulkWrite of a connection, or namespace', 'bulkWrite of the model')
  }
}

// Mongoose takes no no where it opens the stream: it would end the process.
function checkWatch(model: MongooseModel): void {
  const watch = model['watch'] as Method
  model['watch'] = function (this: MongooseModel, pipeline: unknown, options?: object | null) {
    const given = options === undefined || options === null ? undefined : { ...options }
    const { hydrate: _, ...rest } = (given ?? {}) as { readonly hydrate?: unknown }
    sharedCollectionOf(this.collection)?.requireWatchable(pipeline ?? [], rest)
    // Mongoose puts the model into them.
    return watch.call(this, pipeline, given)
  }
}

// A schema of theirs may have a static in place of what the plugin has put there.
function followDiscriminators(model: MongooseModel, declared: Declared): void {
  const discriminator = model['discriminator'] as Method
  model['discriminator'] = function (this: unknown, ...args: unknown[]) {
    const made = discriminator.apply(this, args) as MongooseModel
    encryptModel(made, declared)
    return made
  }
}

function redactErrorsOf(model: MongooseModel): void {
  const pathsOf = (of: MongooseModel): Paths => ({
    holdsEncrypted: (path) => sharedCollectionOf(of.collection)?.mayHoldEncrypted(path) ?? true,
    typeAt: (path) => of.schema.path(path),
  })
  const { prototype: query } = model.Query
  for (const name of CASTING_OF_QUERIES)
    query[name] = redacting(query[name] as Method, (of) => pathsOf((of as { readonly model?: MongooseModel }).model ?? model))
  for (const name of CASTING_OF_MODELS) model[name] = redacting(model[name] as Method, (of) => pathsOf(of as MongooseModel))
  keepErrorsOfCursors(query)
  redactErrorsOfDocuments(model.prototype, pathsOf(model))
  for (const { Constructor } of typesIn(model.schema))
    if (Constructor !== undefined) redactErrorsOfDocuments(Constructor.prototype, pathsOf(model))
}

// A cursor whose filter cannot be cast is opened all the same, and says so when it is read.
function keepErrorsOfCursors(query: Record<string, unknown>): void {
  const open = query['cursor'] as Method
  query['cursor'] = function (this: unknown, ...args: unknown[]) {
    const cursor = open.apply(this, args) as { readonly _error?: unknown; readonly options: Record<symbol, unknown> }
    if (cursor._error !== undefined && cursor._error !== null) cursor.options[NOT_CAST] = true
    return cursor
  }
}

// All errors of casting and validation of documents pass here, before anybody sees them.
function redactErrorsOfDocuments(prototype: Record<string, unknown>, paths: Paths): void {
  const invalidate = prototype['invalidate'] as Method
  prototype['invalidate'] = function (this: unknown, path: unknown, error: unknown, value: unknown, kind: unknown) {
    const at = typeof path === 'string' ? path : undefined
    const said = value === undefined || (at !== undefined && !paths.holdsEncrypted(at)) ? value : REDACTED
    return invalidate.call(this, path, redactError(error, paths, at), said, kind)
  }
}

function redacting(method: Method, pathsOf: (of: unknown) => Paths): Method {
  return function (this: unknown, ...args) {
    const redacted = (error: unknown): never => {
      throw redactError(error, pathsOf(this))
    }
    let result: unknown
    try {
      result = method.apply(this, args)
    } catch (error) {
      return redacted(error)
    }
    if (!(result instanceof Promise)) return result
    return result.then((settled: unknown) => (redactErrorsOfResult(settled, pathsOf(this)), settled), redacted)
  }
}
