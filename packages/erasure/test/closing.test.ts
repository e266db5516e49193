// From erased to closed: what the certificate says of what came between, and of clocks that were wrong.
import { days, type NamelessPlace, type Resource, type Survivor } from '@strongroom/core'
import { createErasure, verifyCertificate } from '@strongroom/erasure'
import { withFailpoints } from '@strongroom/erasure/testing'
import { expect, test } from 'vitest'

import { all, APART, closeEpoch, GRACE, outcome, pass, policy, rowsOf, START, type World, world } from './support.ts'

const certificateOf = async (w: Pick<World, 'vault' | 'erasure'>, id: string) =>
  verifyCertificate((await w.erasure.certificate(id)) ?? '', await w.vault.receiptKeys())

/** Rows, and what it says that outlives them. */
function outlived(name: string): Resource & { says: readonly Survivor[] | Error; readonly asked: NamelessPlace[] } {
  const asked: NamelessPlace[] = []
  const resource = {
    ...rowsOf(name),
    says: [] as readonly Survivor[] | Error,
    asked,
    async survivors(place: NamelessPlace) {
      asked.push(place)
      if (resource.says instanceof Error) throw resource.says
      return resource.says
    },
  }
  return resource
}

const token = (count: number): Survivor => ({ what: 'revocation', name: 'crm', count, until: START + days(7) })

test('what outlives it is asked for anew for the certificate: what was confirmed meanwhile is open no more', async () => {
  const w = await world()
  const tokens = outlived('tokens')
  const index = outlived('users')
  const { vault, erasure } = await w.another({ resources: [tokens, index] })
  tokens.says = [token(2)]
  index.says = [{ what: 'index', name: 'users.email', scope: 'tenant', generation: 1 }]
  const { id } = await erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted', grace: 0 })
  await pass({ ...w, erasure }, days(1))
  tokens.says = []
  await closeEpoch(vault)
  await pass({ ...w, erasure }, APART)
  expect((await certificateOf({ vault, erasure }, id)).survivors).toEqual(index.says)
  // By references alone both times: names are gone by then.
  expect(tokens.asked).toEqual([0, 1].map(() => ({ kind: 'subject', references: id.split('.').slice(0, -1) })))
})

test('of a resource that is there no more, or only stands for it, it says what was known; one that fails is waited for, and reported', async () => {
  const w = await world()
  const [left, replaced, fails] = [outlived('left'), outlived('replaced'), outlived('fails')]
  left.says = [token(1)]
  replaced.says = [token(2)]
  const first = await w.another({ resources: [left, replaced, fails] })
  const { id } = await first.erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted', grace: 0 })
  await pass({ ...w, ...first }, days(1))
  // One stands for what was removed, and answers 0.
  const { vault, erasure } = await w.another({ resources: [rowsOf('replaced'), fails] })
  await closeEpoch(vault)
  for (const wrong of [new Error('away'), [{ ...token(1), name: 'a\nb' }], 'none' as never, undefined as never]) {
    fails.says = wrong
    expect((await pass({ ...w, erasure }, APART))[0]?.failures).toMatchObject([{ place: id, reason: 'unexpected' }])
    expect([await erasure.certificate(id), (await erasure.get(id))?.state]).toEqual([undefined, 'erased'])
  }
  fails.says = [token(3)]
  await pass({ ...w, erasure }, APART)
  expect((await certificateOf({ vault, erasure }, id)).survivors).toEqual([token(1), token(2), token(3)])
})

test('killed once its end was noted, and something was written since: no certificate before the next look finds nothing', async () => {
  const w = await world()
  const { id } = await w.erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted', grace: 0 })
  const killed = createErasure(
    w.vault,
    withFailpoints({ policy, resources: [w.logs] }, (name) => {
      if (name === 'erased.marked') throw new Error('killed')
    }),
  )
  await killed.sweep()
  w.logs.add('acme/alice')
  w.logs.lies = true
  await closeEpoch(w.vault)
  await pass(w, days(30))
  expect([(await w.erasure.get(id))?.state, await w.erasure.certificate(id)]).toEqual(['shredding', undefined])
  w.logs.lies = false
  const since = w.clock.now()
  await pass(w, days(1))
  const { erasedAt, resources } = await certificateOf(w, id)
  expect([erasedAt >= since, resources[0]?.verifiedAt === erasedAt]).toEqual([true, true])
})

test('a hold that stood when it was due: from when until when; one that was released before is not said', async () => {
  const w = await world()
  const [alice, bob] = [w.acme.subject('alice'), w.acme.subject('bob')]
  const ids = [
    await w.erasure.request(alice, { reason: 'accountDeleted' }),
    await w.erasure.request(bob, { reason: 'accountDeleted' }),
  ].map(({ id }) => id)
  await w.erasure.hold(alice, { reason: 'CANARY' })
  await w.erasure.hold(bob, { reason: 'CANARY' })
  await pass(w, days(10))
  await w.erasure.release(bob, { reason: 'CANARY' })
  await pass(w, GRACE)
  const found = w.clock.now()
  await pass(w, days(20))
  const last = w.clock.now()
  await w.erasure.release(alice, { reason: 'CANARY' })
  await pass(w, days(1))
  await closeEpoch(w.vault)
  await pass(w, APART)
  const [hers, his] = [await certificateOf(w, ids[0] as string), await certificateOf(w, ids[1] as string)]
  expect([his.held, hers.held?.until]).toEqual([undefined, last])
  expect(hers.held?.from).toBeGreaterThanOrEqual(hers.dueAt)
  expect(hers.held?.from).toBeLessThanOrEqual(found)
  expect(JSON.stringify([hers, his])).not.toContain('CANARY')
})

test.each(['shred', 'end', 'both'] as const)(
  'a clock that was a year ahead, at the %s: closed all the same, and in order',
  async (when) => {
    const w = await world()
    const year = days(365)
    w.logs.add('acme/alice')
    const ahead = async <T>(is: boolean, work: () => Promise<T>): Promise<T> => {
      w.clock.jump(is ? year : 0)
      try {
        return await work()
      } finally {
        w.clock.jump(is ? -year : 0)
      }
    }
    const asked = await ahead(when !== 'end', () => w.erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted', grace: 0 }))
    await ahead(when !== 'shred', () => w.erasure.sweep())
    await pass(w, days(1))
    expect((await asked.refresh())?.state).toBe('erased')
    await closeEpoch(w.vault)
    await pass(w, APART)
    const said = await certificateOf(w, asked.id)
    expect(said.requestedAt).toBeLessThanOrEqual(said.suspendedAt)
    expect(said.shreddedAt).toBeLessThanOrEqual(said.erasedAt)
    expect(said.erasedAt).toBeLessThanOrEqual(said.closedAt)
    for (const { verifiedAt } of said.resources) expect(verifiedAt).toBeLessThanOrEqual(said.erasedAt)
    // Its receipt has it, and nothing that followed is said to have been before that.
    if (when === 'end') expect(said.closedAt).toBeLessThanOrEqual(w.clock.now())
    else expect(said.closedAt).toBe(said.shreddedAt)
    expect([await all(w.erasure.list()), await outcome(() => w.acme.subject('alice').recreate({ reason: 'operator' }))]).toEqual([
      [],
      'done',
    ])
  },
)
