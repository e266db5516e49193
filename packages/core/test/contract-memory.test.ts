import type { KeyStoreKey, KeyStoreQuery, KeyStoreRecord, NodeRecord, RegionRecord, WrappingKeyRecord } from '@strongroom/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { keyStoreContract } from '#core/testing/key-store-contract.js'
import { manualClock } from '#core/testing/manual-clock.js'
import { memoryKeyStore } from '#core/testing/memory-key-store.js'
import { memoryStateStore } from '#core/testing/memory-state-store.js'
import { stateStoreContract } from '#core/testing/state-store-contract.js'

const close = async (): Promise<void> => {}

const cases = [
  ...keyStoreContract({ open: async () => ({ store: memoryKeyStore(), close }) }),
  ...stateStoreContract({ open: async () => ({ store: memoryStateStore(), close }) }),
]

for (const { name, run } of cases) test(name, run)

test('memory stores take and restore backups, and let a test change what is stored', async () => {
  const keyStore = memoryKeyStore()
  const region: RegionRecord = { type: 'region', region: 'eu', revision: 1, versions: [], current: 1, closing: 0 }
  await keyStore.put(region)
  const backup = keyStore.snapshot()
  await keyStore.put({ ...region, revision: 2, closing: 1 })
  keyStore.edit({ type: 'region', region: 'us' }, () => ({ ...region, region: 'us', revision: 7 }))
  keyStore.edit(region, (stored) => stored && { ...stored, revision: 9 })
  expect(await keyStore.get([region, { type: 'region', region: 'us' }])).toMatchObject([{ revision: 9, closing: 1 }, { revision: 7 }])
  keyStore.restore(backup)
  expect(keyStore.snapshot()).toEqual([region])
  expect(keyStore.calls).toEqual({ get: 1, put: 2, scan: 0 })

  const stateStore = memoryStateStore()
  const version = await stateStore.put('n', 'k', Uint8Array.of(1), { expected: 'absent', due: 5 })
  const saved = stateStore.snapshot()
  stateStore.edit('n', 'k', () => Uint8Array.of(2))
  expect(await stateStore.due('n', 5, 1)).toEqual([{ key: 'k', value: Uint8Array.of(2), version, due: 5 }])
  stateStore.edit('n', 'k', () => undefined)
  expect(await stateStore.get('n', 'k')).toBeUndefined()
  stateStore.restore(saved)
  expect(stateStore.snapshot()).toEqual([{ namespace: 'n', key: 'k', value: Uint8Array.of(1), version, due: 5 }])
  expect(stateStore.calls).toEqual({ get: 1, put: 1, delete: 0, due: 1, scan: 0 })
})

