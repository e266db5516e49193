// What status says at every step between a shred and the last backup that could undo it, and that it writes nothing to say so.
import {
  type ClosureBlocker,
  type Destruction,
  initVault,
  type KeyProvider,
  type KeyStoreQuery,
  type KeyStoreRecord,
  type KnownRootVersion,
  NodeKind,
  openVault,
  type ProviderVersion,
  type RegionRecord,
  type RegionStatus,
  type Vault,
} from '@strongroom/core'
import { downProvider, manualClock, memoryKeyProvider, nonDestroyingProvider, withFailpoints } from '@strongroom/core/testing'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { rootEntry } from '#core/keys/regions.js'
import { openKeys } from '#core/vault/open-keys.js'
import { checkOptions } from '#core/vault/options.js'

import { aroundKeyStore, email, emptyGround, type Ground, held, outcome, refusalOf, START } from '../vault/support.ts'

const BOUND = 100
const DAY = 86_400_000
const WITHOUT = { dangerouslyWithoutBackup: true } as const

interface World extends Ground {
  readonly vault: Vault
}

/** A vault that is open, without tenants. Its wall clock stands still; waits pass in real time. */
async function world(provider: KeyProvider = memoryKeyProvider(), more: Readonly<Record<string, KeyProvider>> = {}): Promise<World> {
  const clock = manualClock(START)
  const walls = { now: () => clock.now(), monotonic: () => performance.now() }
  const made = emptyGround({ keyProviders: { eu: provider, ...more }, clock: walls, cacheBound: BOUND })
  await initVault(made.options)
  return { ...made, clock, vault: await openVault(made.options) }
}

async function toEnd(run: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of run);
}

/** Iterates until a phase begins, and leaves it there. */
async function until(phase: string, run: AsyncIterable<{ readonly phase: string }>): Promise<void> {
  for await (const progress of run) if (progress.phase === phase) return
  throw new Error(`${phase} never began`)
}

const encrypt = (vault: Vault, tenant: string, subject: string): Promise<unknown> =>
  vault.tenant(tenant).subject(subject).encrypt(email, 'ada@example.com')

async function statusOf(vault: Vault, region = 'eu'): Promise<RegionStatus> {
  const found = (await vault.status()).regions.find((each) => each.region === region)
  if (found === undefined) throw new Error(`no status of ${region}`)
  return found
}

/** What most of these tests are about. */
async function closure(vault: Vault, region = 'eu'): Promise<unknown> {
  const { rotation, shreds, rootVersions } = await statusOf(vault, region)
  const { final, waiting, awaiting, blockedBy } = shreds
  return {
    versions: rootVersions.map(({ state }) => state),
    rotation: rotation.state,
    final,
    waiting: waiting.count,
    awaiting: awaiting.count,
    blockedBy,
  }
}

/** A provider whose destruction is what a test says, whatever becomes of the root key. */
function destroying(inner: KeyProvider, answer: () => Destruction): KeyProvider {
  let given: Destruction | undefined
  return {
    ...inner,
    async destroyVersion(number, options) {
      await inner.destroyVersion(number, options)
      return (given ??= answer())
    },
  }
}

describe('a vault in which nothing was done', () => {
  test('has one region, one root version, and the keys of the vault itself', async () => {
    const { vault } = await world()
    expect(await vault.status()).toEqual({
      at: START,
      homeRegion: 'eu',
      ledger: { n: 1, applied: 1 },
      regions: [
        {
          region: 'eu',
          current: 1,
          rootVersions: [{ number: 1, state: 'live', created: START, wrappingKeys: { wrapped: 1, only: 1 } }],
          provider: { state: 'answers', unknown: [], missing: [], gone: [], undestroyed: [] },
          rotation: { state: 'none' },
          tenants: 0,
          wrappingKeys: { current: 1, retiring: 0, retired: 0, marked: 0, oldest: START },
          nodes: { active: 4, deactivated: 0, suspended: 0, shredded: 0, deactivatedVersions: 0, oldest: START },
          shreds: { final: 0, waiting: { count: 0 }, awaiting: { count: 0 }, blockedBy: [] },
        },
      ],
    })
  })
})

