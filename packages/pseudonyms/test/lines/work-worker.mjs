// Sends lines through the pipeline in a process of its own, and says what that takes: how often V8 runs the blocks of the package's code, or
// bytes of memory. No durations: they are different on each machine.
import { once } from 'node:events'
import { Session } from 'node:inspector/promises'

import { pseudonymiseLines } from '@strongroom/pseudonyms'

import { lineOf } from './hostile-lines.mjs'

const [, , what, bytes, ...names] = process.argv
const DAY = 86_400_000
const pseudonyms = {
  spanOf: () => ({ period: 0, from: 0, to: DAY }),
  latest: () => Infinity,
  unlock: async () => ({
    pseudonymiseBlocks: (blocks) => Array.from({ length: blocks.length / 16 }, () => '192.0.2.1'),
    dispose() {},
  }),
}

async function send(line, options) {
  const lines = pseudonymiseLines(pseudonyms, options)
  lines.resume()
  if (what === 'memory of single bytes')
    // Each in memory of its own, as it comes from a connection.
    for (const byte of line) if (!lines.write(Uint8Array.of(byte))) await once(lines, 'drain')
  if (what === 'memory of single bytes') lines.end()
  else lines.end(line)
  await once(lines, 'end')
}

// What is searched or copied by the platform is not in what V8 counts.
let native = 0
function countNative(name, costOf) {
  const real = Buffer.prototype[name]
  Buffer.prototype[name] = function counted(...given) {
    const result = real.apply(this, given)
    native += costOf(this, given, result)
    return result
  }
}

const session = new Session()

async function startCounting() {
  countNative('indexOf', (buffer, [, from = 0], found) => (found === -1 ? buffer.length : found) - from)
  countNative('lastIndexOf', (buffer, [, from = buffer.length], found) => from - found)
  countNative('toString', (_, __, text) => text.length)
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
}

async function blocksRun({ line, options }) {
  // Whatever was counted before is forgotten by being taken.
  await session.post('Profiler.takePreciseCoverage')
  native = 0
  await send(line, options)
  const { result } = await session.post('Profiler.takePreciseCoverage')
  const ours = result.filter(({ url }) => url.includes('/pseudonyms/dist/'))
  const counts = ours.flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges.map(({ count }) => count)))
  return counts.reduce((sum, count) => sum + count, native) / line.length
}

async function memoryTaken({ line, options }) {
  await send(Buffer.from('192.0.2.1 %31.2.3.4\n'), options)
  const before = process.resourceUsage().maxRSS
  await send(line, options)
  return ((process.resourceUsage().maxRSS - before) * 1024) / line.length
}

if (what === 'blocks') await startCounting()
for (const name of names) {
  if (what !== 'blocks') process.send({ name, taken: [await memoryTaken(lineOf(name, Number(bytes)))] })
  else process.send({ name, taken: [await blocksRun(lineOf(name, bytes / 2)), await blocksRun(lineOf(name, Number(bytes)))] })
}
process.disconnect()
