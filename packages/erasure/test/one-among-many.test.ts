// Many that are due at once, and one of them whose key record, store or turn is not as it should be: all others come to their end, and of whoever
// lives again nothing goes.
import { days, minutes } from '@strongroom/core'
import { createErasure, type Erasure, sweep } from '@strongroom/erasure'
import { withFailpoints } from '@strongroom/erasure/testing'
import { describe, expect, test } from 'vitest'

import { all, APART, email, names, pass, policy, requestAll, statesOf, untilDue, type World, world } from './support.ts'

async function keyOf(w: Pick<World, 'acme'>, name: string) {
  const references = await w.acme.subject(name).references()
  return { type: 'node', ref: new Uint8Array(Buffer.from(references.at(-1) ?? '', 'hex')) } as const
}

/** Sweeps, and calls back once the intents of so many are noted. */
function sweepingAfter(w: World, count: number, then: () => Promise<void> | void): Erasure {
  let passed = 0
  const reached = (name: string): Promise<void> | void => (name === 'shred.counted' && ++passed === count ? then() : undefined)
  return createErasure(w.vault, withFailpoints({ policy, resources: [w.logs] }, reached))
}

test('one whose key record is damaged behind the intents: it is reported, and all others go', async () => {
  const w = await world()
  const people = names(20)
  const requests = await requestAll(w, people)
  await untilDue(w)
  const key = await keyOf(w, 'user-7')
  const good = w.keyStore.snapshot()
  const damage = (): void => w.keyStore.edit(key, (record) => record && ({ ...record, versions: [{}] } as unknown as typeof record))
  const { done, failed, failures } = await sweepingAfter(w, people.length, damage).sweep()
  expect([done, failed, failures]).toEqual([19, 1, [{ place: requests[7]?.id, reason: 'decrypt_failed' }]])
  await pass(w, days(1))
  expect((await requests[7]?.refresh())?.state).toBe('shredding')
  const record = (await w.keyStore.get([key]))[0]
  expect(record).toBeDefined()
  w.keyStore.edit(key, () => good.find((each) => each.type === 'node' && Buffer.compare(each.ref, key.ref) === 0))
  await pass(w, days(1))
  expect(new Set(await statesOf(w, people))).toEqual(new Set(['shredded']))
})

test.each([1, 20])('a key store that does not answer for one record, from %d intents on: all others come to their end', async (count) => {
  const w = await world()
  const people = names(20)
  const requests = await requestAll(w, people)
  await untilDue(w)
  const { ref } = await keyOf(w, 'user-7')
  let isBroken = false
  const keyStore: typeof w.keyStore = {
    ...w.keyStore,
    async get(keys) {
      if (isBroken && keys.some((key) => key.type === 'node' && Buffer.compare(key.ref, ref) === 0)) throw new Error('malformed page')
      return w.keyStore.get(keys)
    },
  }
  const broken = { ...w, ...(await w.another({ keyStore })) }
  const erasure = sweepingAfter(broken, count, () => void (isBroken = true))
  await expect(erasure.sweep()).rejects.toMatchObject({ code: 'key_store_unavailable' })
  await sweep([erasure])
  const states = await Promise.all(requests.map(async ({ id }) => (await w.erasure.get(id))?.state))
  expect([states.filter((state) => state !== 'erased').length, await statesOf(w, ['user-7'])]).toEqual([1, ['suspended']])
})

describe('whose turn comes late, and who was erased by another meanwhile, and has asked again in a new life', () => {
  /** Others take what a process does not come to, and she comes back, and asks. */
  async function newLife(w: World, others: Pick<World, 'erasure'>, name: string): Promise<void> {
    for (let i = 0; i < 3; i++) await (w.clock.advance(APART), others.erasure.sweep())
    const she = w.acme.subject(name)
    await she.recreate({ reason: 'operator' })
    await she.encrypt(email, 'ada@example.com')
    await w.erasure.request(she, { reason: 'accountDeleted' })
  }

  test('while a process waits for others to be shredded with her: she is as long suspended as she has asked for', async () => {
    const w = await world()
    await requestAll(w, names(2))
    await untilDue(w)
    const others = await w.another()
    let noted: readonly string[] = []
    let passed = 0
    const reached = async (name: string): Promise<void> => {
      if (name !== 'shred.counted' || ++passed !== 2) return
      await newLife(w, others, 'user-0')
      noted = await statesOf(w, ['user-0'])
    }
    await createErasure(w.vault, withFailpoints({ policy, resources: [w.logs] }, reached)).sweep()
    expect([noted, await statesOf(w, ['user-0'])]).toEqual([['suspended'], ['suspended']])
  })

  test('while a process erases what is of others, and she is to be shredded by herself: as well', async () => {
    const w = await world()
    const others = await w.another()
    const rival = w.vault.tenant('rival')
    await requestAll(w, ['user-0'])
    await requestAll({ ...w, acme: rival }, ['user-1'])
    await untilDue(w)
    const erased: string[] = []
    const slow = {
      ...w.logs,
      async erase(...args: Parameters<typeof w.logs.erase>) {
        const [{ tenant }] = args
        erased.push(tenant)
        if (erased.length === 1)
          await newLife({ ...w, acme: tenant === 'acme' ? rival : w.acme }, others, tenant === 'acme' ? 'user-1' : 'user-0')
        return w.logs.erase(...args)
      },
    }
    await createErasure(w.vault, { policy, resources: [slow] }).sweep()
    expect(erased).toHaveLength(1)
    expect(erased[0] === 'acme' ? await statesOf({ acme: rival }, ['user-1']) : await statesOf(w, ['user-0'])).toEqual(['suspended'])
  })
})

test('who is done with first comes to the end, and is not kept waiting by all who lost their keys together', async () => {
  const w = await world()
  let passed = 0
  const clock = { now: w.clock.now, monotonic: () => performance.now() + passed }
  const left: number[] = []
  const slow = {
    ...w.logs,
    async erase(...args: Parameters<typeof w.logs.erase>) {
      passed += minutes(6)
      left.push((await all(w.erasure.list())).filter(({ state }) => state !== 'erased').length)
      return w.logs.erase(...args)
    },
  }
  const { erasure } = await w.another({ clock, resources: [slow] })
  await requestAll(w, names(4))
  await untilDue(w)
  expect(await sweep([erasure])).toMatchObject([{ done: 4, failed: 0 }])
  expect(left).toEqual([4, 3, 2, 1])
})