describe('from shred to close', () => {
  test('with a provider that confirms: waiting until the close, final after it', async () => {
    const { vault, clock } = await world()
    await vault.tenants.create('acme')
    await encrypt(vault, 'acme', 'alice')
    await encrypt(vault, 'acme', 'bob')
    const none = { final: 0, waiting: 0, awaiting: 0, blockedBy: [] }
    expect(await closure(vault)).toEqual({ versions: ['live'], rotation: 'none', ...none })

    clock.jump(5)
    await vault.tenant('acme').subject('alice').shred()
    clock.jump(5)
    await vault.tenant('acme').subject('bob').shred()
    const two = { final: 0, waiting: 2, awaiting: 0 }
    expect(await closure(vault)).toEqual({ versions: ['live'], rotation: 'none', ...two, blockedBy: ['rotation_needed', 'close_needed'] })
    expect((await statusOf(vault)).shreds.waiting.since).toBe(START + 5)
    expect((await statusOf(vault)).wrappingKeys).toEqual({ current: 2, retiring: 0, retired: 0, marked: 1, oldest: START })

    await until('waiting', vault.rotateRootKey())
    expect(await closure(vault)).toEqual({
      versions: ['live', 'live'],
      rotation: 'unfinished',
      ...two,
      blockedBy: ['rotation_unfinished', 'close_needed'],
    })
    // The vault's own wrapping key has a wrap by both; the tenant's is marked, so that it moves to another.
    const half = await statusOf(vault)
    expect(half.rootVersions.map(({ wrappingKeys }) => wrappingKeys)).toEqual([
      { wrapped: 2, only: 1 },
      { wrapped: 2, only: 1 },
    ])
    expect([half.current, half.rotation, half.wrappingKeys]).toEqual([
      2,
      { state: 'unfinished', rootVersion: 2 },
      { current: 2, retiring: 1, retired: 0, marked: 1, oldest: START },
    ])

    clock.jump(5)
    await toEnd(vault.rotateRootKey())
    expect(await closure(vault)).toEqual({ versions: ['live', 'live'], rotation: 'finished', ...two, blockedBy: ['close_needed'] })
    const rotated = await statusOf(vault)
    expect(rotated.rotation).toEqual({ state: 'finished', rootVersion: 2, reached: 2, endedAt: START + 15 })
    // Nothing in use needs the first any more.
    expect(rotated.rootVersions.map(({ wrappingKeys }) => wrappingKeys)).toEqual([
      { wrapped: 1, only: 0 },
      { wrapped: 2, only: 1 },
    ])
    expect(rotated.wrappingKeys).toMatchObject({ current: 2, retiring: 0, retired: 1, oldest: START })

    // A shred after the rotation names the new root version: this close is not enough for it.
    await encrypt(vault, 'acme', 'carol')
    await vault.tenant('acme').subject('carol').shred()
    const three = { ...two, waiting: 3 }
    expect(await closure(vault)).toEqual({
      versions: ['live', 'live'],
      rotation: 'finished',
      ...three,
      blockedBy: ['rotation_needed', 'close_needed'],
    })

    await until('checking', vault.closeEpoch(WITHOUT))
    expect(await closure(vault)).toEqual({
      versions: ['closing', 'live'],
      rotation: 'finished',
      ...three,
      blockedBy: ['rotation_needed', 'close_unfinished', 'close_needed'],
    })

    clock.jump(5)
    await toEnd(vault.closeEpoch(WITHOUT))
    const closed = await statusOf(vault)
    expect(await closure(vault)).toEqual({
      versions: ['destroyed', 'live'],
      rotation: 'finished',
      final: 2,
      waiting: 1,
      awaiting: 0,
      blockedBy: ['rotation_needed', 'close_needed'],
    })
    expect(closed.rootVersions[0]).toMatchObject({ created: START, destroyed: START + 20, destruction: { level: 'confirmed' } })
    expect(closed.shreds.waiting.since).toBe(START + 15)
    // A wrap that is left of it opens nothing: all hangs on the second alone.
    expect(closed.rootVersions.map(({ wrappingKeys }) => wrappingKeys)).toEqual([
      { wrapped: 1, only: 0 },
      { wrapped: 2, only: 2 },
    ])

    await toEnd(vault.rotateRootKey())
    await toEnd(vault.closeEpoch(WITHOUT))
    expect(await closure(vault)).toEqual({
      versions: ['destroyed', 'destroyed', 'live'],
      rotation: 'finished',
      final: 3,
      waiting: 0,
      awaiting: 0,
      blockedBy: [],
    })
  })

  async function closedWith(answer: (clock: World['clock']) => Destruction): Promise<World> {
    let clock: World['clock'] | undefined
    const made = await world(destroying(memoryKeyProvider(), () => answer(clock as World['clock'])))
    clock = made.clock
    await made.vault.tenants.create('acme')
    await encrypt(made.vault, 'acme', 'alice')
    await made.vault.tenant('acme').subject('alice').shred()
    await toEnd(made.vault.rotateRootKey())
    await toEnd(made.vault.closeEpoch(WITHOUT))
    return made
  }

  const after = { versions: ['destroyed', 'live'], rotation: 'finished' }
  const final = { ...after, final: 1, waiting: 0, awaiting: 0, blockedBy: [] }
  const awaits = (...blockedBy: readonly ClosureBlocker[]): unknown => ({ ...after, final: 0, waiting: 0, awaiting: 1, blockedBy })

  test('with a provider that puts it off: awaiting until the instant that it named', async () => {
    const { vault, clock } = await closedWith((at) => ({ level: 'scheduled', effectiveAt: at.now() + DAY, copiesUntil: at.now() + DAY }))
    expect(await closure(vault)).toEqual(awaits('scheduled'))
    expect((await statusOf(vault)).shreds.awaiting).toEqual({ count: 1, since: START, until: START + DAY })
    clock.jump(DAY - 1)
    expect(await closure(vault)).toEqual(awaits('scheduled'))
    clock.jump(1)
    expect(await closure(vault)).toEqual(final)
    // Clocks go back as well: what was said then is not relied on.
    clock.jump(-1)
    expect(await closure(vault)).toEqual(awaits('scheduled'))
  })

  test("with the owner's word on copies: awaiting until the last of them is gone", async () => {
    const { vault, clock } = await closedWith((at) => ({
      level: 'operator-asserted',
      effectiveAt: at.now(),
      copiesUntil: at.now() + 30 * DAY,
    }))
    expect(await closure(vault)).toEqual(awaits('copies_live'))
    expect((await statusOf(vault)).shreds.awaiting.until).toBe(START + 30 * DAY)
    clock.jump(30 * DAY)
    expect(await closure(vault)).toEqual(final)
  })

  test('put off, with copies that live on: both, one after the other', async () => {
    const { vault, clock } = await closedWith((at) => ({
      level: 'scheduled',
      effectiveAt: at.now() + DAY,
      copiesUntil: at.now() + 2 * DAY,
    }))
    expect(await closure(vault)).toEqual(awaits('scheduled', 'copies_live'))
    clock.jump(DAY)
    expect(await closure(vault)).toEqual(awaits('copies_live'))
    expect((await statusOf(vault)).shreds.awaiting.until).toBe(START + 2 * DAY)
    clock.jump(DAY)
    expect(await closure(vault)).toEqual(final)
  })

  test('a provider that said it and has not done it is not believed', async () => {
    const { vault } = await world(nonDestroyingProvider(memoryKeyProvider(), { delay: 0 }))
    await vault.tenants.create('acme')
    await vault.tenant('acme').subject('alice').shred()
    await toEnd(vault.rotateRootKey())
    await toEnd(vault.closeEpoch(WITHOUT))
    expect(await closure(vault)).toEqual({ ...after, final: 0, waiting: 1, awaiting: 0, blockedBy: ['not_destroyed'] })
    expect((await statusOf(vault)).provider.undestroyed).toEqual([1])
  })

  test.each([
    ['close.destroyed', ['closing', 'live'], [1]],
    ['close.entered', ['destroyed', 'live'], []],
  ] as const)('a close killed at %s is unfinished, and ends when it is run again', async (at, versions, gone) => {
    const made = await world()
    await made.vault.tenants.create('acme')
    await made.vault.tenant('acme').subject('alice').shred()
    await toEnd(made.vault.rotateRootKey())
    const dying = await openVault(
      withFailpoints(made.options, (name) => {
        if (name === at) throw new Error('killed')
      }),
    )
    await expect(toEnd(dying.closeEpoch(WITHOUT))).rejects.toThrow('killed')
    expect(await closure(made.vault)).toEqual({
      versions,
      rotation: 'finished',
      final: 0,
      waiting: 1,
      awaiting: 0,
      blockedBy: ['close_unfinished'],
    })
    expect((await statusOf(made.vault)).provider.gone).toEqual(gone)
    await toEnd(made.vault.closeEpoch(WITHOUT))
    expect(await closure(made.vault)).toEqual(final)
  })

  test('a rotation killed before anything was told of its root version is one that has begun', async () => {
    const made = await world()
    await made.vault.tenants.create('acme')
    await made.vault.tenant('acme').subject('alice').shred()
    const dying = await openVault(
      withFailpoints(made.options, (name) => {
        if (name === 'root.created') throw new Error('killed')
      }),
    )
    await expect(toEnd(dying.rotateRootKey())).rejects.toThrow('killed')
    const begun = { rotation: 'unfinished', final: 0, awaiting: 0 }
    expect(await closure(made.vault)).toEqual({
      ...begun,
      versions: ['live'],
      waiting: 1,
      blockedBy: ['rotation_unfinished', 'close_needed'],
    })
    expect((await statusOf(made.vault)).provider).toMatchObject({ state: 'answers', unknown: [2] })
    // This one names it, so that it needs the rotation after this one as well.
    await made.vault.tenant('acme').subject('bob').shred()
    expect(await closure(made.vault)).toEqual({
      ...begun,
      versions: ['live', 'live'],
      waiting: 2,
      blockedBy: ['rotation_unfinished', 'rotation_needed', 'close_needed'],
    })
    expect((await statusOf(made.vault)).provider).toMatchObject({ state: 'answers', unknown: [] })
    await toEnd(made.vault.rotateRootKey())
    await toEnd(made.vault.closeEpoch(WITHOUT))
    expect(await closure(made.vault)).toEqual({
      versions: ['destroyed', 'live'],
      rotation: 'finished',
      final: 1,
      waiting: 1,
      awaiting: 0,
      blockedBy: ['rotation_needed', 'close_needed'],
    })
  })

  test('a record that says destroyed where the ledger does not: nothing is final', async () => {
    const { vault, keyStore } = await world()
    await vault.tenants.create('acme')
    await vault.tenant('acme').subject('alice').shred()
    const inEffect = { state: 'destroyed', destruction: { level: 'confirmed', effectiveAt: START - 1, copiesUntil: START - 1 } } as const
    keyStore.edit({ type: 'region', region: 'eu' }, (record) => {
      const region = record as RegionRecord
      return { ...region, versions: region.versions.map((version) => ({ ...version, ...inEffect })) }
    })
    expect((await statusOf(vault)).shreds).toMatchObject({ final: 0, waiting: { count: 1 } })
  })

  test('a provider that rotates by itself, more than once: what it passed over is destroyed with the rest', async () => {
    const provider = memoryKeyProvider()
    const { vault } = await world(provider)
    await vault.tenants.create('acme')
    await provider.createVersion(2)
    await provider.createVersion(3)
    await vault.tenant('acme').subject('alice').shred()
    await provider.createVersion(4)
    expect((await statusOf(vault)).provider.unknown).toEqual([2, 4])
    await toEnd(vault.rotateRootKey())
    expect((await statusOf(vault)).rotation).toMatchObject({ state: 'finished', rootVersion: 4 })
    await toEnd(vault.closeEpoch(WITHOUT))
    expect((await statusOf(vault)).shreds).toMatchObject({ final: 1, blockedBy: [] })
    expect((await provider.versions()).map(({ state }) => state)).toEqual(['destroyed', 'destroyed', 'destroyed', 'live'])
  })

  // The destruction of one root version, and of the next, as the key store may hold it.
  const gone = (level: Destruction['level'], effectiveAt: number, copiesUntil: number): Partial<KnownRootVersion> => ({
    state: 'destroyed',
    destruction: { level, effectiveAt: START + effectiveAt, copiesUntil: START + copiesUntil },
  })
  const LIVE = { state: 'live' } as const
  const UNNOTED = { state: 'destroyed' } as const
  const IN_EFFECT = gone('confirmed', -1, -1)
  type Row = readonly [
    string,
    first: Partial<KnownRootVersion>,
    second: Partial<KnownRootVersion>,
    shreds: readonly number[],
    expected: readonly [final: number, waiting: number, awaiting: number, until: number | undefined],
  ]
  test.each<Row>([
    ['both in effect', IN_EFFECT, IN_EFFECT, [1, 2], [2, 0, 0, undefined]],
    ['at this very instant', gone('scheduled', 0, 0), LIVE, [1], [1, 0, 0, undefined]],
    ['the second live', IN_EFFECT, LIVE, [1, 2, 2], [1, 2, 0, undefined]],
    ['the first live, the second gone', LIVE, IN_EFFECT, [1, 2], [0, 2, 0, undefined]],
    ['the first put off, the second gone', gone('scheduled', 5, 5), IN_EFFECT, [1, 2], [0, 0, 2, 5]],
    ['the first gone, the second put off', IN_EFFECT, gone('scheduled', 7, 5), [1, 2], [1, 0, 1, 7]],
    ['copies of the first outlive the second', gone('operator-asserted', -1, 9), gone('scheduled', 7, 7), [2], [0, 0, 1, 9]],
    ['copies of what is confirmed', gone('confirmed', -1, 9), LIVE, [1], [0, 0, 1, 9]],
    ['without the answer of the provider', UNNOTED, LIVE, [1], [0, 1, 0, undefined]],
    ['one that the key store has not heard of', IN_EFFECT, IN_EFFECT, [3], [0, 1, 0, undefined]],
    ['one that the key store has not heard of after others', IN_EFFECT, IN_EFFECT, [1, 2, 3], [2, 1, 0, undefined]],
  ])('%s', async (_, first, second, numbers, [isFinal, waiting, awaiting, untilThen]) => {
    const inner = memoryKeyProvider()
    const [one] = (await inner.versions()) as [ProviderVersion]
    const all: readonly ProviderVersion[] = [one, ...[2, 3].map((number) => ({ number, id: randomBytes(16), state: 'live' as const }))]
    let listed = all.slice(0, 1)
    const { vault, keyStore, options } = await world({ ...inner, versions: async () => listed })
    await vault.tenants.create('acme')
    for (const [i, number] of numbers.entries()) {
      // A shred names the newest root version that its provider lists.
      listed = all.slice(0, number)
      await vault.tenant('acme').subject(`subject-${i}`).shred()
    }
    listed = all.slice(0, 2).map((version) => ({ ...version, state: 'destroyed' }))
    // Only the ledger's word counts, so it has to say so too.
    const { keys } = await openKeys(checkOptions(options))
    for (const [i, { state }] of [first, second].entries()) {
      const version = all[i] as ProviderVersion
      if (state === 'destroyed') await keys.ledger.append(() => Promise.resolve(rootEntry('rootDestroyed', 'eu', version, START)))
    }
    keyStore.edit({ type: 'region', region: 'eu' }, (record) => {
      const region = record as RegionRecord
      const versions = [first, second].map((change, i) => ({ ...region.versions[0], ...all[i], ...change }) as KnownRootVersion)
      return { ...region, versions, current: 2, epoch: { rootVersion: 3, marker: new Uint8Array(16), instant: START } }
    })
    const { shreds } = await statusOf(vault)
    expect([shreds.final, shreds.waiting.count, shreds.awaiting.count, shreds.awaiting.until]).toEqual([
      isFinal,
      waiting,
      awaiting,
      untilThen === undefined ? undefined : START + untilThen,
    ])
    expect(shreds.blockedBy.length > 0).toBe(waiting + awaiting > 0)
  })
})

