// After a restore: each resource is asked to look through what it holds, and is told who is dead.
import { type DeadPlaces, type NamedPlace, type Replayed, type Resource, StrongroomError } from '@strongroom/core'
import { expect, test } from 'vitest'

import { email, outcome, rowsOf, world, type World } from '../support.ts'

/** A resource that asks about places, and keeps the answers. */
function asking(name: string, places: readonly NamedPlace[]): Resource & { readonly answers: string[] } {
  const answers: string[] = []
  return {
    ...rowsOf(name),
    answers,
    async replay(dead: DeadPlaces) {
      answers.push(...(await dead.fates(places)))
      return { looked: places.length, removed: 0, suspended: 0 }
    },
  }
}

const inAcme = (subject: string): NamedPlace => ({ tenant: 'acme', subject })

/** A tenant in which everything has happened to somebody. */
async function lived({ vault, acme, erasure }: World): Promise<void> {
  for (const name of ['lives', 'left', 'leaves', 'rests', 'back', 'owner']) await acme.subject(name).encrypt(email, name)
  await acme.subject('left').shred()
  await erasure.request(acme.subject('leaves'), { reason: 'accountDeleted' })
  await acme.subject('rests').suspend()
  await acme.subject('back').shred()
  await acme.subject('back').recreate({ reason: 'subjectRequest' })
  await acme.subject('owner').item('one').encrypt(email, 'x')
  await acme.subject('owner').item('one').shred()
  await acme.self().item('own').encrypt(email, 'x')
  await acme.self().item('own').shred()
  await vault.tenants.create('gone')
  await vault.tenant('gone').subject('x').encrypt(email, 'x')
  await vault.tenant('gone').shred()
  await vault.tenants.create('asleep')
  await erasure.request(vault.tenant('asleep').self(), { reason: 'contractEnded' })
  await vault.tenant('asleep').suspend()
  await erasure.request(vault.tenant('rival'), { reason: 'contractEnded' })
}

test('who is dead, who is leaving, who rests, and who is unknown', async () => {
  const w = await world()
  await lived(w)
  const asked: readonly (readonly [NamedPlace, string])[] = [
    [inAcme('lives'), 'alive'],
    [inAcme('nobody yet'), 'alive'],
    [inAcme('left'), 'dead'],
    [inAcme('leaves'), 'leaving'],
    [inAcme('rests'), 'suspended'],
    [inAcme('back'), 'alive'],
    [{ tenant: 'acme', subject: 'owner', item: 'one' }, 'dead'],
    [{ tenant: 'acme', subject: 'owner', item: 'two' }, 'alive'],
    [{ tenant: 'acme', subject: 'left', item: 'two' }, 'dead'],
    [{ tenant: 'acme', item: 'own' }, 'dead'],
    [{ tenant: 'acme', self: true, item: 'own' }, 'dead'],
    [{ tenant: 'acme', item: 'other' }, 'alive'],
    [{ tenant: 'acme', self: true }, 'alive'],
    [{ tenant: 'acme' }, 'alive'],
    [{ tenant: 'gone' }, 'dead'],
    [{ tenant: 'gone', subject: 'x' }, 'dead'],
    [{ tenant: 'asleep' }, 'suspended'],
    [{ tenant: 'asleep', self: true }, 'leaving'],
    [{ tenant: 'asleep', subject: 'x' }, 'alive'],
    [{ tenant: 'rival' }, 'leaving'],
    [{ tenant: 'nobody' }, 'unknown'],
    [{ tenant: 'nobody', subject: 'x' }, 'unknown'],
    [inAcme('x'.repeat(2000)), 'unknown'],
  ]
  const resource = asking(
    'asks',
    asked.map(([place]) => place),
  )
  const { erasure } = await w.another({ resources: [resource] })
  expect(await erasure.replay()).toEqual({
    resources: [{ name: 'asks', looked: asked.length, removed: 0, suspended: 0, retired: 0 }],
    withoutReplay: [],
  })
  expect(resource.answers.map((answer, i) => [asked[i]?.[0], answer])).toEqual(asked)
})

test('as many as are asked for, in their order', async () => {
  const w = await world()
  const places = Array.from({ length: 250 }, (_, i) => inAcme(`s${i}`))
  await w.acme.subject('s0').shred()
  await w.acme.subject('s249').shred()
  const resource = asking('asks', places)
  const { erasure } = await w.another({ resources: [resource] })
  await erasure.replay()
  expect(resource.answers.flatMap((answer, i) => (answer === 'dead' ? [i] : []))).toEqual([0, 249])
  expect(resource.answers).toHaveLength(250)
})

