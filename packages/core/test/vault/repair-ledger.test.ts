// The state store is lost, or restored from before; the key store is whole: the ledger comes back bit by bit, or nothing is written.
import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import {
  initVault,
  type KeyStore,
  type NodeRecord,
  openVault,
  type RegionRecord,
  repairLedger,
  type ShreddedVersion,
  type StateStore,
  StrongroomError,
  type Subject,
  systemClock,
  type Vault,
  type VaultOptions,
  type VaultRecord,
} from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore, withFailpoints } from '@strongroom/core/testing'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { backupLocalStore, localStores } from '@strongroom/store-local'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { KeyState, NodeKind, Reason } from '#core/format/records.js'
import { Ledger, LEDGER_START } from '#core/keys/ledger.js'
import type { KeyTree } from '#core/keys/key-tree.js'
import { rebuildLedger } from '#core/keys/repair-ledger.js'

import {
  alice,
  type Around,
  aroundKeyStore,
  aroundStateStore,
  bob,
  email,
  emptyGround,
  flipped,
  type Ground,
  held,
  hex,
  nodesOf,
  outcome,
  putRecord,
  refusalOf,
} from './support.ts'

const LEDGER = 'strongroom/ledger'
const BOUND = 100

interface Value {
  readonly name: string
  readonly of: (vault: Vault) => Subject | ReturnType<Subject['item']>
  readonly stored: Uint8Array
}

type Populated = Ground & { readonly vault: Vault; readonly values: readonly Value[] }

const PLACES: Readonly<Record<string, Value['of']>> = {
  alice,
  'her token': (vault) => alice(vault).item('hubspot'),
  bob,
  self: (vault) => vault.tenant('acme').self(),
  rival: (vault) => vault.tenant('rival').subject('alice'),
}

/** A vault of two regions with a value at each place. Its clock runs, so that what waits for the cache bound can. */
async function populated(): Promise<Populated> {
  const keyProviders = { eu: memoryKeyProvider({ region: 'eu' }), us: memoryKeyProvider({ region: 'us' }) }
  const made = emptyGround({ keyProviders, clock: systemClock, cacheBound: BOUND })
  await initVault(made.options)
  const vault = await openVault(made.options)
  await vault.tenants.create('acme')
  await vault.tenants.create('rival', { region: 'us' })
  const values: Value[] = []
  for (const [name, of] of Object.entries(PLACES)) values.push({ name, of, stored: await of(vault).encrypt(email, name) })
  return { ...made, vault, values }
}

/** The same, in stores of its own. */
function copyOf<T extends Ground>(made: T): T {
  const [keyStore, stateStore] = [memoryKeyStore(), memoryStateStore()]
  keyStore.restore(made.keyStore.snapshot())
  stateStore.restore(made.stateStore.snapshot())
  return { ...made, keyStore, stateStore, options: { ...made.options, keyStore, stateStore } }
}

/** All entries as they are stored, one behind the other: pages may be cut elsewhere. */
async function ledgerIn(stateStore: StateStore): Promise<string> {
  const pages = await stateStore.scan(LEDGER, '', { limit: 10_000 })
  return pages.map(({ value }) => Buffer.from(value).toString('hex')).join('')
}

function headOf({ keyStore }: Pick<Ground, 'keyStore'>): VaultRecord['head'] {
  return keyStore.snapshot().find((record): record is VaultRecord => record.type === 'vault')?.head as VaultRecord['head']
}

/** What reading, and what writing, comes to at each place. */
async function outcomes(options: VaultOptions, values: readonly Value[]): Promise<Readonly<Record<string, readonly [string, string]>>> {
  const vault = await openVault(options)
  const all: Record<string, readonly [string, string]> = {}
  for (const { name, of, stored } of values) {
    all[name] = [await outcome(() => of(vault).decrypt(email, stored)), await outcome(() => of(vault).encrypt(email, 'new'))]
  }
  await vault.close()
  return all
}

/** Repairs it, and finds the very ledger again, the key store as it was, and nothing to do a second time. */
async function expectRepaired(made: Ground, whole: string, missing: number): Promise<void> {
  expect(await outcome(() => openVault(made.options))).toBe('ledger_invalid')
  const keys = made.keyStore.snapshot()
  expect(await repairLedger(made.options)).toEqual({ rebuilt: missing })
  expect(await ledgerIn(made.stateStore)).toBe(whole)
  expect(made.keyStore.snapshot()).toEqual(keys)
  const puts = made.stateStore.calls.put
  expect(await repairLedger(made.options)).toEqual({ rebuilt: 0 })
  expect(made.stateStore.calls.put).toBe(puts)
}

/** It is refused, and not one write was tried. */
async function expectRefused(made: Ground): Promise<void> {
  const [before, puts] = [held(made), made.keyStore.calls.put + made.stateStore.calls.put + made.stateStore.calls.delete]
  const error = await refusalOf(() => repairLedger(made.options))
  expect(error.code).toBe('ledger_invalid')
  expect(error.message).toMatch(/restore the newest state store$/)
  expect(error.message).not.toMatch(/\d/)
  expect(error.cause).toBeUndefined()
  expect(held(made)).toEqual(before)
  expect(made.keyStore.calls.put + made.stateStore.calls.put + made.stateStore.calls.delete).toBe(puts)
}

async function drain(work: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of work);
}

const names = (count: number, of = 'user'): string[] => Array.from({ length: count }, (_, i) => `${of}-${i}`)

