// From the request to the certificate, step by step.
import { days, type Item, type StateStore } from '@strongroom/core'
import { memoryKeyProvider } from '@strongroom/core/testing'
import { createErasure, verifyCertificate } from '@strongroom/erasure'
import { withFailpoints } from '@strongroom/erasure/testing'
import { describe, expect, test } from 'vitest'

import { all, APART, closeEpoch, email, GRACE, outcome, pass, policy, rowsOf, START, type World, world } from './support.ts'

const ADDRESS = 'ada@example.com'

describe('a person', () => {
  test('is suspended at once, can be taken back until day 29, is gone on day 30, and closed once the epoch is', async () => {
    const w = await world()
    const alice = w.acme.subject('alice')
    const stored = await alice.encrypt(email, ADDRESS)
    w.logs.add('acme/alice', 3)
    w.logs.add('acme/bob', 2)

    const first = await w.erasure.request(alice, { reason: 'accountDeleted' })
    expect([first.state, first.due]).toEqual(['suspended', START + GRACE])
    expect(await outcome(() => alice.decrypt(email, stored))).toBe('suspended')
    await pass(w, days(29))
    await first.cancel()
    expect(await first.refresh()).toBeUndefined()
    expect(await alice.decrypt(email, stored)).toBe(ADDRESS)

    const { id } = await w.erasure.request(alice, { reason: 'accountDeleted' })
    expect(id).not.toBe(first.id)
    await pass(w, GRACE - 1)
    expect((await w.erasure.get(id))?.state).toBe('suspended')
    expect(await pass(w, 3 * APART)).toMatchObject([{ name: 'erasure', done: 0, waiting: 0 }])
    expect((await w.erasure.get(id))?.state).toBe('erased')
    expect(await outcome(() => alice.decrypt(email, stored))).toBe('shredded')
    expect([...w.logs.rows]).toEqual([['acme/bob', 2]])
    expect(await w.erasure.certificate(id)).toBeUndefined()
    expect(await all(w.erasure.list())).toMatchObject([
      { id, state: 'erased', waitsFor: 'epoch', blockedBy: ['rotation_needed', 'close_needed'] },
    ])

    await closeEpoch(w.vault)
    await pass(w, APART)
    expect((await w.erasure.get(id))?.state).toBe('closed')
    const certificate = (await w.erasure.certificate(id)) ?? ''
    const said = verifyCertificate(certificate, await w.vault.receiptKeys())
    expect(said).toMatchObject({
      kind: 'subject',
      references: id.split('.').slice(0, -1),
      reason: 'accountDeleted',
      dueAt: START + days(29) + GRACE,
      keyVersions: 1,
      resources: [{ name: 'logs', found: 3, remaining: 0 }],
      survivors: [],
    })
    expect(said.shreddedAt).toBeGreaterThanOrEqual(said.dueAt)
    expect(await all(w.erasure.list())).toEqual([])
    expect(w.events.map(({ type }) => type)).toEqual(['suspended', 'cancelled', 'suspended', 'shredded', 'erased', 'closed'])
  })

  test('asked for again, it is the same request; with less grace it is due earlier, with more it is not put off', async () => {
    const w = await world()
    const alice = w.acme.subject('alice')
    const first = await w.erasure.request(alice, { reason: 'accountDeleted' })
    w.clock.advance(days(1))
    const again = await w.erasure.request(alice, { reason: 'operator' })
    expect([again.id, again.due]).toEqual([first.id, first.due])
    const sooner = await w.erasure.request(alice, { reason: 'operator', grace: days(3) })
    expect([sooner.id, sooner.due]).toEqual([first.id, START + days(4)])
    expect((await w.erasure.request(alice, { reason: 'operator', grace: days(20) })).due).toBe(START + days(4))
    const now = await w.erasure.request(alice, { reason: 'operator', grace: 0 })
    expect([now.id, now.state, await alice.state()]).toEqual([first.id, 'shredding', 'shredded'])
    expect(await outcome(() => first.cancel())).toBe('grace_over')
  })

  test('asked for again without grace, once it is due and nobody has swept: its keys are destroyed when that resolves', async () => {
    const w = await world()
    const alice = w.acme.subject('alice')
    const { due } = await w.erasure.request(alice, { reason: 'accountDeleted' })
    w.clock.advance(GRACE + 1)
    const now = await w.erasure.request(alice, { reason: 'accountDeleted', grace: 0 })
    expect([now.state, now.due, await alice.state()]).toEqual(['shredding', due, 'shredded'])
  })

  test('whose tenant goes before her grace is over: it ends with that, and her certificate says when', async () => {
    const w = await world()
    const { id } = await w.erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted' })
    w.clock.advance(days(1))
    await w.erasure.request(w.acme, { reason: 'contractEnded', grace: 0 })
    for (let i = 0; i < 2; i++) await w.erasure.sweep()
    expect(await w.erasure.get(id)).toMatchObject({ state: 'erased', due: START + days(1) })
    await closeEpoch(w.vault)
    await pass(w, APART)
    const { requestedAt, dueAt, erasedAt } = verifyCertificate((await w.erasure.certificate(id)) ?? '', await w.vault.receiptKeys())
    expect([requestedAt, dueAt, erasedAt]).toEqual([START, START + days(1), START + days(1)])
  })

  test.each<[string, (w: World) => readonly [Item, Pick<Item, 'suspend' | 'resume'>]]>([
    ['a person', ({ acme }) => [acme.subject('alice'), acme]],
    ['an item', ({ acme }) => [acme.subject('alice').item('hubspot'), acme.subject('alice')]],
    ["what is the tenant's own", ({ acme }) => [acme.self(), acme]],
  ])('%s that others had suspended, and what is above: taken back, it is as suspended as before', async (_, handles) => {
    const w = await world()
    const [place, above] = handles(w)
    await place.encrypt(email, ADDRESS)
    const own = () => place.ownState()
    await place.suspend()
    await above.suspend()
    await (await w.erasure.request(place, { reason: 'operator' })).cancel()
    await above.resume()
    expect([await own(), await place.state()]).toEqual(['suspended', 'suspended'])
    // Not it, but what is above.
    await place.resume()
    await above.suspend()
    await (await w.erasure.request(place, { reason: 'operator' })).cancel()
    expect([await own(), await place.state()]).toEqual(['active', 'suspended'])
    await above.resume()
    expect(await place.state()).toBe('active')
  })

  test('who comes back has a new life, and only behind the end of the old one', async () => {
    const w = await world()
    const alice = w.acme.subject('alice')
    w.logs.add('acme/alice')
    const old = await alice.encrypt(email, ADDRESS)
    w.logs.fails = new Error('away')
    const { id } = await w.erasure.request(alice, { reason: 'subjectRequest', grace: 0 })
    await pass(w, 2 * APART)
    expect(await outcome(() => alice.recreate({ reason: 'operator' }))).toBe('erasure_pending')
    w.logs.fails = undefined
    await pass(w, days(1))
    expect((await w.erasure.get(id))?.state).toBe('erased')
    await alice.recreate({ reason: 'operator' })
    w.logs.add('acme/alice', 7)
    const stored = await alice.encrypt(email, 'new@example.com')
    await pass(w, days(2))
    expect([await alice.decrypt(email, stored), w.logs.rows.get('acme/alice')]).toEqual(['new@example.com', 7])
    expect(await outcome(() => alice.decrypt(email, old))).toBe('shredded')
    const again = await w.erasure.request(alice, { reason: 'subjectRequest', grace: 0 })
    await pass(w, days(1))
    expect([(await again.refresh())?.state, w.logs.rows.size]).toEqual(['erased', 0])
  })

  test('of whom nothing was ever encrypted: suspended all the same', async () => {
    const w = await world()
    const carol = w.acme.subject('carol')
    const request = await w.erasure.request(carol, { reason: 'subjectRequest' })
    expect(await outcome(() => carol.encrypt(email, ADDRESS))).toBe('suspended')
    await request.cancel()
    expect(await outcome(() => carol.encrypt(email, ADDRESS))).toBe('done')
  })

  test('whom somebody else had suspended stays so when the request is taken back', async () => {
    const w = await world()
    const alice = w.acme.subject('alice')
    await alice.encrypt(email, ADDRESS)
    await alice.suspend()
    const request = await w.erasure.request(alice, { reason: 'subjectRequest' })
    await request.cancel()
    expect(await alice.state()).toBe('suspended')
  })
})

