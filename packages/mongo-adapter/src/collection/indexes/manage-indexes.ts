/** Making, dropping and listing indexes, in declared paths. */

import { invalidArgument, readOptions, StrongroomError } from '@strongroom/core'
import type {
  CommandOperationOptions,
  CreateIndexesOptions,
  Document,
  DropIndexesOptions,
  IndexDescription,
  IndexDescriptionCompact,
  IndexDescriptionInfo,
  IndexInformationOptions,
  ListIndexesCursor,
} from 'mongodb'

import { guarded, readList, resolveDocument, type Tree } from '../../values/resolve.ts'
import { withoutValues } from '../duplicates.ts'
import { translateFilter } from '../filters/filter.ts'
import { type Layout, type SealedPath, unsupported } from '../layout.ts'
import { CREATE_INDEX_OPTIONS, DROP_INDEX_OPTIONS, LIST_INDEXES_OPTIONS, readDriverOptions } from '../options.ts'
import type { Source } from '../source.ts'
import { declaredIndexes } from './declared-indexes.ts'
import { declaredPath, declaredPaths, storedKey } from './index-keys.ts'

// Those of the command; all others are of the index.
const OF_COMMAND = ['session', 'comment', 'maxTimeMS', 'timeoutMS', 'commitQuorum', 'writeConcern', 'ignoreUndefined'] as const
type OfCommand = (typeof OF_COMMAND)[number]
type CreateOptions = CreateIndexesOptions & Pick<CommandOperationOptions, 'writeConcern'>

/** Options of createIndexes. */
export type EncryptedCreateIndexesOptions = Pick<CreateOptions, OfCommand>
/** Options of createIndex: of the index, and of the command that makes it. */
export type EncryptedCreateIndexOptions = EncryptedCreateIndexesOptions &
  Pick<
    CreateIndexesOptions,
    | 'unique'
    | 'name'
    | 'partialFilterExpression'
    | 'sparse'
    | 'hidden'
    | 'expireAfterSeconds'
    | 'collation'
    | 'background'
    | 'version'
    | 'default_language'
    | 'language_override'
    | 'textIndexVersion'
    | '2dsphereIndexVersion'
    | 'bits'
    | 'min'
    | 'max'
  >

/** @param commandOptions - those of the command, which may stand in `options` as well */
export async function createIndex(
  source: Source,
  spec: unknown,
  options: EncryptedCreateIndexOptions | undefined,
  commandOptions: EncryptedCreateIndexesOptions | undefined,
): Promise<string> {
  const read = readDriverOptions(options, CREATE_INDEX_OPTIONS)
  const command = { ...pick(read, OF_COMMAND), ...readOptions(commandOptions, OF_COMMAND) }
  const description = describe(source.layout, spec, without(read, OF_COMMAND))
  const [name] = await make(source, [description], command)
  return name as string
}

/** Those that are declared, or those that are given. */
export async function createIndexes(
  source: Source,
  specs: readonly IndexDescription[] | undefined,
  options: EncryptedCreateIndexesOptions | undefined,
): Promise<string[]> {
  const command = readOptions(options, OF_COMMAND)
  const descriptions =
    specs === undefined
      ? declaredIndexes(source.layout)
      : readList(specs, 'indexes', '{ key, … }').map((each) => describeOne(source.layout, each))
  return descriptions.length === 0 ? [] : make(source, descriptions, command)
}

async function make(
  { collection, layout }: Source,
  descriptions: readonly IndexDescription[],
  command: EncryptedCreateIndexesOptions,
): Promise<string[]> {
  try {
    return await collection.createIndexes([...descriptions], command)
  } catch (error) {
    // Of duplicates that are there already the server quotes what is stored.
    throw withoutValues(layout, error)
  }
}

/** @param name - as `indexes` shows it */
export async function dropIndex(source: Source, name: unknown, options: DropIndexesOptions | undefined): Promise<Document> {
  const sent = readDriverOptions(options, DROP_INDEX_OPTIONS)
  if (typeof name !== 'string' || name === '') throw invalidArgument('name', 'must be the name of an index')
  return source.collection.dropIndex(name, sent)
}

export async function dropIndexes(source: Source, options: DropIndexesOptions | undefined): Promise<boolean> {
  return source.collection.dropIndexes(readDriverOptions(options, DROP_INDEX_OPTIONS))
}

