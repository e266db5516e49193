/** Which tenants, subject and id a filter lets through: only what every match must have. */

import { BSONRegExp } from 'mongodb'

import type { OwnerPath } from '../../schema/owner-path.ts'
import { ownerName } from '../../schema/owner-path.ts'
import { isTree, type Tree } from '../../values/resolve.ts'
import type { Layout } from '../layout.ts'

/** A literal `$in` of more tenants than this is no pin: each needs a key. */
const MOST_TENANTS = 32

export interface Pins {
  /** By name; `undefined` where the filter does not say. */
  readonly tenants: readonly string[] | undefined
  readonly subject: string | undefined
  /** The value of `_id`; `undefined` where the filter does not say. */
  readonly id: unknown
}

/** The pins of a resolved filter. */
export function pinsOf(layout: Layout, filter: Tree): Pins {
  const tenants = pinned(filter, layout.tenant)
  const subjects = pinned(filter, layout.subject)
  const id = equalities(filter, '_id').find((values) => values.length === 1 && !isPattern(values[0]))
  return {
    tenants: tenants !== undefined && tenants.length <= MOST_TENANTS ? tenants : undefined,
    subject: subjects?.length === 1 ? subjects[0] : undefined,
    id: id?.[0],
  }
}

// It stands where a value does, and lets others through.
function isPattern(value: unknown): boolean {
  return value instanceof RegExp || value instanceof BSONRegExp
}

// All that a filter says has to hold: of a scope and what is asked within it, only what both let through.
function pinned(filter: Tree, { path, type }: OwnerPath): readonly string[] | undefined {
  let pins: readonly string[] | undefined
  for (const values of equalities(filter, path)) {
    const names = values.map((value) => ownerName(type, value))
    if (!names.every((name) => name !== undefined)) continue
    pins = pins === undefined ? [...new Set(names)] : pins.filter((name) => names.includes(name))
  }
  return pins
}

// Every list of values of which a match must have one, at the top or within `$and`.
function equalities(filter: Tree, path: string): readonly (readonly unknown[])[] {
  const found: (readonly unknown[])[] = []
  for (const [key, condition] of Object.entries(filter)) {
    if (key === '$and' && Array.isArray(condition)) {
      for (const each of condition) if (isTree(each)) found.push(...equalities(each, path))
    } else if (key === path) {
      if (!isTree(condition)) found.push([condition])
      else if (Object.hasOwn(condition, '$eq')) found.push([condition['$eq']])
      else if (Array.isArray(condition['$in'])) found.push(condition['$in'] as readonly unknown[])
    }
  }
  return found
}
