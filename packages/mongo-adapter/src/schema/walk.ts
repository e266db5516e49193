/** From a zod schema to what is encrypted where. What it cannot see through it refuses: a mark that is overlooked means plaintext. */

import { invalidArgument, shownName, StrongroomError } from '@strongroom/core'
import type { z } from 'zod'

import { isPart, markOf } from './encrypted.ts'
import { holdsMark, holdsPart, innerSchemas } from './inner-schemas.ts'
import { mergeMembers } from './merge.ts'
import { below, type ObjectNode, PLAIN, type SchemaNode } from './node.ts'

type Schema = z.core.$ZodType
type Definition<T> = T extends { readonly _zod: { readonly def: infer D } } ? D : never

/**
 * The tree of a document's schema.
 *
 * @throws StrongroomError `invalid_argument` (no object, nothing in it is encrypted, or a name that MongoDB does not take), `unsupported_operation`
 *   (an `encrypted()` stands beneath something whose values cannot be followed)
 */
export function walkSchema(schema: Schema): ObjectNode {
  if (typeof schema !== 'object' || schema === null || !('_zod' in schema)) throw invalidArgument('schema', 'must be a zod schema')
  if (markOf(schema) !== undefined) throw unsupported('', 'encrypted() cannot be the whole document: mark its members')
  const root = walk(schema, '', [])
  if (root.kind !== 'object') throw invalidArgument('schema', 'must be a z.object() or z.looseObject(), or a discriminated union of them')
  if (!holdsMark(schema)) throw invalidArgument('schema', 'must mark at least one member with encrypted() of this package')
  return root
}

function walk(schema: Schema, path: string, above: readonly Schema[]): SchemaNode {
  const mark = markOf(schema)
  if (mark !== undefined) {
    if (innerSchemas(schema).some((inner) => holdsMark(inner)))
      throw unsupported(path, 'an encrypted() stands within another: the outer one encrypts all that it holds')
    return { kind: 'encrypted', path, mark }
  }
  if (isPart(schema)) throw takenOut(path)
  if (above.includes(schema)) {
    if (holdsMark(schema)) throw unsupported(path, 'encrypted() stands in a schema that holds itself')
    return PLAIN
  }
  const within = [...above, schema]
  switch (schema._zod.def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'readonly':
      return walk(definition<z.core.$ZodOptional>(schema).innerType, path, within)
    case 'array': {
      const element = walk(definition<z.core.$ZodArray>(schema).element, `${path}[]`, within)
      return element.kind === 'plain' ? PLAIN : { kind: 'array', element }
    }
    case 'object':
      return walkObject(definition<z.core.$ZodObject>(schema), path, within)
    case 'union':
      if (definition<z.core.$ZodDiscriminatedUnion>(schema).discriminator !== undefined)
        return walkDiscriminated(definition<z.core.$ZodDiscriminatedUnion>(schema), path, within)
  }
  if (holdsMark(schema)) {
    throw unsupported(
      path,
      `encrypted() stands beneath a schema of type ${schema._zod.def.type}; put encrypted() around that, or use object, array, optional, nullable, default, readonly, discriminatedUnion`,
    )
  }
  if (holdsPart(schema)) throw takenOut(path)
  return PLAIN
}

function walkObject({ shape, catchall }: Definition<z.core.$ZodObject>, path: string, above: readonly Schema[]): ObjectNode {
  if (catchall !== undefined && holdsMark(catchall))
    throw unsupported(path, 'encrypted() stands in a catchall, whose names are not declared')
  if (catchall !== undefined && holdsPart(catchall)) throw takenOut(path)
  const members = new Map<string, SchemaNode>()
  for (const name of Object.keys(shape)) {
    requireName(name, path)
    members.set(name, walk(shape[name] as Schema, below(path, name), above))
  }
  return { kind: 'object', members, loose: catchall !== undefined && catchall._zod.def.type !== 'never' }
}

function walkDiscriminated(
  { options, discriminator }: Definition<z.core.$ZodDiscriminatedUnion>,
  path: string,
  above: readonly Schema[],
): SchemaNode {
  const nodes = options.map((option) => walk(option, path, above))
  const objects = nodes.filter((node): node is ObjectNode => node.kind === 'object')
  if (objects.length !== nodes.length) {
    if (nodes.some((node) => node.kind !== 'plain')) throw unsupported(path, 'an option of a discriminated union is no object')
    return PLAIN
  }
  const merged = mergeMembers(
    objects,
    (conflict) => unsupported(conflict, 'is encrypted in one option of a discriminated union and not so in another'),
    path,
  )
  if (merged.members.get(discriminator)?.kind === 'encrypted')
    throw unsupported(discriminator, 'tells the options of a discriminated union apart, so it cannot be encrypted')
  return merged
}

/** @param path - of the object that it is a member of @throws StrongroomError `invalid_argument` */
export function requireName(name: string, path: string): void {
  if (
    name === '' ||
    name.includes('.') ||
    name.startsWith('$') ||
    name.includes('\0') ||
    name === '__proto__' ||
    name.endsWith('[]') ||
    name === '*'
  )
    throw invalidArgument(
      'schema',
      `has a member${path === '' ? '' : ` of ${path}`} whose name cannot be part of a path: ${shownName(name)}; no dots, no NUL, no $ before it, no [] behind it`,
    )
}

function definition<T extends Schema>(schema: Schema): Definition<T> {
  return schema._zod.def as unknown as Definition<T>
}

function takenOut(path: string): StrongroomError {
  return unsupported(path, 'was taken out of an encrypted() of another schema: mark it anew, or it would not be encrypted')
}

function unsupported(path: string, why: string): StrongroomError {
  return new StrongroomError('unsupported_operation', path === '' ? why : `${path}: ${why}`)
}
