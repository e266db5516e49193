// Records that were put back from before: none destroys what lives, and what was destroyed comes to the same end.
import { days } from '@strongroom/core'
import { expect, test } from 'vitest'

import { all, APART, closeEpoch, email, GRACE, pass, type World, world } from './support.ts'

const ERASURES = 'strongroom/erasures'
const ADDRESS = 'ada@example.com'

/** The entries of erasures as they are now, to be put back later. */
function copyOf(w: World): () => void {
  const copy = w.stateStore.snapshot().filter(({ namespace }) => namespace === ERASURES)
  return () => {
    const others = w.stateStore.snapshot().filter(({ namespace }) => namespace !== ERASURES)
    w.stateStore.restore([...others, ...copy])
  }
}

test('one of a request that was taken back: she reads on, it is reported, and a new request counts anew', async () => {
  const w = await world()
  const alice = w.acme.subject('alice')
  const stored = await alice.encrypt(email, ADDRESS)
  w.logs.add('acme/alice')
  const old = await w.erasure.request(alice, { reason: 'accountDeleted' })
  const putBack = copyOf(w)
  await old.cancel()
  putBack()
  const swept = await pass(w, GRACE + days(1))
  expect(swept).toMatchObject([{ failed: 1, failures: [{ place: old.id, reason: 'not_suspended' }] }])
  expect([await alice.decrypt(email, stored), w.logs.rows.size]).toEqual([ADDRESS, 1])
  expect(await all(w.erasure.list())).toMatchObject([{ waitsFor: 'keys', failure: { code: 'not_suspended' } }])
  const again = await w.erasure.request(alice, { reason: 'accountDeleted' })
  expect(again.id).not.toBe(old.id)
  await pass(w, days(29))
  await again.cancel()
  expect(await alice.decrypt(email, stored)).toBe(ADDRESS)
})

test('one of a request that was taken back, while the tenant is suspended by others: it destroys nothing of her', async () => {
  const w = await world()
  const alice = w.acme.subject('alice')
  const stored = await alice.encrypt(email, ADDRESS)
  const old = await w.erasure.request(alice, { reason: 'accountDeleted' })
  const putBack = copyOf(w)
  await old.cancel()
  putBack()
  await w.acme.suspend()
  expect(await pass(w, GRACE + days(1))).toMatchObject([{ failed: 1, failures: [{ place: old.id, reason: 'not_suspended' }] }])
  await w.acme.resume()
  expect(await alice.decrypt(email, stored)).toBe(ADDRESS)
})

test('somebody resumes her while her request is under way: nothing is destroyed, it is reported, and can be taken back', async () => {
  const w = await world()
  const alice = w.acme.subject('alice')
  const stored = await alice.encrypt(email, ADDRESS)
  const request = await w.erasure.request(alice, { reason: 'accountDeleted' })
  await alice.resume()
  expect(await pass(w, GRACE + days(1))).toMatchObject([{ failures: [{ place: request.id, reason: 'not_suspended' }] }])
  await request.cancel()
  expect([await all(w.erasure.list()), await alice.decrypt(email, stored)]).toEqual([[], ADDRESS])
})

test('damaged, of somebody in a tenant that goes: the tenant comes to its end', async () => {
  const w = await world()
  const alice = w.acme.subject('alice')
  await w.erasure.request(alice, { reason: 'accountDeleted' })
  const key = [w.vault.id, ...(await alice.references()), 'open'].join('/')
  w.stateStore.edit(ERASURES, key, (value) => value?.map((byte, i) => (i === 70 ? byte ^ 1 : byte)))
  const { id } = await w.erasure.request(w.acme, { reason: 'contractEnded', grace: 0 })
  await pass(w, days(1))
  expect((await w.erasure.get(id))?.state).toBe('erased')
  const listed: string[] = []
  const failure = await (async () => {
    for await (const one of w.erasure.list()) listed.push(one.id)
  })().catch((error: unknown) => error)
  expect([listed, failure]).toMatchObject([[id], { code: 'decrypt_failed' }])
})