test('taken back by two at once, and asked for again between: the new request stays suspended', async () => {
  const w = await world()
  const alice = w.acme.subject('alice')
  let isNoted = false
  const get: StateStore['get'] = async (namespace, key) => {
    const found = await w.stateStore.get(namespace, key)
    if (isNoted && namespace === 'strongroom/erasures') {
      isNoted = false
      await w.erasure.sweep()
      await w.erasure.request(alice, { reason: 'subjectRequest' })
    }
    return found
  }
  const { vault } = await w.another({ stateStore: { ...w.stateStore, get } })
  const reached = (name: string): void => void (isNoted ||= name === 'cancel.noted')
  const slow = createErasure(vault, withFailpoints({ policy, resources: [] }, reached))
  const { id } = await slow.request(vault.tenant('acme').subject('alice'), { reason: 'subjectRequest' })
  await (await slow.get(id))?.cancel()
  expect([(await w.erasure.find(alice))?.id === id, await alice.state()]).toEqual([false, 'suspended'])
})

test.each(['request.noted', 'request.suspended'] as const)('taken back by another process at %s: she reads on', async (at) => {
  const w = await world()
  const alice = w.acme.subject('alice')
  const stored = await alice.encrypt(email, ADDRESS)
  let isBack = false
  const reached = async (name: string): Promise<void> => {
    if (name !== at || isBack) return
    isBack = true
    await (await w.erasure.find(alice))?.cancel()
  }
  const other = createErasure(w.vault, withFailpoints({ policy, resources: [] }, reached))
  expect(await outcome(() => other.request(alice, { reason: 'subjectRequest' }))).toBe('not_found')
  expect([isBack, await alice.decrypt(email, stored)]).toEqual([true, ADDRESS])
})

