/** What of a document is shredded has no place in it: such paths are as if they were not selected, and are never written over. */

import { invalidArgument } from '@strongroom/core'

import { ShreddedMark } from '../collection/shredded-mark.ts'
import { isTree } from '../values/resolve.ts'
import type { Method, MongooseDocument, MongooseModel, SchemaInternals } from './internals.ts'
import { stepsWithoutPositions } from './positions.ts'

/** Has documents that are read list such paths in `$locals.shredded`, without positions in arrays. */
export function followShredded({ prototype }: MongooseModel): void {
  const init = prototype['$__init'] as Method
  prototype['$__init'] = function (this: MongooseDocument, read: unknown, ...rest: unknown[]) {
    // Of most documents nothing is shredded: these are only looked at.
    if (!holdsShredded(read)) return init.call(this, read, ...rest)
    const gone = new Set<string>()
    const left = without(read, '', gone)
    unselect(this, [...gone])
    return init.call(this, left, ...rest)
  }
  const delta = prototype['$__delta'] as Method
  prototype['$__delta'] = function (this: MongooseDocument, ...args: unknown[]) {
    const found = delta.apply(this, args) as readonly [unknown, Readonly<Record<string, object>>] | undefined
    if (found !== undefined && found !== null) requireNothingOver(this, found[1])
    return found
  }
}

function holdsShredded(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) {
    for (const each of value) if (holdsShredded(each)) return true
    return false
  }
  if (!isTree(value)) return value instanceof ShreddedMark
  for (const name in value) if (holdsShredded(value[name])) return true
  return false
}

const GONE = Symbol('shredded')

// What was read stays as it is. Of an array all is gone of which an element is: a hole would move the others.
function without(value: unknown, path: string, gone: Set<string>): unknown {
  if (value instanceof ShreddedMark) {
    gone.add(path)
    return GONE
  }
  if (Array.isArray(value)) {
    const left = value.map((each: unknown) => without(each, path, gone))
    if (left.includes(GONE)) return GONE
    return left.some((each, i) => each !== value[i]) ? left : value
  }
  if (!isTree(value)) return value
  let left: Record<string, unknown> | undefined
  for (const [name, member] of Object.entries(value)) {
    const kept = without(member, path === '' ? name : `${path}.${name}`, gone)
    if (kept === member) continue
    left ??= { ...value }
    if (kept === GONE) delete left[name]
    else left[name] = kept
  }
  return left ?? value
}

function unselect(document: MongooseDocument, paths: readonly string[]): void {
  const { $__: state } = document
  const includes = state.selected !== undefined && state.selected !== null && state.exclude === false
  state.selected = includes
    ? withoutIncluded(document.$__schema, Object.keys(state.selected ?? {}), paths)
    : { ...state.selected, ...Object.fromEntries(paths.map((path) => [path, 0])) }
  if (!includes) state.exclude = true
  state.selectedIndex = undefined
  // Defaults were put there when the document was made.
  for (const path of paths) {
    removeAt(document._doc, path.split('.'))
    state.activePaths.clearPath(path)
  }
  // Goes with the document where that is cloned.
  state.shredded = paths
  document.$locals['shredded'] = [...paths]
}

function removeAt(of: unknown, [name = '', ...rest]: readonly string[]): void {
  if (!isTree(of) || !Object.hasOwn(of, name)) return
  if (rest.length === 0) delete of[name]
  else removeAt(of[name], rest)
}

function withoutIncluded(schema: SchemaInternals, included: readonly string[], gone: readonly string[]): Readonly<Record<string, 0 | 1>> {
  const left = included.flatMap((path) => split(schema, path, gone))
  // Of nothing, Mongoose takes everything for selected.
  return Object.fromEntries((left.length === 0 ? ['_id'] : left).map((path) => [path, 1]))
}

// What is included with all that it holds, member by member.
function split(schema: SchemaInternals, path: string, gone: readonly string[]): readonly string[] {
  if (gone.some((each) => isWithin(path, each))) return []
  if (!gone.some((each) => isWithin(each, path))) return [path]
  return beneath(schema, path).flatMap((each) => split(schema, each, gone))
}

function beneath(schema: SchemaInternals, path: string): readonly string[] {
  const nested = Object.keys(schema.paths).filter((each) => each.startsWith(`${path}.`))
  if (nested.length > 0) return nested
  for (const [name, { schema: of }] of Object.entries(schema.paths))
    if (of !== undefined && isWithin(path, name)) {
      const inner = path === name ? Object.keys(of.paths) : beneath(of, path.slice(name.length + 1))
      return inner.map((each) => `${name}.${each}`)
    }
  return []
}

/** Whether the first path is the second, or leads through it. */
function isWithin(path: string, holder: string): boolean {
  return path === holder || path.startsWith(`${holder}.`)
}

// These leave all that stands in an array as it is, or take out what they name.
const OF_ELEMENTS: ReadonlySet<string> = new Set(['$push', '$addToSet', '$pull', '$pullAll'])

function requireNothingOver(document: MongooseDocument, update: Readonly<Record<string, object>>): void {
  const gone = document.$__.shredded ?? []
  if (gone.length === 0) return
  for (const [operator, members] of Object.entries(update))
    for (const written of Object.keys(members)) {
      const path = stepsWithoutPositions(written).join('.')
      const over = gone.find((each) => isWithin(path, each) || (isWithin(each, path) && !OF_ELEMENTS.has(operator)))
      if (over !== undefined)
        throw invalidArgument(
          'document',
          `must not write over ${over}, which is shredded: leave it as it is, or name it in an updateOne; nothing was sent`,
        )
    }
}