describe('providers', () => {
  async function twoRegions(): Promise<World & { readonly us: ReturnType<typeof downProvider> }> {
    const us = downProvider(memoryKeyProvider())
    us.isDown = false
    const made = await world(memoryKeyProvider(), { us })
    await made.vault.tenants.create('acme')
    await made.vault.tenants.create('us-corp', { region: 'us' })
    await encrypt(made.vault, 'us-corp', 'alice')
    await made.vault.tenant('us-corp').subject('alice').shred()
    return { ...made, us }
  }

  test('one that is down: what the key store knows, and that nothing moves before it is back', async () => {
    const { vault, us } = await twoRegions()
    us.isDown = true
    expect(await statusOf(vault, 'us')).toMatchObject({
      current: 1,
      tenants: 1,
      provider: { state: 'unavailable', code: 'key_provider_unavailable', unknown: [], missing: [], gone: [], undestroyed: [] },
      rotation: { state: 'none' },
      shreds: { final: 0, waiting: { count: 1 }, blockedBy: ['provider_unavailable', 'rotation_needed', 'close_needed'] },
    })
    expect((await statusOf(vault, 'eu')).provider.state).toBe('answers')
    us.isDown = false
    expect((await statusOf(vault, 'us')).shreds.blockedBy).toEqual(['rotation_needed', 'close_needed'])
  })

  test('one that is down does not hold up what only time will end', async () => {
    const { vault, us, clock, options } = await twoRegions()
    const put = destroying(us, () => ({ level: 'scheduled', effectiveAt: clock.now() + DAY, copiesUntil: clock.now() + DAY }))
    const eu = options.keyProviders['eu'] as KeyProvider
    const closing = await openVault({ ...options, keyProviders: { eu, us: put } })
    await toEnd(closing.rotateRootKey({ region: 'us' }))
    await toEnd(closing.closeEpoch({ region: 'us', ...WITHOUT }))
    us.isDown = true
    expect((await statusOf(vault, 'us')).shreds).toMatchObject({ awaiting: { count: 1 }, blockedBy: ['scheduled'] })
    clock.jump(DAY)
    // It is past, and nobody can say whether the provider has kept to it.
    expect((await statusOf(vault, 'us')).shreds).toMatchObject({ final: 1, blockedBy: ['provider_unavailable'] })
  })

  test('none in this process: the region is listed all the same, unless it is asked for', async () => {
    const { options } = await twoRegions()
    const vault = await openVault({ ...options, keyProviders: { eu: options.keyProviders['eu'] as KeyProvider } })
    const { regions } = await vault.status()
    expect(regions.map(({ region, provider }) => [region, provider.state])).toEqual([
      ['eu', 'answers'],
      ['us', 'none'],
    ])
    expect(await statusOf(vault, 'us')).toMatchObject({
      tenants: 1,
      rootVersions: [{ number: 1, wrappingKeys: { wrapped: 1, only: 1 } }],
      nodes: { active: 2, shredded: 1 },
      shreds: { waiting: { count: 1 }, blockedBy: ['provider_unavailable', 'rotation_needed', 'close_needed'] },
    })
    expect(await outcome(() => vault.status({ region: 'us' }))).toBe('region_refused')
  })

  test('one that holds another root key', async () => {
    const { options } = await twoRegions()
    const vault = await openVault({ ...options, keyProviders: { ...options.keyProviders, us: memoryKeyProvider() } })
    expect(await statusOf(vault, 'us')).toMatchObject({
      provider: { state: 'answers', unknown: [], missing: [1] },
      shreds: { blockedBy: ['wrong_root_key', 'rotation_needed', 'close_needed'] },
    })
  })

  test("without the home region's provider the ledger cannot be read, and nothing is said", async () => {
    const eu = downProvider(memoryKeyProvider())
    eu.isDown = false
    const { vault, clock } = await world(eu)
    eu.isDown = true
    clock.jump(BOUND + 1)
    expect(await outcome(() => vault.status())).toBe('key_provider_unavailable')
    eu.isDown = false
    expect(await outcome(() => vault.status())).toBe('done')
  })

  test('a region in which nothing was ever wrapped is there where it is asked for', async () => {
    const { vault } = await world(memoryKeyProvider(), { us: memoryKeyProvider() })
    expect((await vault.status()).regions.map(({ region }) => region)).toEqual(['eu'])
    expect((await vault.status({ region: 'us' })).regions).toEqual([
      {
        region: 'us',
        rootVersions: [],
        provider: { state: 'answers', unknown: [1], missing: [], gone: [], undestroyed: [] },
        rotation: { state: 'none' },
        tenants: 0,
        wrappingKeys: { current: 0, retiring: 0, retired: 0, marked: 0 },
        nodes: { active: 0, deactivated: 0, suspended: 0, shredded: 0, deactivatedVersions: 0 },
        shreds: { final: 0, waiting: { count: 0 }, awaiting: { count: 0 }, blockedBy: [] },
      },
    ])
    await vault.tenants.create('us-corp', { region: 'us' })
    expect((await vault.status({ region: 'us' })).regions.map(({ region, tenants }) => [region, tenants])).toEqual([['us', 1]])
  })
})

