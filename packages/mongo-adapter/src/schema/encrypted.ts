/** The mark that makes a part of a schema encrypted. */

import { invalidArgument, type Normalize, readOptions, StrongroomError } from '@strongroom/core'
import { z } from 'zod'

/** How an encrypted path can be searched by equality. */
export interface IndexOptions {
  /**
   * Who can be compared with whom. `tenant`: a key for each tenant; a filter has to say which tenant. `application`: one key for all, such
   * as for a login by e-mail; whoever sees the database learns that two tenants know the same person, and it outlives a tenant's shredding.
   */
  readonly scope: 'tenant' | 'application'
  /** No two documents have the same value, within a tenant or within the collection, as `scope` says. */
  readonly unique?: boolean
  /** What counts as equal; without it only the very same value. */
  readonly normalize?: Normalize
  /** The name under which values are compared; `context.path` unless given. Two paths can be joined only within one domain, scope and normaliser. */
  readonly domain?: string
}

/** Options of {@link encrypted}. */
export interface EncryptedOptions {
  readonly index?: IndexOptions
  /** Hides the length: what is stored tells only a rounded one (at most 12 % more). */
  readonly padded?: boolean
}

declare const MARKED: unique symbol

/** What only the compiler sees of the mark: that a value may be read as `SHREDDED`, and whether it has an index. */
export interface EncryptedMark<Indexed extends boolean = boolean> {
  readonly [MARKED]: Indexed
}

/** What a mark says, checked. */
export interface Mark {
  readonly index: IndexOptions | undefined
  readonly padded: boolean
}

/** What is known of a schema: that it is marked, or that it is part of a marked one, which a schema of its own must not be. */
interface Known {
  readonly mark?: Mark
  readonly part?: true
}

type Marks = z.core.$ZodRegistry<Known>

// One for all copies of this package in a process: what one has marked must not be plain to another.
const MARKS = Symbol.for('@strongroom/mongo-adapter marks')
const shared = globalThis as { [MARKS]?: Marks }
// A registry of our own: what zod derives from a marked schema (`refine`, `min`, `meta`) still finds the mark, which a WeakMap would lose.
const marks: Marks = (shared[MARKS] ??= z.registry<Known>())

const NORMALISERS: readonly unknown[] = [undefined, 'email', 'phone', 'text', 'none']

/**
 * Marks a schema: wherever it stands in a document, the value is encrypted, as one value with all that it holds. The schema itself is not
 * changed; the mark is on a copy. What is derived from the copy by `refine`, `min`, `meta` and the like keeps the mark; an object that is to
 * be extended, an enum to be narrowed or a wrapper to be taken off, is so before it is marked: what is taken out of a marked schema,
 * as by `z.input()`, `z.output()`, `z.invertCodec()` or `z.deepPartial()`, is refused when a collection is made with it.
 *
 * @throws StrongroomError `invalid_argument`
 * @example
 * ```ts
 * import { encrypted } from '@strongroom/mongo-adapter'
 * import { z } from 'zod'
 *
 * const User = z.object({
 *   _id: z.string(),
 *   orgId: z.string(),
 *   email: encrypted(z.email(), { index: { scope: 'application', unique: true, normalize: 'email' } }),
 *   name: encrypted(z.string()),
 * })
 * ```
 */
export function encrypted<S extends z.ZodType>(
  schema: S,
  options: EncryptedOptions & { readonly index: IndexOptions },
): S & EncryptedMark<true>
export function encrypted<S extends z.ZodType>(schema: S, options?: EncryptedOptions & { readonly index?: never }): S & EncryptedMark<false>
export function encrypted<S extends z.ZodType>(schema: S, options?: EncryptedOptions): S & EncryptedMark
export function encrypted<S extends z.ZodType>(schema: S, options?: EncryptedOptions): S & EncryptedMark {
  const mark = readMark(options)
  if (typeof schema !== 'object' || schema === null || !('_zod' in schema)) throw invalidArgument('schema', 'must be a zod schema')
  return marked(copyOf(schema), mark) as S & EncryptedMark
}

