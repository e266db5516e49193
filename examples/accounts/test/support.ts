// What the tests of this example stand on: its programs as processes, on the server of the run, on each of the two layers of data, and a
// client that sees what is stored.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { initVault, Secret } from '@strongroom/core'
import { createLocalKeyFile } from '@strongroom/kms-local'
import { type Collection, type Document, MongoClient } from 'mongodb'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, vi } from 'vitest'

import type { Configuration } from '../dist/configuration.js'
import { connect, openStore, type Store, vaultOptions } from '../dist/store.js'
import { type Answered, type Programs, type Service, servicePrograms } from '../../../tools/services/programs.mjs'
import { databasesOf } from '../../../tools/services/stored-bytes.mjs'

declare module 'vitest' {
  interface TaskMeta {
    /** The database server that a test ran on: without it, no clause counts as kept. */
    server?: string
  }
}

const { uri, description } = inject('mongoServer')

export interface Person {
  readonly email: string
  readonly name: string
  readonly password: string
}

/** Someone who has signed up and logged in. */
export interface LoggedIn extends Person {
  readonly id: string
  readonly token: string
}

export interface Ground {
  /** Whether the service is on models of Mongoose. */
  readonly mongoose: boolean
  readonly client: MongoClient
  readonly database: string
  readonly programs: Programs
  /** One that is there for all tests of the file. */
  readonly service: Service
  /** Another one, in a process of its own; ended with the tests. */
  start(...ofNode: readonly string[]): Promise<Service>
  /** @returns the invitation of its first owner */
  organisation(name?: string): Promise<string>
  signUp(invitation: string, person?: Partial<Person>): Promise<LoggedIn>
  /** As it is stored. */
  stored(collection: string): Collection<Document & { _id: string }>
  /** One document as it is stored. @throws if there is none */
  storedOne(collection: string, filter: Readonly<Record<string, string>>): Promise<Document & { _id: string }>
  /** The data as the service has it, to write what no call writes. */
  withStore<T>(work: (store: Store) => Promise<T>): Promise<T>
}

export interface GroundOptions {
  /** Milliseconds for which a process may use a key that another has destroyed, and that sweeping waits; a minute unless given. */
  readonly cacheBound?: number
  /** On models in `npm test` too; the others are on models in `.ci/run`, since they take a minute and more. */
  readonly quick?: boolean
}

const COLLECTIONS = ['on encrypted collections', { mongoose: false, options: [] as readonly string[] }] as const
const MODELS = ['on models of Mongoose', { mongoose: true, options: ['--mongoose'] as readonly string[] }] as const

/** Tests on a running server, once for each layer of data; skipped where there is none. */
export function describeOnServer(title: string, tests: (ground: Ground) => void, { cacheBound, quick = false }: GroundOptions = {}): void {
  const onServer = describe.skipIf(uri === undefined)
  onServer.each(quick || process.env['STRONGROOM_SLOW'] === 'yes' ? [COLLECTIONS, MODELS] : [COLLECTIONS])(
    `${title} %s`,
    (_, { mongoose, options }) => {
      const ground = {} as { -readonly [K in keyof Ground]: Ground[K] }
      const services: Service[] = []
      let folder: string

      beforeAll(async () => {
        folder = mkdtempSync(join(tmpdir(), 'strongroom-accounts-test-'))
        const client = new MongoClient(uri as string)
        const database = `accounts-${randomUUID().slice(0, 8)}`
        const programs = servicePrograms({ programs: new URL('../dist/', import.meta.url), uri: uri as string, database, folder, options })
        const start = async (...ofNode: readonly string[]): Promise<Service> => {
          const service = await programs.start(...ofNode)
          services.push(service)
          return service
        }
        const configuration = configurationOf(programs, mongoose)
        if (cacheBound !== undefined) await makeVault(configuration, cacheBound)
        await programs.run('set-up')
        Object.assign(ground, {
          mongoose,
          client,
          database,
          programs,
          service: await start(),
          start,
          organisation: (name = 'Acme') => programs.run('new-organisation', name),
          signUp: (invitation: string, person: Partial<Person> = {}) => signedUp(ground.service, invitation, person),
          stored: (collection: string) => client.db(database).collection(collection),
          async storedOne(collection: string, filter: Readonly<Record<string, string>>) {
            const document = await ground.stored(collection).findOne(filter)
            if (document === null) throw new Error(`${collection} has no such document`)
            return document
          },
          withStore: <T>(work: (store: Store) => Promise<T>) => withStore(configuration, work),
        } satisfies Ground)
      })

      beforeEach(({ task }) => {
        task.meta.server = description
      })

      afterAll(async () => {
        for (const service of services) await service.kill()
        for (const name of databasesOf(ground.database)) await ground.client.db(name).dropDatabase()
        await ground.client.close()
        rmSync(folder, { recursive: true })
      })

      tests(ground)
    },
  )
}

