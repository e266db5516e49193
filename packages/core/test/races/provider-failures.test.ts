import { afterAll, beforeAll, expect, test } from 'vitest'

import { Folder, type OpenHow, outcome, read, startWorker, stopWorkers, store, type StoredValue, type Worker } from './support.ts'

// What a process with a provider that fails is told: one code for each kind of failure, and nothing of it is remembered.
const home = { tenant: 'home', subject: 'alice' }
const abroad = { tenant: 'abroad', subject: 'alice' }

let folder: Folder
let how: OpenHow
let values: readonly StoredValue[]
let otherRoot: string

beforeAll(async () => {
  folder = await Folder.make(['eu', 'us'])
  otherRoot = await folder.otherRoot('us')
  const worker = startWorker()
  how = await folder.vault(worker)
  await worker.run('create', { tenant: 'home' })
  await worker.run('create', { tenant: 'abroad', region: 'us' })
  values = [await store(worker, home), await store(worker, abroad)]
})
afterAll(async () => {
  await stopWorkers()
  await folder.remove()
})

async function opened(given: Partial<OpenHow>): Promise<{ readonly worker: Worker; readonly code: string }> {
  const worker = startWorker()
  return { worker, code: await outcome(worker.run('open', { ...how, ...given })) }
}

const FAILURES = [
  { fault: { kind: 'slow', delay: 3_600_000 }, code: 'key_provider_timeout' },
  { fault: { kind: 'down' }, code: 'key_provider_unavailable' },
  { fault: { kind: 'throttled' }, code: 'key_provider_throttled' },
]

test.each(FAILURES)('the home region is $fault.kind: openVault says $code', async ({ fault, code }) => {
  const given = { faults: { eu: fault }, vaultOptions: { providerTimeout: 300 } }
  expect((await opened(given)).code).toBe(code)
})

test.each(FAILURES)('another region is $fault.kind: $code for its tenants, nothing for others', async ({ fault, code }) => {
  const { worker, code: open } = await opened({ faults: { us: fault }, vaultOptions: { providerTimeout: 300 } })
  expect(open).toBe('ok')
  expect(await read(worker, values)).toEqual([true, code])
  expect(await outcome(worker.run('encrypt', { place: abroad, value: 'x' }))).toBe(code)
  expect(await outcome(worker.run('unlock', { place: abroad, name: 'x' }))).toBe(code)
  expect(await outcome(worker.run('shred', { place: abroad }))).toBe(code)
  expect(await outcome(worker.run('suspend', { place: abroad }))).toBe(code)
  expect(await outcome(worker.run('create', { tenant: `new ${fault.kind}`, region: 'us' }))).toBe(code)
  expect(await outcome(worker.run('create', { tenant: `here ${fault.kind}` }))).toBe('ok')
  expect(await read(worker, values)).toEqual([true, code])
})

test('a provider that is back works at once: the failure was not kept', async () => {
  const { worker } = await opened({ faults: { us: { kind: 'down' } } })
  expect(await read(worker, values)).toEqual([true, 'key_provider_unavailable'])
  await worker.run('down', { isDown: false })
  expect(await read(worker, values)).toEqual([true, true])
  // What is open stays open while the provider is away.
  await worker.run('down', { isDown: true })
  expect(await read(worker, values)).toEqual([true, true])
})

test('throttled twice: refused twice, then served', async () => {
  const { worker } = await opened({ faults: { us: { kind: 'throttled', refused: 2 } } })
  for (const expected of ['key_provider_throttled', 'key_provider_throttled', true])
    expect(await read(worker, values)).toEqual([true, expected])
})

test('slow, but within its time: served', async () => {
  const { worker, code } = await opened({ faults: { eu: { kind: 'slow', delay: 50 }, us: { kind: 'slow', delay: 50 } } })
  expect(code).toBe('ok')
  expect(await read(worker, values)).toEqual([true, true])
})

test('a provider that says it serves another region: region_refused before anything is opened', async () => {
  expect((await opened({ faults: { us: { kind: 'wrong-region' } } })).code).toBe('region_refused')
})

test('no provider for a region: region_refused for its tenants, and for the whole vault if it is the home', async () => {
  const { eu, us } = how.roots as { eu: string; us: string }
  const { worker, code } = await opened({ roots: { eu } })
  expect(code).toBe('ok')
  expect(await read(worker, values)).toEqual([true, 'region_refused'])
  expect(await outcome(worker.run('encrypt', { place: abroad, value: 'x' }))).toBe('region_refused')
  expect(await outcome(worker.run('create', { tenant: 'new', region: 'us' }))).toBe('region_refused')
  // `defaultRegion` of these processes is eu.
  expect((await opened({ roots: { us } })).code).toBe('invalid_argument')
})

test('a root key that the vault was not made with: wrong_root_key', async () => {
  const { worker } = await opened({ roots: { ...how.roots, us: otherRoot } })
  expect(await read(worker, values)).toEqual([true, 'wrong_root_key'])
})
