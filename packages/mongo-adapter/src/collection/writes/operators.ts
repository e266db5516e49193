/** Every operator of an update, and where it works: the one table. What is not in it is refused. */

export interface UpdateOperator {
  readonly plain: 'works' | 'refused'
  /**
   * On encrypted paths, and on objects and arrays that hold some; `arrays`: where the path is an array; `indexed`: of elements with an index;
   * `chosen`: of those, and of objects that are chosen by what a filter can ask of their members.
   */
  readonly encrypted: 'works' | 'arrays' | 'indexed' | 'chosen' | 'refused'
  /** What to do in its place where it is refused, or there is no index. */
  readonly instead?: string
}

const COMPUTED = onPlainPaths('findOne, and $set of the result, in a transaction')
const OTHERS_SET = 'findOne, and $set of the elements that are left, in a transaction'

export const UPDATE_OPERATORS: Readonly<Record<string, UpdateOperator>> = {
  $set: { plain: 'works', encrypted: 'works' },
  $unset: { plain: 'works', encrypted: 'works' },
  $push: { plain: 'works', encrypted: 'arrays' },
  $pop: { plain: 'works', encrypted: 'arrays' },
  $pull: { plain: 'works', encrypted: 'chosen', instead: OTHERS_SET },
  $pullAll: { plain: 'works', encrypted: 'indexed', instead: OTHERS_SET },
  $addToSet: { plain: 'works', encrypted: 'indexed', instead: 'findOne, and $push of what is not there yet, in a transaction' },
  $inc: COMPUTED,
  $mul: COMPUTED,
  $min: COMPUTED,
  $max: COMPUTED,
  $bit: COMPUTED,
  $currentDate: onPlainPaths('$set of a new Date()'),
  $rename: onPlainPaths('findOne, $set and $unset, in a transaction'),
  $setOnInsert: { plain: 'works', encrypted: 'works' },
}

/** What `$push` may have beside `$each` on an encrypted path: `$sort` would compare what is stored. */
export const PUSH_MODIFIERS: readonly string[] = ['$position', '$slice']

/** What the table says of an operator; `undefined` for what is none. */
export function updateOperator(name: string): UpdateOperator | undefined {
  return Object.hasOwn(UPDATE_OPERATORS, name) ? UPDATE_OPERATORS[name] : undefined
}

function onPlainPaths(instead: string): UpdateOperator {
  return { plain: 'works', encrypted: 'refused', instead }
}
