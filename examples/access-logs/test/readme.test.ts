// The commands of the README, as they are written there: but for the server and the port.
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { MongoClient } from 'mongodb'
import { expect, inject, onTestFinished, test } from 'vitest'

import { databasesOf } from '../../../tools/services/stored-bytes.mjs'

const EXAMPLE = fileURLToPath(new URL('..', import.meta.url))
const { uri } = inject('mongoServer')

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

test.skipIf(uri === undefined)('from an empty folder to the report', async () => {
  const port = await freePort()
  const blocks = [...readFileSync(join(EXAMPLE, 'README.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) =>
    block.replaceAll('8080', String(port)),
  )
  const [, start = '', use = ''] = blocks
  const home = mkdtempSync(join(tmpdir(), 'strongroom-logs-readme-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  const database = `logs-${randomUUID().slice(0, 8)}`
  onTestFinished(async () => {
    const client = new MongoClient(uri as string)
    for (const name of databasesOf(database)) await client.db(name).dropDatabase()
    await client.close()
  })

  const service = spawn('bash', ['-c', `set -e\n${start.replace('mongodb://localhost:27017', `'${uri}'`)}`], {
    cwd: EXAMPLE,
    env: { PATH: process.env['PATH'], HOME: home, DATABASE: database },
    // The shell and its programs are a group, so that they end together.
    detached: true,
  })
  onTestFinished(() => void process.kill(-(service.pid as number), 'SIGKILL'))
  let printed = ''
  await new Promise<void>((resolve, reject) => {
    service.on('exit', () => reject(new Error(printed)))
    for (const stream of [service.stdout, service.stderr])
      stream.on('data', (data: Buffer) => {
        printed += data.toString()
        if (printed.includes(`listening on http://127.0.0.1:${port}\n`)) resolve()
      })
  })
  const { status, stdout } = spawnSync('bash', ['-c', `set -e\n${use}`], { encoding: 'utf8' })
  expect(status).toBe(0)
  expect(stdout).toContain('<dt>requests</dt><dd>2</dd>')
  expect(stdout).toContain('<dt>objections</dt><dd>1</dd>')
})
