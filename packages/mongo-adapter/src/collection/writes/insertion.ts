/** The document that an upsert inserts where it finds none. */

import { invalidArgument, shownName, StrongroomError } from '@strongroom/core'

import { ownerName } from '../../schema/owner-path.ts'
import { isTree, type Tree } from '../../values/resolve.ts'
import { copyOf, valueAt } from '../documents.ts'
import { mintedId } from '../minted-id.ts'
import { ownerOf } from '../seal.ts'
import type { FilterPlan, Source } from '../source.ts'
import { impliedBy, isSame, putAt } from './implied.ts'
import type { PlannedReplacement } from './plan-replacement.ts'
import { planUpdate } from './plan-update.ts'
import type { Prepared, Target } from './write.ts'

export interface Insertion {
  /** Lets no document through that there is, and says what is plain in the new one. */
  readonly filter: Tree
  readonly target: Target
  /** An update, or a whole document. */
  readonly prepared: Prepared<Tree>
}

/** @param update - resolved @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export async function insertionOfUpdate(source: Source, { filter }: FilterPlan, update: Tree): Promise<Insertion> {
  const { layout } = source
  const { plain, sealed } = impliedBy(layout, filter)
  const given: Tree = isTree(update['$setOnInsert']) ? update['$setOnInsert'] : {}
  const document: Tree = {}
  for (const [path, value] of plain) putAt(document, path, copyOf(value))
  const asked = { tenant: valueAt(document, layout.tenant.steps), subject: valueAt(document, layout.subject.steps), id: document['_id'] }
  for (const [path, value] of Object.entries(given)) putAt(document, path, copyOf(value))
  const id = idOf(source, asked.id, document['_id'])
  document['_id'] = id
  const owner = ownerOf(layout, document)
  for (const each of ['tenant', 'subject'] as const)
    if (asked[each] !== undefined && ownerName(layout[each].type, asked[each]) !== owner[each])
      throw invalidArgument(layout[each].path, 'must be what the filter of the upsert says')
  // The id is in the filter.
  const { _id: _, ...onInsert } = { ...given, ...added(update, sealed) }
  const { $setOnInsert: __, ...rest } = update
  const whole = Object.keys(onInsert).length === 0 && Object.keys(rest).length > 0 ? rest : { ...rest, $setOnInsert: onInsert }
  const target = { owner, id }
  return { filter: inserting(id, plain), target, prepared: (await planUpdate(source, whole)).prepareInsert(target) }
}

/** @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function insertionOfReplacement(source: Source, { filter }: FilterPlan, replacement: PlannedReplacement): Insertion {
  const { layout } = source
  const asked = impliedBy(layout, filter).plain.get('_id')
  const id = idOf(source, asked, replacement.document['_id'] ?? asked)
  const target = { owner: ownerOf(layout, { ...replacement.document, _id: id }), id }
  const { seal, ...rest } = replacement.prepare(target)
  return { filter: inserting(id, new Map()), target, prepared: { ...rest, seal: (keys) => seal(keys).tree } }
}

function idOf(source: Source, asked: unknown, said: unknown): unknown {
  if (said === null) throw invalidArgument('_id', 'must not be null')
  if (asked !== undefined && !isSame(asked, said)) throw invalidArgument('_id', 'must be what the filter of the upsert says')
  return said === undefined ? mintedId(source) : said
}

/** What an upsert puts into the document that it inserts for equality with encrypted values, if the update itself says nothing else. */
function added(update: Tree, sealed: ReadonlyMap<string, unknown>): Tree {
  const writes = Object.entries(update).flatMap(([operator, members]) =>
    Object.entries(isTree(members) ? members : {}).map(([path]) => ({ operator, path })),
  )
  const out: Tree = {}
  for (const [path, value] of sealed) {
    const met = writes.filter((each) => `${path}.`.startsWith(`${each.path}.`) || `${each.path}.`.startsWith(`${path}.`))
    if (met.length === 0) out[path] = copyOf(value)
    else if (!met.every((each) => replaces(each, path)))
      throw new StrongroomError(
        'unsupported_operation',
        `${shownName(path)}, which is encrypted, is in the filter of an upsert and changed by its update as well: $set it; nothing was sent`,
      )
  }
  return out
}

/** Whether nothing is left of what the filter says at a path: of what is unset within an object, the object is. */
function replaces(write: { readonly operator: string; readonly path: string }, path: string): boolean {
  const writes = write.operator === '$unset' ? !write.path.includes('.') : write.operator === '$set' || write.operator === '$setOnInsert'
  return writes && `${path}.`.startsWith(`${write.path}.`)
}

// No id has members: so no document is let through, and what there is with this id is a duplicate.
function inserting(id: unknown, plain: ReadonlyMap<string, unknown>): Tree {
  if (isTree(id) || [...plain.keys()].some((path) => path.startsWith('_id.')))
    throw new StrongroomError('unsupported_operation', 'an upsert does not work where _id is an object; nothing was sent')
  return { ...Object.fromEntries(plain), _id: id, '_id.none': { $exists: true } }
}
