// Random filters of what can be asked of an encrypted collection.
import fc from 'fast-check'
import type { Document } from 'mongodb'

import type { Path, Shape } from './shape.ts'

type Condition = fc.Arbitrary<unknown>

/** A filter that says one tenant, or two. */
export function filterOf({ paths, tenant, tenants }: Shape): fc.Arbitrary<Document> {
  const pin = fc.oneof(
    fc.constantFrom(...tenants).map((one) => ({ [tenant]: one })),
    fc.constant({ [tenant]: { $in: tenants } }),
  )
  return fc
    .tuple(pin, unpinnedOf(paths))
    .chain(([pinned, filter]) => fc.constantFrom<Document>({ ...pinned, ...filter }, { $and: [filter, pinned] }))
}

/** A filter, for a collection of one tenant. */
export function unpinnedOf(paths: readonly Path[]): fc.Arbitrary<Document> {
  const { filter } = fc.letrec<{ readonly filter: Document; readonly clause: Document }>((tie) => ({
    filter: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constant({}),
      tie('clause'),
      fc
        .tuple(fc.constantFrom('$and', '$or', '$nor'), fc.array(tie('filter'), { minLength: 1, maxLength: 3 }))
        .map(([logic, each]) => ({ [logic]: each })),
      fc.tuple(tie('clause'), tie('clause')).map(([a, b]) => ({ ...a, ...b })),
    ),
    clause: fc.oneof(...paths.map((path) => conditionOf(path).map((condition) => ({ [path.path]: condition })))),
  }))
  return filter
}

/** @param logic - also what becomes `$and`, `$or` or `$nor`: secantusd has none of them at the top of an `$elemMatch` */
function conditionOf({ kind, array, through, value, within }: Path, logic = true): Condition {
  const list = fc.array(value, { maxLength: 3 })
  const present = fc.oneof(
    fc.boolean().map(($exists) => ({ $exists })),
    fc.constant(null),
    fc.constant({ $ne: null }),
  )
  const size = fc.integer({ min: 0, max: 3 }).map(($size) => ({ $size }))
  if (kind === 'holder') {
    const element = fc.oneof(...within.map((inner) => conditionOf(inner, false).map((condition) => ({ [inner.path]: condition }))))
    const both = fc.tuple(element, element).map(([a, b]) => ({ ...a, ...b }))
    return fc.oneof(
      size,
      fc.oneof(element, both).map(($elemMatch) => ({ $elemMatch })),
    )
  }
  if (kind === 'sealed') return array ? fc.oneof(present, size) : present
  const compared: Condition[] = [
    value,
    value.map(($eq) => ({ $eq })),
    value.map(($ne) => ({ $ne })),
    list.map(($in) => ({ $in })),
    list.map(($nin) => ({ $nin })),
    present,
  ]
  if (logic)
    compared.push(
      list.map((some) => ({ $in: [null, ...some] })),
      list.map((some) => ({ $nin: [...some, null] })),
      // Of several, secantusd finds only those that one element has.
      (through ? fc.array(value, { maxLength: 1 }) : list).map(($all) => ({ $all })),
      value.map(($eq) => ({ $not: { $eq } })),
      list.map(($in) => ({ $not: { $in } })),
      fc.tuple(value, list).map(([$ne, $nin]) => ({ $ne, $nin })),
    )
  if (array)
    compared.push(
      size,
      value.map(($eq) => ({ $elemMatch: { $eq } })),
      value.map(($ne) => ({ $elemMatch: { $ne } })),
      list.map(($in) => ({ $elemMatch: { $in } })),
      list.map(($nin) => ({ $elemMatch: { $nin } })),
    )
  if (kind === 'plain')
    compared.push(
      value.map(($gt) => ({ $gt })),
      value.map(($lte) => ({ $lte })),
      value.map(($gte) => ({ $not: { $gte } })),
    )
  return fc.oneof(...compared)
}
