// What the tests of this example stand on: the service as processes, on the server of the run, and a client that sees what is stored.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Secret } from '@strongroom/core'
import { MongoClient } from 'mongodb'
import { afterAll, afterEach, beforeAll, beforeEach, describe, inject } from 'vitest'

import { type Service, servicePrograms, startProgram } from '../../../tools/services/programs.mjs'
import { databasesOf, findSecrets, type Stored, storedBytes } from '../../../tools/services/stored-bytes.mjs'
import { openStore, type Store } from '../dist/store.js'
import { type Imported, importLog } from '../traffic/import-log.mjs'

declare module 'vitest' {
  interface TaskMeta {
    /** The database server that a test ran on: without it, no clause counts as kept. */
    server?: string
  }
}

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const { uri, description } = inject('mongoServer')

export interface Answer {
  readonly status: number
  readonly body: string
}

export interface Asking {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
}

export interface Ground {
  /** The service after so many days, in a process of its own; ended with the test. */
  start(daysAhead?: number): Promise<Service>
  ask(service: Service, path: string, asking?: Asking): Promise<Answer>
  importLog(lines: readonly string[], daysAhead?: number): Promise<Imported>
  /** Vault and rows, as this process has them. */
  readonly store: Store
  /** Where any of these is stored or printed, in any encoding. */
  found(secrets: readonly string[]): Promise<readonly string[]>
  /** All that is stored. */
  stored(): Promise<readonly Stored[]>
}

/** Tests on a running server; skipped where there is none. */
export function describeOnServer(title: string, tests: (ground: Ground) => void): void {
  describe.skipIf(uri === undefined)(title, () => {
    const ground = {} as { -readonly [K in keyof Ground]: Ground[K] }
    let running: Service[] = []
    let printed = ''
    let end: () => Promise<void>
    let folder: string

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'strongroom-logs-test-'))
      const client = new MongoClient(uri as string)
      const database = `logs-${randomUUID().slice(0, 8)}`
      const { environment, run } = servicePrograms({
        programs: new URL('../dist/', import.meta.url),
        uri: uri as string,
        database,
        folder,
        more: { PROXIES: '127.0.0.1' },
      })
      await run('set-up')
      const passphrase = new Secret(readFileSync(environment.PASSPHRASE_FILE, 'utf8'))
      const store = await openStore({ ...environment, PORT: 0, PROXIES: [], DAYS_AHEAD: 0, passphrase })
      Object.assign(ground, {
        async start(daysAhead = 0) {
          const service = await startProgram(MAIN, { ...environment, DAYS_AHEAD: String(daysAhead) })
          running.push(service)
          return service
        },
        async ask({ url }, path, { headers = {}, body } = {}) {
          const post = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
          const type = body === undefined ? {} : { 'content-type': 'application/json' }
          const response = await fetch(`${url}${path}`, { ...post, headers: { ...headers, ...type } })
          return { status: response.status, body: await response.text() }
        },
        importLog: (lines, daysAhead = 0) => importLog({ ...environment, DAYS_AHEAD: String(daysAhead) }, lines),
        store,
        stored: () => storedBytes(client, database),
        async found(secrets) {
          const all = [...(await storedBytes(client, database)), { where: 'printed', bytes: Buffer.from(printed + printedBy(running)) }]
          return findSecrets(all, secrets).map(({ where, secret, form }) => `${secret} as ${form} in ${where}`)
        },
      } satisfies Ground)
      end = async () => {
        await store.vault.close()
        for (const name of databasesOf(database)) await client.db(name).dropDatabase()
        await client.close()
      }
    })

    beforeEach(async ({ task }) => {
      task.meta.server = description
      await ground.store.requests.deleteMany({})
    })

    afterEach(async () => {
      printed += printedBy(running)
      for (const service of running) await service.kill()
      running = []
    })

    afterAll(async () => {
      await end()
      rmSync(folder, { recursive: true })
    })

    tests(ground)
  })
}

function printedBy(services: readonly Service[]): string {
  return services.map((service) => service.printed()).join('')
}
