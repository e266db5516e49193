// The server of data and keys is killed and started again in the midst of writes of encrypted collections. More kills in .ci/run.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { initVault, StrongroomError } from '@strongroom/core'
import { createLocalKeyFile } from '@strongroom/kms-local'
import { MongoError } from 'mongodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type OwnServer, startServer } from '../../../../tools/mongo-server/server.mjs'
import { uri } from '../support.ts'
import { type Account, type Accounts, openAccounts, vaultOptions, type Where } from './accounts.mjs'

const KILLS = Number(process.env['STRONGROOM_SERVER_KILLS'] ?? 2)
const MANY = 20
const ORG = 'acme'
const KINDS = ['insertOne', 'insertMany in order', 'insertMany out of order', 'updateOne', 'updateMany', 'replaceOne', 'deleteMany']

type Outcome = 'written' | 'nothing sent' | 'unknown'

/** A call that writes, and what each document of it is before and after. */
interface Step {
  readonly kind: string
  readonly after: ReadonlyMap<string, Account | undefined>
  readonly call: () => Promise<unknown>
  /** Once it is known what is there of it. */
  readonly again: (missing: readonly Account[]) => Promise<unknown>
}

// All of an account says which version of it it is.
function account(_id: string, version: number, more: Partial<Account> = {}): Account {
  const own = `${_id}-${version}`
  return {
    _id,
    orgId: ORG,
    n: version,
    email: `${own}@canary.test`,
    note: `Canary ${own}`,
    list: [`Canary ${own} a`, `Canary ${own} b`],
    ...more,
  }
}

/** What a call says of its write. Whatever is neither ours nor the driver's fails the test, as does a value in what is said. */
async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    await call
    return 'written'
  } catch (error) {
    const { message, stack } = error as Error
    expect(`${message} ${stack} ${JSON.stringify(error)}`.toLowerCase()).not.toContain('canary')
    if (error instanceof MongoError) return 'unknown'
    if (!(error instanceof StrongroomError)) throw error
    // What the vault throws, it throws before a command about data.
    expect(error.code).toMatch(/^(key|state)_store_unavailable$/)
    return 'nothing sent'
  }
}

