/** From a Mongoose schema to what is encrypted where. All that is not marked is plain, whatever it holds, and may have other members. */

import { StrongroomError } from '@strongroom/core'

import { mergeMembers } from '../schema/merge.ts'
import { below, holdsEncrypted, type ObjectNode, PLAIN, type SchemaNode } from '../schema/node.ts'
import { requireName } from '../schema/walk.ts'
import type { MongooseType, SchemaInternals } from './internals.ts'
import { markOf } from './marks.ts'
import { holdsMark, typesIn, typesWithin } from './schema-types.ts'

/**
 * The tree of a schema and its discriminators.
 *
 * @param above - the schemas that hold it
 * @throws StrongroomError `invalid_argument`; `unsupported_operation` (a mark stands where values cannot be followed)
 */
export function declarationOf(schema: SchemaInternals, path = '', above: readonly SchemaInternals[] = []): ObjectNode {
  if (above.includes(schema)) {
    if (holdsMark(typesIn(schema), path)) throw unsupported(path, 'encrypted stands in a schema that holds itself')
    return { kind: 'object', members: new Map(), loose: true }
  }
  const within = [...above, schema]
  const members: Members = new Map()
  for (const [name, type] of Object.entries(schema.paths)) {
    const node = nodeOf(type, below(path, name), within)
    if (node.kind === 'encrypted') requireOwn(schema, name, node.path)
    if (node.kind !== 'plain') put(members, name.split('.'), node, path)
  }
  const own: ObjectNode = { kind: 'object', members, loose: true }
  const others = Object.values(schema.discriminators ?? {}).map((each) => declarationOf(each, path, within))
  return others.length === 0 ? own : merged([own, ...others], path)
}

/** Several schemas of one collection: what is encrypted in one is so in all. @throws StrongroomError `unsupported_operation` */
export function merged(declarations: readonly ObjectNode[], path = ''): ObjectNode {
  return mergeMembers(
    declarations,
    (conflict) => unsupported(conflict, 'is encrypted in different ways by schemas of one collection'),
    path,
  )
}

/** What is marked now, and what was marked before and is plain now. @throws StrongroomError `unsupported_operation` */
export function keeping(now: ObjectNode, before: ObjectNode, path = ''): ObjectNode {
  const members = new Map(now.members)
  for (const [name, node] of before.members) members.set(name, kept(members.get(name), node, below(path, name)))
  return { ...now, members }
}

function kept(now: SchemaNode | undefined, before: SchemaNode, path: string): SchemaNode {
  if (now === undefined || now.kind === 'plain') return before
  if (now.kind === 'encrypted' && before.kind === 'encrypted') return now
  if (now.kind === 'object' && before.kind === 'object') return keeping(now, before, path)
  if (now.kind === 'array' && before.kind === 'array') return { ...now, element: kept(now.element, before.element, `${path}[]`) }
  throw unsupported(path, 'was encrypted in another way')
}

function nodeOf(type: MongooseType, path: string, above: readonly SchemaInternals[]): SchemaNode {
  const node = markedIn(type, path, above)
  if (node.kind === 'plain' && hidesMark(Object.values(type.options)))
    throw unsupported(path, 'encrypted stands within it where Mongoose makes no path of it: mark the whole path, or make it a Schema')
  return node
}

function markedIn(type: MongooseType, path: string, above: readonly SchemaInternals[]): SchemaNode {
  const mark = markOf(type, path)
  if (mark !== undefined) {
    const [, ...inner] = typesWithin(type)
    if (holdsMark(inner, path)) throw unsupported(path, 'an encrypted path stands within another: the outer one encrypts all that it holds')
    return { kind: 'encrypted', path, mark }
  }
  if (type.$isSchemaMap === true || type.schemaTypes !== undefined) {
    if (holdsMark(typesWithin(type), path))
      throw unsupported(
        path,
        `encrypted stands within a ${type.instance}, whose values cannot be followed: mark the whole ${type.instance}`,
      )
    return PLAIN
  }
  if (type.schema !== undefined && (type.$isMongooseDocumentArray === true || type.$isSingleNested === true)) {
    const array = type.$isMongooseDocumentArray === true
    const node = declarationOf(type.schema, array ? `${path}[]` : path, above)
    if (!holdsEncrypted(node)) return PLAIN
    return array ? { kind: 'array', element: node } : node
  }
  if (type.embeddedSchemaType === undefined) return PLAIN
  const element = nodeOf(type.embeddedSchemaType, `${path}[]`, above)
  return element.kind === 'plain' ? PLAIN : { kind: 'array', element }
}

// Of `{ type: Object, name: { …, encrypted: true } }` Mongoose sees no member.
function hidesMark(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return false
  const { encrypted } = value as { readonly encrypted?: unknown }
  return (encrypted !== undefined && encrypted !== false) || Object.values(value).some(hidesMark)
}

type Members = Map<string, SchemaNode>

// Mongoose names members of nested objects by their paths.
function put(members: Members, [name = '', ...rest]: readonly string[], node: SchemaNode, path: string): void {
  requireName(name, path)
  const there = members.get(name)
  if (rest.length === 0 && there === undefined) {
    members.set(name, node)
    return
  }
  const inner = there ?? ({ kind: 'object', members: new Map(), loose: true } satisfies ObjectNode)
  if (rest.length === 0 || inner.kind !== 'object') throw unsupported(below(path, name), 'is declared twice')
  members.set(name, inner)
  put(inner.members as Members, rest, node, below(path, name))
}

// What Mongoose itself reads and counts.
function requireOwn({ options }: SchemaInternals, name: string, path: string): void {
  if (name === options.versionKey || name === options.discriminatorKey)
    throw unsupported(path, 'is the version key or the discriminator key, which Mongoose asks the database for: it must be plain')
}

function unsupported(path: string, why: string): StrongroomError {
  return new StrongroomError('unsupported_operation', `${path}: ${why}`)
}
