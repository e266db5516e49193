/** As much of Mongoose 9 as this knows of: nothing of it is imported but types, so that there is one Mongoose, the application's own. */

import { StrongroomError } from '@strongroom/core'
import type { Collection } from 'mongodb'

/** A path of a schema. */
export interface MongooseType {
  readonly instance: string
  readonly path: string
  readonly options: Readonly<Record<string, unknown>>
  readonly validators: readonly { readonly validator?: unknown; readonly message?: unknown }[]
  _index?: unknown
  cast: Method
  readonly schema?: SchemaInternals
  readonly embeddedSchemaType?: MongooseType
  /** Of a Map, what its values are. */
  readonly $__schemaType?: MongooseType
  /** Of a Union, what a value may be. */
  readonly schemaTypes?: readonly MongooseType[]
  /** Of subdocuments, their class. */
  readonly Constructor?: { readonly prototype: Record<string, unknown> }
  readonly $isSchemaMap?: boolean
  readonly $isMongooseDocumentArray?: boolean
  readonly $isSingleNested?: boolean
}

/** What a plugin is given. */
export interface MongooseSchema {
  readonly paths: Readonly<Record<string, object>>
  readonly singleNestedPaths?: Readonly<Record<string, object>>
  readonly statics: object
}

/** The same, with what its types do not say. */
export interface SchemaInternals extends MongooseSchema {
  readonly paths: Readonly<Record<string, MongooseType>>
  readonly singleNestedPaths: Readonly<Record<string, MongooseType>>
  readonly statics: Record<string, unknown>
  /** The Mongoose that it is of. */
  readonly base?: { readonly connections: readonly { readonly models: Readonly<Record<string, { readonly schema: unknown }>> }[] }
  readonly options: { readonly versionKey?: unknown; readonly discriminatorKey?: unknown }
  readonly discriminators?: Readonly<Record<string, SchemaInternals>> | null
  path(path: string): MongooseType | undefined
  indexes(): readonly (readonly [unknown, Readonly<Record<string, unknown>>])[]
  pre(hook: readonly string[], options: object, guard: (this: never) => void): unknown
}

type Method = (this: unknown, ...args: unknown[]) => unknown

/** A collection as models have it, which waits for the connection and calls the driver's. */
export interface NativeCollection extends Record<string, unknown> {
  readonly name: string
  /** `null` before the first connection. */
  _getCollection(): Collection | null
}

export interface MongooseDocument {
  readonly constructor: unknown
  ownerDocument?(): MongooseDocument
  $__getValue(path: string): unknown
  isSelected(path: string): boolean
  isModified(path: string): boolean
  $isDefault(path: string): boolean
  readonly _doc: unknown
  toObject(options: object): unknown
  $__version(where: object, update: object): void
  readonly $__schema: SchemaInternals
  readonly $locals: Record<string, unknown>
  readonly $__: {
    /** The projection that it was read with. */
    selected?: Readonly<Record<string, unknown>> | null
    selectedIndex?: unknown
    exclude?: boolean | null
    readonly activePaths: { clearPath(path: string): void }
    /** What an update does with the version. */
    version?: number | undefined
    /** Of this plugin. */
    shredded?: readonly string[]
  }
}

export interface MongooseModel extends Record<string, unknown> {
  readonly modelName: string
  readonly schema: SchemaInternals
  readonly base: {
    readonly mongo: { readonly Collection: unknown }
    readonly Model: { readonly init: Method }
  }
  collection: NativeCollection
  readonly Query: { readonly prototype: Record<string, unknown> }
  readonly prototype: Record<string, unknown>
}

// What this takes the place of, or calls.
const OF_DOCUMENTS =
  '$__where $__delta $__init $__version $__getValue isSelected isModified $isDefault toObject invalidate updateOne'.split(' ')
/** Whose errors are of casting and validation. */
export const CASTING_OF_QUERIES: readonly string[] = ['_castUpdate', 'cast', 'exec']
export const CASTING_OF_MODELS: readonly string[] = ['bulkSave', 'bulkWrite', 'castObject', 'insertMany', 'validate']

/** A Mongoose that does without one of them would go past what was put there. @throws StrongroomError `unsupported_operation` */
export function requireInternals(model: MongooseModel): void {
  const all: readonly (readonly [string, Record<string, unknown>, readonly string[]])[] = [
    ['documents', model.prototype, OF_DOCUMENTS],
    ['queries', model.Query.prototype, [...CASTING_OF_QUERIES, 'cursor']],
    ['models', model, [...CASTING_OF_MODELS, 'discriminator', 'watch']],
    ['collections', model.collection, ['_getCollection']],
  ]
  for (const [of, holder, names] of all)
    for (const name of names)
      if (typeof holder[name] !== 'function')
        throw new StrongroomError(
          'unsupported_operation',
          `the ${of} of this Mongoose have no method ${name}, which encryptedFields needs: install a version that docs/mongoose.md names`,
        )
}

export type { Method }
