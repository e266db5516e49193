/** Every operator of a filter, and where it works: the one table. What is not in it is refused. */

import { shownName, StrongroomError } from '@strongroom/core'

export interface FilterOperator {
  readonly plain: 'works' | 'refused'
  /** On encrypted paths that have an index; `arrays`: where the path is an array, whose elements are encrypted. */
  readonly indexed: 'works' | 'arrays' | 'refused'
  /** On those that have none; `null`: with null, and no other value. */
  readonly unindexed: 'works' | 'arrays' | 'null' | 'refused'
  /** What to do in its place where it is refused. */
  readonly instead?: string
}

/** Operators that join filters. */
export const LOGIC: readonly string[] = ['$and', '$or', '$nor']

const BY_EQUALITY: FilterOperator = { plain: 'works', indexed: 'works', unindexed: 'null' }
const EVERYWHERE: FilterOperator = { plain: 'works', indexed: 'works', unindexed: 'works' }
const COMPARED_AFTERWARDS = onPlainPaths('find by what is equal or plain, and compare what was read')
const NOWHERE = onNoPath('conditions on single paths, and comparing what was read')

export const FILTER_OPERATORS: Readonly<Record<string, FilterOperator>> = {
  $eq: BY_EQUALITY,
  $ne: BY_EQUALITY,
  $in: BY_EQUALITY,
  $nin: BY_EQUALITY,
  $all: { plain: 'works', indexed: 'works', unindexed: 'refused' },
  $elemMatch: { plain: 'works', indexed: 'arrays', unindexed: 'refused' },
  $not: EVERYWHERE,
  $exists: EVERYWHERE,
  $size: { plain: 'works', indexed: 'arrays', unindexed: 'arrays' },
  $type: onPlainPaths('$exists, or null'),
  $gt: COMPARED_AFTERWARDS,
  $gte: COMPARED_AFTERWARDS,
  $lt: COMPARED_AFTERWARDS,
  $lte: COMPARED_AFTERWARDS,
  $mod: COMPARED_AFTERWARDS,
  $regex: COMPARED_AFTERWARDS,
  $options: COMPARED_AFTERWARDS,
  $bitsAllClear: COMPARED_AFTERWARDS,
  $bitsAllSet: COMPARED_AFTERWARDS,
  $bitsAnyClear: COMPARED_AFTERWARDS,
  $bitsAnySet: COMPARED_AFTERWARDS,
  $geoIntersects: COMPARED_AFTERWARDS,
  $geoWithin: COMPARED_AFTERWARDS,
  $near: COMPARED_AFTERWARDS,
  $nearSphere: COMPARED_AFTERWARDS,
  $maxDistance: COMPARED_AFTERWARDS,
  $minDistance: COMPARED_AFTERWARDS,
  $expr: NOWHERE,
  $where: NOWHERE,
  $jsonSchema: NOWHERE,
  $text: onNoPath('on plain paths dangerouslyUnwrap()'),
}

/** What the table says of an operator; `undefined` for what is none. */
export function filterOperator(name: string): FilterOperator | undefined {
  return Object.hasOwn(FILTER_OPERATORS, name) ? FILTER_OPERATORS[name] : undefined
}

/** For an operator that works on no path. */
export function refusedFilterOperator(argument: string, name: string): StrongroomError {
  const instead = filterOperator(name)?.instead
  const says = instead === undefined ? 'is no operator that is known here' : `does not work on encrypted collections; instead: ${instead}`
  return new StrongroomError('unsupported_operation', `${shownName(name)} in ${argument} ${says} (docs/operations.md); nothing was sent`)
}

function onPlainPaths(instead: string): FilterOperator {
  return { plain: 'works', indexed: 'refused', unindexed: 'refused', instead }
}

function onNoPath(instead: string): FilterOperator {
  return { plain: 'refused', indexed: 'refused', unindexed: 'refused', instead }
}
