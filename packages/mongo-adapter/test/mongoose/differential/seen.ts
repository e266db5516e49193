// What a program sees of an answer of Mongoose's, as text: values with their types, members in their order, what documents know of themselves.
import { Binary, Decimal128, ObjectId, Timestamp } from 'mongodb'

interface Documentary {
  readonly constructor: { readonly modelName?: string }
  readonly $isNew: boolean
  readonly $locals: object
  readonly $__: { readonly activePaths: { readonly paths: object }; readonly selected?: unknown }
  readonly errors?: Readonly<Record<string, Error>>
  readonly $getPopulatedDocs?: () => readonly unknown[]
  modifiedPaths(): readonly string[]
  directModifiedPaths(): readonly string[]
  $isDeleted(): boolean
  toObject(options?: object): unknown
  toJSON(): unknown
}

/** Of one side: ids that nobody chose are named by when they were first seen. */
export class Seen {
  readonly #ids = new Map<string, string>()

  of(value: unknown): string {
    return JSON.stringify(this.#form(value), undefined, 1)
  }

  /** What is seen of an error. Messages are ours where values stand in Mongoose's. */
  error(thrown: unknown): string {
    return `threw ${JSON.stringify(this.#error(thrown), undefined, 1)}`
  }

  #error(thrown: unknown): unknown {
    const error = thrown as Error & Readonly<Record<string, unknown>>
    const { name, message } = error
    const inner = Object.entries((error['errors'] ?? {}) as Readonly<Record<string, unknown>>)
    return {
      name,
      ...(/^(?:Version|ParallelSave|DivergentArray|StrictMode|StrictPopulate|MissingSchema|ObjectParameter|Mongoose|Type|)Error$/u.test(
        name,
      )
        ? { message: this.#named(message.replace(REPEATS, '$1')) }
        : {}),
      ...Object.fromEntries(
        ['code', 'kind', 'path', 'valueType', 'version', 'modifiedPaths', 'keyPattern', 'numAffected'].flatMap((member) =>
          // Of a bulk write the driver does not say it at the top.
          error[member] === undefined || (member === 'keyPattern' && name === 'MongoBulkWriteError') ? [] : [[member, error[member]]],
        ),
      ),
      errors: inner.map(([path, each]) => [path, this.#error(each)]),
    }
  }

  #form(value: unknown): unknown {
    if (typeof value === 'bigint') return `${String(value)}n`
    if (typeof value === 'string') return this.#named(value)
    if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return `[${typeof value}]`
    if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : value
    if (value instanceof Error) return this.#error(value)
    if (value instanceof Date) return `Date ${value.getTime()}`
    if (value instanceof ObjectId) return `ObjectId ${this.#named(value.toHexString())}`
    if (value instanceof Decimal128) return `Decimal128 ${value.toString()}`
    if (value instanceof Binary) return `Binary ${value.sub_type} ${value.toString('hex')}`
    if (value instanceof Uint8Array) return `Buffer ${Buffer.from(value).toString('hex')}`
    if (value instanceof RegExp) return String(value)
    if (value instanceof Timestamp) return 'Timestamp'
    if (value instanceof Map) return { Map: [...value].map(([key, inner]) => [key, this.#form(inner)]) }
    if (Array.isArray(value)) return value.map((each) => this.#form(each))
    if (isDocument(value)) return this.#document(value)
    const { name } = (value.constructor ?? { name: 'null' }) as { readonly name: string }
    if (name === 'BulkWriteResult') {
      const { insertedCount, matchedCount, modifiedCount, deletedCount, upsertedCount, upsertedIds, insertedIds } = value as never
      return { insertedCount, matchedCount, modifiedCount, deletedCount, upsertedCount, upsertedIds, insertedIds }
    }
    const members = Object.entries(value).map(([key, inner]) => [key, this.#form(inner)])
    return name === 'Object' || name === 'null' ? Object.fromEntries(members) : { class: name, members }
  }

  #document(document: Documentary): unknown {
    return {
      document: document.constructor.modelName ?? document.constructor.constructor.name,
      isNew: document.$isNew,
      isDeleted: document.$isDeleted(),
      modified: document.modifiedPaths(),
      direct: document.directModifiedPaths(),
      paths: document.$__.activePaths.paths,
      selected: this.#form(document.$__.selected),
      locals: this.#form(document.$locals),
      errors: Object.keys(document.errors ?? {}),
      object: this.#form(document.toObject({ minimize: false })),
      json: this.#form(document.toJSON()),
      // In whatever order they were found.
      populated: (document.$getPopulatedDocs?.() ?? []).map((each) => this.of(each)).sort(),
    }
  }

  #named(text: string): string {
    return text.replaceAll(/\b[0-9a-f]{24}\b/gu, (id) => {
      if (id.startsWith(CHOSEN)) return id
      const known = this.#ids.get(id)
      if (known !== undefined) return known
      const name = `id ${this.#ids.size}`
      this.#ids.set(id, name)
      return name
    })
  }
}

// Mongoose ends it with the filter, of which ours says nothing.
const REPEATS = /^(Query was already executed): .*$/su

const CHOSEN = '0123456789'

/** An id that the test chose. */
export function chosen(n: number): ObjectId {
  return new ObjectId(CHOSEN + n.toString(16).padStart(24 - CHOSEN.length, '0'))
}

function isDocument(value: object): value is Documentary {
  return (
    '$__' in value && typeof (value as Documentary).toObject === 'function' && typeof (value as Documentary).modifiedPaths === 'function'
  )
}
