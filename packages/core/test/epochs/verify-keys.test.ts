// Every kind of damage is found and named, and nothing else is: not what was shredded, not what a rotation has left in good order.
import {
  initVault,
  type KeyFinding,
  type KeyProblem,
  type KeyProvider,
  type KeyReport,
  type KeyStoreQuery,
  type LiveVersion,
  type NodeRecord,
  openVault,
  type RetiringVersion,
  type Subject,
  type Vault,
  type VerifyKeysOptions,
  type WrappingKeyRecord,
} from '@strongroom/core'
import { downProvider, manualClock, memoryKeyProvider, withFailpoints } from '@strongroom/core/testing'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import {
  aroundKeyStore,
  email,
  emptyGround,
  flipped,
  type Ground,
  held,
  hex,
  nodeMadeBy,
  nodesOf,
  outcome,
  refusalOf,
  START,
  wrappingKeysOf,
} from '../vault/support.ts'

const BOUND = 100
const WITHOUT = { dangerouslyWithoutBackup: true } as const

interface World extends Ground {
  readonly vault: Vault
  readonly alice: Subject
}

/** A vault with two tenants. Its wall clock stands still; waits pass in real time. */
async function world(provider: KeyProvider = memoryKeyProvider(), more: Readonly<Record<string, KeyProvider>> = {}): Promise<World> {
  const clock = manualClock(START)
  const walls = { now: () => clock.now(), monotonic: () => performance.now() }
  const made = emptyGround({ keyProviders: { eu: provider, ...more }, clock: walls, cacheBound: BOUND })
  await initVault(made.options)
  const vault = await openVault(made.options)
  await vault.tenants.create('acme')
  await vault.tenants.create('rival')
  return { ...made, clock, vault, alice: vault.tenant('acme').subject('alice') }
}

async function toEnd(run: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of run);
}

async function until(phase: string, run: AsyncIterable<{ readonly phase: string }>): Promise<void> {
  for await (const progress of run) if (progress.phase === phase) return
  throw new Error(`${phase} never began`)
}

async function verified(
  vault: Vault,
  options?: VerifyKeysOptions,
): Promise<{ readonly findings: KeyFinding[]; readonly report: KeyReport }> {
  const findings: KeyFinding[] = []
  const run = vault.verifyKeys(options)
  for (;;) {
    const { done, value } = await run.next()
    if (done === true) return { findings, report: value }
    findings.push(value)
  }
}

const findingsOf = async (vault: Vault, options?: VerifyKeysOptions): Promise<KeyFinding[]> => (await verified(vault, options)).findings

/** A finding about a node, as it is expected. */
function about(problem: KeyProblem, record: NodeRecord, more: Partial<KeyFinding> = {}): KeyFinding {
  const kind = (['vault', 'tenant', 'subject', 'item', 'service', 'self'] as const)[record.kind]
  return { problem, kind, ref: hex(record.ref), tenantRef: hex(record.tenantRef), ...more } as KeyFinding
}

function live(record: NodeRecord, version = 1): LiveVersion {
  const found = record.versions.find((each) => each.version === version)
  if (found === undefined || found.state === 4) throw new Error('that version is not alive')
  return found
}

/** What is said of a version of a node: its number, and the wrapping key that it names. */
function ofVersion(record: NodeRecord, version = 1): Partial<KeyFinding> {
  return { version, wrappingKeyId: hex(live(record, version).wrappingKeyId) }
}

function editNode({ keyStore }: Ground, ref: Uint8Array, change: (record: NodeRecord) => NodeRecord | undefined): NodeRecord {
  let changed: NodeRecord | undefined
  keyStore.edit({ type: 'node', ref }, (record) => (changed = change(record as NodeRecord)))
  return changed as NodeRecord
}

/** Changes one version of a node behind core's back. */
function editVersion(ground: Ground, ref: Uint8Array, change: (version: LiveVersion) => LiveVersion, number = 1): NodeRecord {
  return editNode(ground, ref, (record) => ({
    ...record,
    versions: record.versions.map((version) => (version.version === number && version.state !== 4 ? change(version) : version)),
  }))
}

const withBadWrap = (version: LiveVersion): LiveVersion => ({ ...version, wrap: flipped(version.wrap, 300) })

function editWrappingKey({ keyStore }: Ground, id: Uint8Array, change: (record: WrappingKeyRecord) => WrappingKeyRecord | undefined): void {
  keyStore.edit({ type: 'wrapping-key', id }, (record) => change(record as WrappingKeyRecord))
}