test('a part of somebody who goes first goes with them: its request ends then, and before that nobody comes back', async () => {
  const w = await world()
  const alice = w.acme.subject('alice')
  const mail = alice.item('mail')
  await mail.encrypt(email, ADDRESS)
  w.logs.add('acme/alice/mail', 2)
  const part = await w.erasure.request(mail, { reason: 'operator' })
  await w.erasure.request(alice, { reason: 'subjectRequest', grace: 0 })
  w.clock.advance(APART)
  await w.erasure.sweep()
  expect([await w.erasure.find(alice), await outcome(() => alice.recreate({ reason: 'operator' }))]).toEqual([undefined, 'erasure_pending'])
  await w.erasure.sweep()
  expect((await part.refresh())?.state).toBe('erased')
  expect(await outcome(() => alice.recreate({ reason: 'operator' }))).toBe('done')
})

describe('a tenant', () => {
  test('with no grace: nothing is readable when the request resolves; its people go with it', async () => {
    const w = await world()
    const alice = w.acme.subject('alice')
    const stored = await alice.encrypt(email, ADDRESS)
    w.logs.add('acme', 1)
    w.logs.add('acme/alice', 3)
    w.logs.add('rival/bob', 2)
    const hers = await w.erasure.request(alice, { reason: 'subjectRequest' })
    const request = await w.erasure.request(w.acme, { reason: 'contractEnded', grace: 0 })
    expect([request.state, await outcome(() => alice.decrypt(email, stored))]).toEqual(['shredding', 'shredded'])
    expect([await outcome(() => hers.cancel()), (await hers.refresh())?.state]).toEqual(['shredded', 'suspended'])
    w.clock.advance(APART)
    await w.erasure.sweep()
    expect([(await request.refresh())?.state, [...w.logs.rows.keys()]]).toEqual(['erased', ['rival/bob']])
    expect(await w.erasure.find(w.acme)).toBeUndefined()
    expect(await outcome(() => hers.cancel())).toBe('grace_over')
    await w.erasure.sweep()
    expect((await hers.refresh())?.state).toBe('erased')
    await closeEpoch(w.vault)
    await pass(w, APART)
    const keys = await w.vault.receiptKeys()
    const certificates = await Promise.all(
      [request, hers].map(async ({ id }) => verifyCertificate((await w.erasure.certificate(id)) ?? '', keys)),
    )
    expect(certificates).toMatchObject([{ kind: 'tenant', resources: [{ found: 4 }] }, { kind: 'subject' }])
    expect(certificates[1]?.receipt).toBeTypeOf('string')
    expect(certificates[1]?.shreddedAt).toBe(certificates[0]?.shreddedAt)
    // Whatever was left of her grace, it was over when the keys were gone.
    expect(certificates[1]?.dueAt).toBe(certificates[0]?.shreddedAt)
  })

  test('itself, and an item of hers: nothing else goes', async () => {
    const w = await world()
    const alice = w.acme.subject('alice')
    const [mail, crm, own] = [alice.item('mail'), alice.item('crm'), w.acme.self()]
    const stored = await Promise.all([alice, mail, crm, own].map((place) => place.encrypt(email, ADDRESS)))
    for (const place of ['acme/alice', 'acme/alice/crm', 'acme/(self)']) w.logs.add(place)
    const requests = [
      await w.erasure.request(crm, { reason: 'operator', grace: 0 }),
      await w.erasure.request(own, { reason: 'operator', grace: 0 }),
    ]
    await pass(w, 2 * APART)
    const read = await Promise.all([alice, mail, crm, own].map((place, i) => outcome(() => place.decrypt(email, stored[i] ?? ''))))
    expect(read).toEqual(['done', 'done', 'shredded', 'shredded'])
    expect([...w.logs.rows.keys()]).toEqual(['acme/alice'])
    await closeEpoch(w.vault)
    await pass(w, APART)
    const keys = await w.vault.receiptKeys()
    const said = await Promise.all(requests.map(async ({ id }) => verifyCertificate((await w.erasure.certificate(id)) ?? '', keys).kind))
    expect(said).toEqual(['item', 'self'])
  })
})

