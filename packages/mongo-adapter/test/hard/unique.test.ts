// `unique` holds whoever writes at the same time: several processes, each with all of its writes under way at once. More rounds in .ci/run.
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { initVault } from '@strongroom/core'
import { createLocalKeyFile } from '@strongroom/kms-local'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { uri } from '../support.ts'
import { type Account, type Accounts, openAccounts, vaultOptions, type Where } from './accounts.mjs'

const ROUNDS = Number(process.env['STRONGROOM_ROUNDS'] ?? 3)
const PROCESSES = 5
const EACH = 10
const TENANTS = ['acme', 'rival'] as const

/** One address, as people write it. */
const ADDRESSES = [
  'Ad\u00e9@Example.com',
  'ad\u00e9@example.com',
  'ade\u0301@example.com',
  '  AD\u00c9@EXAMPLE.COM ',
  '\tADE\u0301@example.com\u00a0',
]
/** And one nick. */
const NICKS = ['Ada Byron', 'ada byron', ' ADA   BYRON', 'ada\u00a0byron', '\uff21\uff24\uff21 Byron']

interface Refusal {
  readonly isServerError: boolean
  readonly code: unknown
  readonly keyPattern: unknown
  readonly keyValue: unknown
  readonly text: string
}

type Written = 'written' | Refusal

async function ask<T>(child: ChildProcess, task: string, argument?: unknown): Promise<T> {
  const answer = once(child, 'message') as Promise<[{ result?: T; failed?: string }]>
  child.send({ task, argument })
  const [{ result, failed }] = await answer
  if (failed !== undefined) throw new Error(failed)
  return result as T
}