const nodeOf = ({ keyStore }: Ground, ref: Uint8Array): NodeRecord => {
  const found = nodesOf(keyStore).find((node) => hex(node.ref) === hex(ref))
  if (found === undefined) throw new Error('no such node')
  return found
}

const ordered = (findings: readonly KeyFinding[]): readonly string[] =>
  findings.map((finding) => JSON.stringify(finding, keysOf(finding))).toSorted()
const keysOf = (finding: KeyFinding): string[] => Object.keys(finding).toSorted()

async function expectFindings(vault: Vault, expected: readonly KeyFinding[], options?: VerifyKeysOptions): Promise<void> {
  expect(ordered(await findingsOf(vault, options))).toEqual(ordered(expected))
}

/** Alice with an item, and the records of both. */
async function aliceAndItem(made: World): Promise<{ readonly alice: NodeRecord; readonly item: NodeRecord }> {
  const alice = await nodeMadeBy(made.keyStore, () => made.alice.encrypt(email, 'ada'))
  const item = await nodeMadeBy(made.keyStore, () => made.alice.item('crm').encrypt(email, 'ada'))
  return { alice, item }
}

describe('a whole vault', () => {
  test('gives no findings, whatever was done with it, and is not written to', async () => {
    const made = await world()
    const { vault, alice, keyStore, stateStore, clock } = made
    const acme = vault.tenant('acme')
    const check = async (): Promise<void> => {
      const before = [held(made), keyStore.calls.put, stateStore.calls.put, stateStore.calls.delete]
      expect(await findingsOf(vault)).toEqual([])
      expect([held(made), keyStore.calls.put, stateStore.calls.put, stateStore.calls.delete]).toEqual(before)
    }
    const steps: readonly (() => Promise<unknown>)[] = [
      async () => undefined,
      () => aliceAndItem(made),
      () => acme.self().item('connection').encrypt(email, 'x'),
      () => acme.subject('bob').encrypt(email, 'x'),
      () => acme.subject('bob').item('crm').encrypt(email, 'x'),
      () => acme.subject('bob').suspend(),
      () => alice.item('crm').shred(),
      () => alice.item('crm').recreate({ reason: 'operator' }),
      () => acme.subject('carol').shred(),
      () => toEnd(vault.rotateRootKey()),
      () => acme.subject('bob').resume(),
      () => toEnd(vault.closeEpoch(WITHOUT)),
      () => acme.subject('bob').shred(),
      () => acme.subject('bob').recreate({ reason: 'operator' }),
      () => acme.subject('bob').item('crm').encrypt(email, 'x'),
      () => toEnd(vault.rotateTenantKey(acme)),
      () => acme.suspend(),
      () => toEnd(vault.rotateRootKey()),
      () => acme.resume(),
      () => toEnd(vault.closeEpoch(WITHOUT)),
      async () => {
        await toEnd(vault.rotateSubjectKey(alice))
        clock.jump(BOUND + 1)
        const dataBackup = { startedAt: clock.now() }
        await toEnd(vault.retireVersion(alice, { holders: [{ countValues: async () => 0 }], dataBackup }))
      },
      () => vault.tenant('rival').shred(),
      () => toEnd(vault.rotateRootKey()),
      () => toEnd(vault.closeEpoch(WITHOUT)),
      () => acme.shred(),
    ]
    for (const step of steps) {
      await step()
      await check()
    }
  })

  test('says how much was looked at', async () => {
    const { vault, keyStore, alice } = await world(memoryKeyProvider(), { us: memoryKeyProvider() })
    await alice.encrypt(email, 'x')
    await vault.tenants.create('us-corp', { region: 'us' })
    await vault.tenant('rival').shred()
    const { report } = await verified(vault)
    expect(report).toEqual({
      tenants: 3,
      nodes: nodesOf(keyStore).length,
      wrappingKeys: wrappingKeysOf(keyStore).length,
      findings: 0,
      skippedRegions: [],
    })
  })
})

