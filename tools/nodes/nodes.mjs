// Other versions of Node.js than the one that runs: pinned in the lockfile beside this, fetched once into the user's cache folder.
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { run } from '../../scripts/pnpm.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const { dependencies } = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8'))

/** The major versions that there are, as strings. */
export const MAJORS = Object.keys(dependencies).map((name) => name.replace('node-', ''))

/** @returns the path of the program `node` of that major version. npm checks each archive against the lockfile's hash. */
export function nodeOf(major) {
  if (!MAJORS.includes(major)) throw new Error(`no Node.js ${major}: there is ${MAJORS.join(', ')}`)
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('the other versions of Node.js are here for Linux x64 only')
  const program = join(fetched(), 'node_modules', `node-${major}`, 'bin', 'node')
  const version = run(program, ['--version']).trim()
  const pinned = dependencies[`node-${major}`].split('@').at(-1)
  if (version !== `v${pinned}`) throw new Error(`${program} is ${version}, not v${pinned}`)
  return program
}

function fetched() {
  const lock = readFileSync(join(HERE, 'package-lock.json'))
  const hash = createHash('sha256').update(lock).digest('hex').slice(0, 16)
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'strongroom')
  const folder = join(cache, `nodes-${hash}`)
  if (existsSync(folder)) return folder
  // Made beside its place and moved there last, so that an interrupted run leaves nothing that looks whole.
  mkdirSync(cache, { recursive: true })
  const making = mkdtempSync(join(cache, 'nodes-making-'))
  try {
    for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(HERE, name), join(making, name))
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], making)
    if (!existsSync(folder)) renameSync(making, folder)
  } finally {
    rmSync(making, { recursive: true, force: true })
  }
  return folder
}