/** What happens to the vault, and whose values are gone then. */
interface History {
  readonly name: string
  readonly act: (vault: Vault, made: Populated) => Promise<unknown>
  readonly gone: readonly string[]
}

const HISTORIES: readonly History[] = [
  { name: 'a vault that was only made', act: async () => undefined, gone: [] },
  { name: 'a subject', act: (vault) => alice(vault).shred({ reason: 'accountDeleted' }), gone: ['alice', 'her token'] },
  { name: 'an item', act: (vault) => alice(vault).item('hubspot').shred({ reason: 'operator' }), gone: ['her token'] },
  { name: 'a tenant', act: (vault) => vault.tenant('acme').shred(), gone: ['alice', 'her token', 'bob', 'self'] },
  { name: 'a tenant of another region', act: (vault) => vault.tenant('rival').shred({ reason: 'contractEnded' }), gone: ['rival'] },
  { name: 'what is the own of a tenant', act: (vault) => vault.tenant('acme').self().shred(), gone: ['self'] },
  {
    name: 'empty-handed',
    act: async (vault) => {
      await vault.tenant('acme').subject('nobody').shred()
      await alice(vault).item('nothing').shred({ reason: 'retentionEnded' })
    },
    gone: [],
  },
  {
    name: 'repeated, and one beneath the other',
    act: async (vault) => {
      await alice(vault).item('hubspot').shred()
      await alice(vault).item('hubspot').shred()
      await vault.tenant('acme').subject('nobody').shred()
      await vault.tenant('acme').subject('nobody').shred()
      await alice(vault).shred()
      await alice(vault).shred()
      await vault.tenant('acme').shred()
      await vault.tenant('acme').shred()
    },
    gone: ['alice', 'her token', 'bob', 'self'],
  },
  {
    name: 'many at once, there and not there, in batches',
    act: async (vault) => {
      await drain(vault.tenant('acme').shredMany(['alice', ...names(300), 'alice', 'bob'], { reason: 'contractEnded' }))
      await drain(vault.tenant('acme').shredMany([...names(310), 'bob']))
    },
    gone: ['alice', 'her token', 'bob'],
  },
  {
    name: 'empty-handed, while the key was being made',
    act: async (vault, { options, keyStore }) => {
      const dave = vault.tenant('acme').subject('dave')
      const reached = async (name: string): Promise<void> => {
        if (name === 'shred.marked') await dave.encrypt(email, 'late')
      }
      const other = await openVault(withFailpoints(options, reached))
      const { versions } = await other.tenant('acme').subject('dave').shred()
      await other.close()
      // The entry names no key, and has destroyed one.
      const last = nodesOf(keyStore).flatMap((record) => record.versions.filter((version) => version.state === KeyState.shredded))
      expect([versions, last.length, last[0]?.commitment.some((byte) => byte !== 0)]).toEqual([0, 1, true])
    },
    gone: [],
  },
  {
    name: 'a key of two versions',
    act: async (vault) => {
      await drain(vault.rotateSubjectKey(alice(vault)))
      await alice(vault).shred()
    },
    gone: ['alice', 'her token'],
  },
  {
    name: 'the versions of a key, one after the other',
    act: async (vault) => {
      const her = vault.tenant('acme').subject('carol')
      await her.encrypt(email, 'old')
      await drain(vault.rotateSubjectKey(her))
      const since = Date.now()
      while (Date.now() <= since + 2 * BOUND) await new Promise((resolve) => setTimeout(resolve, 10))
      const holders = [{ countValues: () => Promise.resolve(0) }]
      await drain(vault.retireVersion(her, { holders, dataBackup: { startedAt: Date.now() } }))
      await her.shred()
    },
    gone: [],
  },
  {
    name: 'root keys of two regions, rotated and destroyed',
    act: async (vault) => {
      await bob(vault).shred()
      await drain(vault.rotateRootKey({ region: 'eu' }))
      await alice(vault).item('hubspot').shred()
      await drain(vault.closeEpoch({ region: 'eu', dangerouslyWithoutBackup: true }))
      await drain(vault.rotateRootKey({ region: 'us' }))
      await vault.tenant('rival').shred()
      await drain(vault.rotateRootKey({ region: 'eu' }))
      await drain(vault.closeEpoch({ region: 'eu', dangerouslyWithoutBackup: true }))
    },
    gone: ['bob', 'her token', 'rival'],
  },
]