describe('what does not open', () => {
  test('a version whose wrap was altered, and what hangs beneath it', async () => {
    const made = await world()
    const { alice, item } = await aliceAndItem(made)
    await made.vault.tenant('acme').subject('bob').item('crm').encrypt(email, 'x')
    editVersion(made, item.ref, withBadWrap)
    await expectFindings(made.vault, [about('version_does_not_open', item, { ...ofVersion(item), code: 'decrypt_failed' })])
    editNode(made, item.ref, () => item)
    editVersion(made, alice.ref, withBadWrap)
    await expectFindings(made.vault, [
      about('version_does_not_open', alice, { ...ofVersion(alice), code: 'decrypt_failed' }),
      about('version_does_not_open', item, { ...ofVersion(item), code: 'decrypt_failed' }),
    ])
  })

  test.each([
    ['state', (version: LiveVersion): LiveVersion => ({ ...version, state: 3 })],
    ['creation', (version: LiveVersion): LiveVersion => ({ ...version, created: version.created + 1 })],
    ['commitment', (version: LiveVersion): LiveVersion => ({ ...version, commitment: flipped(version.commitment) })],
    ["parent's commitment", (version: LiveVersion): LiveVersion => ({ ...version, parentCommitment: flipped(version.parentCommitment) })],
  ])('a version whose %s was altered', async (_, change) => {
    const made = await world()
    const { item } = await aliceAndItem(made)
    editVersion(made, item.ref, change)
    await expectFindings(made.vault, [about('version_does_not_open', item, { ...ofVersion(item), code: 'decrypt_failed' })])
  })

  test('one of two versions: the other opens, and so does what hangs beneath that', async () => {
    const made = await world()
    const { alice } = await aliceAndItem(made)
    await toEnd(made.vault.rotateSubjectKey(made.alice))
    editVersion(made, alice.ref, withBadWrap)
    const old = about('version_does_not_open', alice, { ...ofVersion(nodeOf(made, alice.ref)), code: 'decrypt_failed' })
    await expectFindings(made.vault, [old])
  })

  test('a record that was put beneath another parent', async () => {
    const made = await world()
    const { item } = await aliceAndItem(made)
    const bob = await nodeMadeBy(made.keyStore, () => made.vault.tenant('acme').subject('bob').encrypt(email, 'x'))
    const eve = await nodeMadeBy(made.keyStore, () => made.vault.tenant('rival').subject('eve').encrypt(email, 'x'))
    for (const { ref } of [bob, eve]) {
      const moved = editNode(made, item.ref, () => ({ ...item, parentRef: ref }))
      await expectFindings(made.vault, [about('version_does_not_open', moved, { ...ofVersion(moved), code: 'decrypt_failed' })])
    }
  })

  test('a tenant: it alone is named, and the other tenant is looked at all the same', async () => {
    const made = await world()
    await aliceAndItem(made)
    const eve = await nodeMadeBy(made.keyStore, () => made.vault.tenant('rival').subject('eve').encrypt(email, 'x'))
    const acme = nodeOf(made, (await tenantOf(made, 'acme')).ref)
    editVersion(made, acme.ref, withBadWrap)
    editVersion(made, eve.ref, withBadWrap)
    await expectFindings(made.vault, [
      about('tenant_does_not_open', acme, { code: 'decrypt_failed' }),
      about('version_does_not_open', eve, { ...ofVersion(eve), code: 'decrypt_failed' }),
    ])
    expect((await verified(made.vault)).report).toMatchObject({ tenants: 3, findings: 2 })
  })

  test('a tenant whose ref key is gone', async () => {
    const made = await world()
    const acme = await tenantOf(made, 'acme')
    const ref = nodesOf(made.keyStore).find(({ kind, tenantRef }) => kind === 4 && hex(tenantRef) === hex(acme.ref)) as NodeRecord
    await aliceAndItem(made)
    editNode(made, ref.ref, () => undefined)
    await expectFindings(made.vault, [about('tenant_does_not_open', acme, { code: 'decrypt_failed' })])
  })

  test('a tenant whose making was killed is unfinished, not damaged; making it again ends that', async () => {
    const made = await world()
    const killed = await openVault({
      ...made.options,
      keyStore: aroundKeyStore(made.keyStore, async ({ method, args }, proceed) => {
        // Its `ref` key is what is written last.
        if (method === 'put' && (args[0] as NodeRecord).kind === 4) throw new Error('killed')
        return proceed()
      }),
    })
    const tenant = await nodeMadeBy(made.keyStore, () => outcome(() => killed.tenants.create('half')))
    await expectFindings(made.vault, [about('tenant_unfinished', tenant)])
    await made.vault.tenants.create('half')
    await expectFindings(made.vault, [])
    // With its own key damaged as well, there is nothing to go on from.
    const again = await nodeMadeBy(made.keyStore, () => outcome(() => killed.tenants.create('other')))
    editVersion(made, again.ref, withBadWrap)
    await expectFindings(made.vault, [about('tenant_does_not_open', again, { code: 'decrypt_failed' })])
  })

  test('a region whose provider holds another root key', async () => {
    const made = await world(memoryKeyProvider(), { us: memoryKeyProvider() })
    const tenant = await tenantMadeBy(made, () => made.vault.tenants.create('us-corp', { region: 'us' }))
    const other = await openVault({ ...made.options, keyProviders: { ...made.options.keyProviders, us: memoryKeyProvider() } })
    await expectFindings(other, [about('tenant_does_not_open', tenant, { code: 'wrong_root_key' })])
  })

  test('a key that was put back from before a close: by its wrapping key, which is named once', async () => {
    const made = await world()
    const { alice, item } = await aliceAndItem(made)
    await made.vault.tenant('acme').subject('bob').shred()
    await toEnd(made.vault.rotateRootKey())
    await toEnd(made.vault.closeEpoch(WITHOUT))
    for (const record of [alice, item]) editNode(made, record.ref, ({ revision }) => ({ ...record, revision }))
    const wrappingKeyId = hex(live(alice).wrappingKeyId)
    await expectFindings(made.vault, [
      {
        problem: 'wrapping_key_does_not_open',
        kind: 'wrapping-key',
        ref: wrappingKeyId,
        tenantRef: hex(alice.tenantRef),
        code: 'root_version_destroyed',
      },
      about('version_does_not_open', alice, { ...ofVersion(alice), code: 'root_version_destroyed' }),
      about('version_does_not_open', item, { ...ofVersion(item), code: 'root_version_destroyed' }),
    ])
  })

  test('the newest wrapping key, before anything is wrapped by it', async () => {
    const made = await world()
    await made.alice.encrypt(email, 'x')
    await until('waiting', made.vault.rotateTenantKey(made.vault.tenant('acme')))
    const { id, tenantRef } = wrappingKeysOf(made.keyStore).toSorted((a, b) => b.created - a.created)[0] as WrappingKeyRecord
    editWrappingKey(made, id, (record) => ({ ...record, wraps: record.wraps.map((wrap) => ({ ...wrap, wrap: flipped(wrap.wrap, 200) })) }))
    const damage = (await findingsOf(made.vault)).filter(({ problem }) => problem !== 'wrapping_key_outdated')
    expect(damage).toEqual([
      { problem: 'wrapping_key_does_not_open', kind: 'wrapping-key', ref: hex(id), tenantRef: hex(tenantRef), code: 'decrypt_failed' },
    ])
  })

  test('many keys beneath one dead wrapping key cost few calls of the provider', async () => {
    const made = await world()
    const { alice } = await aliceAndItem(made)
    await made.vault.tenant('acme').subject('bob').shred()
    await toEnd(made.vault.rotateRootKey())
    await toEnd(made.vault.closeEpoch(WITHOUT))
    for (let i = 0; i < 2500; i++) {
      const ref = Uint8Array.from(randomBytes(16))
      made.keyStore.edit({ type: 'node', ref }, () => ({ ...alice, ref }))
    }
    const provider = made.options.keyProviders['eu'] as ReturnType<typeof memoryKeyProvider>
    const before = provider.calls.unwrap
    const { report } = await verified(made.vault)
    expect(report.findings).toBe(2501)
    expect(provider.calls.unwrap - before).toBeLessThan(40)
  })
})

