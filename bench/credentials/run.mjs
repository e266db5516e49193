// `npm run bench:credentials`: what `use` adds to the work, and the memory of many refreshes; writes the part `credentials` of bench/RESULTS.md.
import { fileURLToPath } from 'node:url'

import { run } from '../../scripts/pnpm.mjs'
import { quantile } from '../interleave.mjs'
import { machine, writePart } from '../results.mjs'
import { openGround } from './ground.mjs'

const [ROUNDS, CALLS] = [200, 500]

const { tenant, credentials, tokens } = await openGround()
const owner = tenant.subject('alice')
const connection = credentials.connection(owner, 'crm')
await connection.save(tokens(36_000))
const work = async (token) => token.reveal().length
const secret = { reveal: () => 'x'.repeat(1000) }
const contenders = {
  work: () => work(secret),
  use: () => connection.use(work),
  'use, with a handle made anew': () => credentials.connection(owner, 'crm').use(work),
}
const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
for (let round = -10; round < ROUNDS; round++) {
  for (const name of Object.keys(contenders).toSorted(() => Math.random() - 0.5)) {
    const start = performance.now()
    for (let i = 0; i < CALLS; i++) await contenders[name]()
    if (round >= 0) times[name].push(((performance.now() - start) / CALLS) * 1000)
  }
}
const worker = fileURLToPath(new URL('memory-worker.mjs', import.meta.url))
const memory = JSON.parse(run(process.execPath, ['--expose-gc', worker], fileURLToPath(new URL('.', import.meta.url))))

const text = [
  '# Credentials',
  '',
  `Written by \`npm run bench:credentials\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}.`,
  '',
  'A warm connection with an access token of 1,000 bytes, memory stores; the three in turn in each round. Microseconds a call, median (quartiles).',
  '',
  '| | µs |',
  '| --- | --- |',
  ...Object.entries(times).map(
    ([name, all]) =>
      `| ${name} | ${[0.5, 0.25, 0.75]
        .map((q) => quantile(all, q).toFixed(2))
        .join(' (')
        .replace(/ \(([^ ]+)$/, '–$1)')} |`,
  ),
  '',
  `${memory.connections} connections of as many people, each refreshed once, 16 at a time, by a server that answers at once: ${Math.round(memory.connections / memory.seconds)} a second. At most ${memory.firstHalf} MiB in use by JavaScript`,
  `and its buffers after a collection in the first half, ${memory.secondHalf} MiB in the second. Stores on lmdb.`,
  '',
].join('\n')
console.log(text)
writePart('credentials', text)