describe('keys', () => {
  test('are counted by the state that they are in, with what is above them', async () => {
    const { vault, clock } = await world()
    await vault.tenants.create('acme')
    await vault.tenants.create('rival')
    const acme = vault.tenant('acme')
    for (const name of ['alice', 'bob', 'carol', 'dave']) {
      await encrypt(vault, 'acme', name)
      for (const item of ['crm', 'mail']) await acme.subject(name).item(item).encrypt(email, 'x')
    }
    await encrypt(vault, 'rival', 'eve')
    // 4 of the vault, its signing key among them; 2 of each tenant; 12 beneath acme, 1 beneath rival.
    const all = { active: 4 + 4 + 12 + 1, deactivated: 0, suspended: 0, shredded: 0, deactivatedVersions: 0, oldest: START }
    expect(await statusOf(vault)).toMatchObject({ tenants: 2, nodes: all })

    await acme.subject('bob').suspend()
    await acme.subject('dave').item('crm').shred()
    clock.jump(5)
    await toEnd(vault.rotateSubjectKey(acme.subject('carol')))
    expect((await statusOf(vault)).nodes).toEqual({ ...all, active: all.active - 2, suspended: 1, shredded: 1, deactivatedVersions: 1 })

    // With her two items, whose records do not say so.
    await acme.subject('alice').shred()
    expect((await statusOf(vault)).nodes).toMatchObject({ active: all.active - 5, shredded: 4 })
    // A new key, above items that stay dead.
    await acme.subject('alice').recreate({ reason: 'operator' })
    expect((await statusOf(vault)).nodes).toMatchObject({ active: all.active - 4, shredded: 3 })

    // Two levels down, and all of it: what is left is the vault's, and rival's.
    await acme.shred()
    expect(await statusOf(vault)).toMatchObject({
      tenants: 1,
      nodes: { active: 7, deactivated: 0, suspended: 0, shredded: 14, deactivatedVersions: 0, oldest: START },
      wrappingKeys: { current: 2, retiring: 0, retired: 0, marked: 0 },
    })
  })

  test('the oldest in use says how old keys are', async () => {
    const { vault, clock } = await world()
    await vault.tenants.create('acme')
    const age = async (): Promise<unknown> => {
      const { nodes, wrappingKeys } = await statusOf(vault)
      return [nodes.oldest, wrappingKeys.oldest]
    }
    clock.jump(DAY)
    expect(await age()).toEqual([START, START])
    await toEnd(vault.rotateTenantKey(vault.tenant('acme')))
    // The vault's own is as old.
    expect(await age()).toEqual([START, START])
    const { vault: other, clock: time } = await world(memoryKeyProvider(), { us: memoryKeyProvider() })
    time.jump(DAY)
    await other.tenants.create('us-corp', { region: 'us' })
    time.jump(DAY)
    await encrypt(other, 'us-corp', 'alice')
    await toEnd(other.rotateTenantKey(other.tenant('us-corp')))
    const { nodes, wrappingKeys } = await statusOf(other, 'us')
    expect([nodes.oldest, wrappingKeys]).toEqual([START + DAY, { current: 1, retiring: 0, retired: 1, marked: 0, oldest: START + 2 * DAY }])
  })

  test('a shredded tenant needs no root version', async () => {
    const { vault } = await world()
    await vault.tenants.create('acme')
    expect((await statusOf(vault)).rootVersions[0]?.wrappingKeys).toEqual({ wrapped: 2, only: 2 })
    await vault.tenant('acme').shred()
    expect((await statusOf(vault)).rootVersions[0]?.wrappingKeys).toEqual({ wrapped: 1, only: 1 })
  })
})