describe.skipIf(uri === undefined)('the server dies', () => {
  let folder: string
  let server: OwnServer
  let where: Where
  const opened: Accounts[] = []
  /** What is known to be stored; `undefined` for what is known to be absent. */
  const known = new Map<string, Account | undefined>()
  /** Of calls that were not confirmed. */
  const interrupted = new Set<string>()
  let died = false
  const tally: Record<string, Record<Outcome, number>> = {}

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'strongroom-kills-'))
    const rootKeyFile = join(folder, 'root.key')
    await createLocalKeyFile({ file: rootKeyFile, rawKey: new Uint8Array(32).fill(7), region: 'eu' })
    const started = await startServer()
    if (started.uri === undefined) throw new Error(started.description)
    server = started
    where = { uri: server.uri, database: `strongroom-test-${randomUUID()}`, rootKeyFile }
    const { client: _, ...options } = await vaultOptions(where)
    await initVault(options)
    await options.close?.()
    const first = await open()
    await first.vault.tenants.create(ORG)
    await first.accounts.createIndexes()
  })
  afterAll(async () => {
    await Promise.all(opened.map(({ vault }) => vault.close()))
    await server.stop()
    await rm(folder, { recursive: true })
  })

  async function open(timeout = 60_000): Promise<Accounts> {
    const accounts = await openAccounts({ ...where, timeout })
    opened.push(accounts)
    return accounts
  }

  const many = (from: string): readonly string[] => Array.from({ length: MANY }, (_, i) => `${from}-${i}`)
  const mapOf = (documents: readonly Account[]): ReadonlyMap<string, Account> => new Map(documents.map((each) => [each._id, each]))

  function inserting({ accounts }: Accounts, kind: string, documents: readonly Account[], options = {}): Step {
    const [first] = documents as [Account]
    return {
      kind,
      after: mapOf(documents),
      call: () => (kind === 'insertOne' ? accounts.insertOne(first) : accounts.insertMany(documents, options)),
      again: async (missing) => (missing.length === 0 ? undefined : accounts.insertMany(missing)),
    }
  }

  function changing(kind: string, after: Step['after'], call: () => Promise<unknown>): Step {
    return { kind, after, call, again: call }
  }

  /** Each makes the n-th call of its lane; `name` is of the lane alone. */
  const lanes: Readonly<Record<string, (of: Accounts, name: string, n: number) => Step>> = {
    insertOne: (of, name, n) => inserting(of, 'insertOne', [account(`${name}-${n}`, 0)]),
    'insertMany in order': (of, name, n) =>
      inserting(
        of,
        'insertMany in order',
        many(`${name}-${n}`).map((id) => account(id, 0)),
      ),
    'insertMany out of order': (of, name, n) =>
      inserting(
        of,
        'insertMany out of order',
        many(`${name}-${n}`).map((id) => account(id, 0)),
        { ordered: false },
      ),
    updateOne(of, name, n) {
      if (n === 0) return inserting(of, 'insertOne', [account(name, 0)])
      const { _id, orgId, ...members } = account(name, n)
      return changing('updateOne', mapOf([account(name, n)]), () => of.accounts.updateOne({ _id, orgId }, { $set: members }))
    },
    replaceOne(of, name, n) {
      if (n === 0) return inserting(of, 'insertOne', [account(name, 0)])
      const { _id, ...members } = account(name, n)
      return changing('replaceOne', mapOf([account(name, n)]), () => of.accounts.replaceOne({ _id, orgId: ORG }, members))
    },
    updateMany(of, name, n) {
      const note = `Canary ${name}`
      const ids = many(name)
      if (n === 0)
        return inserting(
          of,
          'insertMany in order',
          ids.map((id) => account(id, 0, { note })),
        )
      const after = mapOf(ids.map((id) => ({ ...account(id, 0, { note }), n })))
      return changing('updateMany', after, () => of.accounts.updateMany({ orgId: ORG, note }, { $set: { n } }))
    },
    // The same people again and again: their keys are there, so that most of the time goes into their documents.
    'insertOne and deleteMany'(of, name, n) {
      const one = account(name, 0)
      if (n % 2 === 0) return inserting(of, 'insertOne', [one])
      return changing('deleteMany', new Map([[name, undefined]]), () => of.accounts.deleteMany({ email: one.email as string }))
    },
    'insertMany and deleteMany'(of, name, n) {
      const note = `Canary ${name}`
      const documents = many(name).map((id) => account(id, 0, { note }))
      const ordered = n % 4 === 0
      if (n % 2 === 0) return inserting(of, ordered ? 'insertMany in order' : 'insertMany out of order', documents, { ordered })
      const after = new Map(documents.map(({ _id }) => [_id, undefined]))
      return changing('deleteMany', after, () => of.accounts.deleteMany({ orgId: ORG, note }))
    },
  }

  /** Calls until one is not confirmed, or all is well again. @returns what was not confirmed */
  async function run(
    make: (n: number) => Step,
    goOn: () => boolean,
  ): Promise<{ readonly step: Step; readonly outcome: Outcome } | undefined> {
    for (let n = 0; ; n++) {
      const step = make(n)
      const outcome = await outcomeOf(step.call())
      const counts = (tally[step.kind] ??= { written: 0, 'nothing sent': 0, unknown: 0 })
      counts[outcome]++
      if (outcome !== 'written') {
        expect(died, 'nothing fails while the server is well').toBe(true)
        for (const id of step.after.keys()) interrupted.add(id)
        return { step, outcome }
      }
      for (const [id, after] of step.after) known.set(id, after)
      if (!goOn()) return undefined
      // The machine has other things to do.
      await pause(5)
    }
  }

  /** Each document is as it was before the call or as it would be after it, in whole. Then the call is made again. */
  async function settle({ step, outcome }: { readonly step: Step; readonly outcome: Outcome }, reader: Accounts): Promise<void> {
    const there = new Map<string, Account>()
    for await (const document of reader.accounts.find({ _id: { $in: [...step.after.keys()] } }))
      there.set(document._id, document as Account)
    const done: boolean[] = []
    for (const [id, after] of step.after) {
      const before = known.get(id)
      const possible = outcome === 'nothing sent' ? [before] : [before, after]
      expect(possible, `${step.kind}, ${outcome}: ${id}`).toContainEqual(there.get(id))
      done.push(there.has(id))
    }
    if (step.kind.endsWith('in order'))
      expect(done, 'what is there is the beginning').toEqual([...done].sort((a, b) => Number(b) - Number(a)))
    await step.again([...step.after.values()].filter((after): after is Account => after !== undefined && !there.has(after._id)))
    for (const [id, after] of step.after) known.set(id, after)
  }

  test(
    `${KILLS} kills`,
    async () => {
      // These processes live through all of it: some give up before the server is back, for the others the driver sends again what was under way.
      const [hasty, patient] = [await open(1500), await open()]
      for (let kill = 0; kill < KILLS; kill++) {
        let back = false
        const working = Object.entries(lanes).flatMap(([kind, make]) =>
          [hasty, patient, hasty].map((of, i) =>
            run(
              (n) => make(of, `${kind.replaceAll(' ', '')}${i}-${kill}`, n),
              () => !back,
            ),
          ),
        )
        // On a busy machine a call may take as long as all of this elsewhere.
        while (!KINDS.every((kind) => (tally[kind]?.written ?? 0) > 0)) await pause(20)
        await pause(700 + Math.random() * 600)
        died = true
        await server.kill()
        await pause(1600)
        await server.start()
        back = true
        const unconfirmed = (await Promise.all(working)).filter((each) => each !== undefined)
        const reader = await open()
        for (const each of unconfirmed) await settle(each, reader)
        died = false
      }
      console.log(`${KILLS} kills of the server: ${JSON.stringify(tally)}`)
      expect(Object.keys(tally).sort()).toEqual([...KINDS].sort())
      expect(Object.values(tally).reduce((sum, { unknown }) => sum + unknown, 0)).toBeGreaterThan(0)
    },
    600_000 + KILLS * 120_000,
  )

  test('then all that was confirmed is there, is found by its indexes, and can be written again', async () => {
    const { vault, accounts, stored } = await open()
    const there = [...known.values()].filter((each) => each !== undefined)
    expect(await stored.countDocuments()).toBe(there.length)
    const read = new Map((await accounts.find().toArray()).map((each) => [each._id, each]))
    for (const each of there) expect(read.get(each._id)).toEqual(each)
    const chunk = <T>(all: readonly T[], size: number): readonly (readonly T[])[] =>
      all.length === 0 ? [] : [all.slice(0, size), ...chunk(all.slice(size), size)]
    for (const some of chunk(there, 100)) {
      // What an index finds is compared with what it is an index of.
      for (const filter of [
        { email: { $in: some.map(({ email }) => email as string) } },
        { orgId: ORG, note: { $in: some.map(({ note }) => note as string) } },
        { orgId: ORG, list: { $in: some.map(({ list }) => list?.[0] as string) } },
      ]) {
        const ids = new Set((await accounts.find(filter as never).toArray()).map(({ _id }) => _id))
        expect(some.filter(({ _id }) => !ids.has(_id))).toEqual([])
      }
    }
    // People whose documents were never stored, or are gone, have keys as well by now. Of the others some.
    const again = [...known].filter(([id, document], i) => document === undefined || interrupted.has(id) || i % 10 === 0)
    for (const some of chunk(again, 25))
      await Promise.all(
        some.map(([id, before]) => {
          const { _id, ...members } = account(id, 1_000_000)
          return before === undefined ? accounts.insertOne({ _id, ...members }) : accounts.replaceOne({ _id, orgId: ORG }, members)
        }),
      )
    const after = await accounts.find({ n: 1_000_000 }).toArray()
    expect(after).toHaveLength(again.length)
    for (const each of after) expect(each).toEqual(account(each._id, 1_000_000))
    const damaged: unknown[] = []
    for await (const finding of vault.verifyKeys()) if (finding.problem.endsWith('does_not_open')) damaged.push(finding)
    expect(damaged).toEqual([])
  }, 600_000)
})
