// The programs of this example as processes, as an operator would run them: for the demonstration and the tests.
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const pathOf = (program) => fileURLToPath(new URL(`dist/${program}.js`, import.meta.url))

/**
 * @param place - `uri` of a server, `database` to be used on it, and an empty `folder` for the root key file
 * @returns `environment` of the programs; `run`: a program to its end; `start`: the service, in a process of its own
 */
export function servicePrograms({ uri, database, folder }) {
  const PASSPHRASE_FILE = join(folder, 'passphrase')
  writeFileSync(PASSPHRASE_FILE, randomBytes(16).toString('base64url'), { mode: 0o600 })
  const environment = { MONGODB_URI: uri, DATABASE: database, ROOT_KEY_FILE: join(folder, 'root.key'), PASSPHRASE_FILE, PORT: '0' }

  return {
    environment,

    /** @returns what it printed, but for the end of the line. @throws with `stderr` and `code` if it failed */
    async run(program, ...args) {
      const { stdout } = await promisify(execFile)(process.execPath, [pathOf(program), ...args], {
        env: { ...process.env, ...environment },
        // One that goes on is not at its end.
        timeout: 60_000,
        killSignal: 'SIGKILL',
      })
      return stdout.trimEnd()
    },

    /** @param options - of Node.js, before the program. @returns `call`, `stop`, `kill`, `printed` */
    async start(...options) {
      const child = spawn(process.execPath, [...options, pathOf('main')], {
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
    },
  }
}

/** One call. @returns `status`, and `body` where there is one */
async function call(url, method, path, { token, body } = {}) {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, ...(text && { body: JSON.parse(text) }) }
}
