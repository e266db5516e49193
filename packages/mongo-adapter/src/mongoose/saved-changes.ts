/**
 * What `save` sends of a change that the database cannot make of what is encrypted: a value that is encrypted as a whole with all that it has
 * now, an array without what was taken out of it, and new elements of a set as new elements.
 */

import { StrongroomError } from '@strongroom/core'

import { type Layout, writtenPlaceOf } from '../collection/layout.ts'
import { sharedCollectionOf } from './calls.ts'
import type { Method, MongooseDocument, MongooseModel } from './internals.ts'

type Update = Record<string, Record<string, unknown>>

export function adaptSavedChanges({ prototype }: MongooseModel): void {
  const delta = prototype['$__delta'] as Method
  prototype['$__delta'] = function (this: MongooseDocument, ...args: unknown[]) {
    const found = delta.apply(this, args) as readonly [where: object, update: Update] | undefined
    if (found !== undefined && found !== null) adapt(this, ...found)
    return found
  }
}

// As Mongoose itself writes documents, whatever a schema says of its toObject().
const AS_STORED = {
  transform: false,
  virtuals: false,
  getters: false,
  depopulate: true,
  flattenMaps: true,
  flattenDecimals: false,
  flattenObjectIds: false,
  flattenUUIDs: false,
  schemaFieldsOnly: false,
  useProjection: false,
  versionKey: true,
}
// Mongoose's sign for a change that takes the version it was read with, and makes another: what others have changed since is not undone.
const VERSION_ALL = 3

function adapt(document: MongooseDocument, where: object, update: Update): void {
  const layout = sharedCollectionOf((document.constructor as MongooseModel).collection)?.layout()
  if (layout === undefined) return
  const wholes = new Set<string>()
  const pushed: Record<string, unknown> = {}
  for (const [operator, members] of Object.entries(update))
    for (const [path, operand] of Object.entries(members)) {
      const way = wayOf(layout, operator, path)
      if (way === undefined) continue
      requireRead(document, way === '$push' ? path : way.whole)
      if (way === '$push') pushed[path] = operand
      else wholes.add(way.whole)
      delete members[path]
      if (Object.keys(members).length === 0) delete update[operator]
    }
  if (Object.keys(pushed).length > 0) update['$push'] = { ...update['$push'], ...pushed }
  else if (wholes.size === 0) return
  const object = wholes.size === 0 ? undefined : document.toObject(AS_STORED)
  for (const path of wholes) {
    const value = valueAt(object, path.split('.'))
    const [operator, operand]: [string, unknown] = value === undefined ? ['$unset', 1] : ['$set', value]
    update[operator] = { ...update[operator], [path]: operand }
  }
  if (document.$__schema.options.versionKey === false) return
  document.$__.version = (document.$__.version ?? 0) | VERSION_ALL
  document.$__version(where, update)
}

// Of what it has not, a document cannot say what it is now.
function requireRead(document: MongooseDocument, path: string): void {
  // Selections say nothing of positions.
  if (document.isSelected(path.replaceAll(/\.\d+(?=\.|$)/gu, ''))) return
  throw new StrongroomError(
    'unsupported_operation',
    `this change of ${path}, which is encrypted, needs all that is there, and the document was read without it: select it; nothing was sent`,
  )
}

/** `undefined` for what can be sent as it is. */
function wayOf(layout: Layout, operator: string, path: string): '$push' | { readonly whole: string } | undefined {
  const steps = path.split('.')
  for (let count = 1; count <= steps.length; count++) {
    const at = steps.slice(0, count).join('.')
    const place = writtenPlaceOf(layout, at)
    if (place.kind === 'plain') return undefined
    if (place.kind === 'sealed' && !place.array)
      return at === path && (operator === '$set' || operator === '$unset') ? undefined : { whole: at }
    if (at !== path) continue
    // Mongoose has found none that is equal, which the database could not.
    if (operator === '$addToSet') return '$push'
    if (place.kind === 'sealed' && (operator === '$pull' || operator === '$pullAll')) return { whole: path }
  }
  return undefined
}

function valueAt(value: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) return value
  if (typeof value !== 'object' || value === null) return undefined
  return valueAt((value as Readonly<Record<string, unknown>>)[step], rest)
}