describe('how it reads', () => {
  async function busy(): Promise<World> {
    const made = await world(memoryKeyProvider(), { us: memoryKeyProvider() })
    for (const [tenant, region] of [
      ['acme', 'eu'],
      ['us-corp', 'us'],
    ] as const) {
      await made.vault.tenants.create(tenant, { region })
      for (const subject of ['alice', 'bob', 'carol']) await encrypt(made.vault, tenant, subject)
      await made.vault.tenant(tenant).subject('alice').shred()
      await made.vault.tenant(tenant).subject('bob').suspend()
      await toEnd(made.vault.rotateSubjectKey(made.vault.tenant(tenant).subject('carol')))
    }
    await until('waiting', made.vault.rotateRootKey())
    return made
  }

  test('it writes nothing', async () => {
    const { vault, keyStore, stateStore } = await busy()
    const before = [held({ keyStore, stateStore }), keyStore.calls.put, stateStore.calls.put, stateStore.calls.delete]
    await vault.status()
    await vault.status({ region: 'us' })
    expect([held({ keyStore, stateStore }), keyStore.calls.put, stateStore.calls.put, stateStore.calls.delete]).toEqual(before)
  })

  test('it is JSON, without names and without bytes', async () => {
    const { vault } = await busy()
    const status = await vault.status()
    const text = JSON.stringify(status)
    expect(JSON.parse(text)).toEqual(status)
    for (const name of ['acme', 'us-corp', 'alice', 'bob', 'carol']) expect(text).not.toContain(name)
    const words = new Set<string>()
    JSON.parse(text, (_, value: unknown) => (typeof value === 'string' ? words.add(value) : value))
    const steps = ['rotation_unfinished', 'rotation_needed', 'close_needed']
    expect(words).toEqual(new Set(['eu', 'us', 'live', 'answers', 'none', 'unfinished', ...steps]))
  })

  test('20,000 keys by pages, with no call of a provider for any of them', async () => {
    const { keyStore, options, provider, vault } = await world(memoryKeyProvider())
    await vault.tenants.create('acme')
    await encrypt(vault, 'acme', 'alice')
    const alice = keyStore.snapshot().find((record) => record.type === 'node' && record.kind === NodeKind.subject)
    if (alice?.type !== 'node') throw new Error('no subject')
    for (let i = 0; i < 20_000; i++) {
      const ref = Uint8Array.from(randomBytes(16))
      keyStore.edit({ type: 'node', ref }, (): KeyStoreRecord => ({ ...alice, ref }))
    }
    const pages: number[] = []
    const counting = await openVault({
      ...options,
      keyStore: aroundKeyStore(keyStore, async ({ method }, proceed) => {
        const answer = await proceed()
        if (method !== 'put') pages.push((answer as readonly unknown[]).length)
        return answer
      }),
    })
    pages.length = 0
    const calls = structuredClone(provider.calls)
    const { nodes } = (await counting.status()).regions[0] as RegionStatus
    expect(nodes.active).toBe(20_000 + 7)
    expect(Math.max(...pages)).toBe(1000)
    expect(pages.length).toBeLessThan(60)
    expect(provider.calls).toEqual(calls)

    const abort = new AbortController()
    let scans = 0
    const ending = await openVault({
      ...options,
      keyStore: aroundKeyStore(keyStore, async ({ method, args }, proceed) => {
        const { type, tenantRef } = args[0] as Partial<KeyStoreQuery>
        if (method === 'scan' && type === 'node' && tenantRef === undefined && ++scans === 3) abort.abort(new Error('enough'))
        return proceed()
      }),
    })
    await expect(ending.status({ signal: abort.signal })).rejects.toThrow('enough')
    expect(scans).toBe(3)
    // A timer goes off meanwhile, though memory stores answer at once.
    await expect(vault.status({ signal: AbortSignal.timeout(1) })).rejects.toThrow('timeout')
  })

  test('it ends where it is told to', async () => {
    const { vault } = await busy()
    const abort = new AbortController()
    abort.abort(new Error('enough'))
    await expect(vault.status({ signal: abort.signal })).rejects.toThrow('enough')
  })

  test('a ledger that was cut is refused, not counted', async () => {
    const { vault, stateStore } = await world()
    await vault.tenants.create('acme')
    const before = stateStore.snapshot()
    await vault.tenant('acme').subject('alice').shred()
    stateStore.restore(before)
    expect(await outcome(() => vault.status())).toBe('ledger_invalid')
  })

  test('entries without their effect show', async () => {
    const made = await world()
    await made.vault.tenants.create('acme')
    await encrypt(made.vault, 'acme', 'alice')
    const dying = await openVault(
      withFailpoints(made.options, (name) => {
        if (name === 'shred.entered') throw new Error('killed')
      }),
    )
    await expect(dying.tenant('acme').subject('alice').shred()).rejects.toThrow('killed')
    expect(await made.vault.status()).toMatchObject({
      ledger: { n: 2, applied: 1 },
      regions: [{ shreds: { waiting: { count: 1 } } }],
    })
    await made.vault.reconcile()
    expect((await made.vault.status()).ledger).toEqual({ n: 2, applied: 2 })
  })

  test('it passes the gate, and checks what it is given', async () => {
    const { options, vault } = await world()
    const seen: unknown[] = []
    const watched = await openVault({ ...options, onAccess: ({ operation, region }) => void seen.push([operation, region]) })
    await watched.status()
    await watched.status({ region: 'eu' })
    expect(seen).toEqual([
      ['status', undefined],
      ['status', 'eu'],
    ])
    for (const wrong of [{ region: 5 }, { signal: {} }, { regoin: 'eu' }, 'eu', null]) {
      expect((await refusalOf(() => vault.status(wrong as never))).code).toBe('invalid_argument')
    }
    await vault.close()
    expect(await outcome(() => vault.status())).toBe('vault_closed')
  })
})

