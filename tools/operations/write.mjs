// Writes the adapter's docs/operations.md from its tables. After a change to one: npx tsc -b && node tools/operations/write.mjs
import { writeFileSync } from 'node:fs'

const DIST = '../../packages/mongo-adapter/dist/collection'
const { AGGREGATION_CURSOR, CHANGE_STREAM, COLLECTION, FIND_CURSOR } = await import(`${DIST}/operations.js`)
const options = await import(`${DIST}/options.js`)
const { FILTER_OPERATORS, LOGIC } = await import(`${DIST}/filters/operators.js`)
const { MATCHED_DOCUMENTS, MATCHED_MEMBERS } = await import(`${DIST}/changes/change-pipeline.js`)
const { PUSH_MODIFIERS, UPDATE_OPERATORS } = await import(`${DIST}/writes/operators.js`)

const { STAGES } = await import(`${DIST}/aggregation/stages.js`)
const { ACCUMULATORS } = await import(`${DIST}/aggregation/group.js`)
const { EXPRESSION_OPERATORS } = await import(`${DIST}/aggregation/expression-operators.js`)

const PAGE = new URL('../../packages/mongo-adapter/docs/operations.md', import.meta.url)

const table = (name, methods) =>
  [
    `## ${name}\n`,
    '| method | | instead |\n| --- | --- | --- |',
    ...Object.entries(methods)
      .filter(([, outcome]) => outcome !== 'own')
      .map(([method, outcome]) =>
        outcome === 'works' ? `| \`${method}\` | works | |` : `| \`${method}\` | refused | ${outcome.instead} |`,
      ),
    '',
  ].join('\n')

const code = (names) => names.map((name) => `\`${name}\``).join(', ')

const operatorTable = (operators, columns) =>
  [
    `| operator | ${Object.values(columns).join(' | ')} | instead |\n| --- |${' --- |'.repeat(Object.keys(columns).length + 1)}`,
    ...Object.entries(operators).map(
      ([name, of]) =>
        `| \`${name}\` | ${Object.keys(columns)
          .map((column) => OPERATOR_SAYS[of[column]])
          .join(' | ')} | ${of.instead ?? ''} |`,
    ),
    '',
  ].join('\n')
const OPERATOR_SAYS = {
  works: 'works',
  refused: 'refused',
  arrays: 'of arrays',
  indexed: 'of arrays with an index',
  chosen: 'of arrays with an index, or of objects',
  null: 'with `null` only',
}

const filters = [
  '## Filters\n',
  `${code([...LOGIC, '$comment'])} work around all others. "Of arrays": where the path is an array whose elements are encrypted. \`$not\` takes what works`,
  'on the path, and `$elemMatch` on encrypted elements `$eq`, `$ne`, `$in` and `$nin`. Where nothing stands in the last column, an index is all that is missing. Of an object or',
  'array that holds encrypted values: `$exists`, `null`, and of arrays `$size` and `$elemMatch`. Any other operator is refused.\n',
  operatorTable(FILTER_OPERATORS, { plain: 'plain paths', indexed: 'encrypted, with an index', unindexed: 'encrypted, without one' }),
].join('\n')

const updates = [
  '## Updates\n',
  'Whose keys encrypt what is written, the filter says, by tenant, subject and `_id`, or the document that it finds; in `bulkWrite` the filter alone. Of arrays',
  'with an index `$pull` takes a value, `$eq` or `$in`, and of objects that hold encrypted values what a filter can ask of their members. `$addToSet`',
  `takes one element, in an update of its own. Beside \`$each\`, \`$push\` to encrypted paths takes ${code(PUSH_MODIFIERS)}. Any other operator, and an update by a pipeline, is refused.\n`,
  operatorTable(UPDATE_OPERATORS, { plain: 'plain paths', encrypted: 'encrypted paths' }),
].join('\n')