describe('what leads nowhere', () => {
  test('a key whose parent is gone', async () => {
    const made = await world()
    const { alice, item } = await aliceAndItem(made)
    editNode(made, alice.ref, () => undefined)
    await expectFindings(made.vault, [about('parent_missing', item)])
  })

  test('keys and wrapping keys whose tenant is gone', async () => {
    const made = await world()
    const { alice, item } = await aliceAndItem(made)
    const acme = await tenantOf(made, 'acme')
    const refKey = nodesOf(made.keyStore).find(({ kind, tenantRef }) => kind === 4 && hex(tenantRef) === hex(acme.ref)) as NodeRecord
    editNode(made, acme.ref, () => undefined)
    await expectFindings(made.vault, [
      ...[refKey, alice, item].map((record) => about('parent_missing', record)),
      {
        problem: 'wrapping_key_without_tenant',
        kind: 'wrapping-key',
        ref: hex(live(acme).wrappingKeyId),
        tenantRef: hex(acme.ref),
      },
    ])
  })

  test('a key that names a wrapping key that there is not, or that of another tenant', async () => {
    const made = await world()
    const { item } = await aliceAndItem(made)
    for (const wrappingKeyId of [flipped(live(item).wrappingKeyId), live(await tenantOf(made, 'rival')).wrappingKeyId]) {
      const altered = editVersion(made, item.ref, (version) => ({ ...version, wrappingKeyId }))
      await expectFindings(made.vault, [about('wrapping_key_missing', item, ofVersion(altered))])
    }
  })

  test("a tenant's wrapping key that is gone", async () => {
    const made = await world()
    await aliceAndItem(made)
    const acme = await tenantOf(made, 'acme')
    editWrappingKey(made, live(acme).wrappingKeyId, () => undefined)
    await expectFindings(made.vault, [
      about('tenant_does_not_open', acme, { code: 'decrypt_failed' }),
      about('wrapping_key_missing', acme, ofVersion(acme)),
    ])
  })

  test('what is left of a tenant whose making was killed', async () => {
    const made = await world()
    const dying = await openVault(
      withFailpoints(made.options, (name) => {
        if (name === 'wrapping-key.stored') throw new Error('killed')
      }),
    )
    await expect(dying.tenants.create('new')).rejects.toThrow('killed')
    expect((await findingsOf(made.vault)).map(({ problem }) => problem)).toEqual(['wrapping_key_without_tenant'])
    await made.vault.tenants.create('new')
    expect(await findingsOf(made.vault)).toEqual([])
  })

  test('not the mark of a shred in a key store from before its tenant', async () => {
    const made = await world()
    const before = made.keyStore.snapshot()
    await made.vault.tenants.create('new')
    await made.vault.tenant('new').subject('alice').encrypt(email, 'x')
    await made.vault.tenant('new').subject('alice').shred()
    made.keyStore.restore(before)
    const vault = await openVault(made.options)
    expect(nodesOf(made.keyStore).length).toBe(before.filter(({ type }) => type === 'node').length + 1)
    expect(await findingsOf(vault)).toEqual([])
  })
})

