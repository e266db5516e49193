// One process, and two that share the stores: what each answer of an authorisation server leads to.
import { inspect } from 'node:util'

import { describe, expect, test } from 'vitest'

import { type Behaviour, startFakeServer } from './servers/fake-server.ts'
import { BEHIND_ALL_PAUSES, IMPATIENT, outcome, tokenOf, world } from './support.ts'

describe('a live token', () => {
  test('is the one that was saved, without asking anybody', async () => {
    const { connection, server } = await world()
    const granted = server.grant()
    await connection.save(granted)
    expect([await tokenOf(connection), await tokenOf(connection), server.used]).toEqual([granted.access_token, granted.access_token, []])
  })

  test('is refreshed ahead of its end, once, and both are kept', async () => {
    const { connection, server, another } = await world()
    server.expiresIn = 1
    const granted = server.grant()
    await connection.save({ ...granted, expires_in: 0 })
    server.expiresIn = 3600
    const first = await tokenOf(connection)
    expect([server.isLive(first), server.used]).toEqual([true, [granted.refresh_token]])
    expect(await tokenOf((await another()).connection)).toBe(first)
    expect(server.used).toHaveLength(1)
  })

  test('asked for by many at once in one process and in others: one request', async () => {
    const { connection, server, another } = await world()
    await connection.save({ ...server.grant(), expires_in: 0 })
    const others = await Promise.all(Array.from({ length: 3 }, () => another()))
    const all = await Promise.all(
      [connection, ...others.map((one) => one.connection)].flatMap((one) => Array.from({ length: 10 }, () => tokenOf(one))),
    )
    expect([new Set(all).size, server.isLive(all[0] as string), server.used.length]).toEqual([1, true, 1])
  })

  test('without a new refresh token the old one is kept', async () => {
    const { connection, server } = await world()
    const granted = server.grant()
    await connection.save({ ...granted, expires_in: 0 })
    server.next.push('without-refresh-token')
    server.expiresIn = 0
    await tokenOf(connection)
    server.expiresIn = 3600
    await tokenOf(connection)
    expect(server.used).toEqual([granted.refresh_token, granted.refresh_token])
  })

  test('an ID token that does not verify loses no tokens', async () => {
    const { connection, server } = await world()
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.next.push('wrong-id-token')
    expect(server.isLive(await tokenOf(connection))).toBe(true)
  })

  test('refused with 401, it is asked for anew, and the work is done once more', async () => {
    const { connection, server } = await world()
    const granted = server.grant()
    await connection.save(granted)
    server.grant()
    const response = await connection.fetch(`${server.origin}/api`)
    expect([response.status, server.used]).toEqual([200, [granted.refresh_token]])
    // Refused again and again: twice, and no more.
    let calls = 0
    const refused = Object.assign(new Error('no'), { status: 401 })
    await expect(
      connection.use(() => {
        calls++
        throw refused
      }),
    ).rejects.toBe(refused)
    expect([calls, server.used.length]).toEqual([2, 2])
  })

  test('that is still good is used where the server does not answer', async () => {
    const { connection, server } = await world({ refreshAhead: 3_600_000 })
    const granted = server.grant()
    await connection.save({ ...granted, expires_in: 1 })
    await new Promise((resolve) => setTimeout(resolve, 550))
    server.next.push({ status: 503 })
    expect(await tokenOf(connection)).toBe(granted.access_token)
  })
})

test('a token that is still good is used where the client secret cannot be had, or the store takes no intent', async () => {
  const { connection, server, stateStore, another, later } = await world()
  const granted = server.grant()
  await connection.save({ ...granted, expires_in: 100 })
  later(60_000)
  const clientSecret = (): never => {
    throw new Error('no')
  }
  const full: typeof stateStore = { ...stateStore, put: () => Promise.reject(new Error('full')) }
  for (const change of [{ provider: { clientSecret } }, { vaultOptions: { stateStore: full } }]) {
    const one = await another(change)
    expect(await tokenOf(one.connection)).toBe(granted.access_token)
  }
  expect(server.asked).toBe(0)
  // Once it has ended there is none.
  later(60_000)
  expect(await outcome(async () => tokenOf((await another({ provider: { clientSecret } })).connection))).toBe('invalid_argument')
})

