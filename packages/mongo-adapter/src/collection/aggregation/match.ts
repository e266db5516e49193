/** `$match` behind other stages: the filter in the terms of what is stored, wherever that stands by now. */

import { type EncryptedNode, type ObjectNode, PLAIN, type SchemaNode } from '../../schema/node.ts'
import { isTree, type Tree } from '../../values/resolve.ts'
import { translateFilter } from '../filters/filter.ts'
import { LOGIC } from '../filters/operators.ts'
import { isOperators } from '../filters/plain-conditions.ts'
import { type Layout, placeOf, type SealedPath, sealedOf } from '../layout.ts'
import type { Context, Step } from './context.ts'
import { type Found, findPath, moved, requireCertain, valuePath, valueShape } from './reference.ts'
import { type Check, type DocumentShape, HIDDEN, isPlain, isVerified, refusedPath, type Shape } from './shape.ts'

/** @throws StrongroomError `unsupported_operation`, `invalid_argument`, `tenant_required` */
export function matchStage(root: DocumentShape, filter: Tree, context: Context): Step {
  const asked: Found[] = []
  const layout = storedLayout(root)
  const rewritten = rewrite(root, filter, (found) => {
    if (isPlain(found.shape)) requirePlainPlace(layout, found)
    asked.push(found)
  })
  const translated = translateFilter(layout, rewritten, context.values)
  const match = { $match: translated.filter }
  if (translated.searched.length === 0) {
    for (const found of asked) requireCertain(found, 'searching')
    return { stages: [match], shape: root }
  }
  const encrypted = asked.filter(({ shape }) => !isPlain(shape))
  if (encrypted.every(({ owner, shape }) => isVerified(shape, owner?.verified === true))) {
    for (const sealed of translated.searched) context.verify(sealed)
    return { stages: [match], shape: root }
  }
  const { stages, shape } = compared(root, encrypted, translated.searched, translated.required)
  return { stages: [match, ...stages], shape }
}

// A filter takes a number for a position even where the schema has an object of whatever members: what it finds there must be compared as well.
function requirePlainPlace(layout: Layout, found: Found): void {
  requireCertain(found, 'searching')
  if (placeOf(layout, found.path).kind !== 'plain') throw refusedPath('searching by a position', found.named, 'ask for any element')
}

/** Has copies of what an index was asked for kept, so that they are compared when the document is decrypted. */
export function compared(
  root: DocumentShape,
  places: readonly Found[],
  searched: readonly SealedPath[],
  required: Check['required'],
): { readonly stages: readonly Tree[]; readonly shape: DocumentShape } {
  const name = `m${root.checks.length}`
  const copies = places.map((place) => moved(place.apart ? findPath(root, place.named.split('.')[0] as string) : place, true))
  const check: Check = { name, places: copies.map(({ shape }) => shape), searched, required }
  return {
    stages: [{ $set: { [`${HIDDEN}.${name}`]: copies.map(({ expression }) => expression) } }],
    shape: { ...root, checks: [...root.checks, check] },
  }
}

/** The filter with the paths that the server has. @param met - takes what is asked of at the top, and not within an array's elements */
function rewrite(shape: Shape, filter: Tree, met: (found: Found) => void): Tree {
  return Object.fromEntries(
    Object.entries(filter).map(([key, condition]) => {
      if (LOGIC.includes(key) && Array.isArray(condition))
        return [key, condition.map((each) => (isTree(each) ? rewrite(shape, each, met) : (each as unknown)))]
      if (key.startsWith('$')) return [key, condition]
      const found = findPath(shape, key, true)
      if (found.shape.kind === 'either') throw refusedPath('searching', key, 'it holds documents of several collections')
      if (!isPlain(found.shape) && /(?:^|\.)\d+(?:\.|$)/u.test(key))
        throw refusedPath('searching by a position', key, 'ask for any element')
      met(found)
      return [valuePath(found), rewriteCondition(valueShape(found), condition)]
    }),
  )
}

function rewriteCondition(shape: Shape, condition: unknown): unknown {
  if (!isOperators(condition)) return condition
  return Object.fromEntries(
    Object.entries(condition).map(([operator, operand]) => {
      if (operator === '$not') return [operator, rewriteCondition(shape, operand)]
      if (operator !== '$elemMatch' || !isTree(operand) || isOperators(operand) || shape.kind !== 'array') return [operator, operand]
      return [operator, rewrite(shape.element, operand, () => undefined)]
    }),
  )
}

/** The documents as they are on the server: what carries values is an object like any other. */
export function storedLayout(root: DocumentShape): Layout {
  const sealed = new Map<EncryptedNode, SealedPath>()
  const stored = storedNode(root, root.layout, sealed) as ObjectNode
  // Filters look at no more of it.
  return { ...(root.layout as Layout), root: stored, sealed }
}

function storedNode(shape: Shape, layout: Layout | undefined, sealed: Map<EncryptedNode, SealedPath>): SchemaNode {
  switch (shape.kind) {
    case 'encrypted':
      sealed.set(shape, sealedOf(layout as Layout, shape))
      return shape
    case 'array':
      return { kind: 'array', element: storedNode(shape.element, layout, sealed) }
    case 'object': {
      const members = [...shape.members].map(([name, member]): [string, SchemaNode] => [name, storedNode(member, layout, sealed)])
      return { kind: 'object', members: new Map(members), loose: shape.loose }
    }
    case 'document': {
      const inner = storedNode(shape.inner, shape.layout, sealed) as ObjectNode
      return { ...inner, members: new Map(inner.members).set(HIDDEN, PLAIN) }
    }
    case 'carried':
      return {
        kind: 'object',
        members: new Map([
          ['v', storedNode(shape.inner, shape.layout, sealed)],
          ['o', PLAIN],
        ]),
        loose: false,
      }
    default:
      return PLAIN
  }
}