const changes = [
  '## Pipelines of watch\n',
  `\`$match\` is the only stage, of ${code(MATCHED_MEMBERS)}, and of plain paths of ${code(MATCHED_DOCUMENTS)}, with the operators that filters`,
  'know on plain paths. All others are refused: what they would make of a change can be made of it when it has come. `fullDocument` must be given, and within',
  '`for()` also `fullDocumentBeforeChange`. Events of an emitter (`on`, `once`) are refused.\n',
].join('\n')

const aggregation = [
  '## Aggregation\n',
  "What is encrypted can be kept, dropped, renamed (`{ mail: '$email' }`), unwound and carried along, and not computed with; whose it is travels with it, hidden. Expressions work on plain paths, with the",
  'operators below, `$$NOW`, `$$REMOVE` and variables of their own; `$size` on arrays of encrypted values too. `$$ROOT` and `$$CURRENT` are refused. `$sort` is by plain paths, `$match` by what filters can ask for, wherever a value stands by then, but not at positions.',
  '`$group` is by plain expressions, or by an indexed path, whose values are compared before. `$lookup` is by `localField` and `foreignField`: both plain, or both with an index of one domain, scope and normaliser, with a `pipeline` and without `let`.',
  'A search by an index is compared before the pipeline begins where `$limit`, `$skip`, `$count`, `$group` or `$facet` follow; otherwise, and for joins by an index, when what was found is read: behind a join by an index, these five are refused, and until it is unwound computing with what was joined, and searching and sorting by it. Of other collections, those work that `encryptedDb` names.\n',
  '| stage | | instead |\n| --- | --- | --- |',
  ...Object.entries(STAGES).map(([name, says]) =>
    says === 'works' ? `| \`${name}\` | works | |` : `| \`${name}\` | refused | ${says.instead} |`,
  ),
  '',
  '| accumulator | takes |\n| --- | --- |',
  ...Object.entries(ACCUMULATORS).map(
    ([name, takes]) => `| \`${name}\` | ${takes === 'plain' ? 'what is plain' : 'anything by reference'} |`,
  ),
  '',
  `Operators of expressions: ${code(EXPRESSION_OPERATORS)}.\n`,
].join('\n')

const OPTIONS = {
  'find, findOne': options.FIND_OPTIONS,
  aggregate: options.AGGREGATE_OPTIONS,
  countDocuments: options.COUNT_OPTIONS,
  estimatedDocumentCount: options.ESTIMATED_COUNT_OPTIONS,
  distinct: options.DISTINCT_OPTIONS,
  watch: options.WATCH_OPTIONS,
  insertOne: options.INSERT_OPTIONS,
  insertMany: options.INSERT_MANY_OPTIONS,
  updateOne: options.UPDATE_OPTIONS,
  updateMany: options.UPDATE_MANY_OPTIONS,
  replaceOne: options.REPLACE_OPTIONS,
  'deleteOne, deleteMany': options.DELETE_OPTIONS,
  findOneAndUpdate: options.FIND_ONE_AND_UPDATE_OPTIONS,
  findOneAndReplace: options.FIND_ONE_AND_REPLACE_OPTIONS,
  findOneAndDelete: options.FIND_ONE_AND_DELETE_OPTIONS,
  bulkWrite: options.BULK_WRITE_OPTIONS,
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
    'Each call either does what the MongoDB driver would do on plaintext, or throws before any command is sent. Made from the tables in',
    '`src/collection` by `node tools/operations/write.mjs`; a test compares them with the driver.\n',
    'What is refused is `unsupported_operation`, and its error says what to do instead, as here.',
    'What works takes a filter, an update or an option only where that works on what is encrypted: everything else is refused as well, with',
    '`unsupported_operation`, `tenant_required` or `invalid_argument`.\n',
    table('Collection', COLLECTION),
    filters,
    updates,
    changes,
    aggregation,
    optionTable,
    table('FindCursor', FIND_CURSOR),
    table('AggregationCursor', AGGREGATION_CURSOR),
    table('ChangeStream', CHANGE_STREAM),
  ].join('\n'),
)
