// The commands of a README, run as they are written there: in a home of their own, with a database of their own.
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { databasesOf } from './stored-bytes.mjs'

/** @param changes - what is written there, such as a port, by what is to stand for it */
export function commandsOf(example, changes = {}) {
  const readme = readFileSync(new URL('README.md', example), 'utf8')
  const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block)
  return blocks.map((block) => Object.entries(changes).reduce((text, [from, to]) => text.replaceAll(from, to), block))
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** @returns what it printed */
export function runCommands(block) {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `set -e\n${block}`], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${block}\nended with ${status}: ${stderr}`)
  return stdout
}

export async function startByReadme({ example, start, uri, ready, client, environment = {} }) {
  const home = mkdtempSync(join(tmpdir(), 'strongroom-readme-'))
  const database = `readme-${randomUUID().slice(0, 8)}`
  const service = spawn('bash', ['-c', `set -e\n${start.replace('mongodb://localhost:27017', `'${uri}'`)}`], {
    cwd: fileURLToPath(example),
    env: { PATH: process.env['PATH'], HOME: home, DATABASE: database, ...environment },
    // The shell and its programs are a group, so that they end together.
    detached: true,
  })
  const { pid } = service
  const ended = once(service, 'exit')
  const stop = async () => {
    if (pid !== undefined && service.exitCode === null && service.signalCode === null) process.kill(-pid, 'SIGKILL')
    await ended
    rmSync(home, { recursive: true, force: true })
    for (const name of databasesOf(database)) await client.db(name).dropDatabase()
    await client.close()
  }
  let printed = ''
  try {
    await new Promise((resolve, reject) => {
      // Not when its output ends: one of its programs may go on, and hold it.
      service.on('exit', () => reject(new Error(printed)))
      for (const stream of [service.stdout, service.stderr])
        stream.on('data', (data) => {
          printed += data.toString()
          if (ready.test(printed)) resolve()
        })
    })
  } catch (error) {
    await stop()
    throw error
  }
  return { printed, stop }
}