describe('the state store is gone', () => {
  test.each(HISTORIES)('after: $name', async ({ act, gone }) => {
    const made = await populated()
    await act(made.vault, made)
    await made.vault.close()
    const before = await outcomes(made.options, made.values)
    const shredded = Object.keys(before).filter((name) => before[name]?.includes('shredded') === true)
    expect(shredded.toSorted()).toEqual(gone.toSorted())
    const { n } = headOf(made)
    expect(n).toBeGreaterThanOrEqual(2)
    const whole = await ledgerIn(made.stateStore)

    made.stateStore.restore([])
    await expectRepaired(made, whole, n)
    expect(await outcomes(made.options, made.values)).toEqual(before)

    // It goes on from there, and puts a key store right that is older than all of it.
    const vault = await openVault(made.options)
    expect(await vault.reconcile()).toEqual({ entries: n })
    await vault
      .tenant('acme')
      .subject('later')
      .encrypt(email, 'x')
      .catch(() => undefined)
    await vault.tenants.create('later')
    await vault.tenant('later').subject('later').shred()
    await vault.close()
    expect(headOf(made).n).toBe(n + 1)
  })

  test('a key store from before the shreds is put right by what was rebuilt', async () => {
    const made = await populated()
    const older = made.keyStore.snapshot()
    await alice(made.vault).shred()
    await made.vault.tenant('rival').shred()
    await made.vault.close()
    made.stateStore.restore([])
    await repairLedger(made.options)
    made.keyStore.restore(older)
    const after = await outcomes(made.options, made.values)
    expect(Object.keys(after).filter((name) => after[name]?.[0] === 'shredded')).toEqual(['alice', 'her token', 'rival'])
  })

  test('a shred that the key store had not acknowledged is not in it; she stays shredded, and it can be repeated', async () => {
    const made = await populated()
    const { vault, options, values } = made
    await bob(vault).shred()
    const reached = (name: string): void => {
      if (name === 'shred.marked-again') throw new StrongroomError('key_store_unavailable', 'the process is dead')
    }
    expect(await outcome(async () => alice(await openVault(withFailpoints(options, reached))).shred())).toBe('key_store_unavailable')
    await vault.close()
    made.stateStore.restore([])
    const { n } = headOf(made)
    expect(await repairLedger(options)).toEqual({ rebuilt: n })
    expect((await outcomes(options, values))['alice']).toEqual(['shredded', 'shredded'])
    const again = await openVault(options)
    expect((await alice(again).shred()).ledger.n).toBe(n + 1)
    await again.close()
    expect((await outcomes(options, values))['alice']).toEqual(['shredded', 'shredded'])
  })

  test('a vault whose making was not ended', async () => {
    const made = emptyGround()
    const around: Around = async ({ method, args }, proceed) => {
      if (method === 'put' && putRecord(args).type !== 'vault') throw new Error('the connection was lost')
      return proceed()
    }
    expect(await outcome(() => initVault({ ...made.options, keyStore: aroundKeyStore(made.keyStore, around) }))).not.toBe('done')
    const whole = await ledgerIn(made.stateStore)
    made.stateStore.restore([])
    expect(await repairLedger(made.options)).toEqual({ rebuilt: 1 })
    expect(await ledgerIn(made.stateStore)).toBe(whole)
    expect(await outcome(() => openVault(made.options))).toBe('done')
  })

  test('a region in which no key is yet: found by its wrapping key, and without one where it is the default', async () => {
    for (const died of ['wrapping-key', 'node']) {
      const made = await populated()
      const ca = memoryKeyProvider({ region: 'ca' })
      const options = { ...made.options, keyProviders: { ...made.options.keyProviders, ca } }
      const around: Around = async ({ method, args }, proceed) => {
        if (method === 'put' && putRecord(args).type === died) throw new Error('the connection was lost')
        return proceed()
      }
      const vault = await openVault({ ...options, keyStore: aroundKeyStore(made.keyStore, around) })
      expect(await outcome(() => vault.tenants.create('north', { region: 'ca' }))).toBe('key_store_unavailable')
      await vault.close()
      const whole = await ledgerIn(made.stateStore)
      made.stateStore.restore([])
      if (died === 'wrapping-key') await expectRefused({ ...made, options })
      const defaultRegion = died === 'wrapping-key' ? 'ca' : 'eu'
      expect(await repairLedger({ ...options, defaultRegion })).toEqual({ rebuilt: 3 })
      expect(await ledgerIn(made.stateStore)).toBe(whole)
    }
  })

  test('entries that name so many keys that a page of 256 would be too long for the store', async () => {
    const [keyStore, stateStore] = [memoryKeyStore(), memoryStateStore()]
    const key = new Uint8Array(32).fill(7)
    const fixed = { vaultId: new Uint8Array(16).fill(9), homeRegion: 'eu', cacheBound: BOUND, created: 1, check: new Uint8Array(32) }
    await keyStore.put({ type: 'vault', revision: 1, ...fixed, head: LEDGER_START, applied: 0 })
    const context = { vaultId: fixed.vaultId, keyStore, stateStore } as unknown as KeyTree['context']
    const ledger = new Ledger(context, () => Promise.resolve(key))
    for (let i = 1; i <= 60; i++) {
      const place = {
        kind: NodeKind.subject,
        ref: new Uint8Array(16).fill(i),
        parentRef: new Uint8Array(16),
        tenantRef: new Uint8Array(16),
        region: 'eu',
      }
      const keys = Array.from({ length: 500 }, (_, at) => ({ version: at + 1, commitment: new Uint8Array(32).fill(at) }))
      const said = { rootVersion: { number: 1, id: new Uint8Array(16) }, instant: i, reason: Reason.operator }
      const { n, hash } = await ledger.append(() => Promise.resolve({ op: 1, ...place, keys, ...said }))
      const versions = keys.map((one): ShreddedVersion => ({ ...one, ...said, state: 4, ledger: { n, hash } }))
      await keyStore.put({ type: 'node', ...place, revision: 1, versions })
      keyStore.edit({ type: 'vault' }, (record) => ({ ...(record as VaultRecord), head: { n, hash } }))
    }
    const whole = await ledgerIn(stateStore)
    expect(whole.length / 2).toBeGreaterThan(2 ** 20)
    stateStore.restore([])
    expect(await rebuildLedger({ tree: { context } as KeyTree, ledger }, key, [])).toBe(60)
    expect(await ledgerIn(stateStore)).toBe(whole)
    expect(stateStore.snapshot().length).toBeLessThan(10)
  })
})