test('an intent that was stored though the store said that it failed: it was not sent, and the connection is as it was', async () => {
  const { connection, server, stateStore, another } = await world(IMPATIENT)
  await connection.save({ ...server.grant(), expires_in: 0 })
  let isFirst = true
  const unsure: typeof stateStore = {
    ...stateStore,
    put: async (...all) => {
      const version = await stateStore.put(...all)
      if (!isFirst) return version
      isFirst = false
      throw new Error('nobody knows')
    },
  }
  const one = await another({ vaultOptions: { stateStore: unsure } })
  expect(await outcome(() => tokenOf(one.connection))).toBe('state_store_unavailable')
  expect([server.isLive(await tokenOf(connection)), server.asked]).toEqual([true, 1])
})

describe('how a request can end', () => {
  const THROTTLED = { status: 429, headers: { 'retry-after': '3600' } }
  const ENDS: readonly [string, Behaviour, single: string, again: string, usedTwice: boolean][] = [
    ['invalid_grant', { status: 400, body: { error: 'invalid_grant' } }, 'reauthorisation_required', 'reauthorisation_required', false],
    ['invalid_client', { status: 401, body: { error: 'invalid_client' } }, 'authorisation_server_refused', 'done', false],
    ['not served', { status: 503 }, 'authorisation_server_unavailable', 'done', false],
    [
      'not served for an hour',
      { status: 503, headers: { 'retry-after': '3600' } },
      'authorisation_server_unavailable',
      'authorisation_server_unavailable',
      false,
    ],
    ['throttled', THROTTLED, 'authorisation_server_throttled', 'authorisation_server_throttled', false],
    ['an error without a body', { status: 404, body: 'x' }, 'authorisation_server_malformed', 'done', false],
    ['reset behind the rotation', 'reset', 'reauthorisation_required', 'reauthorisation_required', true],
    ['half an answer', 'half', 'reauthorisation_required', 'reauthorisation_required', true],
    ['no JSON', 'no-json', 'reauthorisation_required', 'reauthorisation_required', true],
    ['500 behind the rotation', 'error-500', 'reauthorisation_required', 'reauthorisation_required', true],
    ['no answer in time', 'hang', 'reauthorisation_required', 'reauthorisation_required', true],
  ]

  test.each(ENDS)('%s: a token that is for single use is never used twice', async (_, behaviour, first, again) => {
    const { connection, server, another, events, later } = await world(behaviour === 'hang' ? IMPATIENT : {})
    const granted = server.grant()
    await connection.save({ ...granted, expires_in: 0 })
    server.next.push(behaviour)
    const waiting = await another()
    const all = await Promise.all([
      outcome(() => tokenOf(connection)),
      outcome(() => tokenOf(connection)),
      outcome(() => tokenOf(waiting.connection)),
    ])
    expect(all.slice(0, 2)).toEqual([first, first])
    // Who was there while it was under way is told the same, and so is who comes behind it, for a while.
    expect([all[2], await outcome(() => tokenOf(connection)), server.asked]).toEqual([first, first, 1])
    later(BEHIND_ALL_PAUSES)
    expect(await outcome(() => tokenOf(connection))).toBe(again)
    expect(new Set(server.used).size).toBe(server.used.length)
    expect(events.filter(({ type }) => type === 'reauthorisation_required').length).toBe(first === 'reauthorisation_required' ? 1 : 0)
    // The customer has connected again.
    await connection.save({ ...server.grant(), expires_in: 0 })
    expect(server.isLive(await tokenOf(connection))).toBe(true)
  })

  test.each(ENDS)(
    '%s: where it may be used again for a while, or for ever, the connection works',
    async (_, behaviour, first, again, unknown) => {
      if (!unknown) return
      for (const refreshTokens of ['reusable', { reuseWindow: 60_000 }] as const) {
        const { connection, server, later } = await world({ provider: { refreshTokens }, ...(behaviour === 'hang' ? IMPATIENT : {}) })
        server.reusable = true
        await connection.save({ ...server.grant(), expires_in: 0 })
        server.next.push(behaviour)
        // Within a window it is asked again at once; where that is harmless at any time, by who comes later.
        const said = await outcome(() => tokenOf(connection))
        expect(['done', 'authorisation_server_unavailable', 'authorisation_server_timeout', 'authorisation_server_malformed']).toContain(
          said,
        )
        expect([first, again].includes(said)).toBe(false)
        later(BEHIND_ALL_PAUSES)
        expect(server.isLive(await tokenOf(connection))).toBe(true)
        expect(server.used.length).toBe(2)
      }
    },
  )

  test('within a window, but never answered: after three requests the customer must connect again', async () => {
    const { connection, server } = await world({ provider: { refreshTokens: { reuseWindow: 60_000 } } })
    server.reusable = true
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.next.push('reset', 'reset', 'reset', 'reset')
    expect(await outcome(() => tokenOf(connection))).toBe('reauthorisation_required')
    expect(server.used.length).toBe(3)
  })

  test.each<[string, () => string]>([
    ['gives none', () => ''],
    [
      'throws',
      () => {
        throw new Error('CANARY')
      },
    ],
  ])('a client secret that %s: named, nothing was sent, and the connection is as it was', async (_, clientSecret) => {
    const { connection, server, another } = await world()
    await connection.save({ ...server.grant(), expires_in: 0 })
    const wrong = await another({ provider: { clientSecret } })
    const thrown: unknown = await tokenOf(wrong.connection).catch((error: unknown) => error)
    expect(thrown).toMatchObject({ code: 'invalid_argument', argument: 'providers.crm.clientSecret' })
    expect(inspect(thrown, { depth: 9 })).not.toContain('CANARY')
    expect([server.isLive(await tokenOf(connection)), server.used.length]).toEqual([true, 1])
  })

  test('a server that is not there: nothing was sent, and the token is as it was', async () => {
    const { connection, server, another, later } = await world()
    await connection.save({ ...server.grant(), expires_in: 0 })
    const gone = await startFakeServer()
    await gone.close()
    const away = await another({ provider: { tokenEndpoint: `${gone.origin}/token` } })
    expect(await outcome(() => tokenOf(away.connection))).toBe('authorisation_server_unavailable')
    later(BEHIND_ALL_PAUSES)
    expect(server.isLive(await tokenOf(connection))).toBe(true)
  })
})