test('a record that was put back by hand is put right first', async () => {
  const w = await world()
  await w.acme.subject('ada').encrypt(email, 'ada@example.com')
  const before = w.keyStore.snapshot()
  await w.acme.subject('ada').shred()
  const resource = asking('asks', [inAcme('ada')])
  // Opened by then: what opening puts right is done.
  const { erasure } = await w.another({ resources: [resource] })
  for (const record of before) if (record.type === 'node') w.keyStore.edit({ type: 'node', ref: record.ref }, () => record)
  await erasure.replay()
  expect(resource.answers).toEqual(['dead'])
})

test('whose key was rotated and the old version retired since the key store that was put back: of nobody dead, and counted', async () => {
  const w = await world()
  const ada = w.acme.subject('ada')
  for (const item of [ada, ada.item('one')]) await item.encrypt(email, 'ada@example.com')
  const before = w.keyStore.snapshot()
  for await (const _ of w.vault.rotateSubjectKey(ada));
  w.clock.advance(1000)
  const holders = [{ countValues: () => Promise.resolve(0) }]
  for await (const _ of w.vault.retireVersion(ada, { holders, dataBackup: { startedAt: w.clock.now() } }));
  const places = [inAcme('ada'), { ...inAcme('ada'), item: 'one' }]
  const resource = { ...asking('asks', places), looks: 0 }
  const replay: Resource['replay'] = async (dead) => ({
    ...(await asking('', places).replay?.(dead)),
    looked: 1,
    removed: 0,
    suspended: 0,
    retired: 1,
  })
  const { erasure } = await w.another({ resources: [resource, { ...rowsOf('values'), replay }] })
  for (const record of before) if (record.type === 'node') w.keyStore.edit({ type: 'node', ref: record.ref }, () => record)
  const { resources } = await erasure.replay()
  expect([resource.answers, resources.map(({ retired }) => retired)]).toEqual([
    ['alive', 'alive'],
    [0, 1],
  ])
})

test('one that fails keeps no other from it, and is told by its code; one that cannot look is named', async () => {
  const w = await world()
  const failing = (name: string, error: unknown): Resource => ({ ...rowsOf(name), replay: () => Promise.reject(error) })
  const resource = asking('asks', [])
  const { erasure } = await w.another({
    resources: [
      failing('one', new StrongroomError('state_store_unavailable', 'secret')),
      rowsOf('rows'),
      failing('two', new Error('secret')),
      resource,
    ],
  })
  const report = await erasure.replay()
  const nothing = { looked: 0, removed: 0, suspended: 0, retired: 0 }
  expect(report).toEqual({
    resources: [
      { name: 'one', ...nothing, failure: 'state_store_unavailable' },
      { name: 'two', ...nothing, failure: 'failed' },
      { name: 'asks', ...nothing },
    ],
    withoutReplay: ['rows'],
  })
})

test('one whose answer is no counts has not looked through what it holds', async () => {
  const w = await world()
  const answers: unknown[] = [
    undefined,
    null,
    'all',
    { looked: 3, removed: 1 },
    { looked: -1, removed: 0, suspended: 0 },
    { looked: 1, removed: 0, suspended: 0, retired: 'all' },
  ]
  const resources = answers.map((answer, i): Resource => ({ ...rowsOf(`r${i}`), replay: async () => answer as Replayed }))
  const { erasure } = await w.another({ resources })
  const nothing = { looked: 0, removed: 0, suspended: 0, retired: 0 }
  expect((await erasure.replay()).resources).toEqual(answers.map((_, i) => ({ name: `r${i}`, ...nothing, failure: 'resource_malformed' })))
})

test('it ends at a signal, also where a resource was waiting for it', async () => {
  const w = await world()
  const ending = new AbortController()
  const waits: Resource = {
    ...rowsOf('waits'),
    replay: (_, options) =>
      new Promise((_resolve, reject) => {
        options?.signal?.addEventListener('abort', () => reject(new Error('another')))
        ending.abort(new Error('enough'))
      }),
  }
  const resource = asking('asks', [inAcme('x')])
  const { erasure } = await w.another({ resources: [waits, resource] })
  await expect(erasure.replay({ signal: ending.signal })).rejects.toThrow('enough')
  await expect(erasure.replay({ signal: ending.signal })).rejects.toThrow('enough')
  expect(resource.answers).toEqual([])
  expect(await outcome(() => erasure.replay({ signal: 'now' as never }))).toBe('invalid_argument')
})