test('a handle of another vault is nobody of this one', async () => {
  const [ours, theirs] = [await world(), await world()]
  await Promise.all([ours, theirs].map(({ acme }) => acme.subject('alice').encrypt(email, ADDRESS)))
  const { acme } = theirs
  for (const place of [acme, acme.subject('alice'), acme.self(), acme.subject('alice').item('mail')]) {
    const asked = [
      () => ours.erasure.request(place, { reason: 'operator', grace: 0 }),
      () => ours.erasure.find(place),
      () => ours.erasure.hold(place, { reason: 'case' }),
      () => ours.erasure.release(place, { reason: 'case' }),
    ]
    expect(await Promise.all(asked.map(outcome))).toEqual(Array<string>(4).fill('invalid_argument'))
  }
  expect([await ours.acme.subject('alice').state(), await all(ours.erasure.list())]).toEqual(['active', []])
  // Another opening of the same vault is the same vault.
  const { vault } = await ours.another()
  expect((await ours.erasure.request(vault.tenant('acme'), { reason: 'operator', grace: 0 })).state).toBe('shredding')
  expect((await ours.erasure.request(vault.tenant('acme'), { reason: 'operator' })).state).toBe('shredding')
})

test('a process without the provider of a region leaves what is there to who has it', async () => {
  const w = await world()
  const { keyProviders } = w.vaultOptions
  const both = await w.another({ keyProviders: { ...keyProviders, us: memoryKeyProvider() } })
  const corp = await both.vault.tenants.create('corp', { region: 'us' })
  const bob = corp.subject('bob')
  await bob.encrypt(email, ADDRESS)
  const requests = [
    await both.erasure.request(bob, { reason: 'subjectRequest' }),
    await both.erasure.request(corp.subject('carol'), { reason: 'subjectRequest', grace: 0 }),
  ]
  expect((await pass(w, GRACE + APART))[0]).toMatchObject({ waiting: 2, failures: [] })
  expect([await bob.state(), (await both.erasure.get(requests[1]?.id ?? ''))?.state]).toEqual(['suspended', 'shredding'])
  await both.erasure.sweep()
  expect(await Promise.all(requests.map(async (request) => (await request.refresh())?.state))).toEqual(['erased', 'erased'])
})

