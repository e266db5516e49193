// `npm run bench:erasure`: what sweeping reads among many requests, and erasing one document and many; writes the part `erasure` of bench/RESULTS.md.
import { fileURLToPath } from 'node:url'

import { run } from '../../scripts/pnpm.mjs'
import { startServer } from '../../tools/mongo-server/server.mjs'
import { quantile } from '../interleave.mjs'
import { machine, writePart } from '../results.mjs'
import { sweepAmong } from './sweeping.mjs'

const OTHERS = [0, 1_000_000]
const DOCUMENTS = [1, 100_000]
const ROUNDS = 3

const swept = []
for (const others of OTHERS) swept.push(await sweepAmong(others))

const server = await startServer()
if (server.uri === undefined) throw new Error(server.description)
const erased = []
try {
  const worker = fileURLToPath(new URL('documents-worker.mjs', import.meta.url))
  const here = fileURLToPath(new URL('.', import.meta.url))
  // In turn, so that whatever else the machine does is in both.
  for (let round = 0; round < ROUNDS; round++)
    for (const count of DOCUMENTS) erased.push(JSON.parse(run(process.execPath, ['--expose-gc', worker, server.uri, String(count)], here)))
} finally {
  await server.stop()
}
const median = (count, member) =>
  quantile(
    erased.filter((each) => each.count === count).map((each) => each[member]),
    0.5,
  )
const [few, many] = DOCUMENTS
const whole = (number) => number.toLocaleString('en')
const text = [
  '# Erasure',
  '',
  `Written by \`npm run bench:erasure\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}.`,
  '',
  'One sweep when 1,000 people are due, stores on lmdb: from their keys to the end. The last column is a sweep with nothing due.',
  '',
  '| requests pending that are not due | records of erasures read | entries read of the state store, these among them | key records asked for | seconds | entries read, nothing due |',
  '| --- | --- | --- | --- | --- | --- |',
  ...swept.map(
    ({ others, erasures, entries, keyRecords, seconds, idle }) =>
      `| ${whole(others)} | ${whole(erasures)} | ${whole(entries)} | ${whole(keyRecords)} | ${seconds.toFixed(1)} | ${idle.entries} |`,
  ),
  '',
  `Of the million, ${(((swept[1].entries - swept[0].entries) / swept[0].entries) * 100).toFixed(1)} % more entries are read than of none.`,
  '',
  `One person with documents in an encrypted collection (${server.description}), keys on lmdb, a cache bound of 100 ms that is waited out in the second column; medians of ${ROUNDS}.`,
  '',
  '| documents | keys destroyed, ms | resources erased and looked at twice, ms | JavaScript’s memory grows by, MiB |',
  '| --- | --- | --- | --- |',
  ...DOCUMENTS.map(
    (count) =>
      `| ${whole(count)} | ${median(count, 'keys').toFixed(1)} | ${median(count, 'resources').toFixed(0)} | ${median(count, 'grown').toFixed(0)} |`,
  ),
  '',
  `Destroying the keys of ${whole(many)} documents takes ${(median(many, 'keys') / median(few, 'keys')).toFixed(1)} times as long as of ${whole(few)}.`,
  '',
].join('\n')
console.log(text)
writePart('erasure', text)
