/** Every stage of a pipeline, and what becomes of it: the one table. What is not in it is refused. */

import { shownName } from '@strongroom/core'

import type { StrongroomError } from '@strongroom/core'

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
  $changeStream: { instead: 'nothing yet' },
  $collStats: { instead: 'dangerouslyUnwrap()' },
  $densify: { instead: 'filling in what was read' },
  $documents: { instead: '$unionWith' },
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