describe('the state store is older', () => {
  test('by any number of entries', async () => {
    const made = await populated()
    const { vault } = made
    const copies = [made.stateStore.snapshot()]
    const copy = (): void => void copies.push(made.stateStore.snapshot())
    for (const act of [
      () => alice(vault).item('hubspot').shred(),
      () => drain(vault.rotateRootKey({ region: 'eu' })),
      () => drain(vault.tenant('acme').shredMany(['bob', ...names(3)])),
      () => drain(vault.closeEpoch({ region: 'eu', dangerouslyWithoutBackup: true })),
      () => vault.tenant('rival').shred(),
      () => alice(vault).shred(),
    ]) {
      await act()
      copy()
    }
    await vault.close()
    const [whole, before] = [await ledgerIn(made.stateStore), await outcomes(made.options, made.values)]
    const all = made.stateStore.snapshot()
    const { n } = headOf(made)
    const missing: number[] = []
    for (const older of copies.slice(0, -1)) {
      made.stateStore.restore(older)
      expect(await outcome(() => openVault(made.options))).toBe('ledger_invalid')
      const { rebuilt } = await repairLedger(made.options)
      missing.push(rebuilt)
      expect(await ledgerIn(made.stateStore)).toBe(whole)
      expect(await outcomes(made.options, made.values)).toEqual(before)
    }
    expect(missing).toEqual([n - 2, n - 3, n - 4, n - 8, n - 9, n - 10])
    expect(copies.at(-1)).toEqual(all)
  })

  test('a vault that is open goes on once it is repaired', async () => {
    const made = await populated()
    const older = made.stateStore.snapshot()
    await alice(made.vault).shred()
    made.stateStore.restore(older)
    expect(await outcome(() => bob(made.vault).shred())).toBe('ledger_invalid')
    expect(await repairLedger(made.options)).toEqual({ rebuilt: 1 })
    expect(await outcome(() => bob(made.vault).shred())).toBe('done')
    await made.vault.close()
    expect(headOf(made).n).toBe(4)
  })

  test('what else it holds stays as it is', async () => {
    const made = await populated()
    await alice(made.vault).shred()
    await made.vault.close()
    made.stateStore.restore([])
    await made.stateStore.put('leases', 'sweep', Uint8Array.of(1), { expected: 'absent', due: 5 })
    await made.stateStore.put(LEDGER, `${'ab'.repeat(16)}/${'1'.padStart(16, '0')}`, Uint8Array.of(2), { expected: 'absent' })
    const others = made.stateStore.snapshot()
    await repairLedger(made.options)
    expect(made.stateStore.snapshot()).toEqual(expect.arrayContaining([...others]))
    expect(made.stateStore.snapshot().length).toBe(others.length + 1)
  })
})

describe('the ledger is whole', () => {
  test('it is left alone, with entries that the key store has not heard of as well', async () => {
    const made = await populated()
    await alice(made.vault).shred()
    const { keyStore } = made
    const older = keyStore.snapshot()
    await bob(made.vault).shred()
    await made.vault.close()
    for (const keys of [keyStore.snapshot(), older]) {
      keyStore.restore(keys)
      const before = held(made)
      const puts = keyStore.calls.put + made.stateStore.calls.put
      expect(await repairLedger(made.options)).toEqual({ rebuilt: 0 })
      expect(held(made)).toEqual(before)
      expect(keyStore.calls.put + made.stateStore.calls.put).toBe(puts)
    }
    expect((await outcomes(made.options, made.values))['bob']).toEqual(['shredded', 'shredded'])
  })

  test('the stores stay open, and the provider is asked for the vault alone', async () => {
    const made = await populated()
    await alice(made.vault).shred()
    await made.vault.close()
    made.stateStore.restore([])
    let closed = 0
    const { us, ...keyProviders } = made.options.keyProviders
    expect(us).toBeDefined()
    await repairLedger({ ...made.options, keyProviders, close: async () => void closed++ })
    expect(closed).toBe(0)
  })
})

