// What whoever can write the state store, and has no key, can and cannot make of connections that leave.
import { manualClock } from '@strongroom/core/testing'
import { expect, test } from 'vitest'

import { outcome, tokenOf, world, type World } from './support.ts'

const CONNECTIONS = 'strongroom/connections'
const REVOCATIONS = 'strongroom/revocations'
const NOTES = 'strongroom/period-keys'
const DAY = 86_400_000
const START = Date.UTC(2030, 0, 1, 13)

/** Writes an entry of the state store as somebody does who has no key. */
async function plant({ stateStore }: World, namespace: string, key: string, value: string | object, due?: number): Promise<void> {
  const there = await stateStore.get(namespace, key)
  const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  await stateStore.put(namespace, key, bytes, { expected: there?.version ?? 'absent', ...(due === undefined ? {} : { due }) })
}

const entriesOf = ({ stateStore }: World, namespace: string) => stateStore.snapshot().filter((entry) => entry.namespace === namespace)
const jsonOf = (value: Uint8Array): Record<string, unknown> => JSON.parse(Buffer.from(value).toString()) as Record<string, unknown>

test('a planted entry that claims to leave makes a sweep destroy no key that is not of a connection', async () => {
  const w = await world()
  const bob = w.vault.tenant('acme').subject('bob')
  const recording = w.alice.item('recording')
  await w.connection.save(w.server.grant())
  await w.credentials.connection(bob, 'crm').save(w.server.grant())
  const keys = await recording.unlock()
  keys.dispose()
  const [, bobs] = await bob.references()
  const references = await recording.references()
  const [entry] = entriesOf(w, CONNECTIONS)
  if (entry === undefined) throw new Error('nothing is connected')
  const prefix = entry.key.split('/').slice(0, 3).join('/')
  for (const [i, reference] of [bobs, references[2], references[1], references[0], '0'.repeat(32)].entries())
    await plant(w, CONNECTIONS, `${prefix}/${String(i).repeat(32)}`, { ...jsonOf(entry.value), state: 'disconnecting', reference }, 1)
  await outcome(() => w.credentials.sweep())
  expect([await bob.state(), await recording.state(), await w.alice.state()]).toEqual(['active', 'active', 'active'])
  expect((await w.vault.tenants.get('acme'))?.state).toBe('active')
  expect(await tokenOf(w.credentials.connection(bob, 'crm'))).toMatch(/^fake-access/)
})

test('a planted entry stands in no token’s place: what has to be revoked is put by all the same', async () => {
  const w = await world()
  const granted = w.server.grant()
  await w.connection.save(granted)
  // What it will be called is known once it was there; until when, anybody may write.
  const first = await w.another()
  w.server.revocation = { status: 503 }
  const copy = w.stateStore.snapshot().filter(({ namespace }) => namespace === CONNECTIONS)
  await first.connection.disconnect()
  const [waiting] = entriesOf(w, REVOCATIONS)
  if (waiting === undefined) throw new Error('nothing waits')
  await w.connection.save(granted)
  const [again] = entriesOf(w, CONNECTIONS)
  expect([copy.length, again === undefined]).toEqual([1, false])
  const parts = waiting.key.split('/')
  const item = jsonOf(again?.value ?? new Uint8Array())['item'] as string
  const itemRef = (await w.alice.item(`strongroom/connections/${item}`).references())[2] as string
  for (const until of [parts[4], '864000000000000', 'x'])
    await plant(w, REVOCATIONS, [...parts.slice(0, 3), itemRef, until, `${item}-1`].join('/'), jsonOf(waiting.value))
  w.server.revoked.length = 0
  w.server.revocation = { status: 200 }
  expect((await w.connection.disconnect()).revocation).toBe('revoked')
  expect(w.server.revoked).toEqual([granted.refresh_token])
})

