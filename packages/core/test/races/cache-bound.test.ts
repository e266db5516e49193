import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Folder, outcome, type PlaceNames, startWorker, stopWorkers, store, type StoredValue, until, type Worker } from './support.ts'

// What the vault is made with: no process uses a key for longer without reading the store.
const BOUND = 1000

let folder: Folder
let writer: Worker
let reader: Worker

beforeAll(async () => {
  folder = await Folder.make()
  writer = startWorker()
  reader = startWorker()
  const how = await folder.vault(writer, BOUND)
  await reader.run('open', how)
})
afterAll(async () => {
  await stopWorkers()
  await folder.remove()
})

interface Observation {
  /** Before the other process has finished, within the bound after it, or after the bound, by the clock of the reader. */
  readonly phase: 'before' | 'within' | 'after'
  readonly outcome: string
}

/** Everything that the reader met while the writer changed the state of a key. */
async function observeChange(use: string, { place, stored }: StoredValue, change: string): Promise<readonly Observation[]> {
  const name = `${use} ${place.tenant}`
  if (use === 'lease') await reader.run('unlock', { place, name })
  await reader.run('observe', { name, use, place, stored, bound: BOUND })
  await until(async () => (await reader.run<number>('seen', { name })) > 2, 'the reader has the key in memory')
  await writer.run(change, { place: victim(place) })
  await reader.run('acknowledged', { name })
  return reader.run('outcomes', { name })
}

// Each case has a tenant of its own: what is above the key that changes is then nobody else's.
function victim({ tenant, subject, item }: PlaceNames): PlaceNames {
  if (tenant.includes('tenant')) return { tenant }
  return tenant.includes('item') ? ({ tenant, subject, item } as PlaceNames) : ({ tenant, subject } as PlaceNames)
}

async function prepared(name: string): Promise<StoredValue> {
  const place = { tenant: name, subject: 'alice', ...(name.includes('subject') && !name.includes('below') ? {} : { item: 'hubspot' }) }
  await writer.run('create', { tenant: name })
  return store(writer, place)
}

/** Works until the first refusal; from there on, and in any case after the bound, nothing but that refusal. */
function expectRefusedWithinBound(observations: readonly Observation[], code: string): void {
  const outcomes = observations.map(({ outcome: one }) => one)
  expect(outcomes[0]).toBe('ok')
  const refused = outcomes.findIndex((one) => one !== 'ok')
  expect(new Set(outcomes.slice(refused))).toEqual(new Set([code]))
  const after = observations.filter(({ phase }) => phase === 'after')
  expect(after).toHaveLength(25)
  expect(after.map(({ outcome: one }) => one)).toEqual(after.map(() => code))
}

describe.concurrent.each(['subject', 'item', 'tenant', 'subject (seen below it)'])('%s', (level) => {
  test.each([
    { change: 'suspend', use: 'decrypt', code: 'suspended' },
    { change: 'suspend', use: 'encrypt', code: 'suspended' },
    { change: 'shred', use: 'decrypt', code: 'shredded' },
    { change: 'shred', use: 'encrypt', code: 'shredded' },
    { change: 'shred', use: 'unlock', code: 'shredded' },
    { change: 'deactivate', use: 'encrypt', code: 'deactivated' },
  ])('$change here is $code for $use in another process, no later than the bound', async ({ change, use, code }) => {
    const value = await prepared(`${level} ${change} ${use}`)
    expectRefusedWithinBound(await observeChange(use, value, change), code)
  })

  test('deactivated: it still decrypts', async () => {
    const value = await prepared(`${level} deactivate decrypt`)
    const observations = await observeChange('decrypt', value, 'deactivate')
    expect(new Set(observations.map(({ outcome: one }) => one))).toEqual(new Set(['ok']))
    // It had read the store again.
    expect(await outcome(reader.run('encrypt', { place: value.place, value: 'again@example.com' }))).toBe('deactivated')
  })

  test.each(['shred', 'suspend'])('a handle of unlock() in another process ends with a %s, no later than the bound', async (change) => {
    const value = await prepared(`${level} ${change} lease`)
    expectRefusedWithinBound(await observeChange('lease', value, change), 'handle_expired')
    const again = change === 'shred' ? 'shredded' : 'suspended'
    expect(await outcome(reader.run('unlock', { place: value.place, name: 'again' }))).toBe(again)
  })
})
