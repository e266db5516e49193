// The programs of an example as processes, as an operator would run them: for its demonstration and its tests.
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/**
 * @param place - `programs`: the folder in which they are; `uri` of a server, `database` to be used on it, and an empty `folder` for the root
 *   key file; `more`: of the environment; `options` of each program
 * @returns `environment` of the programs; `run`: a program to its end; `start`: the service, in a process of its own
 */
export function servicePrograms({ programs, uri, database, folder, more = {}, options = [] }) {
  const pathOf = (program) => fileURLToPath(new URL(`${program}.js`, programs))
  const PASSPHRASE_FILE = join(folder, 'passphrase')
  writeFileSync(PASSPHRASE_FILE, randomBytes(16).toString('base64url'), { mode: 0o600 })
  const environment = { MONGODB_URI: uri, DATABASE: database, ROOT_KEY_FILE: join(folder, 'root.key'), PASSPHRASE_FILE, PORT: '0', ...more }

  return {
    environment,

    /** @returns what it printed, but for the end of the line. @throws with `stderr` and `code` if it failed */
    async run(program, ...args) {
      const { stdout } = await promisify(execFile)(process.execPath, [pathOf(program), ...args, ...options], {
        env: { ...process.env, ...environment },
        // One that goes on is not at its end.
        timeout: 60_000,
        killSignal: 'SIGKILL',
      })
      return stdout.trimEnd()
    },

    /** @param ofNode - options of Node.js, before the program */
    start: (...ofNode) => startProgram(pathOf('main'), environment, ofNode, options),
  }
}

/**
 * A program that says `listening on URL` once it does.
 *
 * @param ofNode - options of Node.js, before the program
 * @param options - of the program
 * @returns `url`, `call`, `stop`, `kill`, `ended`, `printed`
 */
export async function startProgram(program, environment, ofNode = [], options = []) {
  const child = spawn(process.execPath, [...ofNode, program, ...options], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  let printed = ''
  const url = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        printed += chunk
        const [, address] = /listening on (\S+)\n/.exec(printed) ?? []
        if (address !== undefined) resolve(address)
      })
    child.once('close', (code, signal) => reject(new Error(`the service ended with ${signal ?? code}: ${printed}`)))
  })
  const end = async (signal) => {
    child.kill(signal)
    const [code, killed] = await ended
    return killed ?? code
  }
  return {
    url,
    call: (method, path, given) => call(url, method, path, given),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    ended: ended.then(([code, signal]) => signal ?? code),
    printed: () => printed,
  }
}

/** One call. @returns `status`, and `body` where there is one */
async function call(url, method, path, { token, headers, body } = {}) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': 'application/json' }), ...headers },
    ...(body && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, ...(text && { body: JSON.parse(text) }) }
}
