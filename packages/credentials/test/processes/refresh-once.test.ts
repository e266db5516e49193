// Four processes that want new tokens at the same instant, before a real authorisation server that ends the family of a token that is used twice.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { removeAllDatabases } from '../../../core/test/stores/stores.ts'
import { resultOf } from '../../../core/test/processes/worker.ts'
import { type AuthorizationServer, type Service, startAuthorizationServer, startService } from './support.ts'

const ROUNDS = Number(process.env['STRONGROOM_ROUNDS'] ?? 10)
const HOUR = 3_600_000

let server: AuthorizationServer
let service: Service
beforeAll(async () => {
  server = await startAuthorizationServer()
  const { issuer } = server
  service = await startService(4, { issuer, clientId: 'our-service', apiOrigins: [issuer] })
})
afterAll(async () => {
  await service.remove()
  server.stop()
  await removeAllDatabases()
})

describe('four processes, one family', () => {
  test(`${ROUNDS} times at once: one refresh each time, everyone has the live token, the family survives`, async () => {
    const { workers } = service
    await workers[0]?.run('save', await server.grant())
    for (let round = 1; round <= ROUNDS; round++) {
      const before = await server.count()
      // By everyone's clock the token has ended.
      await Promise.all(workers.map((worker) => worker.run('clock', round * 2 * HOUR)))
      const tokens = await Promise.all(workers.map((worker) => worker.run<string>('use')))
      const after = await server.count()
      expect([round, new Set(tokens).size, after.refreshes - before.refreshes, after.refused, after.familiesEnded]).toEqual([
        round,
        1,
        1,
        0,
        0,
      ])
      expect(await server.isLive(tokens[0] as string)).toBe(true)
    }
  })

  test('refused by the API at the same time: one refresh', async () => {
    const { workers } = service
    const grant = await server.grant()
    await workers[0]?.run('save', { ...grant, access_token: 'not-known-there' })
    const before = await server.count()
    // What they hold in memory is of the connection before.
    const others = await Promise.all(Array.from({ length: 4 }, () => service.another()))
    const seen = await Promise.all(others.map((worker) => worker.run('fetch', `${server.issuer}/api/contacts`)))
    const after = await server.count()
    expect([seen, after.refreshes - before.refreshes, after.familiesEnded]).toEqual([[200, 200, 200, 200], 1, 0])
  })

  test('with clocks that are an hour off, before and behind: the family survives, and nobody asks for ever', async () => {
    const { workers } = service
    await Promise.all(workers.map((worker, i) => worker.run('clock', ([0, HOUR, -HOUR, 0][i] as number) + ROUNDS * 2 * HOUR)))
    await workers[0]?.run('save', await server.grant())
    const before = await server.count()
    for (let round = 0; round < 3; round++) {
      const tokens = await Promise.all(workers.map((worker) => resultOf(worker.run('use'))))
      for (const token of tokens) expect(await server.isLive(token as string)).toBe(true)
    }
    const after = await server.count()
    expect([after.refused, after.familiesEnded, after.refreshes - before.refreshes <= 3]).toEqual([0, 0, true])
  })

  test('disconnected by one: revoked there, and gone for all once their keys have aged', async () => {
    const { workers } = service
    const grant = await server.grant()
    await workers[0]?.run('save', grant)
    expect(await workers[1]?.run('disconnect')).toBe('revoked')
    expect(await server.isLive(String(grant['access_token']))).toBe(false)
    expect(await resultOf((await service.another()).run('use'))).toBe('not_found')
  })
})
