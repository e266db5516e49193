/** What models do not have: the encrypted collection beneath one, for rotation, erasure and operators. */

import { invalidArgument, StrongroomError } from '@strongroom/core'

import type { EncryptedCollection } from '../collection/encrypted-collection.ts'
import { sharedCollectionOf } from './calls.ts'
import type { NativeCollection } from './internals.ts'

/** As much of a model as says what its documents are. */
export interface SomeModel {
  readonly collection: object
  castObject(document: never): unknown
}

/** Its documents are of the type that the model says. Where values may be marked as shredded, any of them may be. */
export type CollectionOfModel<M extends SomeModel> = EncryptedCollection<
  ReturnType<M['castObject']>,
  { readonly [K in keyof ReturnType<M['castObject']>]: unknown }
>

/**
 * The encrypted collection that the calls of a model go to: all its documents, those of discriminators and of other models on it too. It
 * takes and gives documents as they are stored, but for the encryption: no casting, defaults, validators, timestamps or hooks of the model.
 * Of shredded values single documents throw, and lists have marks, whatever the plugin was told.
 *
 * Call it when the connection is open, and every model on the collection is made: paths that are marked afterwards are refused, since
 * who holds it does not know of them. After `useConnection()`, or when the connection was closed and opened again, call it anew.
 *
 * @throws StrongroomError `invalid_argument` for a model whose schema does not have `encryptedFields`; `unsupported_operation` before the
 *   connection is open
 * @example
 * ```ts
 * import { type Vault } from '@strongroom/core'
 * import { encryptedCollectionOf } from '@strongroom/mongo-adapter/mongoose'
 * import { type Model } from 'mongoose'
 *
 * async function operate(vault: Vault, User: Model<{ orgId: string; name: string }>) {
 *   const users = encryptedCollectionOf(User)
 *   await users.enforce()
 *   for await (const { phase } of users.reencrypt({ tenant: 'acme', subject: 'ada' })) console.error(phase)
 *   for await (const { problem, ref } of vault.verifyKeys({ holders: [users.resource()] })) console.error(problem, ref)
 * }
 * ```
 */
export function encryptedCollectionOf<M extends SomeModel>(model: M): CollectionOfModel<M> {
  const native = typeof model === 'function' ? ((model as SomeModel).collection as NativeCollection) : undefined
  const shared = native === undefined ? undefined : sharedCollectionOf(native)
  if (native === undefined || shared === undefined)
    throw invalidArgument('model', 'must be a model of a schema with the plugin encryptedFields')
  const opened = native._getCollection()
  if (opened === null)
    throw new StrongroomError('unsupported_operation', 'the connection of the model is not open yet: await connection.asPromise() first')
  return shared.handOut(opened) as CollectionOfModel<M>
}