/** @throws StrongroomError `invalid_argument` */
export function readMark(options: EncryptedOptions | undefined): Mark {
  const { index, padded = false } = readOptions(options, ['index', 'padded'])
  if (typeof padded !== 'boolean') throw invalidArgument('padded', 'must be true or false')
  return { index: index === undefined ? undefined : checkIndex(index), padded }
}

// With parts of its own, which are known as such.
function copyOf(schema: z.ZodType): z.ZodType {
  return z.core.clone(schema, withOwnParts(schema._zod.def), { parent: true })
}

// Members of a definition that are a schema, or a list of them. A shape is none: what takes an object apart copies it.
const PARTS = ['element', 'in', 'innerType', 'items', 'keyType', 'left', 'options', 'out', 'rest', 'right', 'valueType']

function withOwnParts<D extends object>(definition: D): D {
  // Not by reading: a member may be a getter, of schemas that are not there yet.
  const members = Object.getOwnPropertyDescriptors(definition) as Record<string, PropertyDescriptor>
  for (const name of PARTS) {
    const member = members[name]
    if (member !== undefined && 'value' in member) member.value = asPart(member.value)
  }
  return Object.create(Object.prototype, members) as D
}

function asPart(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asPart)
  if (typeof value !== 'object' || value === null || !('_zod' in value) || isPart(value as z.core.$ZodType)) return value
  const part = z.core.clone(value as z.core.$ZodType)
  marks.add(part as z.ZodType, { ...marks.get(part as z.ZodType), part: true })
  return part
}

// All that zod makes by copying a marked schema is marked too, and guarded as it is.
function marked(schema: z.ZodType, mark: Mark): z.ZodType {
  marks.add(schema, { mark })
  const Original = schema._zod.constr
  schema._zod.constr = function (definition: object) {
    return marked(new Original(withOwnParts(definition)) as z.ZodType, mark)
  } as unknown as typeof Original
  for (const name of LOSES_THE_MARK) if (name in schema) Object.defineProperty(schema, name, { value: refuseToDerive, configurable: true })
  // Of an enum the options are plain values.
  for (const name of INNER)
    if (name in schema && !(name === 'options' && schema.type === 'enum'))
      Object.defineProperty(schema, name, { get: refuseToDerive, configurable: true })
  return schema
}

// These make a schema that nothing connects with the marked one, or of what is within it: what that describes would be stored as plaintext.
const LOSES_THE_MARK = [
  'catchall',
  'exactPartial',
  'exclude',
  'extend',
  'extract',
  'keyof',
  'loose',
  'merge',
  'omit',
  'partial',
  'passthrough',
  'pick',
  'removeCatch',
  'removeDefault',
  'required',
  'rest',
  'safeExtend',
  'strict',
  'strip',
  'unwrap',
]

/** Members that are a schema, or hold some. */
const INNER = ['element', 'in', 'keyType', 'options', 'out', 'shape', 'valueType']

function refuseToDerive(): never {
  throw new StrongroomError(
    'unsupported_operation',
    'derive the schema first and mark the result: what is derived in this way would not be encrypted',
  )
}

/** What the mark of a schema says, if it has one. */
export function markOf(schema: z.core.$ZodType): Mark | undefined {
  // Not `has`: that does not see what a schema was derived from.
  return marks.get(schema as z.ZodType)?.mark
}

/** Whether it was taken out of a marked schema, or made of what was. */
export function isPart(schema: z.core.$ZodType): boolean {
  return marks.get(schema as z.ZodType)?.part === true
}

function checkIndex(options: IndexOptions): IndexOptions {
  const { scope, unique = false, normalize, domain } = readOptions(options, ['scope', 'unique', 'normalize', 'domain'])
  if (scope !== 'tenant' && scope !== 'application')
    throw invalidArgument(
      'index.scope',
      "must be given: 'tenant' (a key for each tenant), or 'application' (one key, values of all tenants can be compared)",
    )
  if (typeof unique !== 'boolean') throw invalidArgument('index.unique', 'must be true or false')
  if (!NORMALISERS.includes(normalize)) throw invalidArgument('index.normalize', 'must be email, phone, text or none')
  if (domain !== undefined && (typeof domain !== 'string' || domain === '')) throw invalidArgument('index.domain', 'must be a name')
  return { scope, unique, ...(normalize === undefined ? {} : { normalize }), ...(domain === undefined ? {} : { domain }) }
}
