// Whoever can write the stores may have written anything: what then happens, row by row.
import {
  initVault,
  type KeyStoreKey,
  type KeyStoreRecord,
  type NodeRecord,
  openVault,
  type Vault,
  type WrappingKeyRecord,
} from '@strongroom/core'
import { memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { beforeAll, describe, expect, test } from 'vitest'

import { lp } from '#core/format/bytes.js'
import { sealLedgerEntry } from '#core/format/ledger-entry.js'

import {
  alice,
  aroundKeyStore,
  bob,
  email,
  emptyGround,
  flipped,
  type Ground,
  hex,
  nodeMadeBy,
  nodesOf,
  openGround,
  outcome,
  wrappingKeysOf,
} from './support.ts'

const LEDGER = 'strongroom/ledger'

type Loose = Record<string, unknown>

const carol = (vault: Vault) => vault.tenant('acme').subject('carol')
const dave = (vault: Vault) => vault.tenant('acme').subject('dave')
const rival = (vault: Vault) => vault.tenant('rival').subject('alice')

// A vault with two tenants; Alice and her item, Bob; Carol who was shredded, Dave who is suspended.
interface World extends Ground {
  readonly values: Readonly<Record<'alice' | 'item' | 'bob' | 'rival' | 'carol' | 'dave', Uint8Array>>
  readonly refs: Readonly<Record<'acme' | 'acmeRef' | 'alice' | 'item' | 'bob' | 'rivalTenant' | 'rival' | 'carol' | 'dave', Uint8Array>>
  readonly older: {
    readonly carol: NodeRecord
    readonly dave: NodeRecord
    readonly keys: ReturnType<Ground['keyStore']['snapshot']>
    readonly state: ReturnType<Ground['stateStore']['snapshot']>
  }
  readonly wrappingKeys: Readonly<Record<'acme' | 'rival' | 'vault', Uint8Array>>
}

async function populate(): Promise<World> {
  const made = await openGround()
  const { vault, keyStore } = made
  const values: Partial<Record<keyof World['values'], Uint8Array>> = {}
  const refs: Partial<Record<keyof World['refs'], Uint8Array>> = {}
  const write = async (name: keyof World['values'], place: ReturnType<typeof alice>): Promise<NodeRecord> => {
    const node = await nodeMadeBy(keyStore, async () => (values[name] = await place.encrypt(email, `value of ${name}`)))
    refs[name] = node.ref
    return node
  }
  const { tenantRef } = await write('alice', alice(vault))
  refs.acme = tenantRef
  await write('item', alice(vault).item('hubspot') as ReturnType<typeof alice>)
  await write('bob', bob(vault))
  refs.rivalTenant = (await write('rival', rival(vault))).tenantRef
  await write('carol', carol(vault))
  await write('dave', dave(vault))
  const find = (ref: Uint8Array | undefined): NodeRecord =>
    nodesOf(keyStore).find((node) => hex(node.ref) === hex(ref as Uint8Array)) as NodeRecord
  refs.acmeRef = nodesOf(keyStore).find((node) => node.kind === 4 && hex(node.tenantRef) === hex(tenantRef))?.ref as Uint8Array
  const older = { carol: find(refs.carol), dave: find(refs.dave), keys: keyStore.snapshot(), state: made.stateStore.snapshot() }
  await carol(vault).shred()
  await dave(vault).suspend()
  const wrappingKey = (ref: Uint8Array): Uint8Array =>
    wrappingKeysOf(keyStore).find((record) => hex(record.tenantRef) === hex(ref))?.id as Uint8Array
  const wrappingKeys = { acme: wrappingKey(tenantRef), rival: wrappingKey(refs.rivalTenant), vault: wrappingKey(new Uint8Array(16)) }
  return { ...made, values: values as World['values'], refs: refs as World['refs'], older, wrappingKeys }
}

let original: World

beforeAll(async () => {
  original = await populate()
})

/** Other stores with the same in them, for an attacker to write in. */
function stolen(): World {
  const [keyStore, stateStore] = [memoryKeyStore(), memoryStateStore()]
  keyStore.restore(original.keyStore.snapshot())
  stateStore.restore(original.stateStore.snapshot())
  return { ...original, keyStore, stateStore, options: { ...original.options, keyStore, stateStore } }
}

const UNTOUCHED = {
  open: 'done',
  alice: 'done',
  item: 'done',
  bob: 'done',
  rival: 'done',
  carol: 'shredded',
  dave: 'suspended',
  carolWrites: 'shredded',
  newPerson: 'done',
  list: 'done',
  suspend: 'done',
  shred: 'done',
}
type Probe = Partial<typeof UNTOUCHED>

/** What a fresh process meets. Whatever reads must read what was written there. */
async function probe(world: World): Promise<Probe> {
  let vault: Vault | undefined
  const open = await outcome(async () => (vault = await openVault(world.options)))
  if (vault === undefined) return { open }
  const opened = vault
  const read = (name: keyof World['values'], place: ReturnType<typeof alice>): Promise<string> =>
    outcome(async () => expect(await place.decrypt(email, world.values[name])).toBe(`value of ${name}`))
  return {
    open,
    alice: await read('alice', alice(opened)),
    item: await read('item', alice(opened).item('hubspot') as ReturnType<typeof alice>),
    bob: await read('bob', bob(opened)),
    rival: await read('rival', rival(opened)),
    carol: await read('carol', carol(opened)),
    dave: await read('dave', dave(opened)),
    carolWrites: await outcome(() => carol(opened).encrypt(email, 'x')),
    newPerson: await outcome(() => opened.tenant('acme').subject('new').encrypt(email, 'x')),
    list: await outcome(async () => {
      for await (const info of opened.tenants.list()) expect(['acme', 'rival', undefined]).toContain(info.name)
    }),
    suspend: await outcome(() => opened.tenant('acme').subject('to suspend').suspend()),
    shred: await outcome(() => opened.tenant('acme').subject('to shred').shred()),
  }
}

async function expectOutcome(world: World, differs: Probe): Promise<void> {
  // The same calls on the stores as they were.
  const expected = differs.open === undefined ? { ...UNTOUCHED, ...differs } : differs
  expect(await probe(world)).toEqual(expected)
}

test('nothing altered: all who may read, read', async () => {
  await expectOutcome(stolen(), {})
})

const F = 'decrypt_failed'
const HER: Probe = { alice: F, item: F }
const ACME: Probe = { alice: F, item: F, bob: F, carol: F, dave: F, carolWrites: F, newPerson: F, suspend: F, shred: F }
const everywhere = (code: string): Probe => Object.fromEntries(Object.keys(ACME).map((name) => [name, code]))

type Edit = readonly [column: string, how: string, edit: (record: Loose, world: World) => unknown, outcome: Probe]

const set =
  (column: string, value: unknown) =>
  (record: Loose): unknown => ({ ...record, [column]: typeof value === 'function' ? value(record[column]) : value })
const drop =
  (column: string) =>
  (record: Loose): unknown => {
    const { [column]: _, ...rest } = record
    return rest
  }
const inVersion =
  (edit: (version: Loose) => unknown) =>
  (record: Loose): unknown => ({ ...record, versions: (record['versions'] as Loose[]).map(edit) })
const flip = (bytes: Uint8Array): Uint8Array => flipped(bytes, 3)
const other16 = new Uint8Array(16).fill(9)

// Every column of a live node: what it says is bound into the wrap, so nothing of it can be changed alone.
function liveNode(refused: Probe, region: Probe): Edit[] {
  return [
    ['type', 'replaced', set('type', 'region'), refused],
    ['type', 'replaced by __proto__', set('type', '__proto__'), refused],
    ['type', 'replaced by constructor', set('type', 'constructor'), refused],
    ['type', 'removed', drop('type'), refused],
    ['ref', 'flipped', set('ref', flip), refused],
    ['ref', 'removed', drop('ref'), refused],
    ['kind', 'replaced', set('kind', (kind: number) => (kind === 3 ? 2 : 3)), refused],
    ['kind', 'out of range', set('kind', 6), refused],
    ['parentRef', 'flipped or given', set('parentRef', (ref: Uint8Array) => (ref.length === 0 ? other16 : flip(ref))), refused],
    ['parentRef', 'emptied or cut', set('parentRef', (ref: Uint8Array) => new Uint8Array(ref.length === 0 ? 15 : 0)), refused],
    ['tenantRef', 'flipped', set('tenantRef', flip), refused],
    ['tenantRef', 'removed', drop('tenantRef'), refused],
    ['region', 'replaced', set('region', 'us'), region],
    ['region', 'removed', drop('region'), refused],
    ['revision', 'removed', drop('revision'), refused],
    ['revision', 'NaN', set('revision', Number.NaN), refused],
    ['versions', 'emptied', set('versions', []), refused],
    ['versions', 'doubled', set('versions', (versions: unknown[]) => [...versions, ...versions]), refused],
    ['versions', 'removed', drop('versions'), refused],
    ['version', 'raised', inVersion(set('version', 2)), refused],
    ['version', 'removed', inVersion(drop('version')), refused],
    ['state', 'set to another', inVersion(set('state', (state: number) => (state === 1 ? 2 : 1))), refused],
    ['state', 'set to shredded with nothing else', inVersion(set('state', 4)), refused],
    ['state', 'out of range', inVersion(set('state', 5)), refused],
    ['state', 'as text', inVersion(set('state', '1')), refused],
    ['commitment', 'flipped', inVersion(set('commitment', flip)), refused],
    ['commitment', 'removed', inVersion(drop('commitment')), refused],
    ['parentVersion', 'raised', inVersion(set('parentVersion', (n: number) => n + 1)), refused],
    ['parentCommitment', 'flipped', inVersion(set('parentCommitment', flip)), refused],
    ['wrappingKeyId', 'flipped', inVersion(set('wrappingKeyId', flip)), refused],
    ['wrap', 'flipped in its version', inVersion(set('wrap', (wrap: Uint8Array) => flipped(wrap, 0))), refused],
    ['wrap', 'flipped in its nonce', inVersion(set('wrap', (wrap: Uint8Array) => flipped(wrap, 8))), refused],
    ['wrap', 'flipped in its last bit', inVersion(set('wrap', (wrap: Uint8Array) => flipped(wrap, 8 * 72))), refused],
    ['wrap', 'cut', inVersion(set('wrap', (wrap: Uint8Array) => wrap.subarray(0, 72))), refused],
    ['created', 'moved', inVersion(set('created', (at: number) => at + 1)), refused],
    ['created', 'negative', inVersion(set('created', -1)), refused],
  ]
}

const HARMLESS: Edit[] = [
  ['revision', 'raised', set('revision', 77), {}],
  ['a column that there is not', 'added', set('extra', 'x'), {}],
]

function rows(title: string, key: (world: World) => KeyStoreKey, edits: readonly Edit[]): void {
  describe(title, () => {
    test.each(edits)('%s %s', async (_, __, edit, expected) => {
      const world = stolen()
      world.keyStore.edit(key(world), (record) => edit(record as unknown as Loose, world) as KeyStoreRecord)
      await expectOutcome(world, expected)
    })
  })
}

const node =
  (name: keyof World['refs']) =>
  (world: World): KeyStoreKey => ({ type: 'node', ref: world.refs[name] })
const NOTHING: Probe = { open: F }

describe('key store, column by column', () => {
  rows('the node of a subject', node('alice'), [
    ...liveNode(HER, HER),
    ...HARMLESS,
    ['label', 'added', set('label', new Uint8Array(5)), {}],
  ])
  rows('the node of an item', node('item'), [...liveNode({ item: F }, { item: F }), ...HARMLESS])
  rows('the node of a suspended subject', node('dave'), [...liveNode({ dave: F }, { dave: F }), ...HARMLESS])
  // Without the tenant's node nothing of the tenant opens; the list reads only region, state and label.
  rows('the ref key of a tenant', node('acmeRef'), [...liveNode(ACME, ACME), ...HARMLESS])
  rows('the node of the vault', () => ({ type: 'node', ref: new Uint8Array(16) }), [
    ...liveNode(NOTHING, { open: 'region_refused' }).filter(([column]) => column !== 'type'),
    ...HARMLESS,
  ])
  const acme = everywhere(F)
  rows('the node of a tenant', node('acme'), [
    ...liveNode(acme, everywhere('region_refused'))
      .filter(([column]) => !['type', 'ref', 'parentRef', 'tenantRef', 'kind', 'versions', 'revision'].includes(column))
      .map(([column, how, edit]): Edit => {
        const malformed =
          how.startsWith('removed') || ['out of range', 'as text', 'cut', 'negative', 'set to shredded with nothing else'].includes(how)
        return [
          column,
          how,
          edit,
          column === 'region' && how === 'replaced' ? everywhere('region_refused') : malformed ? { ...acme, list: F } : acme,
        ]
      }),
    ['kind', 'replaced', set('kind', 2), acme],
    ['tenantRef', 'flipped', set('tenantRef', flip), acme],
    ['label', 'flipped', set('label', flip), { list: F }],
    [
      'label',
      'that of the other tenant',
      (record, world) => ({
        ...record,
        label: (nodesOf(world.keyStore).find(({ ref }) => hex(ref) === hex(world.refs.rivalTenant)) as NodeRecord).label,
      }),
      { list: F },
    ],
    ['label', 'removed: the list shows no name', drop('label'), {}],
    ...HARMLESS,
  ])
  rows('the node of someone who was shredded', node('carol'), [
    [
      'commitment',
      'flipped: her values are no longer told apart from those that never were hers',
      inVersion(set('commitment', flip)),
      { carol: F },
    ],
    ['rootVersion', 'lowered', inVersion(set('rootVersion', { number: 1, id: new Uint8Array(16) })), {}],
    ['instant', 'moved', inVersion(set('instant', 0)), {}],
    ['reason', 'replaced', inVersion(set('reason', 3)), {}],
    ['ledger', 'replaced', inVersion(set('ledger', { n: 1, hash: new Uint8Array(32) })), {}],
    ['version', 'raised', inVersion(set('version', 9)), {}],
    ['rootVersion', 'removed', inVersion(drop('rootVersion')), { carol: F, carolWrites: F }],
    ['instant', 'removed', inVersion(drop('instant')), { carol: F, carolWrites: F }],
    ['reason', 'out of range', inVersion(set('reason', 256)), { carol: F, carolWrites: F }],
    ['ledger', 'removed', inVersion(drop('ledger')), { carol: F, carolWrites: F }],
    ['state', 'set to active', inVersion(set('state', 1)), { carol: F, carolWrites: F }],
    [
      'state',
      "set to active, with Bob's wrap",
      (record, world) => ({
        ...record,
        versions: (nodesOf(world.keyStore).find(({ ref }) => hex(ref) === hex(world.refs.bob)) as NodeRecord).versions,
      }),
      { carol: F, carolWrites: F },
    ],
    ...HARMLESS,
  ])

  rows('the wrapping key of a tenant', (world) => ({ type: 'wrapping-key', id: world.wrappingKeys.acme }), [
    ['id', 'flipped', set('id', flip), everywhere(F)],
    ['tenantRef', 'flipped', set('tenantRef', flip), everywhere(F)],
    ['region', 'replaced', set('region', 'us'), everywhere('region_refused')],
    ['state', 'unknown', set('state', 'dormant'), everywhere(F)],
    ['state', 'retired: the newest one is used, whatever its column says', set('state', 'retired'), {}],
    ['marked', 'unset', set('marked', false), {}],
    ['marked', 'as a number', set('marked', 0), everywhere(F)],
    ['wraps', 'emptied', set('wraps', []), everywhere(F)],
    ['wraps', 'removed', drop('wraps'), everywhere(F)],
    ['wrap', 'flipped', set('wraps', ([wrap]: Loose[]) => [{ ...wrap, wrap: flip(wrap?.['wrap'] as Uint8Array) }]), everywhere(F)],
    [
      'wrap',
      'that of the other tenant',
      (record, world) => ({
        ...record,
        wraps: (wrappingKeysOf(world.keyStore).find(({ id }) => hex(id) === hex(world.wrappingKeys.rival)) as WrappingKeyRecord).wraps,
      }),
      everywhere(F),
    ],
    [
      'root version',
      'another number',
      set('wraps', ([wrap]: Loose[]) => [{ ...wrap, rootVersion: { ...(wrap?.['rootVersion'] as Loose), number: 2 } }]),
      everywhere('wrong_root_key'),
    ],
    [
      'root version',
      'another id',
      set('wraps', ([wrap]: Loose[]) => [{ ...wrap, rootVersion: { number: 1, id: other16 } }]),
      everywhere('wrong_root_key'),
    ],
    ['created', 'moved', set('created', (at: number) => at + 1), everywhere(F)],
    ...HARMLESS,
  ])
  rows('the wrapping key of the vault', (world) => ({ type: 'wrapping-key', id: world.wrappingKeys.vault }), [
    ['created', 'moved', set('created', (at: number) => at + 1), NOTHING],
    ['wraps', 'emptied', set('wraps', []), NOTHING],
    ['tenantRef', 'flipped', set('tenantRef', flip), NOTHING],
    ...HARMLESS,
  ])

  rows('the record of the region', () => ({ type: 'region', region: 'eu' }), [
    ['region', 'replaced', set('region', 'us'), { newPerson: F, suspend: F, shred: F }],
    ['versions', 'emptied', set('versions', []), { newPerson: F, suspend: F, shred: F }],
    [
      'versions',
      'with an unknown state',
      set('versions', ([version]: Loose[]) => [{ ...version, state: 'asleep' }]),
      { newPerson: F, suspend: F, shred: F },
    ],
    [
      'versions',
      'another id: the provider is then not the one that the vault was made with, and nothing is claimed of a shred',
      set('versions', ([version]: Loose[]) => [{ ...version, id: other16 }]),
      { shred: 'wrong_root_key' },
    ],
    ['current', 'unknown', set('current', 9), { suspend: 'wrong_root_key' }],
    ['current', 'zero', set('current', 0), { newPerson: F, suspend: F, shred: F }],
    [
      'closing',
      'raised: nothing new is wrapped by a key that may not outlive it',
      set('closing', 9),
      { newPerson: 'wrong_root_key', suspend: 'wrong_root_key' },
    ],
    ['closing', 'removed', drop('closing'), { newPerson: F, suspend: F, shred: F }],
    ...HARMLESS,
  ])

  rows('the record of the vault', () => ({ type: 'vault' }), [
    ['type', 'replaced', set('type', 'region'), NOTHING],
    ['vaultId', 'flipped', set('vaultId', flip), NOTHING],
    ['vaultId', 'cut', set('vaultId', new Uint8Array(15)), NOTHING],
    ['homeRegion', 'replaced', set('homeRegion', 'us'), { open: 'region_refused' }],
    ['homeRegion', 'removed', drop('homeRegion'), NOTHING],
    ['cacheBound', 'zero', set('cacheBound', 0), NOTHING],
    ['cacheBound', 'above what any vault can be made with', set('cacheBound', 3_600_001), NOTHING],
    ['cacheBound', 'without end', set('cacheBound', Number.MAX_SAFE_INTEGER), NOTHING],
    ['cacheBound', 'below what any vault can be made with', set('cacheBound', 99), NOTHING],
    ['created', 'moved', set('created', 0), NOTHING],
    ['cacheBound', 'raised within what a vault can be made with', set('cacheBound', 3_599_999), NOTHING],
    ['check', 'flipped', set('check', flip), NOTHING],
    ['check', 'removed', drop('check'), NOTHING],
    [
      'head',
      'another hash',
      set('head', (head: Loose) => ({ ...head, hash: flip(head['hash'] as Uint8Array) })),
      { open: 'ledger_invalid' },
    ],
    [
      'head',
      'further than the ledger',
      set('head', (head: Loose) => ({ ...head, n: (head['n'] as number) + 1 })),
      { open: 'ledger_invalid' },
    ],
    ['head', 'an older number with this hash', set('head', (head: Loose) => ({ ...head, n: 1 })), NOTHING],
    ['head', 'the beginning', set('head', { n: 0, hash: new Uint8Array(32) }), NOTHING],
    ['head', 'removed', drop('head'), NOTHING],
    ['applied', 'zero: all is applied again', set('applied', 0), {}],
    ['applied', 'beyond the ledger', set('applied', 1e9), NOTHING],
    ['applied', 'negative', set('applied', -1), NOTHING],
    ['bootstrap', 'not a list', set('bootstrap', 5), NOTHING],
    ['bootstrap', 'holding nonsense', set('bootstrap', [{}]), NOTHING],
    ['bootstrap', 'holding a record of type __proto__', set('bootstrap', [{ type: '__proto__', revision: 1 }]), NOTHING],
    ['bootstrap', 'empty', set('bootstrap', []), {}],
    ...HARMLESS,
  ])
})

describe('key store: records moved, rolled back, deleted', () => {
  const record = (world: World, name: keyof World['refs']): NodeRecord =>
    nodesOf(world.keyStore).find(({ ref }) => hex(ref) === hex(world.refs[name])) as NodeRecord

  test.each([
    ["Bob's record, as it is, at Alice's place", (world: World) => record(world, 'bob'), HER],
    [
      "Bob's record at Alice's place, saying that it is Alice's",
      (world: World) => ({ ...record(world, 'bob'), ref: world.refs.alice }),
      HER,
    ],
    [
      "the rival's record at Alice's place, saying that it is Alice's",
      (world: World) => ({ ...record(world, 'rival'), ref: world.refs.alice, tenantRef: world.refs.acme, parentRef: world.refs.acme }),
      HER,
    ],
    [
      "the item's record at Alice's place",
      (world: World) => ({ ...record(world, 'item'), ref: world.refs.alice, kind: 2 as const, parentRef: world.refs.acme }),
      HER,
    ],
    [
      "Bob's versions behind Alice's",
      (world: World) => ({
        ...record(world, 'alice'),
        versions: [...record(world, 'alice').versions, ...record(world, 'bob').versions.map((version) => ({ ...version, version: 2 }))],
      }),
      HER,
    ],
    // The item, which hangs beneath the key of hers, says that it died with it. No plaintext, and back when she is.
    [
      "Carol's end in Alice's record: hers is refused, and nobody else's read",
      (world: World) => ({ ...record(world, 'alice'), versions: record(world, 'carol').versions }),
      HER,
    ],
    ['nothing at all', () => undefined, HER],
  ] as const)("at Alice's place: %s", async (_, put, expected) => {
    const world = stolen()
    world.keyStore.edit({ type: 'node', ref: world.refs.alice }, () => put(world))
    await expectOutcome(world, expected)
    world.keyStore.edit({ type: 'node', ref: world.refs.alice }, () => record(original, 'alice'))
    expect(await probe(world)).toMatchObject({ alice: 'done', item: 'done' })
  })

  test('two tenants swapped, records and wrapping keys: neither reads the other', async () => {
    const world = stolen()
    const [acme, other] = [record(world, 'acme'), record(world, 'rivalTenant')]
    world.keyStore.edit({ type: 'node', ref: acme.ref }, () => ({ ...other, ref: acme.ref, tenantRef: acme.ref }))
    world.keyStore.edit({ type: 'node', ref: other.ref }, () => ({ ...acme, ref: other.ref, tenantRef: other.ref }))
    const [hers, theirs] = [world.wrappingKeys.acme, world.wrappingKeys.rival].map((id) =>
      wrappingKeysOf(world.keyStore).find((each) => hex(each.id) === hex(id)),
    ) as [WrappingKeyRecord, WrappingKeyRecord]
    world.keyStore.edit({ type: 'wrapping-key', id: hers.id }, () => ({ ...theirs, id: hers.id, tenantRef: hers.tenantRef }))
    world.keyStore.edit({ type: 'wrapping-key', id: theirs.id }, () => ({ ...hers, id: theirs.id, tenantRef: theirs.tenantRef }))
    expect(await probe(world)).toMatchObject({ open: 'done', alice: F, item: F, bob: F, rival: F, carol: F, dave: F, list: F })
  })

  test('the record of someone who was shredded, rolled back by hand: she reads until reconcile, and then never', async () => {
    const world = stolen()
    world.keyStore.edit({ type: 'node', ref: world.refs.carol }, () => world.older.carol)
    const vault = await openVault(world.options)
    expect(await outcome(() => carol(vault).decrypt(email, world.values.carol))).toBe('done')
    await vault.reconcile()
    for (const one of [vault, await openVault(world.options)]) {
      expect(await outcome(() => carol(one).decrypt(email, world.values.carol))).toBe('shredded')
      expect(await outcome(() => carol(one).encrypt(email, 'x'))).toBe('shredded')
      expect(await alice(one).decrypt(email, world.values.alice)).toBe('value of alice')
    }
    await expectOutcome(world, {})
  })

  test('the record of someone who is suspended, rolled back by hand: she reads until reconcile, and then no more', async () => {
    const world = stolen()
    world.keyStore.edit({ type: 'node', ref: world.refs.dave }, () => world.older.dave)
    const vault = await openVault(world.options)
    expect(await outcome(() => dave(vault).decrypt(email, world.values.dave))).toBe('done')
    await vault.reconcile()
    for (const one of [vault, await openVault(world.options)])
      expect(await outcome(() => dave(one).decrypt(email, world.values.dave))).toBe('suspended')
    await dave(vault).resume()
    expect(await outcome(() => dave(vault).decrypt(email, world.values.dave))).toBe('done')
  })

  test('the record of someone who was shredded, deleted: her old values stay closed, and reconcile puts it back', async () => {
    const world = stolen()
    world.keyStore.edit({ type: 'node', ref: world.refs.carol }, () => undefined)
    const vault = await openVault(world.options)
    expect(await outcome(() => carol(vault).decrypt(email, world.values.carol))).toBe('decrypt_failed')
    await vault.reconcile()
    expect(await outcome(() => carol(vault).decrypt(email, world.values.carol))).toBe('shredded')
    expect(await outcome(() => carol(vault).encrypt(email, 'x'))).toBe('shredded')
  })

  test('the record of someone who was shredded, deleted, and a key made there: her old values stay closed, and the place is shredded again', async () => {
    const world = stolen()
    world.keyStore.edit({ type: 'node', ref: world.refs.carol }, () => undefined)
    const vault = await openVault(world.options)
    const stored = await carol(vault).encrypt(email, 'a new life')
    await vault.reconcile()
    expect(await outcome(() => carol(vault).decrypt(email, world.values.carol))).not.toBe('done')
    expect(await outcome(() => carol(vault).decrypt(email, stored))).toBe('shredded')
    world.keyStore.edit({ type: 'node', ref: world.refs.carol }, () => world.older.carol)
    const again = await openVault(world.options)
    await again.reconcile()
    expect(await outcome(() => carol(again).decrypt(email, world.values.carol))).toBe('shredded')
  })

  test('a shred of someone whose record was hidden still ends her: put back, it is dead after reconcile', async () => {
    const world = stolen()
    const hers = record(world, 'alice')
    world.keyStore.edit({ type: 'node', ref: hers.ref }, () => undefined)
    const vault = await openVault(world.options)
    expect(await alice(vault).shred()).toMatchObject({ versions: 0 })
    world.keyStore.edit({ type: 'node', ref: hers.ref }, () => hers)
    await vault.reconcile()
    expect(await outcome(() => alice(vault).decrypt(email, world.values.alice))).toBe('shredded')
    expect(await outcome(() => bob(vault).decrypt(email, world.values.bob))).toBe('done')
  })

  test('a shred of someone whose record was replaced by a forged end still ends her: put back, it is dead after reconcile', async () => {
    const world = stolen()
    const hers = record(world, 'alice')
    const [end] = record(world, 'carol').versions
    const commitment = hers.versions[0]?.commitment as Uint8Array
    world.keyStore.edit({ type: 'node', ref: hers.ref }, () => ({
      ...hers,
      versions: [{ ...end, commitment } as NodeRecord['versions'][number]],
    }))
    const vault = await openVault(world.options)
    const before = world.stateStore.snapshot().length
    await outcome(() => alice(vault).shred())
    expect(world.stateStore.snapshot().length).toBe(before + 1)
    world.keyStore.edit({ type: 'node', ref: hers.ref }, () => hers)
    await vault.reconcile()
    expect(await outcome(() => alice(vault).decrypt(email, world.values.alice))).toBe('shredded')
  })

  test.each(['vault', 'region', 'wrapping-key', 'tenant'] as const)('deleted: %s', async (what) => {
    const world = stolen()
    const key: KeyStoreKey =
      what === 'vault'
        ? { type: 'vault' }
        : what === 'region'
          ? { type: 'region', region: 'eu' }
          : what === 'tenant'
            ? { type: 'node', ref: world.refs.acme }
            : { type: 'wrapping-key', id: world.wrappingKeys.acme }
    world.keyStore.edit(key, () => undefined)
    const expected: Readonly<Record<typeof what, Probe>> = {
      vault: { open: 'vault_not_initialised' },
      region: { newPerson: F, suspend: F },
      'wrapping-key': everywhere(F),
      tenant: everywhere('not_found'),
    }
    await expectOutcome(world, expected[what])
  })

  test('a scan that answers with records of another tenant, of another type, or with nonsense is refused', async () => {
    const answers: readonly ((records: readonly unknown[], world: World) => readonly unknown[])[] = [
      (_, world) => wrappingKeysOf(world.keyStore).filter(({ id }) => hex(id) === hex(world.wrappingKeys.rival)),
      (_, world) => [record(world, 'alice')],
      () => [{}],
      () => [undefined],
      () => [null],
      () => [{ type: 'wrapping-key', tenantRef: 5, revision: 1 }],
      () => [{ type: '__proto__', revision: 1 }],
      (records) => records.map((each) => ({ ...(each as Loose), tenantRef: undefined })),
    ]
    for (const answer of answers) {
      const world = stolen()
      let lies = false
      const keyStore = aroundKeyStore(world.keyStore, async ({ method }, proceed) => {
        const records = await proceed()
        return lies && method === 'scan' ? answer(records as readonly unknown[], world) : records
      })
      const vault = await openVault({ ...world.options, keyStore })
      lies = true
      expect(await outcome(() => alice(vault).decrypt(email, world.values.alice))).toBe(F)
      lies = false
      expect(await outcome(() => alice(vault).decrypt(email, world.values.alice))).toBe('done')
    }
  })

  test('a damaged record of one person does not refuse another whose record was read with it', async () => {
    const world = stolen()
    world.keyStore.edit({ type: 'node', ref: world.refs.alice }, (found) => ({ ...found, versions: [] }) as unknown as KeyStoreRecord)
    const vault = await openVault(world.options)
    const [hers, his] = await Promise.all([
      outcome(() => alice(vault).decrypt(email, world.values.alice)),
      outcome(() => bob(vault).decrypt(email, world.values.bob)),
    ])
    expect([hers, his]).toEqual([F, 'done'])
  })

  test('a get that answers with other records, too few, too many, or no list at all is refused', async () => {
    const answers: readonly ((records: readonly unknown[]) => unknown)[] = [
      (records) => records.slice(1),
      (records) => [...records, undefined],
      (records) => records.toReversed().map((each, i) => (i === 0 ? record(original, 'bob') : each)),
      (records) => records.map(() => ({})),
      (records) => records.map(() => null),
      (records) => records.map(() => 'record'),
      () => undefined,
      () => null,
    ]
    for (const answer of answers) {
      const world = stolen()
      let lies = false
      const keyStore = aroundKeyStore(world.keyStore, async ({ method }, proceed) => {
        const records = await proceed()
        return lies && method === 'get' ? answer(records as readonly unknown[]) : records
      })
      const vault = await openVault({ ...world.options, keyStore })
      lies = true
      expect(['decrypt_failed', 'key_store_unavailable']).toContain(await outcome(() => alice(vault).decrypt(email, world.values.alice)))
      lies = false
      expect(await outcome(() => alice(vault).decrypt(email, world.values.alice))).toBe('done')
    }
  })
})

describe('restored from a backup', () => {
  test('the key store alone, from before a shred and a suspension: put right at opening', async () => {
    const world = stolen()
    world.keyStore.restore(world.older.keys)
    await expectOutcome(world, {})
  })

  test('the key store alone, from before the tenant: put right at opening, and the tenant is not there', async () => {
    const made = emptyGround()
    await initVault(made.options)
    const before = made.keyStore.snapshot()
    const vault = await openVault(made.options)
    await vault.tenants.create('acme')
    await alice(vault).encrypt(email, 'x')
    await bob(vault).suspend()
    await alice(vault).shred()
    await vault.tenant('acme').suspend()
    made.keyStore.restore(before)
    const after = await openVault(made.options)
    expect(await outcome(() => alice(after).encrypt(email, 'x'))).toBe('not_found')
    expect(await outcome(() => after.reconcile())).toBe('done')
  })

  test('the key store under a running process: its next change of anything puts it right', async () => {
    const world = stolen()
    const vault = await openVault(world.options)
    world.keyStore.restore(world.older.keys)
    await bob(vault).suspend()
    expect(await outcome(() => carol(vault).decrypt(email, world.values.carol))).toBe('shredded')
    expect(await outcome(() => bob(vault).decrypt(email, world.values.bob))).toBe('suspended')
    expect(await outcome(() => alice(vault).decrypt(email, world.values.alice))).toBe('done')
  })

  test('the state store alone, from before a shred: refused, also by a process that is running', async () => {
    const world = stolen()
    const vault = await openVault(world.options)
    world.stateStore.restore(world.older.state)
    await expectOutcome(world, { open: 'ledger_invalid' })
    const before = world.keyStore.snapshot()
    for (const call of [() => bob(vault).shred(), () => bob(vault).suspend(), () => vault.reconcile()])
      expect(await outcome(call)).toBe('ledger_invalid')
    expect(world.keyStore.snapshot()).toEqual(before)
    expect(await outcome(() => alice(vault).decrypt(email, world.values.alice))).toBe('done')
  })

  test('both from before a shred: nothing says so, and she reads. This is documented', async () => {
    const world = stolen()
    world.keyStore.restore(world.older.keys)
    world.stateStore.restore(world.older.state)
    await expectOutcome(world, { carol: 'done', dave: 'done', carolWrites: 'done' })
  })

  test('both from before, lived on, and then the newer state store put back: refused', async () => {
    const world = stolen()
    const newer = world.stateStore.snapshot()
    world.keyStore.restore(world.older.keys)
    world.stateStore.restore(world.older.state)
    await bob(await openVault(world.options)).shred()
    await expectOutcome(world, { carol: 'done', dave: 'done', carolWrites: 'done', bob: 'shredded' })
    world.stateStore.restore(newer)
    await expectOutcome(world, { open: 'ledger_invalid' })
  })
})

describe('the ledger', () => {
  const entries = (world: World) =>
    world.stateStore
      .snapshot()
      .filter(({ namespace }) => namespace === LEDGER)
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))

  // Of a page that holds one entry: where that begins, and each of its 13 fields, and the hash.
  function starts(bytes: Uint8Array): readonly number[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const all: number[] = [0]
    for (let at = 4; all.length < 14; at += 4 + view.getUint32(at)) all.push(at)
    return [...all, bytes.length - 36]
  }

  const FIELDS = [
    'length',
    'vault id',
    'n',
    'previous',
    'op',
    'kind',
    'ref',
    'parent ref',
    'tenant ref',
    'region',
    'keys',
    'root version',
    'instant',
    'reason',
    'hash',
  ]

  test.each(FIELDS.map((name, field) => [name, field] as const))('the newest entry, %s changed: nothing opens', async (_, field) => {
    const world = stolen()
    const last = entries(world).at(-1)
    if (last === undefined) throw new Error('no entry')
    const at = starts(last.value)[field] as number
    for (const edited of [flipped(last.value, 8 * (at + 4)), flipped(last.value, 8 * (at + 3))]) {
      world.stateStore.edit(LEDGER, last.key, () => edited)
      await expectOutcome(world, { open: 'ledger_invalid' })
    }
    world.stateStore.edit(LEDGER, last.key, () => last.value)
    await expectOutcome(world, {})
  })

  test.each(FIELDS.map((name, field) => [name, field] as const))(
    'an older entry, %s changed: going over the ledger says so, and changes nothing',
    async (_, field) => {
      const world = stolen()
      const middle = entries(world).at(-2)
      if (middle === undefined) throw new Error('no entry')
      world.stateStore.edit(LEDGER, middle.key, (value) => flipped(value as Uint8Array, 8 * ((starts(middle.value)[field] as number) + 4)))
      const vault = await openVault(world.options)
      const before = world.keyStore.snapshot()
      expect(await outcome(() => vault.reconcile())).toBe('ledger_invalid')
      expect(world.keyStore.snapshot()).toEqual(before)
      world.stateStore.edit(LEDGER, middle.key, () => middle.value)
      expect(await outcome(() => vault.reconcile())).toBe('done')
    },
  )

  const ATTACKS: readonly [string, (world: World) => void, 'open' | 'reconcile'][] = [
    ['cut at the tail', (world: World) => world.stateStore.edit(LEDGER, entries(world).at(-1)?.key as string, () => undefined), 'open'],
    ['emptied', (world: World) => world.stateStore.restore([]), 'open'],
    [
      'cut in the middle',
      (world: World) => world.stateStore.edit(LEDGER, entries(world).at(-2)?.key as string, () => undefined),
      'reconcile',
    ],
    [
      'cut at its beginning',
      (world: World) => world.stateStore.edit(LEDGER, entries(world)[0]?.key as string, () => undefined),
      'reconcile',
    ],
    [
      'an entry emptied',
      (world: World) => world.stateStore.edit(LEDGER, entries(world).at(-1)?.key as string, () => new Uint8Array(0)),
      'open',
    ],
    [
      'an entry cut',
      (world: World) => world.stateStore.edit(LEDGER, entries(world).at(-1)?.key as string, (value) => value?.subarray(0, 40)),
      'open',
    ],
    [
      'an entry lengthened',
      (world: World) =>
        world.stateStore.edit(LEDGER, entries(world).at(-1)?.key as string, (value) =>
          Buffer.concat([value as Uint8Array, Buffer.alloc(4)]),
        ),
      'open',
    ],
    ['the last two in the other order', (world: World) => exchange(world, -1, -2), 'open'],
    ['two older ones in the other order', (world: World) => exchange(world, -2, -3), 'reconcile'],
    ['the newest repeated behind itself', (world: World) => append(world, entries(world).at(-1)?.value as Uint8Array), 'open'],
    ['nonsense behind the newest', (world: World) => append(world, new Uint8Array(300).fill(7)), 'open'],
    ['an entry behind the newest, forged with another key', (world: World) => append(world, forged(world)), 'open'],
    [
      'an entry behind the newest, under a key that is no number',
      (world: World) =>
        void world.stateStore.put(LEDGER, `${vaultId(world)}/zzzz`, entries(world).at(-1)?.value as Uint8Array, { expected: 'absent' }),
      'open',
    ],
  ]

  test.each(ATTACKS)('%s: refused', async (_, attack, noticedAt) => {
    const world = stolen()
    const running = await openVault(world.options)
    attack(world)
    const before = world.keyStore.snapshot()
    if (noticedAt === 'open') await expectOutcome(world, { open: 'ledger_invalid' })
    expect(await outcome(() => running.reconcile())).toBe('ledger_invalid')
    if (noticedAt === 'open') expect(await outcome(() => bob(running).shred())).toBe('ledger_invalid')
    expect(world.keyStore.snapshot()).toEqual(before)
    expect(await outcome(() => running.tenant('acme').subject('alice').decrypt(email, world.values.alice))).toBe('done')
    world.stateStore.restore(original.stateStore.snapshot())
    expect(await outcome(() => running.reconcile())).toBe('done')
  })

  const vaultId = (world: World): string => entries(world)[0]?.key.split('/')[0] as string

  function exchange(world: World, i: number, j: number): void {
    const [a, b] = [entries(world).at(i), entries(world).at(j)]
    if (a === undefined || b === undefined) throw new Error('too few entries')
    world.stateStore.edit(LEDGER, a.key, () => b.value)
    world.stateStore.edit(LEDGER, b.key, () => a.value)
  }

  function append(world: World, value: Uint8Array): void {
    const next = `${vaultId(world)}/${(entries(world).length + 1).toString(16).padStart(16, '0')}`
    world.stateStore.edit(LEDGER, next, () => value)
  }

  function forged(world: World): Uint8Array {
    const all = entries(world)
    const previous = (all.at(-1) as { value: Uint8Array }).value.subarray(-32)
    const { refs } = world
    const { bytes } = sealLedgerEntry(new Uint8Array(32), {
      vaultId: Buffer.from(vaultId(world), 'hex'),
      n: all.length + 1,
      previous,
      op: 1,
      kind: 2,
      ref: refs.bob,
      parentRef: refs.acme,
      tenantRef: refs.acme,
      region: 'eu',
      keys: [],
      rootVersion: { number: 1, id: new Uint8Array(16) },
      instant: 0,
      reason: 0,
    })
    return lp(bytes)
  }

  test('two genuine tails of one ledger, from stores that were copied: a mixture of them is refused', async () => {
    const [one, two] = [stolen(), stolen()]
    const before = original.keyStore.snapshot()
    const common = entries(original).length
    for (const [world, place] of [
      [one, bob],
      [two, alice],
    ] as const) {
      const vault = await openVault(world.options)
      await place(vault).shred()
      await rival(vault).suspend()
    }
    const middle = entries(one)[common]
    if (middle === undefined) throw new Error('no entry')
    const whole = two.stateStore.snapshot()
    // Its number, its key and its hash are right; it is not what the next one continues.
    two.stateStore.edit(LEDGER, middle.key, () => middle.value)
    const vault = await openVault(two.options)
    expect(await outcome(() => vault.reconcile())).toBe('ledger_invalid')
    two.keyStore.restore(before)
    expect(await outcome(() => openVault(two.options))).toBe('ledger_invalid')
    expect(two.keyStore.snapshot()).toEqual(before)
    two.stateStore.restore(whole)
    await expectOutcome(two, { alice: 'shredded', item: 'shredded', rival: 'suspended' })
  })

  test('entries of another vault in the same state store are not this one’s business, and not taken for its own', async () => {
    const world = stolen()
    const foreign = emptyGround()
    await initVault({ ...foreign.options, besideAnotherVault: true, stateStore: world.stateStore })
    const other = await openVault({ ...foreign.options, stateStore: world.stateStore })
    await other.tenants.create('acme')
    await alice(other).shred()
    await expectOutcome(world, {})
    const own = vaultIdOf(world)
    const theirs = entries(world).filter(({ key }) => !key.startsWith(own))
    const last = entries(world).findLast(({ key }) => key.startsWith(own))
    world.stateStore.edit(LEDGER, last?.key as string, () => theirs.at(-1)?.value)
    await expectOutcome(world, { open: 'ledger_invalid' })
    expect(await outcome(() => other.reconcile())).toBe('done')
  })

  const vaultIdOf = (world: World): string =>
    hex((world.keyStore.snapshot().find(({ type }) => type === 'vault') as { vaultId: Uint8Array }).vaultId)
})
