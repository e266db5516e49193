/** Updates, checked and encoded: what is encrypted in them is encrypted for each document that they reach. */

import { StrongroomError } from '@strongroom/core'

import { isTree, resolveDocument, type Tree } from '../../values/resolve.ts'
import { copyOf } from '../documents.ts'
import { boundTo, indexesFor, neededIndex, prepareTree, sealTree } from '../seal.ts'
import type { Source } from '../source.ts'
import { indexValuesOf } from './array-operators.ts'
import { type CheckedUpdate, checkUpdate, type WrittenValue } from './check-update.ts'
import type { Change, Prepared, Sealed, Target } from './write.ts'

export interface PlannedUpdate extends Change {
  /** Whether it takes a second command where it reaches nothing. */
  readonly guarded: boolean
  /** The same for a document that it makes. */
  readonly prepareInsert: (target: Target) => Prepared<Tree>
}

/** @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function resolveUpdate(given: unknown, ignoreUndefined: boolean): Tree {
  if (Array.isArray(given))
    throw new StrongroomError(
      'unsupported_operation',
      'an update by a pipeline does not work on encrypted collections; instead: findOne, and $set of the result, in a transaction; nothing was sent',
    )
  return resolveDocument(given, { argument: 'update', operators: true, ignoreUndefined })
}

/** @param update - resolved @throws StrongroomError `unsupported_operation`, `invalid_argument`, `schema_mismatch` */
export async function planUpdate({ layout, validation }: Source, update: Tree): Promise<PlannedUpdate> {
  const checked = checkUpdate(layout, withoutNewId(copyOf(update) as Tree))
  await validation?.values(checked.assigned)
  const encode = (values: readonly WrittenValue[]) =>
    values.map((each) => [each, prepareTree(layout, each.node, each.value, each.path)] as const)
  const [written, onInsert] = [encode(checked.written), encode(checked.onInsert)]
  const blank = { tree: checked.with({ seal: () => null, index: () => [] }) }

  function prepare({ owner, id }: Target, inserts: boolean): Prepared<Sealed> {
    const bound = boundTo(layout, id)
    const values = inserts ? [...written, ...onInsert] : written
    const indexes = values.flatMap(([, tree]) => indexesFor(tree, owner.tenant))
    for (const { sealed } of checked.compared) if (sealed.index !== undefined) indexes.push(neededIndex(sealed.index, owner.tenant))
    return {
      owner,
      indexes,
      seal(keys) {
        // What is encrypted for the next document must not change what was encrypted for this one.
        const trees = new Map(values.map(([each, tree]) => [each, copyOf(sealTree(tree, owner, bound, keys))]))
        const index = (compared: CheckedUpdate['compared'][number]) => indexValuesOf(compared, owner.tenant, keys)
        const tree = checked.with({ seal: (each) => trees.get(each) ?? null, index })
        return checked.adds === undefined ? { tree } : { tree, guard: guardOf(checked.adds.path, index(checked.adds.compared)) }
      },
    }
  }

  return {
    seals: checked.written.length > 0 || checked.compared.length > 0,
    blank,
    guarded: checked.adds !== undefined,
    prepare: (target) => prepare(target, false),
    prepareInsert(target) {
      const { seal, ...rest } = prepare(target, true)
      return { ...rest, seal: (keys) => seal(keys).tree }
    },
  }
}

// The id of a new document is in the filter that inserts it; of one that there is, some servers take it for a change.
function withoutNewId(update: Tree): Tree {
  if (isTree(update['$setOnInsert'])) delete update['$setOnInsert']['_id']
  return update
}

function guardOf(path: string, index: readonly unknown[]): Sealed['guard'] {
  return {
    absent: { [`${path}.i`]: { $nin: index } },
    present: { [`${path}.i`]: { $in: index } },
    nothing: { $pullAll: { [path]: [] } },
  }
}