describe('what cannot be rebuilt is refused', () => {
  const GAPS: readonly { readonly name: string; readonly act: (vault: Vault, made: Populated) => Promise<unknown> }[] = [
    { name: 'a suspension', act: (vault) => bob(vault).suspend() },
    {
      name: 'a resumption',
      act: async (vault) => {
        await bob(vault).suspend()
        await bob(vault).resume()
      },
    },
    { name: 'the suspension of a tenant', act: (vault) => vault.tenant('rival').suspend() },
    {
      name: 'a key that was made anew',
      act: async (vault) => {
        await bob(vault).shred()
        await bob(vault).recreate({ reason: 'operator' })
      },
    },
    {
      name: 'a shred that another was faster than',
      act: async (vault, { options }) => {
        const reached = async (name: string): Promise<void> => void (name === 'shred.marked' && (await bob(vault).shred()))
        await bob(await openVault(withFailpoints(options, reached))).shred()
      },
    },
    {
      name: 'the first shred of a key whose record was put back',
      act: async (vault, { keyStore }) => {
        const before = nodesOf(keyStore)
        await bob(vault).shred()
        const dead = nodesOf(keyStore).find(({ versions }) => versions[0]?.state === KeyState.shredded)
        const record = before.find(({ ref }) => hex(ref) === hex(dead?.ref as Uint8Array)) as NodeRecord
        keyStore.edit({ type: 'node', ref: record.ref }, () => record)
        const { entries } = await vault.reconcile()
        expect(headOf({ keyStore }).n).toBe(entries + 1)
      },
    },
  ]

  test.each(GAPS)('$name among the lost entries; what was lost behind it alone is not', async ({ act }) => {
    const made = await populated()
    const { vault, stateStore } = made
    const first = stateStore.snapshot()
    await act(vault, made)
    const behind = stateStore.snapshot()
    await alice(vault).shred()
    await vault.close()
    const whole = await ledgerIn(stateStore)
    for (const older of [[], first]) {
      stateStore.restore(older)
      await expectRefused(made)
    }
    stateStore.restore(behind)
    await expectRepaired(made, whole, 1)
  })

  const changed = (version: ShreddedVersion, changes: Partial<ShreddedVersion>): ShreddedVersion => ({ ...version, ...changes })
  const ALTERED: readonly (readonly [string, (record: NodeRecord, version: ShreddedVersion) => NodeRecord | undefined])[] = [
    ...(
      [
        ['instant', (version) => changed(version, { instant: version.instant + 1 })],
        ['reason', (version) => changed(version, { reason: Reason.operator })],
        ['reason of no name', (version) => changed(version, { reason: 200 as Reason })],
        ['root version', (version) => changed(version, { rootVersion: { ...version.rootVersion, number: 2 } })],
        [
          "root version's id",
          (version) => changed(version, { rootVersion: { ...version.rootVersion, id: flipped(version.rootVersion.id) } }),
        ],
        ['commitment', (version) => changed(version, { commitment: flipped(version.commitment) })],
        ['number', (version) => changed(version, { version: version.version + 1 })],
        ['hash', (version) => changed(version, { ledger: { ...version.ledger, hash: flipped(version.ledger.hash) } })],
        ['place in the ledger', (version) => changed(version, { ledger: { ...version.ledger, n: version.ledger.n - 1 } })],
        ['place behind the ledger', (version) => changed(version, { ledger: { ...version.ledger, n: version.ledger.n + 9 } })],
      ] satisfies readonly (readonly [string, (version: ShreddedVersion) => ShreddedVersion])[]
    ).map(
      ([name, change]) => [name, (record: NodeRecord, version: ShreddedVersion) => ({ ...record, versions: [change(version)] })] as const,
    ),
    ['kind', (record) => ({ ...record, kind: NodeKind.item })],
    ['parent', (record) => ({ ...record, parentRef: flipped(record.parentRef) })],
    ['tenant', (record) => ({ ...record, tenantRef: flipped(record.tenantRef) })],
    ['region', (record) => ({ ...record, region: 'us' })],
    ['region of another alphabet', (record) => ({ ...record, region: 'é' })],
    [
      'versions: one less, and another',
      (record, version) => ({ ...record, versions: [{ ...version, version: 2, commitment: flipped(version.commitment) }] }),
    ],
    ['absence', () => undefined],
  ]

  test.each(ALTERED)('a shredded record that was altered in its %s', async (_, alter) => {
    const made = await populated()
    const older = made.stateStore.snapshot()
    await alice(made.vault).shred({ reason: 'accountDeleted' })
    await bob(made.vault).shred()
    await made.vault.close()
    const dead = nodesOf(made.keyStore).filter((record) => record.versions.some((version) => version.state === KeyState.shredded))
    expect(dead.length).toBe(2)
    for (const record of dead) {
      for (const state of [[], older]) {
        const one = copyOf(made)
        one.stateStore.restore(state)
        one.keyStore.edit({ type: 'node', ref: record.ref }, () => alter(record, record.versions[0] as ShreddedVersion))
        await expectRefused(one)
      }
    }
  })

  const NOTES: readonly (readonly [string, (region: RegionRecord) => RegionRecord])[] = (
    [
      ['instant', (note: { instant: number }) => ({ ...note, instant: note.instant + 1 })],
      ['hash', (note: { hash: Uint8Array }) => ({ ...note, hash: flipped(note.hash) })],
      ['place', (note: { n: number }) => ({ ...note, n: note.n + 20 })],
    ] as const
  ).flatMap(([name, change]) =>
    (['announced', 'destroyed'] as const).map(
      (which) =>
        [
          `${name} ${which}`,
          (region: RegionRecord) => ({
            ...region,
            versions: region.versions.map((version) =>
              version.destroyed === undefined ? version : { ...version, [which]: change(version[which] as never) },
            ),
          }),
        ] as const,
    ),
  )

  test('a root version that was altered', async () => {
    const made = await populated()
    await drain(made.vault.rotateRootKey({ region: 'eu' }))
    await drain(made.vault.closeEpoch({ region: 'eu', dangerouslyWithoutBackup: true }))
    await made.vault.close()
    made.stateStore.restore([])
    const wrongId = (region: RegionRecord): RegionRecord => ({
      ...region,
      versions: region.versions.map((version) => (version.destroyed === undefined ? version : { ...version, id: flipped(version.id) })),
    })
    for (const [name, alter] of [...NOTES, ['id', wrongId] as const]) {
      const one = copyOf(made)
      one.keyStore.edit({ type: 'region', region: 'eu' }, (record) => alter(record as RegionRecord))
      expect([name, one.keyStore.snapshot()]).not.toEqual([name, made.keyStore.snapshot()])
      await expectRefused(one)
    }
    expect(await repairLedger(made.options)).toEqual({ rebuilt: 4 })
  })

  test.each([
    ['hash', ({ n, hash }: VaultRecord['head']) => ({ n, hash: flipped(hash) })],
    ['number', ({ n, hash }: VaultRecord['head']) => ({ n: n + 1, hash })],
  ])('a head of another %s', async (_, alter) => {
    const made = await populated()
    await alice(made.vault).shred()
    await made.vault.close()
    for (const state of [[], made.stateStore.snapshot()]) {
      const one = copyOf(made)
      one.stateStore.restore(state)
      one.keyStore.edit({ type: 'vault' }, (record) => ({ ...(record as VaultRecord), head: alter((record as VaultRecord).head) }))
      await expectRefused(one)
    }
  })

  /** One vault that went on in two ways from one copy: two key stores and two ledgers of the same length. */
  async function twoLines(): Promise<{ readonly one: Populated; readonly other: Populated }> {
    const made = await populated()
    await made.vault.close()
    const lines = [alice, bob].map(async (who) => {
      const line = copyOf(made)
      const vault = await openVault(line.options)
      await who(vault).shred()
      await vault.tenant('rival').shred()
      await vault.close()
      return line
    })
    const [one, other] = (await Promise.all(lines)) as [Populated, Populated]
    return { one, other }
  }

  test('a ledger that went another way, as long or shorter', async () => {
    const { one, other } = await twoLines()
    const [pages, mine] = [other.stateStore.snapshot(), one.stateStore.snapshot()]
    const ofLedger = pages.filter(({ namespace }) => namespace === LEDGER)
    expect(ofLedger.length).toBe(4)
    for (const state of [pages, ofLedger.slice(0, -1), ofLedger.slice(0, 3)]) {
      one.stateStore.restore(state)
      await expectRefused(one)
    }
    one.stateStore.restore(mine)
    expect(await repairLedger(one.options)).toEqual({ rebuilt: 0 })
  })

  test('what remains was altered, or begins in the middle', async () => {
    const { one } = await twoLines()
    const pages = one.stateStore.snapshot()
    const [first, second, third, last] = pages as [(typeof pages)[0], (typeof pages)[0], (typeof pages)[0], (typeof pages)[0]]
    for (const state of [
      [first, { ...second, value: flipped(second.value, 700) }],
      [{ ...first, value: flipped(first.value, first.value.length * 8 - 1) }],
      [{ ...first, value: new Uint8Array(0) }],
      [second],
      [last],
      [first, last],
      [first, second, last],
      [first, second, { ...last, key: third.key }],
    ]) {
      one.stateStore.restore(state)
      await expectRefused(one)
    }
    one.stateStore.restore([first, second])
    expect(await repairLedger(one.options)).toEqual({ rebuilt: 2 })
    expect(one.stateStore.snapshot().map(({ key }) => key)).toEqual([first.key, second.key, third.key])
  })

  test('a record of another line, or one that only claims a number, is not taken for the one that the head stands on', async () => {
    const { one, other } = await twoLines()
    const whole = await ledgerIn(one.stateStore)
    const dead = (line: Populated): NodeRecord[] =>
      nodesOf(line.keyStore).filter(({ kind, versions }) => kind === NodeKind.subject && versions[0]?.state === KeyState.shredded)
    const [hers, his] = [dead(one)[0] as NodeRecord, dead(other)[0] as NodeRecord]
    const [mine, theirs] = [hers.versions[0] as ShreddedVersion, his.versions[0] as ShreddedVersion]
    // Both are authentic, and have the same number.
    expect([mine.ledger.n, hex(mine.ledger.hash) === hex(theirs.ledger.hash)]).toEqual([theirs.ledger.n, false])
    one.keyStore.edit({ type: 'node', ref: his.ref }, () => his)
    for (const [i, claimed] of [mine, { ...mine, ledger: theirs.ledger }, { ...theirs, ledger: mine.ledger }].entries()) {
      const ref = new Uint8Array(16).fill(i + 1)
      one.keyStore.edit({ type: 'node', ref }, () => ({ ...hers, ref, versions: [claimed] }))
    }
    one.stateStore.restore([])
    expect(await repairLedger(one.options)).toEqual({ rebuilt: 4 })
    expect(await ledgerIn(one.stateStore)).toBe(whole)
  })

  test('a key store that is no vault, or of another vault, or under another root key', async () => {
    const made = await populated()
    await made.vault.close()
    expect(await outcome(() => repairLedger(emptyGround().options))).toBe('vault_not_initialised')
    const another = await populated()
    expect(await outcome(() => repairLedger({ ...made.options, stateStore: another.stateStore }))).toBe('done')
    const keyProviders = { eu: memoryKeyProvider({ region: 'eu' }) }
    expect(await outcome(() => repairLedger({ ...made.options, keyProviders }))).toBe('wrong_root_key')
    expect(await outcome(() => repairLedger({ ...made.options, keyProviders: { us: keyProviders.eu }, defaultRegion: 'us' }))).toBe(
      'region_refused',
    )
    expect(await outcome(() => repairLedger({ ...made.options, cacheBound: BOUND + 1 }))).toBe('invalid_argument')
    expect(await outcome(() => repairLedger({ ...made.options, keystore: made.keyStore } as VaultOptions))).toBe('invalid_argument')
    expect(await outcome(() => repairLedger(undefined as never))).toBe('invalid_argument')
  })

  test('a record whose shape was altered', async () => {
    const made = await populated()
    await alice(made.vault).shred()
    await made.vault.close()
    made.stateStore.restore([])
    const record = nodesOf(made.keyStore).find(({ versions }) => versions[0]?.state === KeyState.shredded) as NodeRecord
    made.keyStore.edit({ type: 'node', ref: record.ref }, () => ({ ...record, versions: [] }))
    expect(await outcome(() => repairLedger(made.options))).toBe('decrypt_failed')
    expect(made.stateStore.snapshot()).toEqual([])
  })
})

