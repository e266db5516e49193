// Many that are due at once: their keys are destroyed together, and each erasure is still its own.
import { days, type KeyProvider, type StateStore, StrongroomError, verifyReceipt } from '@strongroom/core'
import { createErasure, verifyCertificate } from '@strongroom/erasure'
import { withFailpoints } from '@strongroom/erasure/testing'
import { expect, test } from 'vitest'

import { all, APART, closeEpoch, email, names, pass, policy, requestAll, statesOf, untilDue, world } from './support.ts'

// One more than a page of the ledger holds.
const DUE = 257

test('one more than a page of the ledger holds: two pages of the ledger, and each has a receipt and a certificate of its own', async () => {
  const w = await world()
  const people = names(DUE)
  const requests = await requestAll(w, people)
  await untilDue(w)
  const pages = () => w.stateStore.snapshot().filter(({ namespace }) => namespace === 'strongroom/ledger').length
  const before = pages()
  expect(await w.erasure.sweep()).toMatchObject({ done: DUE, failed: 0, waiting: 0 })
  expect(pages() - before).toBe(2)
  expect(new Set(await statesOf(w, people))).toEqual(new Set(['shredded']))
  await closeEpoch(w.vault)
  await pass(w, days(30))
  const keys = await w.vault.receiptKeys()
  const certified = []
  for (const { id } of requests) certified.push(verifyCertificate((await w.erasure.certificate(id)) ?? '', keys))
  // Of each the receipt is its own person's.
  const own = certified.map(({ receipt }) => Buffer.from(verifyReceipt(receipt, keys).ref).toString('hex'))
  expect(own).toEqual(requests.map(({ id }) => id.split('.')[1]))
  expect(certified.map(({ references }) => references[1])).toEqual(own)
})

test('read of the state store grows with who is due, by a few entries each', async () => {
  const w = await world()
  let entries = 0
  const count = <T>(found: T): T => {
    entries += Array.isArray(found) ? found.length : found === undefined ? 0 : 1
    return found
  }
  const { get, scan, due } = w.stateStore
  const stateStore: StateStore = {
    ...w.stateStore,
    get: async (...args) => count(await get(...args)),
    scan: async (...args) => count(await scan(...args)),
    due: async (...args) => count(await due(...args)),
  }
  const counted = await w.another({ stateStore })
  await requestAll(w, names(100))
  await untilDue(w)
  entries = 0
  expect(await counted.erasure.sweep()).toMatchObject({ done: 100 })
  // Among them her own record, right before her keys go: whether it is still this process that erases her.
  expect(entries / 100).toBeLessThan(7)
})

test('one on whom a hold is put behind the intents is kept, and all others go', async () => {
  const w = await world()
  const people = names(20)
  const requests = await requestAll(w, people)
  await untilDue(w)
  let passed = 0
  const reached = async (name: string): Promise<void> => {
    if (name === 'shred.counted' && ++passed === people.length) await w.erasure.hold(w.acme.subject('user-7'), { reason: 'case 4711' })
  }
  const other = createErasure(w.vault, withFailpoints({ policy, resources: [w.logs] }, reached))
  expect(await other.sweep()).toMatchObject({ done: 19, waiting: 1, held: 1, failed: 0 })
  expect(await statesOf(w, people)).toEqual(people.map((name) => (name === 'user-7' ? 'suspended' : 'shredded')))
  expect((await requests[7]?.refresh())?.state).toBe('suspended')
})

test('one who is in use behind the intents is kept, and all others go', async () => {
  const w = await world()
  const people = names(20)
  await requestAll(w, people)
  await untilDue(w)
  let passed = 0
  const reached = async (name: string): Promise<void> => {
    if (name === 'shred.counted' && ++passed === people.length) await w.acme.subject('user-7').resume()
  }
  const other = createErasure(w.vault, withFailpoints({ policy, resources: [w.logs] }, reached))
  const { done, failed, failures } = await other.sweep()
  expect([done, failed, failures.map(({ reason }) => reason)]).toEqual([19, 1, ['not_suspended']])
  expect(await statesOf(w, people)).toEqual(people.map((name) => (name === 'user-7' ? 'active' : 'shredded')))
})

test('of several tenants, with items and a tenant itself among them: all end', async () => {
  const w = await world()
  const rival = w.vault.tenant('rival')
  const places = [
    ...names(3).map((name) => w.acme.subject(name)),
    ...names(3).map((name) => rival.subject(name)),
    w.acme.subject('zoe').item('mail'),
    rival.self(),
  ]
  for (const place of places) {
    await place.encrypt(email, 'ada@example.com')
    await w.erasure.request(place, { reason: 'accountDeleted' })
  }
  await untilDue(w)
  expect(await w.erasure.sweep()).toMatchObject({ done: places.length, failed: 0 })
  expect(await Promise.all(places.map((place) => place.state()))).toEqual(places.map(() => 'shredded'))
  expect(await w.acme.subject('zoe').state()).toBe('active')
})

test('whose turn comes late, and who was erased by another meanwhile and has come again: nothing of her new life is touched', async () => {
  const w = await world()
  const people = names(3)
  await requestAll(w, people)
  await untilDue(w)
  const others = await w.another()
  const erased: (string | undefined)[] = []
  const again = (): readonly string[] => people.filter((name) => name !== erased[0])
  const slow = {
    ...w.logs,
    async erase(...args: Parameters<typeof w.logs.erase>) {
      if (erased.push(args[0].subject) === 1) {
        // Others take what this process does not come to.
        for (let i = 0; i < 3; i++) await (w.clock.advance(APART), others.erasure.sweep())
        for (const name of again()) {
          await w.acme.subject(name).recreate({ reason: 'operator' })
          w.logs.add(`acme/${name}`, 5)
        }
      }
      return w.logs.erase(...args)
    },
  }
  await createErasure(w.vault, { policy, resources: [slow] }).sweep()
  expect(erased.length).toBe(1)
  expect([await statesOf(w, again()), again().map((name) => w.logs.rows.get(`acme/${name}`))]).toEqual([
    ['active', 'active'],
    [5, 5],
  ])
  await pass(w, days(1))
  expect((await all(w.erasure.list())).map(({ state }) => state)).toEqual(['erased', 'erased', 'erased'])
})

test('the provider goes away behind the intents: all wait, it is asked for all at once, and later they end', async () => {
  const w = await world()
  const people = names(20)
  await requestAll(w, people)
  await untilDue(w)
  let isAway = false
  let asked = 0
  const provider = w.vaultOptions.keyProviders['eu'] as KeyProvider
  const { vault } = await w.another({
    keyProviders: {
      eu: {
        ...provider,
        versions: async () => {
          if (isAway) throw (asked++, new StrongroomError('key_provider_unavailable', 'away'))
          return provider.versions()
        },
      },
    },
  })
  let passed = 0
  const reached = (name: string): void => {
    if (name === 'shred.counted' && ++passed === people.length) isAway = true
  }
  const options = withFailpoints({ policy, resources: [w.logs] }, reached)
  expect(await createErasure(vault, options).sweep()).toMatchObject({ done: 0, waiting: people.length, failed: 0 })
  expect(asked).toBeLessThan(people.length)
  expect(new Set(await statesOf(w, people))).toEqual(new Set(['suspended']))
  isAway = false
  await pass(w, days(1))
  expect(new Set(await statesOf(w, people))).toEqual(new Set(['shredded']))
})
