import { NodeKind } from '@strongroom/core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

import { replaceStore } from '../stores/stores.ts'
import { Folder, type OpenHow, outcome, read, startWorker, stopWorkers, store, type StoredValue, type Worker } from './support.ts'

// Copies of the real folders, taken and put back while no process has them open.
const alice = { tenant: 'acme', subject: 'alice' }
const hubspot = { ...alice, item: 'hubspot' }
const bob = { tenant: 'acme', subject: 'bob' }
const carol = { tenant: 'globex', subject: 'carol' }

let folder: Folder
let worker: Worker
let how: OpenHow
let backup: OpenHow
let values: readonly StoredValue[]

beforeAll(async () => {
  folder = await Folder.make()
  worker = startWorker()
})
beforeEach(async () => {
  how = await folder.vault(worker)
  for (const tenant of ['acme', 'globex']) await worker.run('create', { tenant })
  const stored: StoredValue[] = []
  for (const place of [alice, hubspot, bob, carol]) stored.push(await store(worker, place))
  values = stored
  await worker.run('close')
  backup = await folder.copy(how)
})
afterAll(async () => {
  await stopWorkers()
  await folder.remove()
})

/** Opens the vault, does something, and closes it. */
async function session<T>(work: () => Promise<T>): Promise<T> {
  await worker.run('open', how)
  try {
    return await work()
  } finally {
    await worker.run('close')
  }
}

async function restore(what: 'keys' | 'state', from: OpenHow = backup): Promise<void> {
  await replaceStore(from.directory, how.directory, what)
}

const opens = (): Promise<string> => outcome(session(async () => undefined))

test.each([
  { what: 'a subject', task: 'shred', place: alice, code: 'shredded', expected: ['shredded', 'shredded', true, true] },
  { what: 'an item', task: 'shred', place: hubspot, code: 'shredded', expected: [true, 'shredded', true, true] },
  { what: 'a tenant', task: 'shred', place: { tenant: 'acme' }, code: 'shredded', expected: ['shredded', 'shredded', 'shredded', true] },
  { what: 'a subject', task: 'suspend', place: alice, code: 'suspended', expected: ['suspended', 'suspended', true, true] },
  {
    what: 'a tenant',
    task: 'suspend',
    place: { tenant: 'acme' },
    code: 'suspended',
    expected: ['suspended', 'suspended', 'suspended', true],
  },
])(
  'the key store alone, from before $what was put in the state of $task: put right by whoever opens it',
  async ({ task, place, code, expected }) => {
    await session(() => worker.run(task, { place }))
    await restore('keys')
    await session(async () => {
      expect(await read(worker, values)).toEqual(expected)
      expect(await outcome(worker.run('encrypt', { place: { ...hubspot, ...place }, value: 'x' }))).toBe(code)
    })
    // It is in the store, not only in that process; and the ledger goes on from there.
    await session(async () => {
      expect(await read(worker, values)).toEqual(expected)
      await worker.run('shred', { place: carol })
      expect(await worker.run('reconcile')).toEqual({ entries: 3 })
      expect(await read(worker, values)).toEqual([...expected.slice(0, 3), 'shredded'])
    })
  },
)

test('the key store alone, from before a whole history: every entry has its effect again', async () => {
  await session(async () => {
    await worker.run('suspend', { place: hubspot })
    await worker.run('suspend', { place: bob })
    await worker.run('resume', { place: hubspot })
    await worker.run('shred', { place: alice })
    await worker.run('shred', { place: { tenant: 'globex' } })
  })
  await restore('keys')
  await session(async () => {
    expect(await read(worker, values)).toEqual(['shredded', 'shredded', 'suspended', 'shredded'])
    await worker.run('resume', { place: bob })
    expect(await read(worker, values)).toEqual(['shredded', 'shredded', true, 'shredded'])
  })
})

test('reconcile applies the whole history again, and changes nothing', async () => {
  await session(async () => {
    await worker.run('suspend', { place: hubspot })
    await worker.run('resume', { place: hubspot })
    await worker.run('suspend', { place: bob })
    await worker.run('resume', { place: bob })
    await worker.run('shred', { place: alice })
    const { 'keys.put': before } = await worker.run<Record<string, number>>('calls')
    expect(await worker.run('reconcile')).toEqual({ entries: 6 })
    // Not even for a moment: a process that died in between would leave what was true once.
    const { 'keys.put': after } = await worker.run<Record<string, number>>('calls')
    expect(after).toBe(before)
    expect(await read(worker, values)).toEqual(['shredded', 'shredded', true, true])
    await worker.run('shred', { place: { tenant: 'acme' } })
    expect(await worker.run('reconcile')).toEqual({ entries: 7 })
    expect(await read(worker, values)).toEqual(['shredded', 'shredded', 'shredded', true])
  })
})

test.each([
  { what: 'items', kind: NodeKind.item },
  { what: 'subjects', kind: NodeKind.subject },
])('the records of $what, put back by hand from before a history: reconcile puts them right', async ({ kind }) => {
  await session(async () => {
    await worker.run('keep', { kind })
    await worker.run('suspend', { place: hubspot })
    await worker.run('suspend', { place: bob })
    await worker.run('shred', { place: alice })
    await worker.run('shred', { place: { tenant: 'globex' } })
    await worker.run('putBack')
  })
  const entries = await session(() => worker.run('reconcile'))
  expect(entries).toEqual({ entries: 5 })
  expect(await session(() => read(worker, values))).toEqual(['shredded', 'shredded', 'suspended', 'shredded'])
})

test('a key that was made after the copy is gone with it: decrypt_failed, never another value', async () => {
  const late = await session(() => store(worker, { tenant: 'acme', subject: 'dave' }))
  await restore('keys')
  await session(async () => {
    expect(await read(worker, [late])).toEqual(['decrypt_failed'])
    const again = await store(worker, late.place, 'again@example.com')
    expect(await read(worker, [late, again])).toEqual(['decrypt_failed', true])
  })
})

test('the state store alone, from before a shred: ledger_invalid, until the newer one is back', async () => {
  await session(() => worker.run('shred', { place: alice }))
  const newer = await folder.copy(how)
  await restore('state')
  expect(await opens()).toBe('ledger_invalid')
  expect(await opens()).toBe('ledger_invalid')
  await restore('state', newer)
  expect(await session(() => read(worker, values))).toEqual(['shredded', 'shredded', true, true])
})

test('the key store from before a shred and the state store from before even that: ledger_invalid', async () => {
  await session(() => worker.run('shred', { place: carol }))
  const between = await folder.copy(how)
  await session(() => worker.run('shred', { place: alice }))
  await restore('keys', between)
  await restore('state')
  expect(await opens()).toBe('ledger_invalid')
})

test('a ledger that went another way from an older copy is refused, also where it is as long', async () => {
  await session(() => worker.run('shred', { place: alice }))
  const newer = await folder.copy(how)
  await restore('keys')
  await restore('state')
  await session(() => worker.run('shred', { place: bob }))
  await restore('keys', newer)
  expect(await opens()).toBe('ledger_invalid')
  // And the other way round: the older line's key store, the newer line's ledger.
  await restore('keys')
  await restore('state')
  await session(() => worker.run('shred', { place: bob }))
  await restore('state', newer)
  expect(await opens()).toBe('ledger_invalid')
})

test('both stores from before a shred: she reads again. Nothing in the vault can know; the documented limit', async () => {
  await session(() => worker.run('shred', { place: alice }))
  await restore('keys')
  await restore('state')
  expect(await session(() => read(worker, values))).toEqual([true, true, true, true])
})