describe('several pages', () => {
  type Long = Populated & { readonly whole: string; readonly n: number }
  let base: Promise<Long> | undefined

  /** More entries than four pages hold, all but the first lost, and more nodes than the key store lists at once. */
  async function long(): Promise<Long> {
    base ??= make()
    return copyOf(await base)
  }

  async function make(): Promise<Long> {
    const one = await populated()
    await drain(one.vault.tenant('acme').shredMany(names(1100)))
    await alice(one.vault).shred()
    await one.vault.close()
    const whole = await ledgerIn(one.stateStore)
    one.stateStore.restore(one.stateStore.snapshot().slice(0, 1))
    return { ...one, whole, n: headOf(one).n }
  }

  const opensWithAll = async (made: Populated, whole: string): Promise<void> => {
    expect(await ledgerIn(made.stateStore)).toBe(whole)
    expect((await outcomes(made.options, made.values))['alice']).toEqual(['shredded', 'shredded'])
  }

  test('killed before or after any write, it is run again and goes on', async () => {
    const start = await long()
    const left: number[] = []
    for (let k = 1, done = 0; done < 2; k++) {
      done = 0
      for (const death of ['before', 'after']) {
        const made = copyOf(start)
        let puts = 0
        const around: Around = async ({ method }, proceed) => {
          if (puts > k) throw new Error('the process is dead')
          if (method !== 'put' || ++puts < k) return proceed()
          puts = k + 1
          if (death === 'after') await proceed()
          throw new Error('the connection was lost')
        }
        const result = await outcome(() => repairLedger({ ...made.options, stateStore: aroundStateStore(made.stateStore, around) }))
        if (result === 'done') done++
        else {
          expect(result).toBe('state_store_unavailable')
          const sofar = await ledgerIn(made.stateStore)
          expect(start.whole.startsWith(sofar)).toBe(true)
          const { rebuilt } = await repairLedger(made.options)
          left.push(rebuilt)
        }
        await opensWithAll(made, start.whole)
      }
    }
    const { n } = start
    const pages = [1, 257, 513, 769, 1025, n].map((at) => n - at)
    expect(left).toEqual([pages[0], pages[1], pages[1], pages[2], pages[2], pages[3], pages[3], pages[4], pages[4], pages[5]])
  })

  test('a store that says it wrote, and did not', async () => {
    const made = await long()
    let puts = 0
    const around: Around = async ({ method }, proceed) => (method === 'put' && ++puts === 5 ? '1' : proceed())
    expect(await outcome(() => repairLedger({ ...made.options, stateStore: aroundStateStore(made.stateStore, around) }))).toBe(
      'ledger_invalid',
    )
  })

  test('a store that sends a write again, because its answer was lost', async () => {
    const made = await long()
    const around: Around = async ({ method }, proceed) => {
      if (method === 'put') await proceed()
      return proceed()
    }
    const stateStore = aroundStateStore(made.stateStore, around)
    expect(await repairLedger({ ...made.options, stateStore })).toEqual({ rebuilt: made.n - 1 })
    await opensWithAll(made, made.whole)
  })

  /** Stops at its first write until told to go on. */
  async function stoppedAtWrite(made: Ground): Promise<{ readonly goOn: () => void; readonly result: Promise<string> }> {
    let [goOn, arrived] = [(): void => undefined, (): void => undefined]
    const go = new Promise<void>((resolve) => (goOn = resolve))
    const there = new Promise<void>((resolve) => (arrived = resolve))
    const around: Around = async ({ method }, proceed) => {
      if (method === 'put') {
        arrived()
        await go
      }
      return proceed()
    }
    const result = outcome(() => repairLedger({ ...made.options, stateStore: aroundStateStore(made.stateStore, around) }))
    await Promise.race([there, result])
    return { goOn, result }
  }

  test('one that comes late finds that another was first, and that the vault went on', async () => {
    const made = await long()
    const late = await stoppedAtWrite(made)
    await repairLedger(made.options)
    const vault = await openVault(made.options)
    await bob(vault).shred()
    await vault.close()
    const before = held(made)
    late.goOn()
    expect(await late.result).toBe('done')
    expect(held(made)).toEqual(before)
    expect((await outcomes(made.options, made.values))['bob']).toEqual(['shredded', 'shredded'])
  })

  test('what came to stand there meanwhile is another entry: it stays, and the repair ends', async () => {
    const made = await long()
    const late = await stoppedAtWrite(made)
    const [first] = made.stateStore.snapshot()
    const key = `${first?.key.slice(0, -1) as string}2`
    made.stateStore.edit(LEDGER, key, () => first?.value)
    const before = held(made)
    late.goOn()
    expect(await late.result).toBe('ledger_invalid')
    expect(held(made)).toEqual(before)
  })

  test('two at once, in any order of their calls, end with one ledger', async () => {
    const start = await long()
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const made = copyOf(start)
        const around =
          (name: string): Around =>
          async ({ store, method }, proceed) => {
            await scheduler.schedule(Promise.resolve(), `${name} asks ${store}.${method}`)
            return proceed()
          }
        const both = Promise.all(
          ['A', 'B'].map((name) =>
            repairLedger({ ...made.options, stateStore: aroundStateStore(made.stateStore, around(name)) }).then(({ rebuilt }) => rebuilt),
          ),
        )
        const rebuilt = await scheduler.waitFor(both)
        // Whoever began first found all of it missing.
        expect(Math.max(...rebuilt)).toBe(start.n - 1)
        await opensWithAll(made, start.whole)
      }),
      { numRuns: 10 },
    )
  })
})