export function listIndexes({ collection, layout }: Source, options: IndexInformationOptions | undefined): ListIndexesCursor {
  const { full, ...sent } = readDriverOptions(options, LIST_INDEXES_OPTIONS)
  if (full !== undefined) throw invalidArgument('options', 'must not hold full, which is of indexes and indexInformation')
  return collection.listIndexes(sent).map((index) => shown(layout, index as IndexDescriptionInfo)) as ListIndexesCursor
}

/** @param full - descriptions; else by name, as lists of paths and directions */
export async function indexes(
  source: Source,
  options: IndexInformationOptions | undefined,
  full: boolean,
): Promise<IndexDescriptionInfo[] | IndexDescriptionCompact> {
  const { full: wanted = full, ...sent } = readDriverOptions(options, LIST_INDEXES_OPTIONS)
  const all = (await listIndexes(source, sent).toArray()) as IndexDescriptionInfo[]
  return wanted ? all : Object.fromEntries(all.map(({ name, key }) => [name, Object.entries(key)]))
}

export async function indexExists(
  source: Source,
  names: string | readonly string[],
  options: IndexInformationOptions | undefined,
): Promise<boolean> {
  const wanted = typeof names === 'string' ? [names] : readList(names, 'names', 'names of indexes')
  if (!wanted.every((name) => typeof name === 'string')) throw invalidArgument('names', 'must be a list of names of indexes')
  const all = new Set(((await indexes(source, options, true)) as IndexDescriptionInfo[]).map(({ name }) => name))
  return wanted.every((name) => all.has(name))
}

function shown(layout: Layout, index: IndexDescriptionInfo): IndexDescriptionInfo {
  const { key, partialFilterExpression } = index
  return {
    ...index,
    key: Object.fromEntries(Object.entries(key).map(([path, direction]) => [declaredPath(layout, path), direction])),
    ...(partialFilterExpression === undefined
      ? {}
      : { partialFilterExpression: declaredPaths(layout, partialFilterExpression) as Document }),
  }
}

function describeOne(layout: Layout, given: unknown): IndexDescription {
  if (typeof given !== 'object' || given === null) throw invalidArgument('indexes', 'must be a list of { key, … }')
  const { key, ...options } = guarded('indexes', () => ({ ...given })) as { readonly key?: unknown } & EncryptedCreateIndexOptions
  return describe(layout, key, without(readDriverOptions(options, CREATE_INDEX_OPTIONS), OF_COMMAND))
}

/** An index as it is to be made. @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function describe(layout: Layout, spec: unknown, options: Omit<EncryptedCreateIndexOptions, OfCommand>): IndexDescription {
  const { key, name, sealed } = storedKey(layout, spec)
  const { partialFilterExpression, ...rest } = options
  if (sealed !== undefined) requireFit(layout, sealed, key, rest)
  return {
    name,
    ...rest,
    key: key as Map<string, 1 | -1>,
    ...(partialFilterExpression === undefined ? {} : { partialFilterExpression: partialOf(layout, partialFilterExpression) }),
  }
}

function requireFit(
  layout: Layout,
  { path, index }: SealedPath,
  key: ReadonlyMap<string, unknown>,
  { expireAfterSeconds, collation, unique }: EncryptedCreateIndexOptions,
): void {
  if (expireAfterSeconds !== undefined) throw unsupported('an index with expireAfterSeconds', path, 'make one on a plain date')
  if (collation !== undefined) throw unsupported('an index with a collation', path, 'the normaliser of its index says what is equal')
  // Two tenants' equal values are two index values: only within a tenant can they be unique.
  if (unique === true && index?.scope === 'tenant' && !index.unique && !key.has(layout.tenant.path))
    throw unsupported(
      'a unique index over all tenants',
      path,
      `its index has a key for each tenant; add ${layout.tenant.path} to the index`,
    )
}

function partialOf(layout: Layout, given: unknown): Tree {
  const filter = resolveDocument(given, { argument: 'partialFilterExpression', operators: true, ignoreUndefined: true })
  return translateFilter(layout, filter, ({ path }) => {
    throw new StrongroomError(
      'unsupported_operation',
      `partialFilterExpression cannot name values of ${path}, which is encrypted: { $exists: true } and plain paths work; nothing was sent`,
    )
  }).filter
}

function pick<T extends object, K extends keyof T>(all: T, names: readonly K[]): Pick<T, K> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => (names as readonly string[]).includes(name))) as Pick<T, K>
}

function without<T extends object, K extends keyof T>(all: T, names: readonly K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !(names as readonly string[]).includes(name))) as Omit<T, K>
}