let people = 0

/** Somebody whom nobody else is. */
export function somebody(person: Partial<Person> = {}): Person {
  people++
  return { email: `person-${people}@example.com`, name: `Person ${people}`, password: `password of ${people}`, ...person }
}

async function signedUp(service: Service, invitation: string, given: Partial<Person>): Promise<LoggedIn> {
  const person = somebody(given)
  const { body } = successful(await service.call('POST', '/accounts', { body: { ...person, invitation } }))
  return { ...person, id: String(body?.['id']), token: await logIn(service, person) }
}

export const credentials = ({ email, password }: Person): object => ({ email, password })

/** @returns the session's token */
export async function logIn(service: Service, person: Person): Promise<string> {
  return String(successful(await service.call('POST', '/session', { body: credentials(person) })).body?.['token'])
}

export async function invite(service: Service, { token }: LoggedIn, role = 'member'): Promise<string> {
  return String(successful(await service.call('POST', '/invitations', { token, body: { role } })).body?.['invitation'])
}

export async function teamNames(service: Service, { token }: LoggedIn): Promise<readonly string[]> {
  const { body } = successful(await service.call('GET', '/team', { token }))
  return (body as { readonly members: readonly { readonly name: string }[] }).members.map(({ name }) => name).sort()
}

function successful(answered: Answered): Answered {
  if (answered.status >= 300) throw new Error(`the call was answered with ${answered.status} ${JSON.stringify(answered.body)}`)
  return answered
}

async function withStore<T>(configuration: Configuration, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(configuration)
  try {
    return await work(store)
  } finally {
    await store.vault.close()
  }
}

function configurationOf({ environment }: Programs, mongoose: boolean): Configuration {
  const passphrase = new Secret(readFileSync(environment.PASSPHRASE_FILE, 'utf8'))
  return { ...environment, HOST: '', PORT: 0, passphrase, mongoose }
}

// As set-up does, which finds it made.
async function makeVault(configuration: Configuration, cacheBound: number): Promise<void> {
  await createLocalKeyFile({ file: configuration.ROOT_KEY_FILE, passphrase: configuration.passphrase, region: 'eu' })
  const options = await vaultOptions(connect(configuration), configuration)
  await initVault({ ...options, cacheBound })
  await options.close?.()
}

/** Sweeps, and waits until nothing is left of what an answer has asked to be erased: a service may have been first, and be at it. */
export async function untilErased({ programs, withStore: within }: Ground, answer: Answered): Promise<void> {
  await programs.run('sweep')
  const id = String(answer.body?.['erasure'])
  await within(({ erasure }) =>
    vi.waitFor(async () => expect((await erasure.get(id))?.state).toBe('erased'), { timeout: 60_000, interval: 200 }),
  )
}

const CLOCK = fileURLToPath(new URL('preload/clock.mjs', import.meta.url))
export const DAY = 86_400_000

/** From now on it is so many milliseconds later than it is, for the programs that are started and for this process; until {@link today}. */
export function later(ahead: number): void {
  today()
  vi.stubEnv('NODE_OPTIONS', `--import ${CLOCK}`)
  vi.stubEnv('CLOCK_AHEAD', String(ahead))
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ahead })
}

export function today(): void {
  vi.useRealTimers()
  vi.unstubAllEnvs()
}