describe('the key store in memory', () => {
  const ref = (n: number): Uint8Array => new Uint8Array(16).fill(n)
  const node = (n: number, tenant: number, parent: number | undefined): NodeRecord => ({
    type: 'node',
    ref: ref(n),
    kind: 2,
    parentRef: parent === undefined ? new Uint8Array(0) : ref(parent),
    tenantRef: ref(tenant),
    region: 'eu',
    revision: 1,
    versions: [],
  })
  const wrappingKey = (n: number, tenant: number): WrappingKeyRecord => ({
    type: 'wrapping-key',
    id: ref(n),
    tenantRef: ref(tenant),
    region: 'eu',
    revision: 1,
    marked: false,
    state: 'current',
    wraps: [],
    created: 1,
  })

  const number = fc.constantFrom(0, 1, 2, 9, 127, 128, 255)
  const few = fc.constantFrom(1, 200)
  const parent = fc.option(few, { nil: undefined })
  const stored: fc.Arbitrary<NodeRecord | WrappingKeyRecord> = fc.oneof(
    fc.tuple(number, few, parent).map(([n, tenant, above]) => node(n, tenant, above)),
    fc.tuple(number, few).map(([n, tenant]) => wrappingKey(n, tenant)),
  )
  const query: fc.Arbitrary<KeyStoreQuery> = fc
    .tuple(
      fc.boolean(),
      fc.option(few, { nil: undefined }),
      fc.option(parent, { nil: null }),
      fc.option(number, { nil: undefined }),
      fc.constantFrom(1, 2, 200),
    )
    .map(([nodes, tenant, above, after, limit]) => ({
      type: nodes ? 'node' : 'wrapping-key',
      limit,
      ...(tenant === undefined ? {} : { tenantRef: ref(tenant) }),
      ...(nodes && above !== null ? { parentRef: above === undefined ? new Uint8Array(0) : ref(above) } : {}),
      ...(after === undefined ? {} : { after: ref(after) }),
    }))
  type Step =
    | { readonly scan: KeyStoreQuery }
    | { readonly put: NodeRecord | WrappingKeyRecord }
    | { readonly edit: NodeRecord | WrappingKeyRecord; readonly remove: boolean }
    | 'back up'
    | 'restore'
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ scan: query }) },
    { weight: 4, arbitrary: fc.record({ put: stored }) },
    { weight: 2, arbitrary: fc.record({ edit: stored, remove: fc.boolean() }) },
    { weight: 1, arbitrary: fc.constantFrom<Step>('back up', 'restore') },
  )

  const id = (record: KeyStoreRecord): Uint8Array => {
    if (record.type === 'node') return record.ref
    return record.type === 'wrapping-key' ? record.id : expect.fail('not listed')
  }
  const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

  test('lists what is stored now, as going through all of it would, whatever was moved, removed or restored', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const store = memoryKeyStore()
        let model: (NodeRecord | WrappingKeyRecord)[] = []
        let backup = { store: store.snapshot(), model }
        const without = (record: KeyStoreRecord): typeof model =>
          model.filter((each) => each.type !== record.type || !same(id(each), id(record)))
        for (const each of steps) {
          if (each === 'back up') backup = { store: store.snapshot(), model }
          else if (each === 'restore') {
            store.restore(backup.store)
            ;({ model } = backup)
          } else if ('put' in each) {
            const before = model.find((one) => one.type === each.put.type && same(id(one), id(each.put)))
            const record = { ...each.put, revision: (before?.revision ?? 0) + 1 }
            await store.put(record)
            model = [...without(record), record]
          } else if ('edit' in each) {
            store.edit(each.edit, () => (each.remove ? undefined : each.edit))
            model = each.remove ? without(each.edit) : [...without(each.edit), each.edit]
          } else {
            const { type, tenantRef, parentRef, after, limit } = each.scan
            const answer = model
              .filter((record) => record.type === type && (after === undefined || Buffer.compare(id(record), after) > 0))
              .filter((record) => tenantRef === undefined || same(record.tenantRef, tenantRef))
              .filter((record) => parentRef === undefined || (record.type === 'node' && same(record.parentRef, parentRef)))
              .toSorted((a, b) => Buffer.compare(id(a), id(b)))
              .slice(0, limit)
            expect(await store.scan(each.scan)).toEqual(answer)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  test('keeps fields that it does not know, and shares no memory with anyone', async () => {
    const store = memoryKeyStore()
    const given = {
      ...node(1, 2, 3),
      label: Buffer.from('label'),
      later: {
        bytes: [new Uint8Array(2000).fill(1), Uint8Array.of(2)],
        none: undefined,
        nothing: null,
        at: new Date(5),
        map: new Map([[1, { a: 2 }]]),
      },
    }
    const expected = structuredClone(given)
    const key: KeyStoreKey = { type: 'node', ref: ref(1) }
    const spoil = (record: unknown): void => {
      const { label, later, versions } = record as typeof given
      label.fill(9)
      for (const bytes of later.bytes) bytes.fill(9)
      later.map.clear()
      later.at.setTime(0)
      ;(versions as unknown[]).push('spoilt')
    }
    await store.put(given)
    spoil(given)
    const all = async (): Promise<readonly unknown[]> => [
      ...(await store.get([key])),
      ...(await store.scan({ type: 'node', limit: 1 })),
      ...store.snapshot(),
    ]
    for (let round = 0; round < 2; round++) {
      const answers = await all()
      expect(answers).toEqual([expected, expected, expected])
      // As plain bytes, whatever they came as.
      for (const answer of answers) expect((answer as typeof given).label.constructor).toBe(Uint8Array)
      for (const answer of answers) spoil(answer)
      const change = (record: unknown): never => {
        spoil(record)
        throw new Error('changed its mind')
      }
      expect(() => store.edit(key, change)).toThrow('changed its mind')
      const backup = store.snapshot()
      store.restore(backup)
      for (const record of backup) spoil(record)
    }
    expect(await all()).toEqual([expected, expected, expected])
  })

  test('stores columns of any form, as an attacker may: they answer no query by them', async () => {
    const store = memoryKeyStore()
    for (const [n, column] of [undefined, null, 'text', 7, new Uint8Array(3), new Uint8Array(70_000)].entries()) {
      store.edit({ type: 'node', ref: ref(n) }, () => ({ ...node(n, 1, 1), tenantRef: column, parentRef: column }) as unknown as NodeRecord)
    }
    expect((await store.scan({ type: 'node', limit: 10 })).length).toBe(6)
    expect(await store.scan({ type: 'node', tenantRef: ref(1), limit: 10 })).toEqual([])
    expect(await store.scan({ type: 'node', parentRef: new Uint8Array(0), limit: 10 })).toEqual([])
    for (let n = 0; n < 6; n++) store.edit({ type: 'node', ref: ref(n) }, () => node(n, 1, undefined))
    expect((await store.scan({ type: 'node', tenantRef: ref(1), parentRef: new Uint8Array(0), limit: 10 })).length).toBe(6)
  })
})

test('a manual clock moves as it is told', () => {
  const clock = manualClock(1000)
  clock.advance(5)
  clock.jump(-100)
  expect([clock.now(), clock.monotonic()]).toEqual([905, 5])
})