describe('what a rotation has left behind', () => {
  test('keys that are still wrapped by a wrapping key that was followed', async () => {
    const made = await world()
    const { alice, item } = await aliceAndItem(made)
    await until('waiting', made.vault.rotateTenantKey(made.vault.tenant('acme')))
    const acme = nodesOf(made.keyStore).filter(({ tenantRef }) => hex(tenantRef) === hex(alice.tenantRef))
    expect(acme.length).toBe(4)
    await expectFindings(
      made.vault,
      acme.map((record) => about('wrapping_key_outdated', record, ofVersion(record))),
    )
    await toEnd(made.vault.rotateTenantKey(made.vault.tenant('acme')))
    expect(await findingsOf(made.vault)).toEqual([])
    // Put back by hand: by then its wrapping key is retired.
    editNode(made, item.ref, ({ revision }) => ({ ...item, revision }))
    await expectFindings(made.vault, [about('wrapping_key_outdated', item, ofVersion(item))])
  })

  test('not those that died with what was above them', async () => {
    const made = await world()
    await aliceAndItem(made)
    await made.alice.shred()
    await toEnd(made.vault.rotateRootKey())
    expect(await findingsOf(made.vault)).toEqual([])
    await toEnd(made.vault.closeEpoch(WITHOUT))
    expect(await findingsOf(made.vault)).toEqual([])
    await made.alice.recreate({ reason: 'operator' })
    expect(await findingsOf(made.vault)).toEqual([])
  })

  test('a version that only decrypts, once nothing hangs beneath it', async () => {
    const made = await world()
    const { alice } = await aliceAndItem(made)
    await until('rewrapping', made.vault.rotateSubjectKey(made.alice))
    expect(await findingsOf(made.vault)).toEqual([])
    await toEnd(made.vault.rotateSubjectKey(made.alice))
    const old = about('version_unreferenced', alice, ofVersion(nodeOf(made, alice.ref)))
    await expectFindings(made.vault, [old])

    const asked: RetiringVersion[] = []
    const counting = (values: number): VerifyKeysOptions => ({
      holders: [
        {
          countValues: async (retiring) => {
            asked.push(retiring)
            return values
          },
        },
      ],
    })
    await expectFindings(made.vault, [old], counting(0))
    await expectFindings(made.vault, [], counting(1))
    expect(asked.map(({ version }) => version)).toEqual([1, 1])
  })

  test('values are looked for by the tags that they carry', async () => {
    const made = await world()
    const stored = [await made.alice.encrypt(email, 'ada')]
    await toEnd(made.vault.rotateSubjectKey(made.alice))
    const holders = [
      {
        countValues: async ({ valueTag }: RetiringVersion) =>
          stored.filter((value) => hex(value.subarray(1, 17)) === hex(valueTag('users'))).length,
      },
    ]
    expect(await findingsOf(made.vault, { holders })).toEqual([])
    stored[0] = await made.alice.encrypt(email, 'ada')
    expect((await findingsOf(made.vault, { holders })).map(({ problem }) => problem)).toEqual(['version_unreferenced'])
  })

  test.each(['tenant', 'subject', 'item'] as const)(
    'a holder that looks for a %s by name is refused: it would find nothing',
    async (name) => {
      const made = await world()
      await aliceAndItem(made)
      await toEnd(made.vault.rotateSubjectKey(made.alice))
      const holders = [{ countValues: async (retiring: RetiringVersion) => (retiring[name] === 'acme' ? 1 : 0) }]
      expect(await outcome(() => findingsOf(made.vault, { holders }))).toBe('unsupported_operation')
    },
  )

  test.each([-1, 0.5, Number.NaN, '0', undefined])('a holder that counts %s values is refused', async (count) => {
    const made = await world()
    await aliceAndItem(made)
    await toEnd(made.vault.rotateSubjectKey(made.alice))
    const error = await refusalOf(() => findingsOf(made.vault, { holders: [{ countValues: async () => count as number }] }))
    expect([error.code, error.argument]).toEqual(['invalid_argument', 'holders'])
  })
})

