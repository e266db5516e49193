/** Every stage of a pipeline, and what becomes of it: the one table. What is not in it is refused. */

import { invalidArgument, shownName, type StrongroomError } from '@strongroom/core'

import { isTree, type Tree } from '../../values/resolve.ts'
import { refusedInPipeline } from './shape.ts'

/** `works`, or what to do in its place. */
export const STAGES: Readonly<Record<string, 'works' | { readonly instead: string }>> = {
  $match: 'works',
  $sort: 'works',
  $limit: 'works',
  $skip: 'works',
  $count: 'works',
  $project: 'works',
  $set: 'works',
  $addFields: 'works',
  $unset: 'works',
  $unwind: 'works',
  $group: 'works',
  $facet: 'works',
  $lookup: 'works',
  $unionWith: 'works',
  $bucket: { instead: '$group' },
  $bucketAuto: { instead: '$group' },
  $changeStream: { instead: 'watch' },
  $collStats: { instead: 'dangerouslyUnwrap()' },
  $densify: { instead: 'filling in what was read' },
  $documents: { instead: 'adding them to what was read' },
  $fill: { instead: 'filling in what was read' },
  $geoNear: { instead: 'dangerouslyUnwrap(), for plain paths' },
  $graphLookup: { instead: '$lookup, once for each step' },
  $indexStats: { instead: 'dangerouslyUnwrap()' },
  $merge: { instead: 'insertMany of what was read' },
  $out: { instead: 'insertMany of what was read' },
  $redact: { instead: '$match and $unset' },
  $replaceRoot: { instead: '$project' },
  $replaceWith: { instead: '$project' },
  $sample: { instead: 'choosing of what was read' },
  $search: { instead: 'dangerouslyUnwrap(), for plain paths' },
  $setWindowFields: { instead: '$group, or computing of what was read' },
  $sortByCount: { instead: '$group with $sum, and $sort' },
  $vectorSearch: { instead: 'dangerouslyUnwrap(), for plain paths' },
}

/** Those in which many documents become one, or some are left out for their number: what an index says has to be compared before. */
export const GATHERING: readonly string[] = ['$limit', '$skip', '$count', '$group', '$facet']

export function refusedStage(name: string): StrongroomError {
  const outcome = Object.hasOwn(STAGES, name) ? STAGES[name] : undefined
  return refusedInPipeline(
    `the stage ${shownName(name)}`,
    typeof outcome === 'object' ? `instead: ${outcome.instead}` : 'it is none that is known here',
  )
}

/** The name of a stage, and what it is given. @throws StrongroomError `invalid_argument`, `unsupported_operation` */
export function nameOf(stage: Tree): readonly [string, unknown] {
  const entries = Object.entries(stage)
  const [first] = entries
  if (first === undefined || entries.length > 1) throw invalidArgument('pipeline', 'must have one member in each stage, which is its name')
  const [name] = first
  if (!Object.hasOwn(STAGES, name) || STAGES[name] !== 'works') throw refusedStage(name)
  return first
}

/** @throws StrongroomError `invalid_argument` */
export function treeOf(stage: string, spec: unknown): Tree {
  if (!isTree(spec)) throw invalidArgument('pipeline', `must have a document in ${stage}`)
  return spec
}

/** The filters of the `$match` stages that a pipeline begins with. @throws StrongroomError `invalid_argument`, `unsupported_operation` */
export function leadingMatches(stages: readonly Tree[]): readonly Tree[] {
  const filters: Tree[] = []
  for (const stage of stages) {
    const [name, spec] = nameOf(stage)
    if (name !== '$match') break
    filters.push(treeOf(name, spec))
  }
  return filters
}