describe('a process that never came back', () => {
  test('whoever finds its intent waits, and then says that the customer must connect again', async () => {
    const { connection, server, another } = await world(IMPATIENT)
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.onRequest = () => new Promise(() => undefined)
    // It hangs for longer than anybody waits.
    const lost = await another({ timeout: 20_000, lease: 60_000 })
    void outcome(() => tokenOf(lost.connection))
    await expect.poll(async () => (await connection.status())?.state).toBe('live')
    await new Promise((resolve) => setTimeout(resolve, 100))
    const others = await Promise.all([connection, (await another()).connection].map((one) => outcome(() => tokenOf(one))))
    expect(others).toEqual(['reauthorisation_required', 'reauthorisation_required'])
    expect(server.used).toEqual([])
  })

  test('its answer, though late, is kept by the version alone', async () => {
    const { connection, server, another } = await world(IMPATIENT)
    await connection.save({ ...server.grant(), expires_in: 0 })
    let goOn = (): void => undefined
    server.onRequest = () => new Promise((resolve) => (goOn = resolve))
    const slow = await another({ timeout: 20_000, lease: 60_000 })
    const late = tokenOf(slow.connection)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await outcome(() => tokenOf(connection))).toBe('reauthorisation_required')
    goOn()
    const token = await late
    expect([server.isLive(token), await tokenOf(connection), server.used.length]).toEqual([true, token, 1])
    expect((await connection.status())?.state).toBe('live')
  })
})

test('an outage of the store behind the rotation, longer than the lease: the new tokens are not lost', async () => {
  const { connection, server, stateStore, another } = await world(IMPATIENT)
  await connection.save({ ...server.grant(), expires_in: 0 })
  let isDown = false
  const failing: typeof stateStore = {
    ...stateStore,
    get: (...all) => (isDown ? Promise.reject(new Error('down')) : stateStore.get(...all)),
    put: (...all) => (isDown ? Promise.reject(new Error('down')) : stateStore.put(...all)),
  }
  const other = await another({ vaultOptions: { stateStore: failing } })
  server.onRequest = () => void (isDown = true)
  const token = tokenOf(other.connection)
  await expect.poll(() => server.used.length).toBe(1)
  await new Promise((resolve) => setTimeout(resolve, 2 * IMPATIENT.lease))
  isDown = false
  expect([server.isLive(await token), server.isLive(await tokenOf((await another()).connection)), server.used.length]).toEqual([
    true,
    true,
    1,
  ])
})

test('no connection lies idle that the next request for tokens would find closed', async () => {
  const { connection, server } = await world()
  await connection.save({ ...server.grant(), expires_in: 0 })
  server.expiresIn = 0
  for (let i = 0; i < 3; i++) await tokenOf(connection)
  expect([server.asked, server.connections]).toEqual([3, 3])
})
