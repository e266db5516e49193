/** The plugin: what is marked in a schema of Mongoose's is encrypted, beneath the models that are made of it. */

import { invalidArgument, readOptions, StrongroomError, type Vault } from '@strongroom/core'
import type { QueryOptions } from 'mongoose'

import { requireVault } from '../collection/make-collection.ts'
import { requireOnShredded } from '../collection/open.ts'
import { declarationOf } from './declaration.ts'
import { encryptModel, isEncrypted } from './encrypted-model.ts'
import type { MongooseDocument, MongooseModel, MongooseSchema, SchemaInternals } from './internals.ts'
import type { Declared } from './shared-collection.ts'

declare module 'mongoose' {
  interface QueryOptions<DocType = unknown> {
    /** What becomes of values whose keys are destroyed, in place of what the plugin was told. */
    shredded?: 'throw' | 'mark'
  }
}

/** Options of {@link encryptedFields}. */
export interface EncryptedFieldsOptions {
  readonly vault: Vault
  /** The path of the tenant's name: a plain String, Number, BigInt, ObjectId or UUID. */
  readonly tenant: string
  /** The path of the name of the person whose key encrypts the document. */
  readonly subject: string
  /** The logical name of the collection, which is part of every value; the collection's own name unless given. It can never change. */
  readonly context?: string
  /** `record`: a value opens only in the document with the `_id` that it was written in, which is the default. */
  readonly bind?: 'record' | 'none'
  /**
   * What becomes of documents with values whose keys are destroyed: `throw`; or `mark`, which gives them without, as if such paths were not
   * selected, and lists these in `$locals.shredded`. Without it, single documents throw and lists mark. Queries may say it for themselves, as
   * an option. What is no document, `lean()` and `aggregate()`, has `SHREDDED` in such places.
   */
  readonly shredded?: NonNullable<QueryOptions['shredded']>
}

/**
 * Encrypts the paths of a schema that are marked, `encrypted: true` or `encrypted: { index, padded }` as of `encrypted()` of this package, in
 * every model that is made of it. The plugin belongs to the schema of a model, and covers the schemas of its subdocuments.
 *
 * Each call of Mongoose's on the model's collection goes to an encrypted collection, so that casting, validators, setters and hooks see
 * plaintext; what that does not do throws `unsupported_operation` (docs/mongoose.md).
 *
 * @throws StrongroomError `invalid_argument`; `unsupported_operation` for a mark that could be overlooked. When a model is made, the same, and
 *   for a tenant or subject that the schema does not have
 * @example
 * ```ts
 * import { type Vault } from '@strongroom/core'
 * import { encryptedFields } from '@strongroom/mongo-adapter/mongoose'
 * import { model, Schema } from 'mongoose'
 *
 * function userModel(vault: Vault) {
 *   const schema = new Schema({
 *     orgId: { type: String, required: true },
 *     email: { type: String, unique: true, encrypted: { index: { scope: 'application', normalize: 'email' } } },
 *     notes: [{ title: String, text: { type: String, encrypted: true } }],
 *   })
 *   schema.plugin(encryptedFields, { vault, tenant: 'orgId', subject: '_id' })
 *   return model('User', schema)
 * }
 * ```
 */
export function encryptedFields(schema: MongooseSchema, options: EncryptedFieldsOptions): void {
  const given = readDeclared(options)
  const internals = schema as SchemaInternals
  // More may be added before a model is made.
  const declared = { ...given, marked: declarationOf(internals) }
  if (Object.hasOwn(internals.statics, 'init'))
    throw new StrongroomError(
      'unsupported_operation',
      'a schema with encryptedFields cannot have a static of the name init, and has encryptedFields once: give the static another name',
    )
  if (hasModel(internals))
    throw new StrongroomError(
      'unsupported_operation',
      'a model was made of this schema already, and would go on without encryptedFields: apply the plugin before model()',
    )
  // Mongoose calls it when it has made a model. Copies of a schema keep it, which they do not of listeners; and no other takes its place.
  const init = function (this: MongooseModel): unknown {
    encryptModel(this, declared)
    return this.base.Model.init.call(this)
  }
  Object.defineProperty(internals.statics, 'init', { value: init, enumerable: true, writable: false, configurable: false })
  internals.pre(['validate', 'save'], { document: true, query: false }, always(requireModelOfDocument))
  internals.pre(['insertMany', 'bulkWrite'], {}, always(requireModel))
  internals.pre(UPDATES, { document: false, query: true }, always(requireModel))
}

// Of a model that Mongoose made of a copy, as it does of discriminators, a schema knows nothing.
function hasModel(schema: SchemaInternals): boolean {
  const connections = schema.base?.connections ?? []
  return connections.some(({ models }) => Object.values(models).some((model) => model.schema === schema))
}

const UPDATES = ['updateOne', 'updateMany', 'replaceOne', 'findOneAndUpdate', 'findOneAndReplace']

function readDeclared(options: EncryptedFieldsOptions): Omit<Declared, 'marked'> {
  const {
    vault,
    tenant,
    subject,
    context,
    bind = 'record',
    shredded,
  } = readOptions(options, ['vault', 'tenant', 'subject', 'context', 'bind', 'shredded'])
  requireVault(vault as Vault)
  for (const [argument, path] of Object.entries({ tenant, subject }))
    if (typeof path !== 'string' || path === '') throw invalidArgument(argument, 'must be the path of a plain member of the schema')
  if (context !== undefined && (typeof context !== 'string' || context === '')) throw invalidArgument('context', 'must be a name')
  if (bind !== 'record' && bind !== 'none') throw invalidArgument('bind', "must be 'record' or 'none'")
  if (shredded !== undefined) requireOnShredded(shredded)
  return { vault: vault as Vault, tenant: tenant as string, subject: subject as string, context, bind, shredded }
}

// A schema of subdocuments is none of a model's: of its own plugin the model knows nothing.
function requireModelOfDocument(this: MongooseDocument): void {
  requireEncrypted((this.ownerDocument?.() ?? this).constructor)
}

// Of a schema whose statics were replaced, or of a class that has its own, no model says that it was made.
function requireModel(this: MongooseModel | { readonly model: MongooseModel }): void {
  requireEncrypted(typeof this === 'function' ? this : this.model)
}

function requireEncrypted(model: unknown): void {
  if (!isEncrypted(model))
    throw new StrongroomError(
      'unsupported_operation',
      'a schema with encryptedFields stands in a model without it: apply the plugin to the schema of the model, and leave its static init as it is; nothing was sent',
    )
}

// By Mongoose's own sign for hooks that the option middleware: false leaves.
function always<T extends object>(hook: T): T {
  return Object.assign(hook, { [Symbol.for('mongoose:built-in-middleware')]: true })
}