describe('what is no damage', () => {
  test('a provider that is down: thrown, after what was found before it', async () => {
    const us = downProvider(memoryKeyProvider())
    us.isDown = false
    const made = await world(memoryKeyProvider(), { us })
    await made.vault.tenants.create('us-corp', { region: 'us' })
    const { item } = await aliceAndItem(made)
    editVersion(made, item.ref, withBadWrap)
    us.isDown = true
    const run = made.vault.verifyKeys()
    expect((await run.next()).value).toMatchObject({ problem: 'version_does_not_open', ref: hex(item.ref) })
    expect(await outcome(() => run.next())).toBe('key_provider_unavailable')
    expect(await run.next()).toEqual({ done: true, value: undefined })
  })

  test('a provider that goes down while a tenant is read', async () => {
    const eu = downProvider(memoryKeyProvider())
    eu.isDown = false
    const made = await world(eu)
    const { alice } = await aliceAndItem(made)
    await until('waiting', made.vault.rotateTenantKey(made.vault.tenant('acme')))
    const vault = await openVault({
      ...made.options,
      keyStore: aroundKeyStore(made.keyStore, async ({ args }, proceed) => {
        const { type, tenantRef } = args[0] as Partial<KeyStoreQuery>
        // The tenant is open by then. What is read now names a wrapping key that is not.
        if (type === 'node' && tenantRef !== undefined && hex(tenantRef) === hex(alice.tenantRef)) {
          await toEnd(made.vault.rotateTenantKey(made.vault.tenant('acme')))
          eu.isDown = true
        }
        return proceed()
      }),
    })
    expect(await outcome(() => findingsOf(vault))).toBe('key_provider_unavailable')
  })

  test('a region without a provider in this process: skipped, and said so', async () => {
    const made = await world(memoryKeyProvider(), { us: memoryKeyProvider() })
    const tenant = await tenantMadeBy(made, () => made.vault.tenants.create('us-corp', { region: 'us' }))
    editVersion(made, tenant.ref, withBadWrap)
    const vault = await openVault({ ...made.options, keyProviders: { eu: made.options.keyProviders['eu'] as KeyProvider } })
    expect(await verified(vault)).toMatchObject({ findings: [], report: { tenants: 3, skippedRegions: ['us'] } })
    expect((await findingsOf(made.vault)).map(({ problem }) => problem)).toEqual(['tenant_does_not_open'])
  })

  test('a root version that is destroyed while a tenant is held open: its keys are read anew', async () => {
    const made = await world()
    const { alice } = await aliceAndItem(made)
    const acme = made.vault.tenant('acme')
    await until('waiting', made.vault.rotateTenantKey(acme))
    let turned = 0
    const slow = await openVault({
      ...made.options,
      keyStore: aroundKeyStore(made.keyStore, async ({ method, args }, proceed) => {
        const query = args[0] as Partial<KeyStoreQuery>
        const ofAcme = method === 'scan' && query.type === 'node' && hex(query.tenantRef ?? new Uint8Array()) === hex(alice.tenantRef)
        // The newest wrapping key was listed with one wrap, and not opened: by now only a second would open it.
        if (ofAcme && turned++ === 0) {
          await toEnd(made.vault.rotateTenantKey(acme))
          await toEnd(made.vault.rotateRootKey())
          await toEnd(made.vault.closeEpoch(WITHOUT))
        }
        return proceed()
      }),
    })
    expect(await findingsOf(slow)).toEqual([])
    expect(turned).toBeGreaterThan(0)
  })

  test('a root version that is destroyed while a tenant is being opened', async () => {
    const made = await world()
    const { alice } = await aliceAndItem(made)
    let turned = 0
    const slow = await openVault({
      ...made.options,
      keyStore: aroundKeyStore(made.keyStore, async ({ method, args }, proceed) => {
        const answer = await proceed()
        const { type, tenantRef } = args[0] as Partial<KeyStoreQuery>
        // Listed with one wrap, which opens no more when the answer arrives.
        if (
          method === 'scan' &&
          type === 'wrapping-key' &&
          tenantRef !== undefined &&
          hex(tenantRef) === hex(alice.tenantRef) &&
          turned++ === 0
        ) {
          await toEnd(made.vault.rotateRootKey())
          await toEnd(made.vault.closeEpoch(WITHOUT))
        }
        return answer
      }),
    })
    expect(await findingsOf(slow)).toEqual([])
    expect(turned).toBeGreaterThan(1)
  })

  test('rotations, shreds and closes that are under way', async () => {
    const made = await world()
    const acme = made.vault.tenant('acme')
    for (let i = 0; i < 30; i++) await acme.subject(`subject-${i}`).item('crm').encrypt(email, 'x')
    const state = { working: true }
    const work = (async () => {
      for (let i = 0; i < 3; i++) {
        await acme.subject(`subject-${i}`).shred()
        await toEnd(made.vault.rotateSubjectKey(acme.subject('subject-10')))
        await toEnd(made.vault.rotateTenantKey(acme))
        await toEnd(made.vault.rotateRootKey())
        await toEnd(made.vault.closeEpoch(WITHOUT))
      }
    })().finally(() => (state.working = false))
    const other = await openVault(made.options)
    const problems = new Set<string>()
    let runs = 0
    for (; state.working; runs++) {
      for (const { problem } of await findingsOf(other)) problems.add(problem)
      // Memory stores answer without a turn of the event loop, in which alone the waits of the others end.
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await work
    expect([...problems].filter((problem) => !['wrapping_key_outdated', 'version_unreferenced'].includes(problem))).toEqual([])
    expect(runs).toBeGreaterThan(3)
  })
})

describe('how it reads', () => {
  test('by pages, in which each provider is asked for wrapping keys only', async () => {
    const made = await world()
    const acme = made.vault.tenant('acme')
    for (let i = 0; i < 1500; i++) await acme.subject(`subject-${i}`).encrypt(email, 'x')
    for (let i = 0; i < 1500; i++)
      await acme
        .subject(`subject-${i % 20}`)
        .item(`item-${i}`)
        .encrypt(email, 'x')
    const pages: number[] = []
    const vault = await openVault({
      ...made.options,
      keyStore: aroundKeyStore(made.keyStore, async ({ method }, proceed) => {
        const answer = await proceed()
        if (method !== 'put') pages.push((answer as readonly unknown[]).length)
        return answer
      }),
    })
    pages.length = 0
    const provider = made.options.keyProviders['eu'] as ReturnType<typeof memoryKeyProvider>
    const before = provider.calls.unwrap
    expect(await verified(vault)).toMatchObject({ findings: [], report: { tenants: 3, nodes: 4 + 4 + 3000 } })
    expect(Math.max(...pages)).toBeLessThanOrEqual(1001)
    expect(pages.length).toBeLessThan(60)
    expect(provider.calls.unwrap - before).toBe(3)
    // A timer goes off meanwhile, though memory stores answer at once.
    await expect(findingsOf(vault, { signal: AbortSignal.timeout(1) })).rejects.toThrow('timeout')
  })

  test('findings hold neither names nor keys, and are JSON', async () => {
    const made = await world()
    const { item } = await aliceAndItem(made)
    editVersion(made, item.ref, withBadWrap)
    const text = JSON.stringify(await findingsOf(made.vault))
    expect(text).toBe(
      `[{"problem":"version_does_not_open","kind":"item","ref":"${hex(item.ref)}","tenantRef":"${hex(item.tenantRef)}","version":1,"wrappingKeyId":"${hex(live(item).wrappingKeyId)}","code":"decrypt_failed"}]`,
    )
  })

  test('it ends where it is told to', async () => {
    const made = await world()
    const abort = new AbortController()
    const { item } = await aliceAndItem(made)
    editVersion(made, item.ref, withBadWrap)
    const run = made.vault.verifyKeys({ signal: abort.signal })
    await run.next()
    abort.abort(new Error('enough'))
    await expect(run.next()).rejects.toThrow('enough')
    await made.vault.close()
    expect(await outcome(() => findingsOf(made.vault))).toBe('vault_closed')
  })

  test('a record that has lost its form is refused', async () => {
    const made = await world()
    const { item } = await aliceAndItem(made)
    editNode(made, item.ref, (record) => ({ ...record, versions: [] }))
    expect(await outcome(() => findingsOf(made.vault))).toBe('decrypt_failed')
  })

  test('it passes the gate, and checks what it is given', async () => {
    const { options, vault } = await world()
    const seen: unknown[] = []
    const watched = await openVault({ ...options, onAccess: ({ operation, region }) => void seen.push([operation, region]) })
    const run = watched.verifyKeys()
    expect(seen).toEqual([])
    await run.next()
    expect(seen).toEqual([['verifyKeys', undefined]])
    for (const wrong of [{ holders: {} }, { holders: [{}] }, { holders: [null] }, { signal: 5 }, { region: 'eu' }, null]) {
      expect((await refusalOf(() => vault.verifyKeys(wrong as never))).code).toBe('invalid_argument')
    }
  })
})

test('on lmdb: a whole vault, and one whose record was altered', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'strongroom-verify-'))
  try {
    const file = join(directory, 'root.key')
    const rawKey = new Uint8Array(32).fill(7)
    await createLocalKeyFile({ file, rawKey, region: 'eu' })
    const provider = await localKeyProvider({ file, rawKey, copiesLife: 1000 })
    const stores = localStores({ directory: join(directory, 'vault') })
    const options = { keyProviders: { eu: provider }, defaultRegion: 'eu', ...stores, cacheBound: BOUND }
    await initVault(options)
    const vault = await openVault(options)
    await vault.tenants.create('acme')
    const alice = vault.tenant('acme').subject('alice')
    await alice.item('crm').encrypt(email, 'x')
    await vault.tenant('acme').subject('bob').encrypt(email, 'x')
    await vault.tenant('acme').subject('bob').shred()
    await toEnd(vault.rotateRootKey())
    await toEnd(vault.closeEpoch(WITHOUT))
    expect(await findingsOf(vault)).toEqual([])
    const nodes = await stores.keyStore.scan({ type: 'node', limit: 100 })
    const item = nodes.find((record): record is NodeRecord => record.type === 'node' && record.kind === 3) as NodeRecord
    await stores.keyStore.put({
      ...item,
      revision: item.revision + 1,
      versions: item.versions.map((version) => withBadWrap(version as LiveVersion)),
    })
    await expectFindings(vault, [about('version_does_not_open', item, { ...ofVersion(item), code: 'decrypt_failed' })])
    await vault.close()
    provider.close()
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})

/** The record of a tenant that something makes. */
async function tenantMadeBy(made: Ground, make: () => Promise<unknown>): Promise<NodeRecord> {
  const before = new Set(nodesOf(made.keyStore).map(({ ref }) => hex(ref)))
  await make()
  return nodesOf(made.keyStore).find(({ ref, kind }) => kind === 1 && !before.has(hex(ref))) as NodeRecord
}

/** The record of a tenant by its name: that above a subject that is made for it. */
async function tenantOf(made: World, name: string): Promise<NodeRecord> {
  const probe = await nodeMadeBy(made.keyStore, () =>
    made.vault
      .tenant(name)
      .subject(`probe of ${randomBytes(4).toString('hex')}`)
      .encrypt(email, 'x'),
  )
  made.keyStore.edit({ type: 'node', ref: probe.ref }, () => undefined)
  return nodeOf(made, probe.tenantRef)
}
