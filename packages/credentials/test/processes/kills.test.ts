// A process that is killed at each named place: afterwards the connection works or says that the customer must connect again, and no token
// that was used up is used again.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

import { FAILPOINTS } from '@strongroom/credentials/testing'

import { removeAllDatabases } from '../../../core/test/stores/stores.ts'
import { type FakeServer, startFakeServer } from '../servers/fake-server.ts'
import { resultOf } from '../../../core/test/processes/worker.ts'
import { type Service, startService } from './support.ts'

let server: FakeServer
let service: Service
beforeAll(async () => {
  server = await startFakeServer()
  const endpoints = { tokenEndpoint: `${server.origin}/token`, revocationEndpoint: `${server.origin}/revoke` }
  service = await startService(1, { ...endpoints, clientId: 'our-service' }, { timeout: 1000, lease: 2000 })
})
afterEach(() => {
  server.next.length = 0
})
afterAll(async () => {
  await service.remove()
  await server.close()
  await removeAllDatabases()
})

/** A process that is killed at a place on its way. */
async function killedAt(name: string, task: string, argument?: unknown): Promise<void> {
  const victim = await service.another()
  await victim.run('dieAt', name)
  expect(await resultOf(victim.run(task, argument))).toBe('ended')
}

const works = async (token: unknown): Promise<boolean> => typeof token === 'string' && server.isLive(token)

test.each(FAILPOINTS.filter((name) => name.startsWith('save.')))(
  'killed at %s: the connection is as before, or as it was saved',
  async (name) => {
    const [first] = service.workers
    await first?.run('save', server.grant())
    await killedAt(name, 'save', server.grant())
    const token = await resultOf((await service.another()).run('use'))
    expect(token).toMatch(/^fake-access-CANARY-\d+$/)
    expect(await works(token)).toBe(name === 'save.stored')
  },
)

test.each(FAILPOINTS.filter((name) => name.startsWith('refresh.')))('killed at %s', async (name) => {
  const [first] = service.workers
  const used = server.used.length
  await first?.run('save', { ...server.grant(), expires_in: 0 })
  await killedAt(name, 'use')
  const others = await Promise.all([service.another(), service.another()])
  const seen = await Promise.all(others.map((other) => resultOf(other.run('use'))))
  if (name === 'refresh.stored') expect(await Promise.all(seen.map(works))).toEqual([true, true])
  else expect(seen).toEqual(['reauthorisation_required', 'reauthorisation_required'])
  expect(server.used.length - used).toBe(name === 'refresh.intended' ? 0 : 1)
  // The customer connects again, and it works.
  await others[0]?.run('save', { ...server.grant(), expires_in: 0 })
  expect(await works(await (await service.another()).run('use'))).toBe(true)
})

test.each(FAILPOINTS.filter((name) => name.startsWith('disconnect.')))(
  'killed at %s: whoever disconnects it again ends it',
  async (name) => {
    const [first] = service.workers
    const granted = server.grant()
    await first?.run('save', granted)
    await killedAt(name, 'disconnect')
    const other = await service.another()
    expect(await resultOf(other.run('use'))).toBe('not_found')
    const ended = await resultOf(other.run('disconnect'))
    if (name === 'disconnect.removed') expect(ended).toBe('not_found')
    else expect([ended, server.revoked.includes(granted.refresh_token)]).toEqual(['revoked', true])
    await other.run('save', server.grant())
    expect(await works(await (await service.another()).run('use'))).toBe(true)
  },
)

test.each(FAILPOINTS.filter((name) => name.startsWith('disconnect.') || name.startsWith('revoke.')))(
  'killed at %s: sweeping ends it',
  async (name) => {
    const [first] = service.workers
    const granted = server.grant()
    await first?.run('save', granted)
    await killedAt(name, 'disconnect')
    const other = await service.another()
    // When it is due, by the clock of whoever sweeps.
    await other.run('clock', 3_600_000)
    await other.run('sweep')
    await other.run('sweep')
    await other.run('clock', 0)
    expect([await other.run('status'), server.revoked.includes(granted.refresh_token)]).toEqual([undefined, true])
  },
)

test.each(FAILPOINTS.filter((name) => name.startsWith('refresh.') && name !== 'refresh.stored'))(
  'killed at %s: sweeping says that the customer must connect again',
  async (name) => {
    const [first] = service.workers
    await first?.run('save', { ...server.grant(), expires_in: 0 })
    await killedAt(name, 'use')
    const other = await service.another()
    await other.run('clock', 3_600_000)
    await other.run('sweep')
    expect(await other.run('status')).toMatchObject({ state: 'reauthorisation_required', reason: 'unknown_outcome' })
  },
)

test.each(['shred.marked', 'shred.removed', 'disconnect.queued', 'disconnect.marked'])(
  'her keys are shredded, and whoever does it is killed at %s: repeated or swept, her tokens are revoked, and no other is',
  async (name) => {
    const [first] = service.workers
    const granted = server.grant()
    await first?.run('save', granted)
    await killedAt(name, 'shred')
    const other = await service.another()
    expect(server.revoked).not.toContain(granted.refresh_token)
    expect(await other.run('shred')).toBe(1)
    expect([await other.run('status'), await resultOf(other.run('use'))]).toEqual([undefined, 'not_found'])
    await other.run('clock', 3_600_000)
    await other.run('sweep')
    await other.run('clock', 0)
    expect(server.revoked.filter((token) => token === granted.refresh_token)).toHaveLength(1)
    expect(await other.run('shred')).toBe(0)
    await other.run('recreate')
    await other.run('save', server.grant())
    expect(await works(await (await service.another()).run('use'))).toBe(true)
  },
)

test.each(['disconnect.marked', 'disconnect.queued'])(
  'killed at %s, and connected anew: the old tokens are revoked, and not the new',
  async (name) => {
    const [first] = service.workers
    const [old, granted] = [server.grant(), server.grant()]
    await first?.run('save', old)
    await killedAt(name, 'disconnect')
    await first?.run('save', granted)
    expect(server.revoked.at(-1)).toBe(old.refresh_token)
    expect(await works(await first?.run('use'))).toBe(true)
  },
)
