/** What a schema is made of, whatever kind it is: nothing that is marked may be overlooked. */

import type { z } from 'zod'

import { isPart, markOf } from './encrypted.ts'

/** Whether a schema, or anything in it, is marked. */
export function holdsMark(schema: z.core.$ZodType): boolean {
  return holds(schema, (each) => markOf(each) !== undefined)
}

/** Whether a schema, or anything in it, was taken out of a marked one. */
export function holdsPart(schema: z.core.$ZodType): boolean {
  return holds(schema, isPart)
}

function holds(schema: z.core.$ZodType, is: (schema: z.core.$ZodType) => boolean, seen: Set<z.core.$ZodType> = new Set()): boolean {
  if (seen.has(schema)) return false
  seen.add(schema)
  return is(schema) || innerSchemas(schema).some((inner) => holds(inner, is, seen))
}

/** The schemas that the definition of a schema names, by whatever name. */
export function innerSchemas(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const found: z.core.$ZodType[] = []
  const definition = schema._zod.def as z.core.$ZodTypeDef & { readonly getter?: () => unknown }
  for (const [name, value] of Object.entries(definition)) {
    if (name === 'checks') continue
    collect(definition.type === 'lazy' && name === 'getter' ? definition.getter?.() : value, found)
  }
  return found
}

// A schema, a list of them, or an object of them: a shape, whose members may be getters.
function collect(value: unknown, found: z.core.$ZodType[]): void {
  if (typeof value !== 'object' || value === null) return
  if (isSchema(value)) found.push(value)
  else if (Array.isArray(value)) for (const each of value) collect(each, found)
  else if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
    for (const each of Object.values(value)) if (isSchema(each)) found.push(each)
}

function isSchema(value: unknown): value is z.core.$ZodType {
  return typeof value === 'object' && value !== null && '_zod' in value
}
