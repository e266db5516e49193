// A process that ends at any write of its stores, on either side of it: whoever goes on brings the request to the same end.
import type { KeyStore, StateStore } from '@strongroom/core'
import { type Erasure, sweep, verifyCertificate } from '@strongroom/erasure'
import { expect, test } from 'vitest'

import { all, APART, closeEpoch, email, GRACE, outcome, pass, type World, world } from './support.ts'

const ADDRESS = 'ada@example.com'

/** What is done, and what has been done before it. */
interface Scenario {
  readonly before: (w: World) => Promise<unknown>
  readonly work: (erasure: Erasure, alice: World['acme']) => Promise<unknown>
  readonly isTakenBack?: true
}

const due = async (w: World): Promise<void> => {
  await w.erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted' })
  await pass(w, GRACE - 1)
  w.clock.advance(APART)
  await w.erasure.sweep()
  w.clock.advance(APART)
}

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a request': {
    before: async () => undefined,
    work: (erasure, acme) => erasure.request(acme.subject('alice'), { reason: 'accountDeleted' }),
  },
  'a request without grace': {
    before: async () => undefined,
    work: (erasure, acme) => erasure.request(acme.subject('alice'), { reason: 'accountDeleted', grace: 0 }),
  },
  'taking it back': {
    before: (w) => w.erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted' }),
    work: async (erasure, acme) => (await erasure.find(acme.subject('alice')))?.cancel(),
    isTakenBack: true,
  },
  'the sweep when it is due': { before: due, work: (erasure) => sweep([erasure]) },
  'the sweep behind the epoch': {
    async before(w) {
      await w.erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted', grace: 0 })
      await pass(w, APART)
      await closeEpoch(w.vault)
    },
    work: (erasure) => sweep([erasure]),
  },
}

interface Writes {
  count: number
  /** The number of the write at which nothing goes on, and on which side of it. */
  stop: { readonly write: number; readonly isBehind: boolean } | undefined
  stopped: () => void
}

/** The same store, whose writes are counted, and never answer from a certain one on. */
function stopping<S extends KeyStore | StateStore>(store: S, writes: Writes): S {
  const isStopped = (isBehind: boolean): boolean => {
    const { stop, count } = writes
    return stop !== undefined && (count > stop.write || (count === stop.write && (isBehind || !stop.isBehind)))
  }
  const never = (): Promise<never> => {
    writes.stopped()
    return new Promise(() => undefined)
  }
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (name !== 'put' && name !== 'delete') return value.bind(target) as unknown
      return async (...args: unknown[]): Promise<unknown> => {
        writes.count++
        if (isStopped(false)) return never()
        const result: unknown = await value.apply(target, args)
        return isStopped(true) ? never() : result
      }
    },
  })
}

async function run(scenario: Scenario, stop: Writes['stop']): Promise<number> {
  const w = await world()
  const alice = w.acme.subject('alice')
  const stored = await alice.encrypt(email, ADDRESS)
  w.logs.add('acme/alice', 3)
  await scenario.before(w)
  const writes: Writes = { count: 0, stop: undefined, stopped: () => undefined }
  const stopped = new Promise<void>((resolve) => {
    writes.stopped = resolve
  })
  const other = await w.another({ keyStore: stopping(w.keyStore, writes), stateStore: stopping(w.stateStore, writes) })
  writes.count = 0
  writes.stop = stop
  await Promise.race([stopped, scenario.work(other.erasure, other.vault.tenant('acme'))])
  const { count } = writes

  // Another process, that knows nothing of it.
  const next = { ...w, ...(await w.another()) }
  const her = next.vault.tenant('acme').subject('alice')
  await pass(next, 3 * APART)
  if ((await next.erasure.find(her)) === undefined && (await her.state()) === 'active') {
    // It was never noted, or it was taken back.
    expect(stop?.write === 1 || scenario.isTakenBack).toBe(true)
    expect([await her.decrypt(email, stored), next.logs.rows.size]).toEqual([ADDRESS, 1])
    return count
  }
  await pass(next, 2 * GRACE)
  await closeEpoch(next.vault)
  await pass(next, APART)
  expect(await all(next.erasure.list())).toEqual([])
  expect([await outcome(() => her.decrypt(email, stored)), next.logs.rows.size]).toEqual(['shredded', 0])
  const certificates = next.stateStore.snapshot().filter(({ namespace }) => namespace === 'strongroom/certificates')
  expect(certificates).toHaveLength(1)
  const id = (certificates[0]?.key ?? '').split('/').slice(1).join('.')
  const said = verifyCertificate((await next.erasure.certificate(id)) ?? '', await next.vault.receiptKeys())
  expect(said).toMatchObject({ kind: 'subject', keyVersions: 1, resources: [{ name: 'logs', found: 3, remaining: 0 }] })
  // Nothing is left lying about.
  const left = next.stateStore.snapshot().filter(({ namespace }) => ['strongroom/erasures', 'strongroom/closings'].includes(namespace))
  expect(left).toEqual([])
  return count
}

test.each(Object.entries(SCENARIOS))('%s', { timeout: 300_000 }, async (_, scenario) => {
  const writes = await run(scenario, undefined)
  expect(writes).toBeGreaterThan(2)
  for (let write = 1; write <= writes; write++) {
    for (const isBehind of [false, true]) {
      try {
        await run(scenario, { write, isBehind })
      } catch (error) {
        throw new Error(`ended ${isBehind ? 'behind' : 'before'} write ${write} of ${writes}`, { cause: error })
      }
    }
  }
})
