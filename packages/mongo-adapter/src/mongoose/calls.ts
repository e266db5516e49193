/** Calls of Mongoose on a collection, sent to its encrypted view. Each is Mongoose's own call of a collection that says nothing of what it is given. */

import { StrongroomError } from '@strongroom/core'
import type { Document } from 'mongodb'

import type { EncryptedChangeStream } from '../collection/changes/change-stream.ts'
import { EncryptedCollection } from '../collection/encrypted-collection.ts'
import { COLLECTION, refusedOperation } from '../collection/operations.ts'
import { ChangeEvents } from './change-events.ts'
import { NOT_CAST, OPTIONS_AT, optionsForDriver, withoutOwnMembers } from './driver-options.ts'
import type { Method, NativeCollection, SchemaInternals } from './internals.ts'
import { withKnownOwner } from './known-owners.ts'
import { pinOwners } from './pin-owners.ts'
import { type Declared, SharedCollection } from './shared-collection.ts'

const shared = new WeakMap<NativeCollection, SharedCollection>()

/**
 * Closes a collection of Mongoose's: from now on nothing reaches the database but through its encrypted view.
 *
 * @throws StrongroomError `invalid_argument`, `unsupported_operation`; closed it stays
 */
export function encryptCalls(native: NativeCollection, schema: SchemaInternals, declared: Declared): void {
  const there = shared.get(native)
  const collection = there ?? new SharedCollection(native, declared)
  if (there === undefined) {
    close(native, collection)
    shared.set(native, collection)
  }
  collection.add(schema, declared)
}

export function sharedCollectionOf(native: NativeCollection): SharedCollection | undefined {
  return shared.get(native)
}

// What Mongoose's collection does without the database.
const OWN: ReadonlySet<string> = new Set(['constructor', 'onOpen', 'onClose', '_getCollection', '$print', '$printToStream', '$format'])

function close(native: NativeCollection, collection: SharedCollection): void {
  const prototype = Object.getPrototypeOf(native) as Readonly<Record<string, unknown>>
  const names = [...Object.getOwnPropertyNames(prototype), ...Object.keys(COLLECTION)]
  for (const name of new Set(names)) {
    // Of what is no method, Mongoose has its own.
    if (OWN.has(name) || (name in native && typeof native[name] !== 'function')) continue
    const method = Object.getOwnPropertyDescriptor(prototype, name)?.value as unknown
    const value = typeof method === 'function' ? call(native, collection, name, method as Method) : refused(name)
    // Not configurable: what takes its place would write plaintext.
    Object.defineProperty(native, name, { value, enumerable: false, writable: false, configurable: false })
  }
}

function call(native: NativeCollection, collection: SharedCollection, called: string, method: Method): Method {
  const name = called === 'getIndexes' ? 'indexInformation' : called
  if (COLLECTION[name] !== 'works' || !(name in EncryptedCollection.prototype)) return refused(called)
  return function (...given) {
    let outcome: unknown
    const driver = {
      [name]: (): unknown => {
        const opened = native._getCollection()
        if (opened === null) throw new StrongroomError('unsupported_operation', `${called} was called before the connection was open`)
        outcome = send(collection, collection.view(opened), name, given)
        return outcome instanceof Promise ? outcome.then(() => undefined) : undefined
      },
    }
    // Mongoose waits for the connection, prints what it does and tells of it; of this call there are no arguments, and there is no result.
    const silent = Object.create(native, {
      [name]: { value: method },
      [called]: { value: method },
      _getCollection: { value: () => (native._getCollection() === null ? null : driver) },
    }) as object
    const done = method.call(silent)
    return done instanceof Promise ? done.then(() => outcome) : outcome
  }
}

function send(collection: SharedCollection, view: EncryptedCollection<unknown>, name: string, given: readonly unknown[]): unknown {
  const method = (view as unknown as Readonly<Record<string, Method>>)[name] as Method
  const args = [...given]
  const at = OPTIONS_AT[name]
  if (name === 'find' && (args[1] as { readonly [NOT_CAST]?: boolean } | undefined)?.[NOT_CAST] === true) args[0] = { _id: { $in: [] } }
  if (at !== undefined && args[at] !== undefined) args[at] = optionsForDriver(name, args[at])
  // An upsert puts into a document what its filter says.
  if (name === 'updateOne' && (args[2] as { readonly upsert?: unknown } | undefined)?.upsert !== true) args[0] = withKnownOwner(args[0])
  if (name === 'watch') return new ChangeEvents(method.apply(view, args) as EncryptedChangeStream<Document>)
  if (name !== 'bulkWrite') return method.apply(view, args)
  const [operations, ...rest] = args
  return pinOwners(collection.owners(), view, withoutOwnMembers(operations), rest[0]).then((pinned) => method.call(view, pinned, ...rest))
}

function refused(name: string): Method {
  return () => {
    const outcome = COLLECTION[name]
    throw refusedOperation(name, typeof outcome === 'object' ? outcome.instead : 'a method of the model')
  }
}
