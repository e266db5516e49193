/** Values that are encrypted as a whole are written as a whole: of a change within one, `save` sends all that it has now. */

import { sharedCollectionOf } from './calls.ts'
import type { Method, MongooseDocument, MongooseModel } from './internals.ts'

type Update = Record<string, Record<string, unknown>>

export function writeWholeValues({ prototype }: MongooseModel): void {
  const delta = prototype['$__delta'] as Method
  prototype['$__delta'] = function (this: MongooseDocument, ...args: unknown[]) {
    const found = delta.apply(this, args) as readonly [where: object, update: Update] | undefined
    if (found !== undefined && found !== null) widen(this, ...found)
    return found
  }
}

// As Mongoose itself writes documents.
const AS_STORED = { transform: false, virtuals: false, getters: false, depopulate: true, flattenMaps: true, useProjection: false }
// Mongoose's sign for a change that takes the version it was read with, and makes another: two of such changes would undo each other.
const VERSION_ALL = 3

function widen(document: MongooseDocument, where: object, update: Update): void {
  const wholes = new Set<string>()
  const wholeAt = sharedCollectionOf((document.constructor as MongooseModel).collection)?.wholes()
  for (const [operator, members] of Object.entries(update))
    for (const path of Object.keys(members)) {
      const whole = wholeAt?.(path)
      if (whole === undefined || (whole === path && (operator === '$set' || operator === '$unset'))) continue
      wholes.add(whole)
      delete members[path]
      if (Object.keys(members).length === 0) delete update[operator]
    }
  if (wholes.size === 0) return
  const object = document.toObject(AS_STORED)
  for (const path of wholes) {
    const value = valueAt(object, path.split('.'))
    const [operator, operand]: [string, unknown] = value === undefined ? ['$unset', 1] : ['$set', value]
    update[operator] = { ...update[operator], [path]: operand }
  }
  if (document.$__schema.options.versionKey === false) return
  document.$__.version = (document.$__.version ?? 0) | VERSION_ALL
  document.$__version(where, update)
}

function valueAt(value: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined) return value
  if (typeof value !== 'object' || value === null) return undefined
  return valueAt((value as Readonly<Record<string, unknown>>)[step], rest)
}
