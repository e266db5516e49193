// The commands of the README, as they are written there: but for the server, its port and the invitation.
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { MongoClient } from 'mongodb'
import { expect, inject, onTestFinished, test } from 'vitest'

import { databasesOf } from '../../../tools/services/stored-bytes.mjs'

const EXAMPLE = fileURLToPath(new URL('..', import.meta.url))
const { uri } = inject('mongoServer')

test.skipIf(uri === undefined)('from an empty folder to the first account', async () => {
  const [, setUp = '', signUp = ''] = [...readFileSync(join(EXAMPLE, 'README.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(
    ([, block]) => block,
  )
  const home = mkdtempSync(join(tmpdir(), 'strongroom-accounts-readme-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  const database = `accounts-${randomUUID().slice(0, 8)}`
  onTestFinished(async () => {
    const client = new MongoClient(uri as string)
    for (const name of databasesOf(database)) await client.db(name).dropDatabase()
    await client.close()
  })

  const service = spawn('bash', ['-c', `set -e\n${setUp.replace('mongodb://localhost:27017', `'${uri}'`)}`], {
    cwd: EXAMPLE,
    env: { PATH: process.env['PATH'], HOME: home, DATABASE: database, PORT: '0' },
    // The shell and its programs end together.
    detached: true,
  })
  const ended = new Promise((resolve) => service.on('close', resolve))
  onTestFinished(async () => {
    if (service.exitCode === null) process.kill(-(service.pid as number), 'SIGTERM')
    await ended
  })
  let printed = ''
  await new Promise<void>((resolve, reject) => {
    service.on('close', () => reject(new Error(printed)))
    for (const stream of [service.stdout, service.stderr])
      stream.on('data', (data: Buffer) => {
        printed += data.toString()
        if (/^listening on .*$/m.test(printed)) resolve()
      })
  })
  const [, invitation = '', address = ''] = /^ready; .*\n(\S+)\nlistening on http:\/\/(\S+)\n/.exec(printed) ?? []

  const command = signUp.replace('localhost:8080', address).replace('"…"', JSON.stringify(invitation))
  const { status, stdout } = spawnSync('bash', ['-c', command], { encoding: 'utf8' })
  expect([status, JSON.parse(stdout)]).toEqual([0, { id: expect.any(String) }])
})
