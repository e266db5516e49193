// Lines through the example's program that takes a log on stdin.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

/** @returns what it printed: how many lines became what */
export async function importLog(environment, lines) {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../dist/import-log.js', import.meta.url))], {
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(lines.map((line) => `${line}\n`).join(''))
  const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  if (code !== 0) throw new Error(`import-log ended with ${code}`)
  return JSON.parse(printed)
}
