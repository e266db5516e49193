/** `$project`, `$set`, `$addFields`, `$unset`: members that are kept, dropped, renamed or computed. */

import { invalidArgument } from '@strongroom/core'
import { Double, Int32, Long } from 'mongodb'

import { isTree, type Tree } from '../../values/resolve.ts'
import type { Step } from './context.ts'
import { expressionOf, isOperator, moving } from './expressions.ts'
import { leavesOf, onlyMembers, targetOf, withMember } from './members.ts'
import { findPath } from './reference.ts'
import { type DocumentShape, GONE, HIDDEN, refusedPath } from './shape.ts'
import { treeOf } from './stages.ts'

/** @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function projectStage(root: DocumentShape, spec: unknown): Step {
  const leaves = leavesOf(treeOf('$project', spec), isNested).map(([path, leaf]) => [path, plainNumber(leaf)] as const)
  const isExcluded = (leaf: unknown): boolean => leaf === false || leaf === 0
  const beside = leaves.filter(([path]) => path !== '_id')
  const excludes = beside.some(([, leaf]) => isExcluded(leaf)) || (beside.length === 0 && leaves.every(([, leaf]) => isExcluded(leaf)))
  if (!excludes) return included(root, leaves)
  if (!beside.every(([, leaf]) => isExcluded(leaf)))
    throw invalidArgument('pipeline', 'must name in $project what to keep, or what to leave out, and not both; _id is free')
  return excluded(
    root,
    leaves.filter(([, leaf]) => isExcluded(leaf)).map(([path]) => path),
  )
}

export function unsetStage(root: DocumentShape, spec: unknown): Step {
  const paths: readonly unknown[] = Array.isArray(spec) ? spec : [spec]
  if (paths.length === 0 || !paths.every((path) => typeof path === 'string' && path !== '' && !path.startsWith('$')))
    throw invalidArgument('pipeline', 'must have a path or a list of paths in $unset')
  return excluded(root, paths as readonly string[])
}

export function setStage(root: DocumentShape, spec: unknown): Step {
  let shape = root
  const set: Tree = {}
  const leaves = leavesOf(treeOf('$set', spec), isNested)
  requireApart(leaves.map(([path]) => path))
  for (const [path, leaf] of leaves) {
    const { path: stored, beside } = targetOf(root, path)
    const value = expressionOf(root, leaf, moving(beside))
    shape = withMember(shape, path, value.shape)
    set[stored] = value.expression
  }
  return { stages: [{ $set: set }], shape }
}

// The hidden member is not named, and stays.
function excluded(root: DocumentShape, paths: readonly string[]): Step {
  requireApart(paths)
  const stored = paths.map((path) => findPath(root, path).path)
  return { stages: [{ $unset: stored }], shape: paths.reduce((shape, path) => withMember(shape, path, GONE), root) }
}

function included(root: DocumentShape, leaves: readonly (readonly [string, unknown])[]): Step {
  requireApart(leaves.map(([path]) => path))
  const kept = leaves.filter(([, leaf]) => leaf === true || (typeof leaf === 'number' && leaf !== 0)).map(([path]) => path)
  const withId = leaves.some(([path]) => path === '_id' || path.startsWith('_id.')) ? kept : ['_id', ...kept]
  const project: Tree = { [HIDDEN]: 1 }
  for (const path of kept) {
    const { path: stored, companions } = findPath(root, path)
    for (const each of [...companions, stored]) project[each] = 1
  }
  if (leaves.some(([path, leaf]) => path === '_id' && (leaf === 0 || leaf === false))) project['_id'] = 0
  const there = root.inner.members.has('_id') || root.inner.loose ? withId : withId.filter((path) => path !== '_id')
  let shape = onlyMembers(
    root,
    there.map((path) => path.split('.')),
  )
  for (const [path, leaf] of leaves) {
    if (typeof leaf === 'number' || typeof leaf === 'boolean') continue
    requireNew(root, path)
    const value = expressionOf(root, leaf, moving(root.layout !== undefined))
    shape = withMember(shape, path, value.shape)
    project[path] = value.expression
  }
  return { stages: [{ $project: project }], shape }
}

// Beneath what carries values, or an array of documents, it would be put beside other records than the document's own.
function requireNew(root: DocumentShape, path: string): void {
  const [first = '', ...rest] = path.split('.')
  const there = root.inner.members.get(first)
  if (rest.length > 0 && there !== undefined && there.kind !== 'plain' && there.kind !== 'object' && there.kind !== 'gone')
    throw refusedPath('computing a member', path, 'what is there is encrypted, or an array of what is: use a name of its own, or $set')
}

/** @throws StrongroomError `invalid_argument` for two paths of which one leads into the other, or that are the same */
function requireApart(paths: readonly string[]): void {
  const sorted = paths.map((path) => `${path}.`)
  if (sorted.some((path, i) => sorted.some((other, j) => i !== j && other.startsWith(path))))
    throw invalidArgument('pipeline', 'must not name a path and what is within it in one stage')
}

// An object that is no operator is as many paths; an empty one is none.
function isNested(value: unknown): boolean {
  return isTree(value) && !isOperator(value)
}

function plainNumber(leaf: unknown): unknown {
  if (leaf instanceof Int32 || leaf instanceof Double) return leaf.valueOf()
  return leaf instanceof Long ? leaf.toNumber() : leaf
}
