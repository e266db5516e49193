/** Declared fields: the name and the type of one kind of sensitive value. */

import type { z } from 'zod'

import { wipe } from './crypto/hash.ts'
import { invalidArgument, StrongroomError } from './errors.ts'
import { copy, isBytes, utf8 } from './format/bytes.ts'
import { attempt, readOptions } from './read-options.ts'
import { type EncryptedValueBytes, fieldData } from './format/encrypted-value.ts'
import { type EncodedValue, frame } from './format/frame.ts'
import { jsonCodec, STRING, stringFrame, type ValueCodec } from './format/value-codec.ts'

const MAX_NAME_BYTES = 256

declare const valueType: unique symbol

/** The stored form of a value of type T: opaque bytes. Store them as they are, or as text with `encryptedToText`. */
export type Encrypted<T> = EncryptedValueBytes & { readonly [valueType]?: T }

/** Where a value was stored under another name before; such values are read, never written. */
export interface PreviousName {
  readonly context: string
  readonly field: string
}

/** Options of {@link field}. */
export interface FieldOptions {
  /** Names under which older values were written. */
  readonly previous?: readonly PreviousName[]
  /** Hide the length: the stored size then tells only a rounded one (Padmé, at most 12 % more). */
  readonly padded?: boolean
  /** How values become bytes; a database adapter brings its own. */
  readonly codec?: ValueCodec
}

/** A context and a field name, as values are bound to them. */
export interface FieldName {
  readonly context: string
  readonly contextBytes: Uint8Array
  /** What the associated data of values has of both. */
  readonly data: Uint8Array
}

/**
 * A declared field. Make one with {@link field} and keep it: what is derived for a field is cached by its identity.
 */
export class Field<T> {
  /** The logical collection. */
  readonly context: string
  /** The logical path within it. */
  readonly name: string
  readonly padded: boolean
  /** `context.name`, for logs and audits. */
  readonly label: string
  /** @internal */
  readonly names: readonly [FieldName, ...FieldName[]]
  readonly #schema: z.ZodType<T>
  readonly #codec: ValueCodec
  readonly #ownsStrings: boolean

  /** @internal */
  constructor(context: string, name: string, schema: z.ZodType<T>, options: FieldOptions) {
    const { previous = [], padded = false, codec = jsonCodec } = readOptions(options, ['previous', 'padded', 'codec'])
    this.names = [fieldName(context, name, 'context', 'name'), ...previousNames(previous)]
    if (typeof padded !== 'boolean') throw invalidArgument('padded', 'must be true or false')
    if (!hasMethods(codec, 'codec', ['encode', 'decode'])) throw invalidArgument('codec', 'must have the methods encode and decode')
    const strings: unknown = attempt('codec', () => codec.strings)
    if (strings !== undefined && strings !== 'core') throw invalidArgument('codec', "must have 'core' as strings, or nothing")
    if (!hasMethods(schema, 'schema', ['safeParse', 'parse'])) throw invalidArgument('schema', 'must be a zod schema')
    this.context = context
    this.name = name
    this.padded = padded
    this.label = `${context}.${name}`
    this.#schema = schema
    this.#codec = codec
    this.#ownsStrings = strings === 'core'
  }

  /** @internal Whether this was made by `field()`: false for whatever only looks like it. */
  static isField(value: unknown): value is Field<unknown> {
    return typeof value === 'object' && value !== null && #schema in value
  }

