// Records of requests that do not open: what can be done about them, and what they keep from nobody.
import { days, field } from '@strongroom/core'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { all, APART, email, GRACE, outcome, pass, refusalOf, world } from './support.ts'

const ERASURES = 'strongroom/erasures'
const WHY = { reason: 'accountDeleted' } as const

/** Alice's request, whose record does not open any more. */
async function damaged(grace?: number) {
  const w = await world()
  const alice = w.acme.subject('alice')
  const stored = await alice.encrypt(email, 'ada@example.com')
  w.logs.add('acme/alice', 2)
  const { id } = await w.erasure.request(alice, { ...WHY, ...(grace === undefined ? {} : { grace }) })
  const references = await alice.references()
  const key = [w.vault.id, ...references, 'open'].join('/')
  w.stateStore.edit(ERASURES, key, (value) => value?.map((byte, i) => (i === 70 ? byte ^ 1 : byte)))
  return { ...w, alice, stored, id, references, key }
}

describe('a record that does not open', () => {
  test('says so, by its id, and what to do: to find and to get it, in the list', async () => {
    const w = await damaged()
    for (const look of [() => w.erasure.find(w.alice), () => w.erasure.get(w.id), () => all(w.erasure.list())]) {
      const refusal = await refusalOf(look)
      expect(refusal.code).toBe('decrypt_failed')
      expect(refusal.message).toContain(`discard it by its id, ${w.references.join('.')}`)
    }
  })

  test('asked for again it is replaced: due anew, taken back it stays suspended, and it ends', async () => {
    const w = await damaged()
    w.clock.advance(days(1))
    const again = await w.erasure.request(w.alice, WHY)
    expect([again.id === w.id, again.state, again.due]).toEqual([false, 'suspended', w.clock.now() + GRACE])
    expect(w.events.at(-2)).toEqual({ type: 'replaced', id: again.id })
    await again.cancel()
    // Nobody knows who had suspended her.
    expect(await w.alice.state()).toBe('suspended')
    await w.alice.resume()
    expect(await w.alice.decrypt(email, w.stored)).toBe('ada@example.com')
    const last = await w.erasure.request(w.alice, WHY)
    await pass(w, GRACE + days(1))
    expect([(await last.refresh())?.state, w.logs.rows.size]).toEqual(['erased', 0])
  })

  test('of one whose keys are gone: asked for again, its resources are erased, and nobody comes back between', async () => {
    const w = await damaged(0)
    expect(await outcome(() => w.alice.recreate({ reason: 'operator' }))).toBe('erasure_pending')
    const again = await w.erasure.request(w.alice, { ...WHY, grace: 0 })
    expect(await outcome(() => w.alice.recreate({ reason: 'operator' }))).toBe('erasure_pending')
    await pass(w, days(1))
    expect([(await w.erasure.get(again.id))?.state, w.logs.rows.size]).toEqual(['erased', 0])
    expect(await outcome(() => w.alice.recreate({ reason: 'operator' }))).toBe('done')
  })

  test('a hold stands all the same, says which it could not read, and nothing is destroyed', async () => {
    const w = await damaged()
    expect(await w.erasure.hold(w.alice, { reason: 'case 4711' })).toEqual({ mayBeTooLate: [], unreadable: [w.references.join('.')] })
    await w.erasure.request(w.alice, { ...WHY, grace: 0 })
    await pass(w, GRACE + days(1))
    expect([await w.alice.state(), await outcome(() => w.alice.shred())]).toEqual(['suspended', 'held'])
    await w.erasure.release(w.alice, { reason: 'closed' })
    await w.erasure.sweep()
    expect(await w.alice.state()).toBe('shredded')
  })

  test('is discarded by its id, and only if it does not open', async () => {
    const w = await damaged()
    const id = w.references.join('.')
    const bob = w.acme.subject('bob')
    await w.erasure.request(bob, WHY)
    expect((await refusalOf(async () => w.erasure.discardDamaged((await bob.references()).join('.')))).argument).toBe('id')
    await w.erasure.discardDamaged(id)
    expect([await w.erasure.find(w.alice), await w.alice.state()]).toEqual([undefined, 'suspended'])
    expect(await all(w.erasure.list())).toHaveLength(1)
    expect(await outcome(() => w.erasure.discardDamaged(id))).toBe('not_found')
    for (const wrong of ['', 'x', `${w.id}.${id}`, 7])
      expect(await outcome(() => w.erasure.discardDamaged(wrong as string))).toBe('invalid_argument')
    expect(w.events.at(-1)).toEqual({ type: 'discarded', references: w.references })
    await pass(w, APART)
  })

  test('nor one that this vault has written in another form: neither that nor asking again takes it away', async () => {
    const w = await world()
    const alice = w.acme.subject('alice')
    await w.erasure.request(alice, WHY)
    const key = [w.vault.id, ...(await alice.references()), 'open'].join('/')
    const newer = await w.vault.neverShredded.encrypt(field(ERASURES, 'open', z.any()), { form: 2 }, { record: `${ERASURES}/${key}` })
    const { version } = (await w.stateStore.get(ERASURES, key)) ?? {}
    await w.stateStore.put(ERASURES, key, newer, { expected: version ?? 'absent' })
    const id = (await alice.references()).join('.')
    for (const call of [() => w.erasure.discardDamaged(id), () => w.erasure.request(alice, WHY), () => w.erasure.find(alice)]) {
      const refusal = await refusalOf(call)
      expect([refusal.code, refusal.message.includes('newer version')]).toEqual(['schema_mismatch', true])
    }
    expect((await w.stateStore.get(ERASURES, key))?.value).toEqual(newer)
  })
})
