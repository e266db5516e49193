/** The stages of a pipeline in the terms of what is stored, one after the other. */

import { invalidArgument } from '@strongroom/core'
import { BSON } from 'mongodb'

import { PLAIN } from '../../schema/node.ts'
import { isTree, readList, type Tree } from '../../values/resolve.ts'
import { sortOf } from '../sort.ts'
import { wholeFrom } from '../whole-numbers.ts'
import type { Context, Step } from './context.ts'
import { groupStage } from './group.ts'
import { lookupStage, unionStage } from './join.ts'
import { matchStage, storedLayout } from './match.ts'
import { projectStage, setStage, unsetStage } from './project.ts'
import { findPath, requireCertain } from './reference.ts'
import {
  asMember,
  type DocumentShape,
  hasChecks,
  isPlain,
  madeOf,
  refusedInPipeline,
  refusedPath,
  requireName,
  type RootShape,
  type Shape,
} from './shape.ts'
import { GATHERING, nameOf, refusedStage, treeOf } from './stages.ts'
import { unwindStage } from './unwind.ts'

/**
 * @param shape - the documents that come
 * @throws StrongroomError `unsupported_operation`, `invalid_argument`, `tenant_required`
 */
export function translate(shape: RootShape, stages: readonly Tree[], context: Context): Step {
  let at = shape
  const all: Tree[] = []
  for (const stage of stages) {
    const step = translateStage(at, stage, context)
    all.push(...step.stages)
    at = step.shape
  }
  return { stages: all, shape: at }
}

function translateStage(shape: RootShape, stage: Tree, context: Context): Step {
  const [name, spec] = nameOf(stage)
  if (GATHERING.includes(name) && hasChecks(shape))
    throw refusedInPipeline(
      `${name} behind a search or a join by an index`,
      'what an index has found is compared when it is read; put it before, or do it with what was read',
    )
  if (name === '$unionWith') return unionStage(shape, spec, context, translate)
  if (name === '$facet') return facetStage(shape, spec, context)
  if (shape.kind === 'document') return ofDocuments(shape, name, spec, context)
  return ofEither(
    shape.of.map((each) => ofDocuments(each, name, spec, context)),
    name,
  )
}

function ofDocuments(root: DocumentShape, name: string, spec: unknown, context: Context): Step {
  switch (name) {
    case '$match':
      return matchStage(root, treeOf(name, spec), context)
    case '$sort':
      return { stages: [{ $sort: sortedBy(root, treeOf(name, spec)) }], shape: root }
    case '$limit':
    case '$skip':
      return { stages: [{ [name]: wholeFrom(name === '$limit' ? 1 : 0, name, numberOf(spec)) }], shape: root }
    case '$count':
      requireName(spec, '$count')
      return { stages: [{ $count: spec }], shape: madeOf(new Map([[spec, PLAIN]])) }
    case '$project':
      return projectStage(root, spec)
    case '$set':
    case '$addFields':
      return setStage(root, spec)
    case '$unset':
      return unsetStage(root, spec)
    case '$unwind':
      return unwindStage(root, spec)
    case '$group':
      return groupStage(root, spec, context)
    case '$lookup':
      return lookupStage(root, spec, context, translate)
    default:
      throw refusedStage(name)
  }
}

// What is sent must mean the same for the documents of each collection.
function ofEither(steps: readonly Step[], name: string): Step {
  const [first] = steps as readonly [Step]
  const bytes = (step: Step): string => Buffer.from(BSON.serialize({ stages: step.stages })).toString('latin1')
  if (steps.some((step) => bytes(step) !== bytes(first)))
    throw refusedInPipeline(
      `${name} behind $unionWith`,
      'it means something else for the documents of each collection: put it before, into both pipelines',
    )
  const shapes = steps.map(({ shape }) => shape)
  if (!shapes.every((shape) => shape.kind === 'document')) throw refusedInPipeline(`${name} behind $unionWith`, 'put it before')
  if (name !== '$group' && name !== '$count') return { stages: first.stages, shape: { kind: 'either', of: shapes } }
  if (!shapes.every(({ inner }) => isPlain(inner)))
    throw refusedInPipeline('$group of encrypted values behind $unionWith', 'group each before')
  return first
}

function facetStage(shape: RootShape, spec: unknown, context: Context): Step {
  const members = new Map<string, Shape>()
  const facet: Tree = {}
  for (const [name, pipeline] of Object.entries(treeOf('$facet', spec))) {
    requireName(name, 'a member of $facet')
    const stages = readList(pipeline, 'pipeline', 'stages')
    if (!stages.every(isTree)) throw invalidArgument('pipeline', 'must be a list of stages')
    if (stages.some((stage) => '$facet' in stage)) throw invalidArgument('pipeline', 'must have no $facet within another')
    const step = translate(shape, stages, context)
    facet[name] = step.stages
    members.set(name, { kind: 'array', element: asMember(step.shape) })
  }
  return { stages: [{ $facet: facet }], shape: madeOf(members) }
}

function sortedBy(root: DocumentShape, spec: Tree): Map<string, 1 | -1> {
  const stored = Object.entries(spec).map(([path, direction]) => {
    const found = findPath(root, path, true)
    if (!isPlain(found.shape))
      throw refusedPath('sorting', path, 'it is encrypted, or holds what is: sort by a plain path, or what was read')
    requireCertain(found, 'sorting')
    return [found.path, direction] as const
  })
  const sort = sortOf(storedLayout(root), new Map(stored))
  if (sort === undefined) throw invalidArgument('pipeline', 'must have a path in $sort')
  return sort
}

function numberOf(spec: unknown): unknown {
  return typeof spec === 'object' && spec !== null ? Number(spec.valueOf()) : spec
}
