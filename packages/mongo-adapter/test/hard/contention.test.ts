// Eight processes write to the same twenty documents by what is in them: what comes out is what one after the other would have made.
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { initVault } from '@strongroom/core'
import { createLocalKeyFile } from '@strongroom/kms-local'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { uri } from '../support.ts'
import { vaultOptions, type Where } from './accounts.mjs'
import { codeOf, COUNT, type Deed, first, openShared, placeOf, type Shared } from './shared-documents.mjs'

const PROCESSES = 8
const DEEDS = Number(process.env['STRONGROOM_DEEDS'] ?? 60)
const seed = Number(process.env['STRONGROOM_SEED'] ?? 20_300_101)
/** How often a document is looked for before it is a conflict. */
const TRIES = 5

async function ask<T>(child: ChildProcess, task: string, argument?: unknown): Promise<T> {
  const answer = once(child, 'message') as Promise<[{ result?: T; failed?: string }]>
  child.send({ task, argument })
  const [{ result, failed }] = await answer
  if (failed !== undefined) throw new Error(failed)
  return result as T
}

describe.skipIf(uri === undefined)('on a server', () => {
  let folder: string
  let where: Where
  let processes: ChildProcess[]
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'strongroom-contention-'))
    await createLocalKeyFile({ file: join(folder, 'root.key'), rawKey: new Uint8Array(32).fill(7), region: 'eu' })
    where = { uri: uri as string, database: `strongroom-test-${randomUUID()}`, rootKeyFile: join(folder, 'root.key') }
    const { client: _, ...options } = await vaultOptions(where)
    await initVault(options)
    await options.close?.()
    const { vault, shared } = await openShared(where)
    for (const tenant of ['acme', 'rival']) await vault.tenants.create(tenant)
    await shared.createIndexes()
    await vault.close()
    processes = Array.from({ length: PROCESSES }, () =>
      fork(new URL('./shared-worker.mjs', import.meta.url), { execArgv: [], serialization: 'advanced' }),
    )
    await Promise.all(processes.map((child) => ask(child, 'open', where)))
  })
  afterAll(async () => {
    await Promise.all(
      processes.map((child) => {
        const ended = once(child, 'exit')
        child.send({ task: 'close' })
        return ended
      }),
    )
    const { client } = await vaultOptions(where)
    for (const name of ['', '-keys', '-state']) await client.db(`${where.database}${name}`).dropDatabase()
    await client.close()
    await rm(folder, { recursive: true })
  })

  test('updates, upserts, pushes and registers by unpinned filters', async () => {
    process.stdout.write(`contention: ${PROCESSES} processes, ${DEEDS} deeds each (as many as STRONGROOM_DEEDS says), seed ${seed}\n`)
    const deeds = (
      await Promise.all(processes.map((child, n) => ask<readonly Deed[]>(child, 'work', { name: `w${n}`, seed: seed + n, deeds: DEEDS })))
    ).flat()
    // By whom nothing is kept in memory: what is under a wrong key does not open.
    const { vault, shared } = await openShared(where)
    const documents = new Map((await shared.find({}, { shredded: 'throw' }).toArray()).map((each) => [each._id, each]))

    const of = (kind: Deed['kind']): readonly Deed[] => deeds.filter((each) => each.kind === kind)
    for (const kind of ['push', 'flip', 'pull', 'many', 'bulk', 'add', 'register'] as const)
      expect([kind, of(kind).some(({ reached }) => reached !== 'conflict' && reached > 0)]).toEqual([kind, true])

    // Each document was inserted once, whole, and by whoever was first.
    const touched = [...new Set(of('push').map(({ i }) => i))]
    expect(documents.size).toBe(touched.length)
    for (const i of touched) {
      expect(documents.get(placeOf(i)._id)).toMatchObject({ ...placeOf(i), group: i % 4, code: codeOf(i) })
      expect(of('push').filter((each) => each.i === i && each.inserted === 1)).toHaveLength(1)
    }
    for (const { reached } of of('push')) expect(reached).toBe(1)

    expectTokens(deeds, [...documents.values()])
    expectRegisters(of('register'), documents)
    expectSets(of('add'), documents)

    // What could not be done was tried as often as is said, and left no trace.
    for (const { kind, reached, looked } of deeds.filter((each) => each.reached === 'conflict'))
      expect([kind, reached, looked]).toEqual([kind, 'conflict', TRIES])
    await vault.close()
  }, 600_000)
})

/** Every token that was confirmed is there as often as was said, and none that was taken out or not confirmed. */
function expectTokens(deeds: readonly Deed[], documents: readonly Shared[]): void {
  const expected = new Map<string, number>()
  for (const { kind, token, reached } of deeds) {
    if (reached === 'conflict' || kind === 'register' || kind === 'add') continue
    if (kind === 'pull') {
      if (reached > 0) expected.set(token, (expected.get(token) ?? 0) - 1)
    } else if (reached > 0) expected.set(token, (expected.get(token) ?? 0) + reached)
  }
  const found = new Map<string, number>()
  for (const { tokens = [], pushes = 0, _id } of documents) {
    // The counter beside them, which was changed by the same command.
    expect([_id, pushes]).toEqual([_id, tokens.length])
    expect(new Set(tokens).size).toBe(tokens.length)
    for (const token of tokens) found.set(token, (found.get(token) ?? 0) + 1)
  }
  expect(sorted(found)).toEqual(sorted(new Map([...expected].filter(([, count]) => count !== 0))))
}

/** Turns of a register follow each other, each taken by one, who has seen what the one before has left. */
function expectRegisters(deeds: readonly Deed[], documents: ReadonlyMap<string, Shared>): void {
  for (let i = 0; i < COUNT; i++) {
    const document = documents.get(placeOf(i)._id)
    const taken = deeds.filter((each) => each.i === i && each.reached === 1).sort((a, b) => (a.turn ?? 0) - (b.turn ?? 0))
    expect(taken.map(({ turn }) => turn)).toEqual(taken.map((_, n) => n))
    expect(taken.map(({ before }) => before)).toEqual([first, ...taken.map(({ token }) => token)].slice(0, taken.length))
    if (document !== undefined) expect([i, document.turn, document.register]).toEqual([i, taken.length, taken.at(-1)?.token ?? first])
  }
}

/** Each value once, added by one of those who tried. */
function expectSets(deeds: readonly Deed[], documents: ReadonlyMap<string, Shared>): void {
  for (let i = 0; i < COUNT; i++) {
    const { set = [] } = documents.get(placeOf(i)._id) ?? {}
    const tried = deeds.filter((each) => each.i === i && each.reached === 1)
    expect([...set].sort()).toEqual([...new Set(tried.map(({ token }) => token))].sort())
    for (const value of set) expect(tried.filter(({ token, modified }) => token === value && modified === 1)).toHaveLength(1)
  }
}

function sorted(counts: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
}
