import { afterAll, beforeAll, expect, test } from 'vitest'

import { Folder, startWorker, stopWorkers } from './support.ts'

const COUNT = 3000
const place = { tenant: 'acme', subject: 'alice' }
let folder: Folder

beforeAll(async () => {
  folder = await Folder.make()
})
afterAll(async () => {
  await stopWorkers()
  await folder.remove()
})

test('3,000 cold decrypts of one key in a process are one load; warm ones are none', async () => {
  const writer = startWorker()
  const how = await folder.vault(writer)
  await writer.run('create', { tenant: 'acme' })
  const values = Array.from({ length: COUNT }, (_, i) => `${i}@example.com`)
  const stored = await writer.run<Uint8Array[]>('encryptMany', { place, values })

  const reader = startWorker()
  await reader.run('open', how)
  const before = await reader.run<Record<string, number>>('calls')
  const all = stored.map((one) => ({ place, stored: one }))
  expect(await reader.run('decryptAll', { all })).toEqual(values.map((value) => ({ value })))
  const cold = await reader.run<Record<string, number>>('calls')
  const made = Object.fromEntries(
    Object.entries(cold)
      .map(([name, count]) => [name, count - (before[name] ?? 0)])
      .filter(([, count]) => count !== 0),
  )
  // The tenant: its node and `ref` key in one query, its wrapping keys in another, one of them unwrapped. Then alice's record.
  expect(made).toEqual({ 'keys.get': 2, 'keys asked for': 3, 'keys.scan': 1, unwrap: 1 })

  expect(await reader.run('decryptAll', { all })).toHaveLength(COUNT)
  expect(await reader.run('calls')).toEqual(cold)
})

test.each(['of both its keys', 'of its last key'])('3,000 cold decrypts %s on one path read each record once', async (which) => {
  const writer = startWorker()
  const how = await folder.vault(writer)
  await writer.run('create', { tenant: 'acme' })
  const item = { ...place, item: 'hubspot' }
  const values = Array.from({ length: COUNT }, (_, i) => `${i}@example.com`)
  const places = values.map((_, i) => (which === 'of both its keys' && i % 2 === 0 ? place : item))
  const ofSubject = await writer.run<Uint8Array[]>('encryptMany', { place, values })
  const ofItem = await writer.run<Uint8Array[]>('encryptMany', { place: item, values })

  const reader = startWorker()
  await reader.run('open', how)
  const before = await reader.run<Record<string, number>>('calls')
  const all = places.map((one, i) => ({ place: one, stored: one === item ? ofItem[i] : ofSubject[i] }))
  expect(await reader.run('decryptAll', { all })).toEqual(values.map((value) => ({ value })))
  const after = await reader.run<Record<string, number>>('calls')
  const made = Object.fromEntries(
    Object.entries(after)
      .map(([name, count]) => [name, count - (before[name] ?? 0)])
      .filter(([, count]) => count !== 0),
  )
  // The tenant as above, then the records of the whole path with one query.
  expect(made).toEqual({ 'keys.get': 2, 'keys asked for': 4, 'keys.scan': 1, unwrap: 1 })
})
