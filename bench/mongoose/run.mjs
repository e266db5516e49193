// `npm run bench:mongoose`: plain Mongoose, ours and two other plugins, each in a process of its own beside plain Mongoose of the version that it runs on.
// Before anything is measured it runs what docs/mongoose.md says of the two (claims.mjs). Writes the part `mongoose` of bench/RESULTS.md.
// `npm run bench:mongoose -- claims` runs the claims alone. STRONGROOM_BENCH_DOCUMENTS and STRONGROOM_BENCH_ROUNDS: fewer, for a quick look; nothing is written.
import { fileURLToPath } from 'node:url'

import { pnpm, run } from '../../scripts/pnpm.mjs'
import { startServer } from '../../tools/mongo-server/server.mjs'
import { writePart } from '../results.mjs'

const COUNT = Number(process.env['STRONGROOM_BENCH_DOCUMENTS'] ?? 10_000)
const ROUNDS = Number(process.env['STRONGROOM_BENCH_ROUNDS'] ?? 9)
const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url))
const HERE = fileURLToPath(new URL('.', import.meta.url))

pnpm(['install', '--frozen-lockfile', '--reporter=append-only'], fileURLToPath(new URL('peers/', import.meta.url)))
const { claims } = await import('./claims.mjs')
const { processes } = await import('./contenders.mjs')
const { report } = await import('./report.mjs')

const server = await startServer()
if (server.uri === undefined) throw new Error(server.description)
try {
  const held = await claims(server.uri)
  if (process.argv[2] === 'claims') console.log(held.join('\n'))
  else {
    const measured = Object.keys(processes).map((name) => ({ name, ...measure(name) }))
    const text = report({ server: server.description, count: COUNT, rounds: ROUNDS, measured })
    console.log(text)
    if (process.env['STRONGROOM_BENCH_DOCUMENTS'] === undefined && process.env['STRONGROOM_BENCH_ROUNDS'] === undefined)
      writePart('mongoose', text)
  }
} finally {
  await server.stop()
}

// The peers warn of what Node.js has deprecated.
function measure(name) {
  const settings = [server.uri, String(COUNT), String(ROUNDS)]
  return JSON.parse(run(process.execPath, ['--expose-gc', '--no-deprecation', WORKER, name, ...settings], HERE))
}