describe.skipIf(uri === undefined)('on a server', () => {
  let folder: string
  let processes: ChildProcess[]
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'strongroom-unique-'))
    await createLocalKeyFile({ file: join(folder, 'root.key'), rawKey: new Uint8Array(32).fill(7), region: 'eu' })
    // The test runner's own flags are not for these processes.
    processes = Array.from({ length: PROCESSES }, () =>
      fork(new URL('./unique-worker.mjs', import.meta.url), { execArgv: [], serialization: 'advanced' }),
    )
  })
  afterAll(async () => {
    await Promise.all(
      processes.map((child) => {
        const ended = once(child, 'exit')
        child.send({ task: 'close' })
        return ended
      }),
    )
    await rm(folder, { recursive: true })
  })

  // A vault of its own, so that the first of all writes make its keys.
  let where: Where
  let opened: Accounts
  beforeEach(async () => {
    where = { uri: uri as string, database: `strongroom-test-${randomUUID()}`, rootKeyFile: join(folder, 'root.key') }
    const { client: _, ...options } = await vaultOptions(where)
    await initVault(options)
    await options.close?.()
    opened = await openAccounts(where)
    for (const tenant of TENANTS) await opened.vault.tenants.create(tenant)
    await opened.accounts.createIndexes()
    await Promise.all(processes.map((child) => ask(child, 'open', where)))
  })
  afterEach(async () => {
    const { client } = await vaultOptions(where)
    for (const name of ['', '-keys', '-state']) await client.db(`${where.database}${name}`).dropDatabase()
    await client.close()
    await opened.vault.close()
  })

  /** Each process does its part of these at once, and all processes at the same time. */
  async function together(task: string, parts: readonly unknown[]): Promise<readonly Written[]> {
    const answers = await Promise.all(
      processes.map((child, i) => ask<readonly Written[]>(child, task, parts.slice(i * EACH, (i + 1) * EACH))),
    )
    return answers.flat()
  }

  async function expectRefusals(results: readonly Written[], path: 'email' | 'nick'): Promise<void> {
    const shown: string[] = []
    for (const document of await opened.stored.find({}, { promoteBuffers: true }).toArray()) {
      const { c, i } = (document[path] ?? {}) as { readonly c?: Buffer; readonly i?: Buffer }
      for (const bytes of [c, i])
        if (bytes !== undefined) shown.push(bytes.toString('hex'), bytes.toString('base64'), [...bytes].join(', '))
    }
    expect(shown.length).toBeGreaterThan(0)
    for (const result of results) {
      if (result === 'written') continue
      const { text, ...rest } = result
      expect(rest).toEqual({ isServerError: true, code: 11_000, keyPattern: { [path]: 1 }, keyValue: undefined })
      for (const value of [...ADDRESSES, ...NICKS, 'example.com', 'byron', ...shown])
        expect(text.toLowerCase()).not.toContain(value.toLowerCase())
    }
  }

  const account = (n: number, more: Partial<Account>): Account => ({
    _id: `a${n}`,
    orgId: TENANTS[n % 2] as string,
    n,
    ...more,
  })
  const fifty = <T>(one: (n: number) => T): readonly T[] => Array.from({ length: PROCESSES * EACH }, (_, n) => one(n))
  const rounds = Array.from({ length: ROUNDS }, (_, i) => i + 1)

  test.each(rounds)('50 inserts of one address, in whatever tenant: one document (%i)', async () => {
    const results = await together(
      'insert',
      fifty((n) => account(n, { email: ADDRESSES[(n >> 1) % ADDRESSES.length] as string })),
    )
    expect(results.filter((result) => result === 'written')).toHaveLength(1)
    await expectRefusals(results, 'email')
    expect(await opened.stored.countDocuments()).toBe(1)
    const winner = results.indexOf('written')
    // Whichever way it is asked for.
    for (const email of ADDRESSES) expect((await opened.accounts.findOne({ email }))?._id).toBe(`a${winner}`)
    // The keys that the others made do no harm.
    for (const n of [winner === 0 ? 1 : 0, 49 - (winner % 2)]) {
      const one = account(n, { _id: `later${n}`, email: `other${n}@example.com` })
      await opened.accounts.insertOne(one)
      expect(await opened.accounts.findOne({ _id: one._id })).toEqual(one)
    }
  })

  test.each(rounds)('50 inserts of one nick, in two tenants: one document in each (%i)', async () => {
    const results = await together(
      'insert',
      fifty((n) => account(n, { nick: NICKS[(n >> 1) % NICKS.length] as string })),
    )
    expect(results.filter((result) => result === 'written')).toHaveLength(2)
    await expectRefusals(results, 'nick')
    const there = await opened.stored.find().toArray()
    expect(there.map(({ orgId }) => orgId).sort()).toEqual(['acme', 'rival'])
    for (const orgId of TENANTS) for (const nick of NICKS) expect(await opened.accounts.countDocuments({ orgId, nick })).toBe(1)
  })

  test.each(rounds)('50 updates to one address: one is made (%i)', async () => {
    await opened.accounts.insertMany(fifty((n) => account(n, { email: `own${n}@mail.test` })))
    const changes = fifty((n) => ({
      filter: { _id: `a${n}`, orgId: TENANTS[n % 2] },
      email: ADDRESSES[(n >> 1) % ADDRESSES.length],
    }))
    const results = await together('setEmail', changes)
    expect(results.filter((result) => result === 'written')).toHaveLength(1)
    await expectRefusals(results, 'email')
    const winner = results.indexOf('written')
    expect(await opened.accounts.find({ email: ADDRESSES[0] as string }).toArray()).toEqual([
      account(winner, { email: ADDRESSES[(winner >> 1) % ADDRESSES.length] as string }),
    ])
    const others = await opened.accounts.find({ _id: { $ne: `a${winner}` } }).toArray()
    expect(others.map(({ n, email }) => [n, email]).sort((a, b) => Number(a[0]) - Number(b[0]))).toEqual(
      fifty((n) => [n, `own${n}@mail.test`]).filter((_, n) => n !== winner),
    )
  })
})
