/** One operation of a bulkWrite, checked and encoded. It stays one operation, so nothing can be looked up for it. */

import { invalidArgument, readOptions, shownName, StrongroomError } from '@strongroom/core'
import type { AnyBulkWriteOperation, Document } from 'mongodb'

import { guarded, type Tree } from '../../../values/resolve.ts'
import { type FilterPlan, pinnedOwner, planFilter, type Source } from '../../source.ts'
import { checkArrayFilters } from '../array-filters.ts'
import { planInsert } from '../insert.ts'
import { insertionOfReplacement, insertionOfUpdate } from '../insertion.ts'
import { planReplacement } from '../plan-replacement.ts'
import { type PlannedUpdate, planUpdate, resolveUpdate } from '../plan-update.ts'
import { type EncryptedReplaceOptions, sendable } from '../update.ts'
import type { Prepared, Target } from '../write.ts'

export interface PlannedOperation {
  /** As it was called. */
  readonly kind: string
  /** `undefined` where nothing is encrypted. */
  readonly prepared: Prepared<Tree> | undefined
  /** @param tree - what was encrypted */
  readonly build: (tree: Tree | undefined) => Promise<AnyBulkWriteOperation>
}

const FILTERED = ['filter', 'collation', 'hint']
const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  insertOne: ['document'],
  updateOne: [...FILTERED, 'update', 'arrayFilters', 'upsert', 'sort'],
  updateMany: [...FILTERED, 'update', 'arrayFilters', 'upsert'],
  replaceOne: [...FILTERED, 'replacement', 'upsert', 'sort'],
  deleteOne: FILTERED,
  deleteMany: FILTERED,
}

/** @throws StrongroomError `unsupported_operation`, `invalid_argument`, `schema_mismatch` */
export async function planOperation(source: Source, given: unknown, ignoreUndefined: boolean): Promise<PlannedOperation> {
  const [kind, model] = guarded('operations', () => Object.entries(typeof given === 'object' && given !== null ? given : {}))[0] ?? [
    '',
    undefined,
  ]
  const members = Object.hasOwn(MEMBERS, kind) ? MEMBERS[kind] : undefined
  if (members === undefined || typeof model !== 'object' || model === null || Object.keys(given as object).length > 1)
    throw invalidArgument(
      'operations',
      `must have one of ${Object.keys(MEMBERS).join(', ')} each${kind === '' ? '' : `, and not ${shownName(kind)}`}`,
    )
  const read = readOptions(model as Record<string, unknown>, members)
  if (kind === 'insertOne') return inserted(source, read['document'], ignoreUndefined)
  const { filter, update, replacement, arrayFilters, upsert, ...options } = read
  if (upsert !== undefined && typeof upsert !== 'boolean') throw invalidArgument('upsert', 'must be true or false')
  const plan = planFilter(source, filter, { ignoreUndefined })
  if (plan.searched.length > 0)
    throw unsupported(
      `${kind} of a bulkWrite cannot search by an index, since its hits could not be compared`,
      'updateOne, updateMany, deleteOne and deleteMany do',
    )
  if (kind === 'replaceOne') {
    const change = await planReplacement(source, replacement, ignoreUndefined)
    const target = pinnedTarget(source, plan, kind)
    if (upsert === true) insertionOfReplacement(source, plan, change)
    const { seal, ...rest } = change.prepare(target)
    return {
      kind,
      prepared: { ...rest, seal: (keys) => seal(keys).tree },
      build: sentAs(source, plan, kind, options, upsert, true, (tree) => ({ replacement: tree ?? {} })),
    }
  }
  if (kind === 'deleteOne' || kind === 'deleteMany')
    return { kind, prepared: undefined, build: sentAs(source, plan, kind, options, undefined, false, () => ({})) }
  const tree = resolveUpdate(update, ignoreUndefined)
  const change = await planUpdate(source, tree)
  if (change.guarded) throw unsupported('$addToSet on an encrypted path takes two commands', 'updateOne')
  const filters = arrayFilters === undefined ? {} : { arrayFilters: checkArrayFilters(source.layout, arrayFilters, tree, ignoreUndefined) }
  return {
    kind,
    prepared: await preparedUpdate(source, plan, kind, change, tree, upsert === true),
    build: sentAs(source, plan, kind, options, upsert, change.seals, (sealed) => ({ update: sealed ?? change.blank.tree, ...filters })),
  }
}

async function preparedUpdate(
  source: Source,
  plan: FilterPlan,
  kind: string,
  change: PlannedUpdate,
  tree: Tree,
  upserts: boolean,
): Promise<Prepared<Tree> | undefined> {
  if (upserts) {
    pinnedTarget(source, plan, `an upsert by ${kind}`, true)
    // With `_id`, tenant and subject in the filter it is the same whether it writes or inserts.
    return (await insertionOfUpdate(source, plan, tree)).prepared
  }
  if (!change.seals) return undefined
  const { seal, ...rest } = change.prepare(pinnedTarget(source, plan, kind))
  return { ...rest, seal: (keys) => seal(keys).tree }
}

async function inserted(source: Source, given: unknown, ignoreUndefined: boolean): Promise<PlannedOperation> {
  const prepared = await planInsert(source, given, ignoreUndefined)
  return {
    kind: 'insertOne',
    prepared,
    build: (tree) => Promise.resolve({ insertOne: { document: tree as Document } }),
  }
}

/** @param withId - whether the id has to be said wherever values are bound to */
function pinnedTarget(source: Source, plan: FilterPlan, what: string, withId = false): Target {
  const owner = pinnedOwner(source, plan.pins)
  const { layout } = source
  if (owner === undefined || (withId && plan.pins.id === undefined)) {
    const paths = [...new Set([layout.tenant.path, layout.subject.path, ...(layout.boundToRecord || withId ? ['_id'] : [])])].join(', ')
    throw unsupported(
      `${what} of a bulkWrite writes for somebody, so its filter must say ${paths} by equality`,
      'updateOne, updateMany and replaceOne look it up',
    )
  }
  return { owner, id: plan.pins.id }
}

function sentAs(
  source: Source,
  plan: FilterPlan,
  kind: string,
  options: Readonly<Record<string, unknown>>,
  upsert: unknown,
  seals: boolean,
  what: (tree: Tree | undefined) => Tree,
): PlannedOperation['build'] {
  const sent = sendable(source, plan, options as EncryptedReplaceOptions, seals)
  return async (tree) => {
    const operation = { filter: await plan.physical(), ...sent, ...(upsert === undefined ? {} : { upsert }), ...what(tree) }
    return { [kind]: operation } as unknown as AnyBulkWriteOperation
  }
}

function unsupported(what: string, instead: string): StrongroomError {
  return new StrongroomError('unsupported_operation', `${what}; instead: ${instead}; nothing was sent`)
}
