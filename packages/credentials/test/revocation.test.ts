// Revoking: what waits for it, what stands in its way, and who hears of it.
import { holdKey } from '@strongroom/core'
import { createCredentials } from '@strongroom/credentials'
import { withFailpoints } from '@strongroom/credentials/testing'
import { expect, test } from 'vitest'

import { IMPATIENT, outcome, swept, tokenOf, world } from './support.ts'

const HOUR = 3_600_000

test('a sweep that ends what another is about to end: the token is revoked once, by it', async () => {
  const { connection, server, another, later } = await world()
  const granted = server.grant()
  await connection.save(granted)
  const sweeper = await another()
  const sweeping = withFailpoints({ providers: {} }, async (name) => {
    if (name !== 'disconnect.queued') return
    // It sleeps for longer than anybody waits, or the clock of who sweeps is ahead.
    later(HOUR)
    expect(await sweeper.credentials.sweep()).toEqual(swept({ done: 1 }))
  })
  const slow = await another(sweeping)
  expect((await slow.connection.disconnect()).revocation).toBe('pending')
  expect(server.revoked).toEqual([granted.refresh_token])
})

test('under a legal hold nothing is ended and nothing revoked; what was on its way out waits, and goes once that is released', async () => {
  const { alice, connection, credentials, server, stateStore, vault, later, another } = await world()
  await connection.save(server.grant())
  const held = credentials.connection(alice, 'held', { provider: 'crm' })
  await held.save(server.grant())
  const stopped = await another(
    withFailpoints({ providers: {} }, (name) => {
      if (name === 'disconnect.queued') throw new Error('killed')
    }),
  )
  expect(await outcome(() => stopped.connection.disconnect().catch(() => undefined))).toBe('done')
  const key = holdKey(vault.id, await alice.references())
  const version = await stateStore.put('strongroom/holds', key, new Uint8Array(1), { expected: 'absent' })
  expect(await outcome(() => held.disconnect())).toBe('held')
  expect(await held.use((token) => token.reveal())).toBeTruthy()
  later(HOUR)
  // The token that had been put by is revoked; its key stays.
  for (const done of [1, 0]) expect(await credentials.sweep()).toEqual({ ...swept({ done, waiting: 1 }), held: 1 })
  const left = stateStore.snapshot().filter(({ namespace }) => namespace === 'strongroom/connections')
  expect([server.revoked.length, left.length]).toEqual([1, 2])
  await stateStore.delete('strongroom/holds', key, { expected: version })
  expect(await credentials.sweep()).toEqual(swept({ done: 1 }))
  expect([await connection.status(), (await held.disconnect()).revocation]).toEqual([undefined, 'revoked'])
})

test('an entry that is damaged keeps no other from being revoked, nor from being ended', async () => {
  const { alice, credentials, server, stateStore, later } = await world()
  for (const name of ['one', 'two']) await credentials.connection(alice, name, { provider: 'crm' }).save(server.grant())
  server.revocation = { status: 503 }
  for await (const { revocation } of credentials.disconnectAll(alice)) expect(revocation).toBe('pending')
  server.revocation = { status: 200 }
  const entry = stateStore.snapshot().find(({ namespace }) => namespace === 'strongroom/revocations')
  if (entry === undefined) throw new Error('nothing waits')
  for (const [namespace, key] of [
    [entry.namespace, entry.key],
    ['strongroom/connections', `${entry.key.split('/')[0]}/damaged`],
  ] as const) {
    const there = await stateStore.get(namespace, key)
    await stateStore.put(namespace, key, Buffer.from('{'), { expected: there?.version ?? 'absent', due: 1 })
  }
  later(HOUR)
  expect(await credentials.sweep()).toMatchObject({ damaged: 2, failed: 0 })
  expect(server.revoked).toHaveLength(3)
})

test('what is of a provider that is configured no more is put off, and stands in nobody’s way', async () => {
  const { connection, server, another, later } = await world()
  await connection.save(server.grant())
  server.revocation = { status: 503 }
  await connection.disconnect()
  later(HOUR)
  const { vault } = await another()
  const credentials = createCredentials(vault, { providers: { other: { kind: 'apiKey' } } })
  expect(await credentials.sweep()).toEqual(swept({ waiting: 1 }))
  expect(await credentials.sweep()).toEqual(swept())
})

test('a provider that is down is asked about five, and not about all', async () => {
  const { alice, credentials, server, later, another } = await world()
  for (let i = 0; i < 12; i++) await credentials.connection(alice, `c-${i}`, { provider: 'crm' }).save(server.grant())
  server.revocation = { status: 503 }
  for await (const { revocation } of credentials.disconnectAll(alice)) expect(revocation).toBe('pending')
  expect(server.revoked).toHaveLength(5)
  later(HOUR)
  expect(await (await another()).credentials.sweep()).toMatchObject({ waiting: 12 })
  expect(server.revoked).toHaveLength(10)
  server.revocation = { status: 200 }
  later(12 * HOUR)
  expect(await credentials.sweep()).toMatchObject({ done: 12 })
})

test('what sweeping ends is told by the reference of the connection, which begins with that of its tenant', async () => {
  const { vault, connection, server, another, events, later } = await world(IMPATIENT)
  const reference = await connection.reference()
  for await (const { name, ref } of vault.tenants.list()) expect(reference.startsWith(`${ref}/`)).toBe(name === 'acme')
  await connection.save(server.grant())
  server.revocation = { status: 503 }
  await connection.disconnect()

  // Nobody but the one that has died knows what became of its requests.
  await connection.save({ ...server.grant(), expires_in: 0 })
  const lost = await another({ timeout: 20_000, lease: 60_000 })
  let asked = false
  server.onRequest = () => {
    asked = true
    return new Promise(() => undefined)
  }
  void outcome(() => tokenOf(lost.connection))
  await expect.poll(() => asked).toBe(true)
  events.length = 0
  server.revocation = { status: 200 }
  later(HOUR)
  await (await another()).credentials.sweep()
  expect(events).toEqual([
    { type: 'revocation', outcome: 'revoked', reference, provider: 'crm' },
    { type: 'reauthorisation_required', reason: 'unknown_outcome', reference, provider: 'crm' },
  ])
})

test('a fresh token whose connection had gone is told of by the same reference, also where sweeping revokes it', async () => {
  const { connection, server, another, events, later } = await world()
  const reference = await connection.reference()
  await connection.save({ ...server.grant(), expires_in: 0 })
  let goOn = (): void => undefined
  server.onRequest = () => new Promise((resolve) => (goOn = resolve))
  const refreshing = outcome(() => tokenOf(connection))
  await expect.poll(() => server.asked).toBe(1)
  await (await another()).connection.disconnect()
  server.revocation = { status: 503 }
  goOn()
  expect(await refreshing).toBe('not_found')
  events.length = 0
  server.revocation = { status: 200 }
  later(HOUR)
  await (await another()).credentials.sweep()
  expect(events).toEqual([{ type: 'revocation', outcome: 'revoked', reference, provider: 'crm' }])
})
