// Writes docs/operations.md from the one table of the adapter. After a change to it: npx tsc -b && node tools/operations/write.mjs
import { writeFileSync } from 'node:fs'

const { AGGREGATION_CURSOR, CHANGE_STREAM, COLLECTION, FIND_CURSOR } =
  await import('../../packages/mongo-adapter/dist/collection/operations.js')

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

writeFileSync(
  PAGE,
  [
    '# What works on an encrypted collection\n',
    'Each call either does what the MongoDB driver would do on plaintext, or throws before any command is sent. Made from the table in',
    '`packages/mongo-adapter/src/collection/operations.ts` by `node tools/operations/write.mjs`; a test compares both with the driver.\n',
    'What works takes a filter, an update or an option only where that works on what is encrypted: everything else is refused as well, with',
    '`unsupported_operation`, `tenant_required` or `invalid_argument`.\n',
    table('Collection', COLLECTION),
    table('FindCursor', FIND_CURSOR),
    table('AggregationCursor', AGGREGATION_CURSOR),
    table('ChangeStream', CHANGE_STREAM),
  ].join('\n'),
)
