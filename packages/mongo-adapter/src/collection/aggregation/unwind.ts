/** `$unwind`: an element in place of its array, with whatever carries it. */

import { invalidArgument } from '@strongroom/core'

import { PLAIN } from '../../schema/node.ts'
import type { Tree } from '../../values/resolve.ts'
import type { Step } from './context.ts'
import { reshaped, withMember } from './members.ts'
import { findPath, valuePath } from './reference.ts'
import { type DocumentShape, refusedPath, requireName, type Shape } from './shape.ts'
import { treeOf } from './stages.ts'

/** @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function unwindStage(root: DocumentShape, spec: unknown): Step {
  const given: Tree = typeof spec === 'string' ? { path: spec } : treeOf('$unwind', spec)
  const { path, includeArrayIndex, preserveNullAndEmptyArrays, ...rest } = given
  if (Object.keys(rest).length > 0 || typeof path !== 'string' || !path.startsWith('$') || path.startsWith('$$'))
    throw invalidArgument('pipeline', 'must have a path with $ before it in $unwind, and no options but those that there are')
  const found = findPath(root, path.slice(1))
  if (found.arrays > 0) throw refusedPath('$unwind', found.named, 'it stands in an array: $unwind that first')
  let shape = reshaped(root, found.named, unwound(found.shape))
  const unwind: Tree = { path: `$${valuePath(found)}` }
  if (preserveNullAndEmptyArrays !== undefined) {
    if (typeof preserveNullAndEmptyArrays !== 'boolean')
      throw invalidArgument('pipeline', 'must have true or false in preserveNullAndEmptyArrays')
    unwind['preserveNullAndEmptyArrays'] = preserveNullAndEmptyArrays
  }
  if (includeArrayIndex !== undefined) {
    requireName(includeArrayIndex, 'includeArrayIndex of $unwind')
    shape = withMember(shape, includeArrayIndex, PLAIN)
    unwind['includeArrayIndex'] = includeArrayIndex
  }
  return { stages: [{ $unwind: unwind }], shape }
}

function unwound(shape: Shape): Shape {
  if (shape.kind === 'carried') return { ...shape, inner: unwound(shape.inner) }
  return shape.kind === 'array' ? shape.element : shape
}
