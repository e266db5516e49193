// The commands of the README, as they are written there: but for the server, the ports, and what one command prints for the next.
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

import { MongoClient } from 'mongodb'
import { expect, inject, onTestFinished, test } from 'vitest'

import { databasesOf } from '../../../tools/services/stored-bytes.mjs'
import { visit } from '../crm/customer.mjs'

const EXAMPLE = fileURLToPath(new URL('..', import.meta.url))
const { uri } = inject('mongoServer')

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

test.skipIf(uri === undefined)('from an empty folder to a connection and its end', async () => {
  const [ours, theirs] = [await freePort(), await freePort()]
  const blocks = [...readFileSync(join(EXAMPLE, 'README.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) =>
    block.replaceAll('8080', String(ours)).replaceAll('9090', String(theirs)),
  )
  const [, start = '', begin = '', use = ''] = blocks
  const home = mkdtempSync(join(tmpdir(), 'strongroom-sync-readme-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  const database = `sync-${randomUUID().slice(0, 8)}`
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
    // Not when its output ends: the CRM goes on, and holds it.
    service.on('exit', () => reject(new Error(printed)))
    for (const stream of [service.stdout, service.stderr])
      stream.on('data', (data: Buffer) => {
        printed += data.toString()
        if (printed.includes(`listening on http://127.0.0.1:${ours}\n`)) resolve()
      })
  })
  const [accessKey = ''] = /^[0-9a-f-]{36}\.\S{43}$/m.exec(printed) ?? []

  const run = (block: string): string => {
    const { status, stdout } = spawnSync('bash', ['-c', `set -e\n${block}`], { encoding: 'utf8' })
    expect([block, status]).toEqual([block, 0])
    return stdout
  }
  const key = `ACCESS_KEY='${accessKey}'\n`
  const { url } = JSON.parse(run(begin.replace("ACCESS_KEY='…'\n", key))) as { url: string }
  const answers = run(key + use.replace('…', await visit(url)).replaceAll('# ', '; echo # '))
    .trim()
    .split('\n')
  expect(answers.map((answer) => JSON.parse(answer) as unknown)).toEqual([
    { connected: expect.objectContaining({ name: 'crm', state: 'live' }) },
    { contacts: 3 },
    { revocation: 'revoked' },
  ])
})
