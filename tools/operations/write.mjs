// Writes docs/operations.md from the one table of the adapter. After a change to it: npx tsc -b && node tools/operations/write.mjs
import { writeFileSync } from 'node:fs'

const { AGGREGATION_CURSOR, CHANGE_STREAM, COLLECTION, FIND_CURSOR } =
  await import('../../packages/mongo-adapter/dist/collection/operations.js')

const options = await import('../../packages/mongo-adapter/dist/collection/options.js')

const PAGE = new URL('../../docs/operations.md', import.meta.url)
const SAYS = { works: 'works', refused: 'refused (`unsupported_operation`)' }

const table = (name, methods) =>
  [
    `## ${name}\n`,
    '| method | |\n| --- | --- |',
    ...Object.entries(methods)
      .filter(([, outcome]) => outcome !== 'own')
      .map(([method, outcome]) => `| \`${method}\` | ${SAYS[outcome]} |`),
    '',
  ].join('\n')

const OPTIONS = {
  'find, findOne': options.FIND_OPTIONS,
  countDocuments: options.COUNT_OPTIONS,
  estimatedDocumentCount: options.ESTIMATED_COUNT_OPTIONS,
  distinct: options.DISTINCT_OPTIONS,
  insertOne: options.INSERT_OPTIONS,
  insertMany: options.INSERT_MANY_OPTIONS,
  updateOne: options.UPDATE_OPTIONS,
  updateMany: options.UPDATE_MANY_OPTIONS,
  replaceOne: options.REPLACE_OPTIONS,
  'deleteOne, deleteMany': options.DELETE_OPTIONS,
  createIndex: options.CREATE_INDEX_OPTIONS,
  'dropIndex, dropIndexes': options.DROP_INDEX_OPTIONS,
  drop: options.DROP_OPTIONS,
  isCapped: options.IS_CAPPED_OPTIONS,
  'listIndexes, indexes, indexInformation, indexExists': options.LIST_INDEXES_OPTIONS,
}

const named = (all, wanted) =>
  Object.keys(all)
    .filter((name) => all[name] === wanted)
    .toSorted()
    .map((name) => `\`${name}\``)
    .join(', ')

const optionTable = [
  '## Options\n',
  'An option that is refused may be `false`, which is as without it. One that is not here at all is `invalid_argument`.\n',
  '| method | works | refused (`unsupported_operation`) |\n| --- | --- | --- |',
  ...Object.entries(OPTIONS).map(([methods, each]) => `| ${methods} | ${named(each, 'works')} | ${named(each, 'refused')} |`),
  '',
].join('\n')

writeFileSync(
  PAGE,
  [
    '# What works on an encrypted collection\n',
    'Each call either does what the MongoDB driver would do on plaintext, or throws before any command is sent. Made from the table in',
    '`packages/mongo-adapter/src/collection/operations.ts` by `node tools/operations/write.mjs`; a test compares both with the driver.\n',
    'What works takes a filter, an update or an option only where that works on what is encrypted: everything else is refused as well, with',
    '`unsupported_operation`, `tenant_required` or `invalid_argument`.\n',
    table('Collection', COLLECTION),
    optionTable,
    table('FindCursor', FIND_CURSOR),
    table('AggregationCursor', AGGREGATION_CURSOR),
    table('ChangeStream', CHANGE_STREAM),
  ].join('\n'),
)
