// Which server program is to be had here, in this order: one that is installed, MongoDB's own download, and secantusd from PyPI.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { CACHE, cachedFolder } from './cache.mjs'

const run = promisify(execFile)
const DOWNLOAD_MS = 20_000
const DAY_MS = 86_400_000
const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url))

/** @returns `{ kind: 'mongod' | 'secantusd', path }`, or `{ kind: 'none', why }` with what was tried */
export async function findProgram() {
  const why = []
  for (const find of [installed, downloaded, fromPyPI]) {
    try {
      const found = await find()
      if (found !== undefined) return found
    } catch (error) {
      why.push(
        String(error.stderr || error.message)
          .trim()
          .split('\n')
          .at(-1),
      )
    }
  }
  return { kind: 'none', why: why.join('; ') }
}

function installed() {
  const named = process.env['MONGOMS_SYSTEM_BINARY']
  if (named) return { kind: 'mongod', path: named }
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'mongod')
    try {
      accessSync(path, constants.X_OK)
      if (statSync(path).isFile()) return { kind: 'mongod', path }
    } catch {
      // Not in this one.
    }
  }
  return undefined
}

// In a process of its own, which can be ended: a download that hangs must not hold up the tests, nor each run of them.
async function downloaded() {
  const failed = join(CACHE, 'mongod-download-failed')
  const before = statSync(failed, { throwIfNoEntry: false })
  if (before !== undefined && Date.now() - before.mtimeMs < DAY_MS) throw new Error('the download of MongoDB failed less than a day ago')
  const downloadDir = join(CACHE, 'mongod')
  mkdirSync(downloadDir, { recursive: true })
  try {
    const program = fileURLToPath(new URL('download-mongod.mjs', import.meta.url))
    const { stdout } = await run(process.execPath, [program, downloadDir], { timeout: DOWNLOAD_MS, killSignal: 'SIGKILL' })
    rmSync(failed, { force: true })
    return { kind: 'mongod', path: stdout.trim() }
  } catch (error) {
    writeFileSync(failed, '')
    throw new Error('MongoDB could not be downloaded', { cause: error })
  }
}

// pip compares the file with the hash in requirements.txt.
async function fromPyPI() {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('secantusd is here for Linux x64 only')
  const hash = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16)
  // The wheel is named for one version of Python; which one is here does not matter.
  const wheel = ['--platform', 'manylinux_2_28_x86_64', '--implementation', 'cp', '--python-version', '3.11', '--abi', 'cp311']
  const install = ['-m', 'pip', 'install', '--quiet', '--require-hashes', '--no-deps', '--only-binary=:all:', '--no-compile', ...wheel]
  const folder = await cachedFolder(`secantusd-${hash}`, (target) =>
    run('python3', [...install, '--target', target, '--requirement', REQUIREMENTS]),
  )
  return { kind: 'secantusd', path: join(folder, 'secantusdb.scripts', 'secantusd-rs') }
}
