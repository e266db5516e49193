/** Having the database refuse what is not encrypted, by conditions beside those that the collection has of its own. */

import { StrongroomError } from '@strongroom/core'
import type { Document } from 'mongodb'

import { isTree } from '../../values/resolve.ts'
import { READING, WRITING } from '../resource/whose.ts'
import type { Source } from '../source.ts'
import { type PathCondition, pathConditions } from './conditions.ts'

// By which they are known again: a schema that has a title, and demands nothing.
const TITLE = 'Strongroom: encrypted paths'

/** @throws StrongroomError `schema_mismatch` naming the paths where something else is stored, `not_found`, `unsupported_operation` */
export async function enforce(source: Source): Promise<void> {
  const { validator, own, strict } = await rulesOf(source)
  if (!strict)
    throw new StrongroomError(
      'unsupported_operation',
      "the collection's validationLevel and validationAction let through what its validator refuses: set them to 'strict' and 'error' first",
    )
  const conditions = pathConditions(source.layout)
  await requireNothingElse(source, conditions)
  const ours = { $and: [{ $jsonSchema: { title: TITLE } }, ...conditions.map(({ condition }) => condition)] }
  await setValidator(source, { $and: [...own, ours] })
  try {
    // What came in between.
    await requireNothingElse(source, conditions)
  } catch (error) {
    await setValidator(source, validator)
    throw error
  }
}

/** @throws StrongroomError `not_found` */
export async function unenforce(source: Source): Promise<void> {
  const { own } = await rulesOf(source)
  await setValidator(source, own.length > 1 ? { $and: own } : (own[0] ?? {}))
}

interface Rules {
  /** As it is. */
  readonly validator: Document
  /** Without what `enforce` has put there. */
  readonly own: readonly Document[]
  /** Whether it holds for every write. */
  readonly strict: boolean
}

async function rulesOf({ collection }: Source): Promise<Rules> {
  // Numbers and patterns as they are: they are written back.
  const asTheyAre = { promoteValues: false, promoteBuffers: false, bsonRegExp: true }
  const [found] = await collection.db.listCollections({ name: collection.collectionName }, asTheyAre).toArray()
  if (found === undefined) throw new StrongroomError('not_found', 'the collection does not exist yet: make it first')
  const {
    validator = {},
    validationLevel = 'strict',
    validationAction = 'error',
  } = (found as { readonly options?: Document }).options ?? {}
  return {
    validator: validator as Document,
    own: ownOf(validator as Document),
    strict: validationLevel === 'strict' && (validationAction === 'error' || validationAction === 'errorAndLog'),
  }
}

function ownOf(validator: Document): readonly Document[] {
  const [first, ...others] = Object.keys(validator)
  if (first === undefined) return []
  const { $and: joined } = validator
  if (others.length > 0 || !Array.isArray(joined) || !joined.some(isOurs)) return [validator]
  return (joined as readonly Document[]).filter((each) => !isOurs(each))
}

function isOurs(rule: unknown): boolean {
  if (!isTree(rule) || !Array.isArray(rule['$and'])) return false
  const [first] = rule['$and'] as readonly Document[]
  return isTree(first?.['$jsonSchema']) && first['$jsonSchema']['title'] === TITLE
}

async function setValidator({ collection }: Source, validator: Document): Promise<void> {
  await collection.db.command({ collMod: collection.collectionName, validator, ...WRITING })
}

async function requireNothingElse({ collection }: Source, conditions: readonly PathCondition[]): Promise<void> {
  const counts: string[] = []
  const offending = (some: readonly PathCondition[]): Promise<number> =>
    collection.countDocuments({ $nor: [{ $and: some.map(({ condition }) => condition) }] }, READING)
  if ((await offending(conditions)) === 0) return
  for (const each of conditions) {
    const count = await offending([each])
    if (count > 0) counts.push(`${each.path} of ${count === 1 ? 'one document' : `${count} documents`}`)
  }
  throw new StrongroomError(
    'schema_mismatch',
    `what is stored at ${counts.join(', ')} is no encrypted value: encrypt it first; the rules of the collection are as they were`,
  )
}
