// Faults at the border between us and an authorisation server, in processes of their own on stores that last: afterwards the connection works
// or says that the customer must connect again, and no token is used twice that may not be.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { removeAllDatabases } from '../../../core/test/stores/stores.ts'
import { type Behaviour, type FakeServer, startFakeServer } from '../servers/fake-server.ts'
import { resultOf, type Worker } from '../../../core/test/processes/worker.ts'
import { type Service, startService } from './support.ts'

const HOUR = 3_600_000
const PAUSED = 6 * 60_000

let server: FakeServer
let service: Service
let others: Record<'single-use' | 'window', readonly [Worker, Worker]>
beforeAll(async () => {
  server = await startFakeServer()
  const endpoints = { tokenEndpoint: `${server.origin}/token`, revocationEndpoint: `${server.origin}/revoke` }
  service = await startService(2, { ...endpoints, clientId: 'our-service' }, { timeout: 2000, lease: 4000 })
  const window = { provider: { refreshTokens: { reuseWindow: 60_000 } } }
  const [first, second, third, fourth] = [...service.workers, await service.another(window), await service.another(window)]
  others = { 'single-use': [first as Worker, second as Worker], window: [third as Worker, fourth as Worker] }
})
afterAll(async () => {
  await service.remove()
  await server.close()
  await removeAllDatabases()
})

const DONE = /^fake-access-CANARY-\d+$/
const AGAIN = /^reauthorisation_required$/
const LATER = /^authorisation_server_unavailable$/

/** What two processes are told that want new tokens at the same instant, and what they are told after all pauses. */
const FAULTS: readonly [what: string, Behaviour, first: RegExp, then: RegExp][] = [
  ['503', { status: 503 }, LATER, DONE],
  ['500 behind the rotation', 'error-500', AGAIN, AGAIN],
  ['502 that may have come behind it', { status: 502 }, AGAIN, AGAIN],
  ['a reset before the rotation', 'reset-before', AGAIN, AGAIN],
  ['a reset behind it', 'reset', AGAIN, AGAIN],
  ['half an answer', 'half', AGAIN, AGAIN],
  ['no JSON', 'no-json', AGAIN, AGAIN],
  ['no answer before the rotation', 'hang-before', AGAIN, AGAIN],
  ['no answer behind it', 'hang', AGAIN, AGAIN],
]

let base = 0

/** A connection whose token has ended, and two processes, of which the clock of the second is off. What they knew before is hours old. */
async function ended([one, two]: readonly [Worker, Worker], off: number): Promise<void> {
  base += 8 * HOUR
  await one.run('clock', base)
  await two.run('clock', base + off)
  await one.run('save', { ...server.grant(), expires_in: 0 })
}

/** So that neither leaves the server alone for what it has done before. */
async function reconciled(workers: readonly [Worker, Worker]): Promise<void> {
  server.next.length = 0
  for (const worker of workers) {
    await ended([worker, worker], 0)
    expect(await resultOf(worker.run('use'))).toMatch(DONE)
  }
}

describe.each([0, HOUR, -HOUR])('with a clock that is %i ms off in one of two processes', (off) => {
  test.each(FAULTS)('single use, %s', async (_, behaviour, first, then) => {
    const workers = others['single-use']
    const [one, two] = workers
    server.reusable = false
    await ended(workers, off)
    const { used, asked } = { used: server.used.length, asked: server.asked }
    server.next.push(behaviour)
    const [hers, his] = await Promise.all(workers.map((worker) => resultOf(worker.run('use'))))
    // By a clock that is ahead the pause is over, and by one behind the token has not yet ended.
    const anyOf = off === 0 ? first : new RegExp(`${first.source}|${DONE.source}`)
    expect([hers, his]).toEqual([expect.stringMatching(off > 0 ? anyOf : first), expect.stringMatching(anyOf)])
    await one.run('clock', base + PAUSED)
    await two.run('clock', base + PAUSED + off)
    for (const worker of workers) expect(await resultOf(worker.run('use'))).toMatch(then)
    const sent = server.used.slice(used)
    expect([new Set(sent).size, server.asked - asked <= 3, server.next]).toEqual([sent.length, true, []])
    await reconciled(workers)
  })

  test.each(FAULTS.slice(1))('with a window in which it may be used again, %s', async (_, behaviour) => {
    const workers = others.window
    server.reusable = true
    await ended(workers, off)
    const used = server.used.length
    server.next.push(behaviour)
    const said = await Promise.all(workers.map((worker) => resultOf(worker.run('use'))))
    for (const each of said) expect(each).toMatch(DONE)
    expect([server.used.length - used <= 2, server.next]).toEqual([true, []])
    // By a clock that is behind the old one has not yet ended.
    if (off >= 0) expect(new Set(said).size).toBe(1)
    await reconciled(workers)
  })
})

test('a request that hangs for longer than the lease: who waits gives up, and the answer is kept when it comes', async () => {
  const [one] = others['single-use']
  server.reusable = false
  await ended([one, one], 0)
  const patient = await service.another({ options: { timeout: 60_000, lease: 120_000 } })
  await patient.run('clock', base)
  let goOn = (): void => undefined
  const asked = server.asked
  server.onRequest = () => new Promise((resolve) => (goOn = resolve))
  const late = resultOf(patient.run('use'))
  await expect.poll(() => server.asked).toBe(asked + 1)
  expect(await resultOf(one.run('use'))).toMatch(AGAIN)
  server.onRequest = () => undefined
  goOn()
  const token = await late
  expect([token, await resultOf(one.run('use')), server.asked]).toEqual([expect.stringMatching(DONE), token, asked + 1])
})