describe('on a disk', () => {
  const RAW_KEY = new Uint8Array(32).fill(7)

  // Says when it is ready, waits for a word, repairs; dies at the k-th write where it is told to.
  const PROCESS = `
    import { repairLedger } from '@strongroom/core'
    import { localKeyProvider } from '@strongroom/kms-local'
    import { localStores } from '@strongroom/store-local'
    const [directory, file, k] = process.argv.slice(1)
    const stores = localStores({ directory })
    let puts = 0
    const put = (...args) => {
      if (++puts === Number(k)) process.kill(process.pid, 'SIGKILL')
      return stores.stateStore.put(...args)
    }
    const eu = await localKeyProvider({ file, rawKey: new Uint8Array(32).fill(7) })
    process.stdout.write('ready')
    await new Promise((resolve) => process.stdin.once('data', resolve))
    const { rebuilt } = await repairLedger({ keyProviders: { eu }, defaultRegion: 'eu', ...stores, stateStore: { ...stores.stateStore, put } })
    await stores.close()
    process.stdout.write(' rebuilt ' + rebuilt, () => process.exit())
  `

  interface Repairer {
    readonly ready: Promise<void>
    start(): void
    /** What it said, or the signal that ended it. */
    readonly ended: Promise<string>
  }

  function repairer(directory: string, file: string, k = 0): Repairer {
    const args = ['--input-type=module', '-e', PROCESS, directory, file, String(k)]
    const child = spawn(process.execPath, args, { cwd: fileURLToPath(new URL('.', import.meta.url)), stdio: ['pipe', 'pipe', 'pipe'] })
    let [said, complained] = ['', '']
    const ended = new Promise<string>((resolve) => child.on('close', (_, signal) => resolve(signal ?? said + complained)))
    const ready = new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        resolve()
      })
      void ended.then(() => resolve())
    })
    child.stderr.on('data', (chunk: Buffer) => (complained += chunk.toString()))
    return { ready, ended, start: () => void child.stdin.end('go') }
  }

  async function repairAtOnce(all: readonly Repairer[]): Promise<readonly string[]> {
    await Promise.all(all.map(({ ready }) => ready))
    for (const one of all) one.start()
    return Promise.all(all.map(({ ended }) => ended))
  }

  test('the folder of the state store is gone, or an older copy: processes repair it at once, one of them killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'strongroom-repair-'))
    try {
      const [directory, file, copy] = [join(folder, 'vault'), join(folder, 'root.key'), join(folder, 'copy')]
      await createLocalKeyFile({ file, rawKey: RAW_KEY, region: 'eu' })
      const eu = await localKeyProvider({ file, rawKey: RAW_KEY })
      const session = async <T>(
        work: (options: VaultOptions & { stateStore: StateStore; keyStore: KeyStore }) => Promise<T>,
      ): Promise<T> => {
        const stores = localStores({ directory })
        try {
          return await work({
            keyProviders: { eu },
            defaultRegion: 'eu',
            cacheBound: BOUND,
            keyStore: stores.keyStore,
            stateStore: stores.stateStore,
          })
        } finally {
          await stores.close()
        }
      }
      const { hers, his, whole, n } = await session(async (options) => {
        await initVault(options)
        const vault = await openVault(options)
        await vault.tenants.create('acme')
        const stored = { hers: await alice(vault).encrypt(email, 'hers'), his: await bob(vault).encrypt(email, 'his') }
        await backupLocalStore({ directory, store: 'state', to: copy })
        await drain(vault.tenant('acme').shredMany(['alice', ...names(599)]))
        const { ledger } = await vault.tenant('acme').subject('nobody').shred()
        await vault.close()
        return { ...stored, whole: await ledgerIn(options.stateStore), n: ledger.n }
      })
      expect(n).toBe(602)
      const check = (): Promise<void> =>
        session(async (options) => {
          expect(await ledgerIn(options.stateStore)).toBe(whole)
          const vault = await openVault(options)
          const read = [() => alice(vault).decrypt(email, hers), () => bob(vault).decrypt(email, his)]
          expect(await Promise.all(read.map((one) => outcome(one)))).toEqual(['shredded', 'done'])
          expect(await outcome(() => alice(vault).encrypt(email, 'x'))).toBe('shredded')
          await vault.close()
        })

      await rm(join(directory, 'state'), { recursive: true })
      expect(await session((options) => outcome(() => openVault(options)))).toBe('ledger_invalid')
      const said = await repairAtOnce([repairer(directory, file), repairer(directory, file)])
      expect(said.some((word) => word === `ready rebuilt ${n}`)).toBe(true)
      expect(said.every((word) => /^ready rebuilt \d+$/.test(word))).toBe(true)
      await check()

      await rm(join(directory, 'state'), { recursive: true })
      await mkdir(join(directory, 'state'))
      await cp(join(copy, 'data.mdb'), join(directory, 'state', 'data.mdb'))
      expect(await repairAtOnce([repairer(directory, file, 2)])).toEqual(['SIGKILL'])
      expect(await session(async ({ stateStore }) => whole.startsWith(await ledgerIn(stateStore)))).toBe(true)
      expect(await session((options) => outcome(() => openVault(options)))).toBe('ledger_invalid')
      const again = await repairAtOnce([repairer(directory, file), repairer(directory, file)])
      // One entry of the copy, and 256 of the one that was killed, were there.
      expect(again.some((word) => word === `ready rebuilt ${n - 257}`)).toBe(true)
      await check()
      eu.close()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