describe('resources', () => {
  test('one that fails for days: the others are erased, it is retried with pauses, and reported', async () => {
    const files = rowsOf('files')
    const w = await world()
    const { erasure } = await w.another({ resources: [files, w.logs] })
    const ours = { ...w, erasure }
    for (const rows of [files, w.logs]) rows.add('acme/alice', 2)
    files.fails = Object.assign(new Error('alice is not there'), { code: 'ECONNREFUSED' })
    const { id } = await erasure.request(w.acme.subject('alice'), { reason: 'subjectRequest', grace: 0 })
    for (let day = 0; day < 5; day++) {
      await pass(ours, days(1))
      expect([(await erasure.get(id))?.state, w.logs.rows.size, files.rows.size]).toEqual(['shredding', 0, 1])
    }
    const [pending] = await all(erasure.list())
    expect(pending).toMatchObject({
      id,
      waitsFor: 'resources',
      resources: [{ name: 'files', found: 2, failure: { code: 'ECONNREFUSED' } }],
    })
    expect(pending?.resources[0]?.failure?.failures).toBeGreaterThan(3)
    const { since = 0, at = 0 } = pending?.resources[0]?.failure ?? {}
    expect([since >= START, since < START + days(1), at > START + days(4)]).toEqual([true, true, true])
    expect(JSON.stringify(pending)).not.toContain('not there')
    files.fails = undefined
    await pass(ours, days(1))
    expect((await erasure.get(id))?.state).toBe('erased')
  })

  test('one that lies: no end, no certificate, and it says how many are left', async () => {
    const w = await world()
    w.logs.add('acme/alice', 5)
    w.logs.lies = true
    const { id } = await w.erasure.request(w.acme.subject('alice'), { reason: 'subjectRequest', grace: 0 })
    await closeEpoch(w.vault)
    const failures = [{ place: `${id} logs`, reason: 'resource_remains', remaining: 5 }]
    w.clock.advance(APART)
    expect(await w.erasure.sweep()).toMatchObject({ done: 0, failed: 1, failures })
    await pass(w, days(3))
    expect([(await w.erasure.get(id))?.state, await w.erasure.certificate(id)]).toEqual(['shredding', undefined])
    expect(await all(w.erasure.list())).toMatchObject([{ resources: [{ name: 'logs', failure: { remaining: 5 } }] }])
  })

  test('what comes back within the cache bound is erased again: nothing heals', async () => {
    const w = await world()
    w.logs.add('acme/alice', 2)
    const { verify } = w.logs
    let looks = 0
    const healing = {
      ...w.logs,
      // A process that had the key still, and writes a moment later.
      async verify(place: Parameters<typeof verify>[0]) {
        if (++looks === 1) setTimeout(() => w.logs.add('acme/alice', 1), 50)
        return verify(place)
      },
    }
    const { erasure } = await w.another({ resources: [healing] })
    const { id } = await erasure.request(w.acme.subject('alice'), { reason: 'subjectRequest', grace: 0 })
    w.clock.advance(APART)
    expect(await erasure.sweep()).toMatchObject({ failed: 1, failures: [{ reason: 'resource_remains', remaining: 1 }] })
    await pass({ ...w, erasure }, days(1))
    expect([(await erasure.get(id))?.state, w.logs.rows.size]).toEqual(['erased', 0])
  })

  test('one that is missing in this deployment is not skipped; one that is new is included', async () => {
    const w = await world()
    const files = rowsOf('files')
    for (const rows of [files, w.logs]) rows.add('acme/alice')
    const { id } = await w.erasure.request(w.acme.subject('alice'), { reason: 'subjectRequest', grace: 0 })
    const other = { ...w, ...(await w.another({ resources: [files] })) }
    const swept = await pass(other, days(1))
    expect(swept).toMatchObject([{ failed: 1 }])
    expect((await w.erasure.get(id))?.state).toBe('shredding')
    expect(await all(other.erasure.list())).toMatchObject([{ resources: [{ name: 'logs', failure: { code: 'resource_missing' } }] }])
    // Under another name meanwhile: its rows are gone, and still it is not ended without a word about the old one.
    const renamed = { ...w, ...(await w.another({ resources: [files, { ...w.logs, name: 'sync-logs' }] })) }
    await pass(renamed, days(1))
    expect([(await w.erasure.get(id))?.state, w.logs.rows.size]).toEqual(['shredding', 0])
    w.logs.add('acme/alice')
    const both = { ...w, ...(await w.another({ resources: [files, w.logs] })) }
    await pass(both, days(1))
    expect([(await w.erasure.get(id))?.state, files.rows.size, w.logs.rows.size]).toEqual(['shredding', 0, 0])
    expect((await all(both.erasure.list()))[0]?.resources).toMatchObject([{ name: 'sync-logs', failure: { code: 'resource_missing' } }])
    // Under both names it ends, and so it does with one that is gone for good, by the word of whoever says so.
    const gone = { name: 'sync-logs', count: async () => 0, erase: async () => 0, verify: async () => 0 }
    const whole = { ...w, ...(await w.another({ resources: [files, w.logs, gone] })) }
    await pass(whole, days(1))
    expect((await w.erasure.get(id))?.state).toBe('erased')
  })
})