test.each(['shredding', 'suspended'] as const)('one of a life before, %s: the new life reads on, and its rows stay', async (state) => {
  const w = await world()
  const alice = w.acme.subject('alice')
  await alice.encrypt(email, ADDRESS)
  w.logs.add('acme/alice')
  let putBack = (): void => undefined
  if (state === 'suspended') {
    await w.erasure.request(alice, { reason: 'accountDeleted' })
    putBack = copyOf(w)
  }
  await w.erasure.request(alice, { reason: 'accountDeleted', grace: 0 })
  if (state === 'shredding') putBack = copyOf(w)
  await pass(w, days(1))
  await alice.recreate({ reason: 'operator' })
  const stored = await alice.encrypt(email, 'new@example.com')
  w.logs.add('acme/alice', 4)
  putBack()
  await pass(w, GRACE + days(1))
  expect([await alice.decrypt(email, stored), w.logs.rows.get('acme/alice')]).toEqual(['new@example.com', 4])
})

test('one of an erasure that has ended, and nobody has come back: it comes to the same end once more', async () => {
  const w = await world()
  const alice = w.acme.subject('alice')
  await alice.encrypt(email, ADDRESS)
  const { id } = await w.erasure.request(alice, { reason: 'accountDeleted', grace: 0 })
  const putBack = copyOf(w)
  await pass(w, days(1))
  putBack()
  await pass(w, days(1))
  expect((await w.erasure.get(id))?.state).toBe('erased')
  expect(await all(w.erasure.list())).toHaveLength(1)
})

test('altered, or moved to another place: refused, and no other request is kept from its end', async () => {
  const w = await world()
  const [alice, bob] = [w.acme.subject('alice'), w.acme.subject('bob')]
  for (const one of [alice, bob, w.acme.subject('carol')]) await one.encrypt(email, ADDRESS)
  const requests = [
    await w.erasure.request(alice, { reason: 'accountDeleted', grace: days(1) }),
    await w.erasure.request(bob, { reason: 'accountDeleted', grace: days(1) }),
  ]
  const open = (id: string): string => [w.vault.id, ...id.split('.').slice(0, -1), 'open'].join('/')
  const [hers, his] = requests.map(({ id }) => open(id)) as [string, string]
  const stored = await w.stateStore.get(ERASURES, hers)
  const carols = [w.vault.id, ...(await w.acme.subject('carol').references()), 'open'].join('/')
  await w.stateStore.put(ERASURES, carols, stored?.value ?? new Uint8Array(), { expected: 'absent', due: 0 })
  w.stateStore.edit(ERASURES, hers, (value) => value?.map((byte, i) => (i === 70 ? byte ^ 1 : byte)))
  const swept = await pass(w, days(2))
  expect(swept[0]).toMatchObject({ damaged: 2, failures: [{ reason: 'damaged' }, { reason: 'damaged' }] })
  expect(await w.stateStore.get(ERASURES, his)).toBeUndefined()
  expect([await w.acme.subject('alice').state(), await w.acme.subject('bob').state()]).toEqual(['suspended', 'shredded'])
  expect(await w.acme.subject('carol').state()).toBe('active')
})

test('a note that says that a root version counts which does not: no certificate before its epoch is closed', async () => {
  const w = await world()
  await closeEpoch(w.vault)
  const alice = w.acme.subject('alice')
  await alice.encrypt(email, ADDRESS)
  const { id } = await w.erasure.request(alice, { reason: 'accountDeleted', grace: 0 })
  await pass(w, APART)
  const key = [w.vault.id, 'eu', '0000000001', ...id.split('.')].join('/')
  await w.stateStore.put('strongroom/closings', key, Uint8Array.of(1), { expected: 'absent' })
  await pass(w, APART)
  expect([(await w.erasure.get(id))?.state, await w.erasure.certificate(id)]).toEqual(['erased', undefined])
  await closeEpoch(w.vault)
  await pass(w, APART)
  expect((await w.erasure.get(id))?.state).toBe('closed')
})

test('what the state store holds names nobody, before and behind the end', async () => {
  const w = await world()
  const alice = w.acme.subject('alice-CANARY')
  await alice.encrypt(email, ADDRESS)
  const canaries = (): readonly string[] =>
    w.stateStore
      .snapshot()
      .map(({ key, value }) => `${key} ${Buffer.from(value).toString('latin1')}`)
      .filter((text) => text.includes('CANARY'))
  const request = await w.erasure.request(alice, { reason: 'accountDeleted' })
  expect(canaries()).toEqual([])
  await pass(w, GRACE + APART)
  expect([(await request.refresh())?.state, canaries()]).toEqual(['erased', []])
  expect(JSON.stringify(await all(w.erasure.list()))).not.toContain('CANARY')
  expect(JSON.stringify(w.events)).not.toContain('CANARY')
})
