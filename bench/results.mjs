// bench/RESULTS.md is written by several benchmarks: each replaces its own part and keeps the others'.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'

const FILE = new URL('RESULTS.md', import.meta.url)
const PARTS = ['main', 'peers', 'mongo', 'mongoose', 'credentials', 'pseudonyms', 'erasure']
const line = (part) => `<!-- part: ${part} -->`

/** Writes one part, beginning with its heading. */
export function writePart(part, text) {
  const parts = { ...readParts(), [part]: text.trim() }
  const written = PARTS.filter((name) => parts[name] !== undefined)
  writeFileSync(FILE, written.map((name) => `${name === PARTS[0] ? '' : `${line(name)}\n\n`}${parts[name]}\n`).join('\n'))
}

/** What was measured where. */
export function machine({ node, openssl } = process.versions) {
  return `${cpus()[0].model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB; Node.js ${node}, OpenSSL ${openssl}`
}

// The first part has no line of its own before it.
function readParts() {
  if (!existsSync(FILE)) return {}
  const [first, ...others] = readFileSync(FILE, 'utf8').split(/^<!-- part: (\w+) -->$/m)
  const parts = { [PARTS[0]]: first.trim() }
  for (let i = 0; i < others.length; i += 2) parts[others[i]] = others[i + 1].trim()
  return parts
}
