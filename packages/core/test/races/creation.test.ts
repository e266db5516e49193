import { KeyState, NodeKind } from '@strongroom/core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import {
  Folder,
  inParallel,
  type OpenHow,
  outcome,
  read,
  type Records,
  records,
  startWorkers,
  stopWorkers,
  store,
  type StoredValue,
  type Worker,
} from './support.ts'

// All of them stand at the same instant before the same write: each has seen that there is nothing yet.
const PROCESSES = 50
const INITIALISERS = 10

const { tenant: TENANT, subject: SUBJECT, item: ITEM, service: SERVICE } = NodeKind
const ACTIVE = KeyState.active

let folder: Folder
let all: Worker[]
let first: Worker
let how: OpenHow

beforeAll(async () => {
  folder = await Folder.make()
  all = await startWorkers(PROCESSES)
  first = all[0] as Worker
  how = await folder.vault(first)
  await inParallel(8, all.slice(1), (worker) => worker.run('open', how))
})
afterAll(async () => {
  await stopWorkers()
  await folder.remove()
})

interface Match {
  readonly call: string
  readonly type?: string
  readonly kind?: number
}

/** Starts a task in every process, holds all back at the same call, and lets them go together. */
async function together<T>(workers: readonly Worker[], match: Match, start: (worker: Worker, index: number) => Promise<T>): Promise<T[]> {
  await Promise.all(workers.map((worker) => worker.run('hold', { name: 'start', ...match })))
  const running = workers.map(start)
  // A task that ends before it is held fails the test, not the wait.
  await Promise.race([Promise.all(workers.map((worker) => worker.run('held', { name: 'start' }))), ...running])
  for (const worker of workers) void worker.run('release', { name: 'start' })
  return Promise.all(running)
}

/** Everyone opens what everyone wrote; some of them with nothing but what is stored. */
async function expectShared(values: readonly StoredValue[]): Promise<void> {
  const everything = values.map(() => true)
  await inParallel(8, all, async (worker) => expect(await read(worker, values)).toEqual(everything))
  for (const worker of all.slice(0, 3)) {
    await worker.run('close')
    await worker.run('open', how)
    expect(await read(worker, values)).toEqual(everything)
  }
}

/** The nodes that a test has made. */
async function madeSince(before: Records): Promise<Records['nodes']> {
  return (await records(first)).nodes.filter(({ ref }) => !before.nodes.some((node) => node.ref === ref))
}

test.each([
  { name: 'one', what: 'subject', item: undefined, held: SUBJECT, kinds: [SUBJECT] },
  { name: 'two', what: 'item whose subject is new as well', item: 'hubspot', held: SUBJECT, kinds: [SUBJECT, ITEM] },
  { name: 'three', what: 'item', item: 'hubspot', held: ITEM, kinds: [ITEM] },
])(`the first value of the same $what, by ${PROCESSES} processes at once: one key`, async ({ name, item, held, kinds }) => {
  const subject = { tenant: name, subject: 'alice' }
  await first.run('create', { tenant: name })
  if (held !== SUBJECT) await store(first, subject)
  const before = await records(first)
  const place = item === undefined ? subject : { ...subject, item }
  const values = await together(all, { call: 'keys.put', type: 'node', kind: held }, (worker, i) =>
    store(worker, place, `${i}@example.com`),
  )
  const made = await madeSince(before)
  expect(made.map(({ kind }) => kind).sort()).toEqual(kinds)
  for (const node of made) expect(node).toMatchObject({ revision: 1, states: [ACTIVE] })
  await expectShared(values)
})

test(`the first value of the same subject, by ${PROCESSES} processes that nothing holds back: one key`, async () => {
  await first.run('create', { tenant: 'free' })
  const before = await records(first)
  const values = await Promise.all(all.map((worker, i) => store(worker, { tenant: 'free', subject: 'alice' }, `${i}@example.com`)))
  expect(await madeSince(before)).toHaveLength(1)
  await expectShared(values)
})

test.each([
  { tenant: 'held-1', at: 'its wrapping key', match: { call: 'keys.put', type: 'wrapping-key' } },
  { tenant: 'held-2', at: 'its node', match: { call: 'keys.put', type: 'node', kind: TENANT } },
])(`the same tenant, by ${PROCESSES} processes that stand before $at at once: one tenant`, async ({ tenant, match }) => {
  const before = await records(first)
  const outcomes = await together(all, match, (worker) => outcome(worker.run('create', { tenant })))
  expect(outcomes).toContain('ok')
  expect(outcomes.filter((one) => one !== 'ok' && one !== 'already_exists')).toEqual([])
  expect((await madeSince(before)).map(({ kind }) => kind).sort()).toEqual([TENANT, SERVICE])
  expect((await records(first)).wrappingKeys).toHaveLength(before.wrappingKeys.length + 1)
  const listed = await first.run<{ name: string }[]>('tenants')
  expect(listed.filter(({ name }) => name === tenant)).toHaveLength(1)
  await expectShared(await Promise.all(all.map((worker, i) => store(worker, { tenant, subject: `subject-${i % 5}` }, `${i}@example.com`))))
})

test('who is told that a tenant exists can use it, however slow its maker is', async () => {
  const [maker, loser, ...late] = all.slice(0, 6) as [Worker, Worker, ...Worker[]]
  // It has seen no node, and loses against the maker's.
  await loser.run('hold', { name: 'node', call: 'keys.put', type: 'node', kind: TENANT })
  const lost = outcome(loser.run('create', { tenant: 'slow' }))
  await loser.run('held', { name: 'node' })
  // Between the two writes of a creation: the tenant's node is there, its `ref` key is not.
  await maker.run('hold', { name: 'ref', call: 'keys.put', type: 'node', kind: SERVICE })
  const made = outcome(maker.run('create', { tenant: 'slow' }))
  await maker.run('held', { name: 'ref' })
  await loser.run('release', { name: 'node' })
  expect(['ok', 'already_exists']).toContain(await lost)

  const place = { tenant: 'slow', subject: 'alice' }
  const values = [await store(loser, place)]
  for (const worker of late) {
    expect(['ok', 'already_exists']).toContain(await outcome(worker.run('create', { tenant: 'slow' })))
    values.push(await store(worker, place))
  }
  await maker.run('release', { name: 'ref' })
  expect(['ok', 'already_exists']).toContain(await made)
  await expectShared([...values, await store(maker, place)])
})

test(`initVault by ${INITIALISERS} processes at once: exactly one makes the vault`, async () => {
  const some = all.slice(0, INITIALISERS)
  await Promise.all(some.map((worker) => worker.run('close')))
  const empty = await folder.empty()
  const outcomes = await together(some, { call: 'keys.put', type: 'vault' }, (worker) => outcome(worker.run('init', empty)))
  expect(outcomes.filter((one) => one === 'ok')).toHaveLength(1)
  expect(outcomes.filter((one) => one === 'already_exists')).toHaveLength(INITIALISERS - 1)

  await Promise.all(some.map((worker) => worker.run('open', empty)))
  await first.run('create', { tenant: 'acme' })
  const alice = { tenant: 'acme', subject: 'alice' }
  const values = await Promise.all(some.map((worker, i) => store(worker, alice, `${i}@example.com`)))
  for (const worker of some) expect(await read(worker, values)).toEqual(values.map(() => true))
  await first.run('shred', { place: alice })
  await first.run('close')
  await first.run('open', empty)
  expect(new Set(await read(first, values))).toEqual(new Set(['shredded']))
  // The root version, and the shred.
  expect(await first.run('reconcile')).toEqual({ entries: 2 })
})