test('entries that are damaged or planted keep no sweep from revoking, nor keys from being destroyed on their day', async () => {
  const clock = manualClock(START)
  const w = await world({ vaultOptions: { clock } })
  const granted = w.server.grant()
  await w.connection.save(granted)
  w.server.revocation = { status: 503 }
  const { keptUntil = 0 } = await w.connection.disconnect()
  const [waiting] = entriesOf(w, REVOCATIONS)
  if (waiting === undefined) throw new Error('nothing waits')
  const prefix = waiting.key.split('/').slice(0, 4).join('/')
  await plant(w, REVOCATIONS, `${prefix}/${keptUntil}/damaged`, '{', 1)
  await plant(w, REVOCATIONS, `${prefix}/soon/x`, jsonOf(waiting.value), 2)
  await plant(w, REVOCATIONS, `${prefix}/${keptUntil + 1000 * DAY}/x`, jsonOf(waiting.value), 3)
  await plant(w, CONNECTIONS, prefix, '{', 1)
  const [note] = entriesOf(w, NOTES)
  if (note === undefined) throw new Error('no end is noted')
  // Of another day what was written of this one, and this one's own so that it comes at once.
  await plant(w, NOTES, note.key.replace(/\d+$/, String(keptUntil / DAY - 3)), Buffer.from(note.value).toString('latin1'), 1)
  await plant(w, NOTES, note.key, 'x', 2)
  w.server.revocation = { status: 200 }
  w.server.revoked.length = 0
  clock.advance(DAY)
  // The damaged are told of each time, as long as they are there.
  const at = (namespace: string, key: string) => ({ place: `${namespace}/${key}`, reason: 'damaged' })
  const report = await w.credentials.sweep()
  expect(report).toMatchObject({ damaged: 4, failed: 0 })
  expect(report.failures).toEqual(
    expect.arrayContaining([at(CONNECTIONS, prefix), at(REVOCATIONS, `${prefix}/${keptUntil}/damaged`), at(NOTES, note.key)]),
  )
  expect(w.server.revoked).toEqual([granted.refresh_token])
  // Of what nobody can revoke a note is left that it was not confirmed, for a year.
  expect(entriesOf(w, REVOCATIONS).map(({ key }) => key.split('/').at(-1))).toEqual(['damaged', 'x', 'x'])
  expect(await w.credentials.sweep()).toMatchObject({ done: 0, damaged: 4, failed: 0 })
  const key = w.vault.periodKey({ use: 'revocation', at: keptUntil - 1 })
  expect(await key.state()).toBe('active')
  clock.advance(keptUntil - clock.now())
  await w.credentials.sweep()
  expect(await key.state()).toBe('shredded')
})

test('hundreds of entries that are damaged, or of another vault, and due before it keep nothing from being revoked', async () => {
  const clock = manualClock(START)
  const w = await world({ vaultOptions: { clock } })
  const granted = w.server.grant()
  await w.connection.save(granted)
  w.server.revocation = { status: 503 }
  await w.connection.disconnect()
  const [waiting] = entriesOf(w, REVOCATIONS)
  if (waiting === undefined) throw new Error('nothing waits')
  const prefix = waiting.key.split('/').slice(0, 4).join('/')
  for (let i = 0; i < 200; i++) {
    await plant(w, REVOCATIONS, `${prefix}/0/${i}`, '{', 1)
    await plant(w, REVOCATIONS, `${'0'.repeat(32)}/${i}`, '{', 1)
  }
  w.server.revocation = { status: 200 }
  w.server.revoked.length = 0
  clock.advance(DAY)
  expect(await w.credentials.sweep()).toMatchObject({ done: 1, damaged: 200, failed: 0 })
  expect(w.server.revoked).toEqual([granted.refresh_token])
})

test('the note of a key that was taken away: the key goes on its day all the same', async () => {
  const clock = manualClock(START)
  const w = await world({ vaultOptions: { clock } })
  await w.connection.save(w.server.grant())
  w.server.revocation = { status: 503 }
  const { keptUntil = 0 } = await w.connection.disconnect()
  for (const { namespace, key } of entriesOf(w, NOTES)) {
    const there = await w.stateStore.get(namespace, key)
    await w.stateStore.delete(namespace, key, { expected: there?.version ?? '' })
  }
  clock.advance(keptUntil - clock.now())
  await w.credentials.sweep()
  expect(await w.vault.periodKey({ use: 'revocation', at: keptUntil - 1 }).state()).toBe('shredded')
})

test('one damaged connection refuses a shred before any has left, and all others can be disconnected', async () => {
  const w = await world()
  for (const name of ['one', 'two']) await w.credentials.connection(w.alice, name, { provider: 'crm' }).save(w.server.grant())
  const prefix = entriesOf(w, CONNECTIONS)[0]?.key.split('/').slice(0, 3).join('/') ?? ''
  await plant(w, CONNECTIONS, `${prefix}/${'f'.repeat(32)}`, '{')
  const before = entriesOf(w, CONNECTIONS)
  for (const shred of [() => w.alice.shred(), () => w.vault.tenant('acme').shred()]) {
    expect(await outcome(shred)).toBe('revocation_required')
    expect(entriesOf(w, CONNECTIONS)).toEqual(before)
  }
  const done: unknown[] = []
  const all = async () => {
    for await (const { name, revocation } of w.credentials.disconnectAll(w.alice)) done.push([name, revocation])
  }
  expect(await outcome(all)).toBe('decrypt_failed')
  expect(done.toSorted()).toEqual([
    ['one', 'revoked'],
    ['two', 'revoked'],
  ])
  await w.alice.shredWithoutRevocation()
  expect(await w.alice.state()).toBe('shredded')
})