test('on lmdb, with a root key file whose copies live on', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'strongroom-status-'))
  try {
    const file = join(directory, 'root.key')
    const rawKey = new Uint8Array(32).fill(7)
    await createLocalKeyFile({ file, rawKey, region: 'eu' })
    const provider = await localKeyProvider({ file, rawKey, copiesLife: DAY })
    const clock = manualClock(Date.now())
    const options = {
      keyProviders: { eu: provider },
      defaultRegion: 'eu',
      ...localStores({ directory: join(directory, 'vault') }),
      cacheBound: BOUND,
      clock: { now: () => clock.now(), monotonic: () => performance.now() },
    }
    await initVault(options)
    const vault = await openVault(options)
    await vault.tenants.create('acme')
    await encrypt(vault, 'acme', 'alice')
    await vault.tenant('acme').subject('alice').shred()
    expect((await statusOf(vault)).shreds.blockedBy).toEqual(['rotation_needed', 'close_needed'])
    await toEnd(vault.rotateRootKey())
    expect((await statusOf(vault)).shreds.blockedBy).toEqual(['close_needed'])
    await toEnd(vault.closeEpoch(WITHOUT))
    const closed = await statusOf(vault)
    expect(closed.rootVersions[0]).toMatchObject({ state: 'destroyed', destruction: { level: 'operator-asserted' } })
    // The file's clock is the machine's: it may have gone on since the other was set.
    clock.jump(60_000)
    expect((await statusOf(vault)).shreds).toMatchObject({ awaiting: { count: 1 }, blockedBy: ['copies_live'] })
    clock.jump(DAY + 60_000)
    expect((await statusOf(vault)).shreds).toMatchObject({ final: 1, blockedBy: [] })
    await vault.close()
    provider.close()
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
