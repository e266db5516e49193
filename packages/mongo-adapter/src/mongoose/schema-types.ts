/** Every path that a Mongoose schema has, wherever it stands. */

import type { MongooseType, SchemaInternals } from './internals.ts'
import { markOf } from './marks.ts'

/** Subdocuments, elements, values of maps and options of unions included. A schema that holds itself is looked at once. */
export function* typesIn(schema: SchemaInternals, seen: Set<object> = new Set()): Generator<MongooseType, void> {
  if (seen.has(schema)) return
  seen.add(schema)
  for (const type of Object.values(schema.paths)) yield* typesWithin(type, seen)
  for (const each of Object.values(schema.discriminators ?? {})) yield* typesIn(each, seen)
}

export function* typesWithin(type: MongooseType, seen: Set<object> = new Set()): Generator<MongooseType, void> {
  if (seen.has(type)) return
  seen.add(type)
  yield type
  if (type.schema !== undefined) yield* typesIn(type.schema, seen)
  for (const each of [type.embeddedSchemaType, type.$__schemaType, ...(type.schemaTypes ?? [])])
    if (each !== undefined) yield* typesWithin(each, seen)
}

export function holdsMark(types: Iterable<MongooseType>, path: string): boolean {
  for (const type of types) if (markOf(type, path) !== undefined) return true
  return false
}

/** The schema, and those of its subdocuments and discriminators. */
export function schemasIn(schema: SchemaInternals): ReadonlySet<SchemaInternals> {
  const inner = [...typesIn(schema)].flatMap(({ schema: of }) => (of === undefined ? [] : [of]))
  const found = new Set([schema, ...inner])
  // What typesIn() has gone through: of those that it came to, too.
  for (const each of found) for (const other of Object.values(each.discriminators ?? {})) found.add(other)
  return found
}
