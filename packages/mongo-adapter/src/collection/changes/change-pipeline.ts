/** The pipeline of a change stream: `$match` by what is plain in changes, and no other stage. */

import { invalidArgument, shownName, StrongroomError } from '@strongroom/core'

import { PLAIN } from '../../schema/node.ts'
import { isTree, readList, resolveDocument, type Tree } from '../../values/resolve.ts'
import { LOGIC, refusedFilterOperator } from '../filters/operators.ts'
import { requirePlainCondition } from '../filters/plain-conditions.ts'
import { type Layout, placeOf, requireDeclared, unsupported } from '../layout.ts'
import type { Scope } from '../source.ts'

/** Members of a change that `$match` may name. */
export const MATCHED_MEMBERS: readonly string[] = ['operationType', 'clusterTime', 'wallTime']
/** Members of a change in which it may name plain paths of documents. */
export const MATCHED_DOCUMENTS: readonly string[] = ['documentKey', 'fullDocument', 'fullDocumentBeforeChange']

/** @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function checkPipeline(layout: Layout, given: unknown, ignoreUndefined: boolean): readonly Tree[] {
  return readList(given, 'pipeline', 'stages').map((each) => {
    const stage = resolveDocument(each, { argument: 'pipeline', operators: true, ignoreUndefined })
    const [name, ...others] = Object.keys(stage)
    if (name === undefined || others.length > 0) throw invalidArgument('pipeline', 'must have one member in each stage, as $match')
    if (name !== '$match')
      throw new StrongroomError(
        'unsupported_operation',
        `${shownName(name)} in a change stream does not work on encrypted collections; instead: $match, and the rest on the changes that come; nothing was sent`,
      )
    const { $match: filter } = stage
    if (!isTree(filter)) throw invalidArgument('pipeline', 'must have a filter in $match')
    requirePlainMatch(layout, filter)
    return stage
  })
}

function requirePlainMatch(layout: Layout, filter: Tree): void {
  for (const [key, condition] of Object.entries(filter)) {
    if (LOGIC.includes(key)) {
      if (!Array.isArray(condition) || !condition.every(isTree)) throw invalidArgument('pipeline', `must have a list of filters in ${key}`)
      for (const each of condition as readonly Tree[]) requirePlainMatch(layout, each)
    } else if (key.startsWith('$')) {
      if (key !== '$comment') throw refusedFilterOperator('pipeline', key)
    } else requirePlainMember(layout, key, condition)
  }
}

function requirePlainMember(layout: Layout, key: string, condition: unknown): void {
  if (MATCHED_MEMBERS.includes(key)) return requirePlainCondition(layout, PLAIN, condition, 'pipeline')
  const [member = '', ...steps] = key.split('.')
  if (!MATCHED_DOCUMENTS.includes(member) || steps.length === 0)
    throw new StrongroomError(
      'unsupported_operation',
      `$match by ${shownName(key)} of a change does not work on encrypted collections; instead: ${MATCHED_MEMBERS.join(', ')}, or a plain path of ${MATCHED_DOCUMENTS.join(', ')}; nothing was sent`,
    )
  const path = steps.join('.')
  const place = placeOf(layout, path)
  if (place.kind !== 'plain') throw unsupported('$match', path, 'compare what has come')
  requireDeclared(place, path, 'pipeline')
  requirePlainCondition(layout, place.node, condition, 'pipeline')
}

/** The stage that lets through a scope's own documents, and what is about the collection; what it lets through is looked at again. */
export function scopeStage({ tenant, subject }: Layout, scope: Scope): Tree {
  const ofScope = (member: string): Tree => ({
    [`${member}.${tenant.path}`]: { $eq: scope.tenant },
    ...(scope.subject === undefined ? {} : { [`${member}.${subject.path}`]: { $eq: scope.subject } }),
  })
  return { $match: { $or: [{ operationType: { $nin: OF_DOCUMENTS } }, ...MATCHED_DOCUMENTS.map(ofScope)] } }
}

/** Changes that are of one document. */
export const OF_DOCUMENTS: readonly string[] = ['insert', 'update', 'replace', 'delete']
