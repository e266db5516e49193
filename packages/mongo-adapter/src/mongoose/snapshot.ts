/** What schemas had when they were looked at, so that a call need not look again: Mongoose lets them change after models are made of them. */

import type { MongooseType, SchemaInternals } from './internals.ts'
import { schemasIn, typesIn } from './schema-types.ts'

interface SeenSchema {
  readonly schema: SchemaInternals
  readonly names: readonly string[]
  readonly types: readonly unknown[]
  readonly discriminators: readonly unknown[]
}

interface SeenType {
  readonly type: MongooseType
  readonly mark: unknown
  readonly inner: readonly unknown[]
}

export class Snapshot {
  readonly #schemas: readonly SeenSchema[]
  readonly #types: readonly SeenType[]

  constructor(roots: Iterable<SchemaInternals>) {
    const all = [...roots]
    const seen = new Set<object>()
    this.#schemas = [...new Set(all.flatMap((root) => [...schemasIn(root)]))].map((schema) => ({
      schema,
      names: Object.keys(schema.paths),
      types: Object.values(schema.paths),
      discriminators: Object.values(schema.discriminators ?? {}),
    }))
    this.#types = all
      .flatMap((root) => [...typesIn(root, seen)])
      .map((type) => ({ type, mark: type.options['encrypted'], inner: innerOf(type) }))
  }

  /** Whether they have the same now. */
  isCurrent(): boolean {
    return this.#schemas.every(isSameSchema) && this.#types.every(isSameType)
  }
}

function isSameSchema({ schema: { paths, discriminators: now }, names, types, discriminators }: SeenSchema): boolean {
  let i = 0
  for (const name in paths) if (names[i] !== name || types[i++] !== paths[name]) return false
  if (i !== names.length) return false
  i = 0
  for (const name in now) if (discriminators[i++] !== now[name]) return false
  return i === discriminators.length
}

function isSameType({ type, mark, inner: [schema, element, value] }: SeenType): boolean {
  return type.options['encrypted'] === mark && type.schema === schema && type.embeddedSchemaType === element && type.$__schemaType === value
}

function innerOf({ schema, embeddedSchemaType, $__schemaType }: MongooseType): readonly unknown[] {
  return [schema, embeddedSchemaType, $__schemaType]
}
