// Where a refresh token may be used again for a while: never behind the end of that, whatever came between.
import { withFailpoints } from '@strongroom/credentials/testing'
import { describe, expect, test } from 'vitest'

import { BEHIND_ALL_PAUSES, IMPATIENT, outcome, tokenOf, world } from './support.ts'

const WINDOW = { refreshTokens: { reuseWindow: 60_000 } } as const

describe('a token that may have been used up', () => {
  test('and then a refusal to serve: within the window it is used again, behind it the customer must connect again', async () => {
    for (const [ms, expected, used] of [
      [2000, 'done', 2],
      [BEHIND_ALL_PAUSES, 'reauthorisation_required', 1],
    ] as const) {
      const { connection, server, later } = await world({ provider: WINDOW })
      server.reusable = true
      await connection.save({ ...server.grant(), expires_in: 0 })
      server.next.push('reset', { status: 503 })
      expect(await outcome(() => tokenOf(connection))).toBe('authorisation_server_unavailable')
      later(ms)
      expect([await outcome(() => tokenOf(connection)), server.used.length]).toEqual([expected, used])
    }
  })

  test('the window begins with the first of the requests, and not with each anew', async () => {
    const { connection, server, later } = await world({ provider: WINDOW })
    server.reusable = true
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.next.push('reset', 'reset', 'answer')
    server.onRequest = () => void (server.used.length === 0 && later(40_000))
    // The first came 40 s ago, and the second now; a third would be behind the window.
    const said = outcome(() => tokenOf(connection))
    await expect.poll(() => server.used.length).toBe(2)
    later(15_000)
    expect([await said, server.used.length]).toEqual(['reauthorisation_required', 2])
  })

  test('by a process that slept between its intent and its request: not sent any more', async () => {
    let offset = 0
    const sleeping = { clock: { now: () => Date.now() + offset, monotonic: () => performance.now() } }
    const { connection, server, another } = await world({ ...IMPATIENT, provider: WINDOW })
    server.reusable = true
    await connection.save({ ...server.grant(), expires_in: 0 })
    const slow = await another({
      ...withFailpoints({ providers: {} }, (name) => void (name === 'refresh.intended' && (offset = 70_000))),
      vaultOptions: sleeping,
    })
    const said = outcome(() => tokenOf(slow.connection))
    await said
    expect(server.used).toEqual([])
  })

  test('found by a process whose clock is an hour behind, which cannot know how long ago that was: not sent', async () => {
    const { connection, server, another } = await world({ ...IMPATIENT, provider: WINDOW })
    server.reusable = true
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.onRequest = () => new Promise(() => undefined)
    const lost = await another({ timeout: 20_000, lease: 60_000 })
    void outcome(() => tokenOf(lost.connection))
    await expect.poll(() => server.asked).toBe(1)
    server.onRequest = () => undefined
    const behind = await another({ vaultOptions: { clock: { now: () => Date.now() - 3_600_000, monotonic: () => performance.now() } } })
    // By its clock the token is still good; the API knows better.
    server.grant()
    expect(await outcome(() => behind.connection.fetch(`${server.origin}/api`))).toBe('reauthorisation_required')
    expect(server.used).toEqual([])
  })
})