  /** @internal The frame of a value that the schema accepts. The caller wipes it. */
  frame(value: T): Uint8Array {
    if (typeof value === 'string' && this.#ownsStrings && !this.padded) {
      const framed = stringFrame(value)
      if (this.#accepts(value)) return framed
      wipe(framed)
    } else {
      const encoded = this.#encode(value)
      if (this.#accepts(value)) return frame(encoded, this.padded)
    }
    throw invalidArgument('value', 'is refused by the schema of its field')
  }

  /** @internal The value, parsed by the field's schema. */
  decode(encoded: EncodedValue): T {
    const decoded = this.#decode(encoded)
    const result = decoded === undefined ? undefined : this.#parse(decoded)
    if (result?.success !== true) {
      throw new StrongroomError(
        'schema_mismatch',
        'the stored value is authentic, but the schema of its field refuses it; read it with the declaration it was written with',
      )
    }
    return result.data
  }

  // What a codec throws may hold the value as well; and it may keep a view of bytes that are wiped later.
  #encode(value: T): EncodedValue {
    if (this.#codec === jsonCodec || (typeof value === 'string' && this.#ownsStrings)) return jsonCodec.encode(value)
    const encoded = attempt('value', () => {
      const { type, body } = this.#codec.encode(value)
      return { type, body }
    })
    if (!isBytes(encoded.body)) throw invalidArgument('codec', 'must encode to { type, body }')
    return encoded
  }

  #decode(encoded: EncodedValue): unknown {
    if (this.#codec === jsonCodec || (encoded.type === STRING && this.#ownsStrings)) return jsonCodec.decode(encoded)
    try {
      return this.#codec.decode({ type: encoded.type, body: copy(encoded.body) })
    } catch {
      return undefined
    }
  }

  #accepts(value: unknown): boolean {
    return this.#parse(value)?.success === true
  }

  // A schema's issues, and what a refinement throws, may hold the value: neither goes any further.
  #parse(value: unknown): { readonly success: true; readonly data: T } | { readonly success: false } | undefined {
    try {
      return this.#schema.safeParse(value)
    } catch {
      return undefined
    }
  }
}

/**
 * Declares a field: which logical collection, which path in it, and what its values are.
 *
 * @param context - the logical collection, such as `users`; 1 to 256 UTF-8 bytes. Never a physical name: it is part of every value
 * @param name - the path, such as `email`, `address.street`, `phones[]`, `attrs.*`
 * @param schema - a synchronous zod schema; values are checked before encryption and parsed after decryption
 * @throws StrongroomError `invalid_argument` naming the argument
 * @example
 * ```ts
 * import { field } from '@strongroom/core'
 * import { z } from 'zod'
 *
 * const email = field('users', 'email', z.email())
 * const notes = field('users', 'notes', z.string(), { padded: true })
 * ```
 */
export function field<T>(context: string, name: string, schema: z.ZodType<T>, options: FieldOptions = {}): Field<T> {
  return new Field(context, name, schema, options)
}

function previousNames(previous: readonly PreviousName[]): FieldName[] {
  if (!attempt('previous', () => Array.isArray(previous))) throw invalidArgument('previous', 'must be a list of { context, field }')
  return [...previous].map((name) => {
    if (typeof name !== 'object' || name === null) throw invalidArgument('previous', 'must be a list of { context, field }')
    return attemptNames(name)
  })
}

function attemptNames(name: PreviousName): FieldName {
  const context = attempt('previous.context', () => name.context)
  const path = attempt('previous.field', () => name.field)
  return fieldName(context, path, 'previous.context', 'previous.field')
}

function hasMethods(value: unknown, argument: string, methods: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return attempt(argument, () => methods.every((method) => typeof (value as Readonly<Record<string, unknown>>)[method] === 'function'))
}

function fieldName(context: string, name: string, contextArgument: string, nameArgument: string): FieldName {
  const contextBytes = nameBytes(context, contextArgument)
  return { context, contextBytes, data: fieldData(contextBytes, nameBytes(name, nameArgument)) }
}

function nameBytes(text: string, argument: string): Uint8Array {
  if (typeof text !== 'string' || text.length === 0 || text.length > MAX_NAME_BYTES) {
    throw invalidArgument(argument, `must be a string of 1 to ${MAX_NAME_BYTES} bytes`)
  }
  const bytes = utf8(text, argument)
  if (bytes.length > MAX_NAME_BYTES) throw invalidArgument(argument, `must be a string of 1 to ${MAX_NAME_BYTES} bytes`)
  return bytes
}
