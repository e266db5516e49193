// What the tests of this example stand on: the CRM and the service as processes, on the server of the run, and a client that sees what is stored.
import { createHmac, randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { initVault, Secret } from '@strongroom/core'
import { createLocalKeyFile } from '@strongroom/kms-local'
import { MongoClient } from 'mongodb'
import { afterAll, beforeAll, beforeEach, describe, inject } from 'vitest'

import { type Answered, type Service, servicePrograms } from '../../../tools/services/programs.mjs'
import { databasesOf } from '../../../tools/services/stored-bytes.mjs'
import { visit } from '../crm/customer.mjs'
import { type Crm, SETTINGS, startCrm } from '../crm/start-crm.mjs'
import { issueAccessKey } from '../dist/access-keys.js'
import type { Configuration } from '../dist/configuration.js'
import { connect, openStore, type Store, vaultOptions } from '../dist/store.js'

declare module 'vitest' {
  interface TaskMeta {
    /** The database server that a test ran on: without it, no clause counts as kept. */
    server?: string
  }
}

const { uri, description } = inject('mongoServer')
const PROCESSES = 4

/** An organisation, as it calls the service. */
export interface Customer {
  readonly id: string
  /** What of its access key is secret. */
  readonly secret: string
  /** @param by - one of the processes; the first unless given */
  call(method: string, path: string, body?: object, by?: Service): Promise<Answered>
  /** Lets a customer of its agree at the CRM. @returns the path that the browser comes back to */
  agreed(choice?: { readonly agrees: boolean }): Promise<string>
  connect(): Promise<void>
  /** The status of a sync. */
  sync(name: string, by?: Service): Promise<number>
  known(by?: Service): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** The status of a webhook that is signed with a secret. */
  webhook(secret: string, by?: Service): Promise<number>
}

export interface Ground {
  readonly client: MongoClient
  readonly database: string
  readonly crm: Crm
  /** There for all tests of the file. */
  readonly services: readonly [Service, ...Service[]]
  /** Another one, in a process of its own; ended with the tests. */
  start(): Promise<Service>
  organisation(): Promise<Customer>
  /** The vault and the connections, as this process has them. */
  readonly store: Store
  printed(): string
}

/** Tests on a running server; skipped where there is none. */
export function describeOnServer(title: string, tests: (ground: Ground) => void): void {
  describe.skipIf(uri === undefined)(title, () => {
    const ground = {} as { -readonly [K in keyof Ground]: Ground[K] }
    const services: Service[] = []
    let folder: string

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'strongroom-sync-test-'))
      const client = new MongoClient(uri as string)
      const database = `sync-${randomUUID().slice(0, 8)}`
      const crm = await startCrm()
      const more = { ...SETTINGS, CRM_URL: crm.url }
      const programs = servicePrograms({ programs: new URL('../dist/', import.meta.url), uri: uri as string, database, folder, more })
      const start = async (): Promise<Service> => {
        const service = await programs.start()
        services.push(service)
        return service
      }
      await makeVault(programs.environment, crm)
      await programs.run('set-up')
      const store = await open(programs.environment, crm)
      const [first, ...others] = await Promise.all(Array.from({ length: PROCESSES }, start))
      Object.assign(ground, {
        client,
        database,
        crm,
        services: [first as Service, ...others],
        start,
        store,
        async organisation() {
          const id = randomUUID()
          await store.vault.tenants.create(id)
          return customer(await issueAccessKey(store, id), ground)
        },
        printed: () => services.map((service) => service.printed()).join(''),
      } satisfies Ground)
    })

    beforeEach(({ task }) => {
      task.meta.server = description
    })

    afterAll(async () => {
      for (const service of [...services, ground.crm]) await service.kill()
      await ground.store.vault.close()
      for (const name of databasesOf(ground.database)) await ground.client.db(name).dropDatabase()
      await ground.client.close()
      rmSync(folder, { recursive: true })
    })

    tests(ground)
  })
}

function customer(accessKey: string, { services }: Ground): Customer {
  const [id = '', secret = ''] = accessKey.split('.')
  const self: Customer = {
    id,
    secret,
    call: (method, path, body, by = services[0]) =>
      by.call(method, path, { headers: { cookie: `access_key=${accessKey}` }, ...(body === undefined ? {} : { body }) }),
    async agreed(choice) {
      const { body } = successful(await self.call('POST', '/connections/crm'))
      const { pathname, search } = new URL(await visit(String(body?.['url']), choice))
      return pathname + search
    },
    connect: async () => void successful(await self.call('GET', await self.agreed())),
    sync: async (name, by) => (await self.call('POST', `/connections/${name}/sync`, undefined, by)).status,
    async known(by) {
      const { body } = successful(await self.call('GET', '/connections', undefined, by))
      return body?.['connections'] as readonly Readonly<Record<string, unknown>>[]
    },
    async webhook(key, by = services[0]) {
      const body = '{"changed":"contacts"}'
      const headers = { 'x-signature': createHmac('sha256', key).update(body).digest('hex') }
      return (await by.call('POST', `/webhooks/${id}`, { headers, body })).status
    },
  }
  return self
}

function successful(answered: Answered): Answered {
  if (answered.status >= 300) throw new Error(`the call was answered with ${answered.status} ${JSON.stringify(answered.body)}`)
  return answered
}

type Environment = ReturnType<typeof servicePrograms>['environment']

function configurationOf(environment: Environment, crm: Crm): Configuration {
  const passphrase = new Secret(readFileSync(environment.PASSPHRASE_FILE, 'utf8'))
  const crmClientSecret = new Secret(SETTINGS.CRM_CLIENT_SECRET)
  const { PUBLIC_URL } = SETTINGS
  return { ...environment, PORT: 0, PUBLIC_URL, CRM_URL: crm.url, passphrase, crmClientSecret }
}

function open(environment: Environment, crm: Crm): Promise<Store> {
  return openStore(configurationOf(environment, crm))
}

// As set-up does, which finds it made; but no process uses a key that another has destroyed for as long as a minute.
async function makeVault(environment: Environment, crm: Crm): Promise<void> {
  const configuration = configurationOf(environment, crm)
  await createLocalKeyFile({ file: configuration.ROOT_KEY_FILE, passphrase: configuration.passphrase, region: 'eu' })
  const options = await vaultOptions(connect(configuration), configuration)
  await initVault({ ...options, cacheBound: 1000 })
  await options.close?.()
}
