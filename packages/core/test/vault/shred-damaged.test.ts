// What does not open any more can be ended: a damaged tenant by its name and region, a damaged key by the reference that verifyKeys reports.
import { type KeyFinding, type NodeRecord, openVault, systemClock, type Vault, verifyReceipt } from '@strongroom/core'
import { downProvider, memoryKeyProvider } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'

import { KeyState, NodeKind } from '#core/format/records.js'

import {
  alice,
  bob,
  email,
  flipped,
  type Ground,
  ground,
  held,
  hex,
  nodeMadeBy,
  nodesOf,
  outcome,
  refusalOf,
  wrappingKeysOf,
} from './support.ts'

const CLOSE = { dangerouslyWithoutBackup: true } as const

async function toEnd(run: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of run);
}

async function findings(vault: Vault): Promise<readonly KeyFinding[]> {
  const all: KeyFinding[] = []
  for await (const finding of vault.verifyKeys()) all.push(finding)
  return all
}

type World = Ground & { readonly vault: Vault; readonly us: ReturnType<typeof downProvider> }

/** Tenants `acme` and `rival` in eu, `far` in us. The clock runs, so that what waits for the cache bound can. */
async function world(): Promise<World> {
  const us = downProvider(memoryKeyProvider())
  us.isDown = false
  const made = await ground({ clock: systemClock, cacheBound: 100, keyProviders: { eu: memoryKeyProvider(), us } })
  const vault = await openVault(made.options)
  for (const [name, region] of [
    ['acme', 'eu'],
    ['rival', 'eu'],
    ['far', 'us'],
  ] as const)
    await vault.tenants.create(name, { region })
  return { ...made, us, vault }
}

const refOf = async (vault: Vault, tenant: string): Promise<string> => (await vault.tenants.get(tenant))?.ref as string
const bytes = (ref: string): Uint8Array => Uint8Array.from(Buffer.from(ref, 'hex'))

type Change = (record: NodeRecord) => NodeRecord

function change({ keyStore }: Ground, ref: Uint8Array, how: Change): void {
  keyStore.edit({ type: 'node', ref }, (record) => (record?.type === 'node' ? how(record) : record))
}

const damaged: Change = (record) => ({
  ...record,
  versions: record.versions.map((v) => (v.state === KeyState.shredded ? v : { ...v, wrap: flipped(v.wrap, 321) })),
})

/** Another process: nothing of the damage is hidden by what is cached. */
async function reopened(made: World): Promise<Vault> {
  await made.vault.close()
  return openVault(made.options)
}

describe('a damaged tenant', () => {
  const DAMAGE: readonly [string, (made: World, ref: Uint8Array) => void][] = [
    ['its own record', (made, ref) => change(made, ref, damaged)],
    [
      'the record of its ref key',
      (made, ref) => {
        for (const node of nodesOf(made.keyStore))
          if (node.kind === NodeKind.service && hex(node.parentRef) === hex(ref)) change(made, node.ref, damaged)
      },
    ],
    [
      'the record of its wrapping key, which is gone',
      (made, ref) => {
        for (const { id, tenantRef } of wrappingKeysOf(made.keyStore))
          if (hex(tenantRef) === hex(ref)) made.keyStore.edit({ type: 'wrapping-key', id }, () => undefined)
      },
    ],
  ]

  test.each(DAMAGE)('%s: it blocks the epoch, and does not once it is shredded', async (_, damage) => {
    const made = await world()
    await alice(made.vault).encrypt(email, 'ada')
    await bob(made.vault).encrypt(email, 'bob')
    await bob(made.vault).shred()
    const rival = made.vault.tenant('rival').subject('alice')
    const stored = await rival.encrypt(email, 'x')
    const ref = await refOf(made.vault, 'acme')
    damage(made, bytes(ref))
    const vault = await reopened(made)
    expect(await outcome(() => toEnd(vault.rotateRootKey()))).not.toBe('done')
    expect(await findings(vault)).toContainEqual(expect.objectContaining({ problem: 'tenant_does_not_open', ref, code: 'decrypt_failed' }))

    const before = held(made)
    const refusal = await refusalOf(() => vault.tenant('acme').shred({ reason: 'operator' }))
    expect(refusal.code).toBe('decrypt_failed')
    expect(refusal.message).toContain('region')
    expect(held(made)).toEqual(before)

    const done = await vault.tenant('acme').shred({ reason: 'operator', region: 'eu' })
    const receipt = verifyReceipt(done.receipt, await vault.receiptKeys())
    expect(receipt).toMatchObject({ kind: 'tenant', region: 'eu', reason: 'operator', versions: 1 })
    expect(hex(receipt.ref)).toBe(ref)
    // Repeated, with and without.
    expect(await vault.tenant('acme').shred()).toEqual(done)
    expect(await vault.tenant('acme').shred({ region: 'eu' })).toEqual(done)
    expect(await vault.tenants.get('acme')).toMatchObject({ state: 'shredded', region: 'eu' })

    await toEnd(vault.rotateRootKey())
    await toEnd(vault.closeEpoch(CLOSE))
    expect((await vault.status({ region: 'eu' })).regions[0]?.shreds.final).toBeGreaterThan(0)
    expect(await vault.tenant('rival').subject('alice').decrypt(email, stored)).toBe('x')
  })

  test('its record says another region than it was made in: what is named has to be what its wrapping keys prove', async () => {
    const made = await world()
    await alice(made.vault).encrypt(email, 'ada')
    const ref = await refOf(made.vault, 'acme')
    change(made, bytes(ref), (record) => ({ ...record, region: 'us' }))
    const vault = await reopened(made)
    expect(await outcome(() => vault.tenant('acme').shred())).toBe('decrypt_failed')
    const refusal = await refusalOf(() => vault.tenant('acme').shred({ region: 'us' }))
    expect([refusal.code, refusal.argument]).toEqual(['invalid_argument', 'region'])
    const { receipt } = await vault.tenant('acme').shred({ region: 'eu' })
    expect(verifyReceipt(receipt, await vault.receiptKeys()).region).toBe('eu')
    // Its record says so from then on: the epoch of eu is the one that it hangs on.
    expect((await vault.tenants.get('acme'))?.region).toBe('eu')
  })

  test('a region is only ever the one that it was made in', async () => {
    const made = await world()
    const vault = await reopened(made)
    for (const region of ['us', 'elsewhere', '', 5, null]) {
      const refusal = await refusalOf(() => vault.tenant('acme').shred({ region: region as never }))
      expect([refusal.code, refusal.argument]).toEqual(['invalid_argument', 'region'])
    }
    // One that opens needs none, but may be given it. What is beneath a tenant has none of its own.
    await alice(vault).encrypt(email, 'ada')
    expect((await refusalOf(() => alice(vault).shred({ region: 'eu' } as never))).argument).toBe('options')
    expect(await outcome(() => vault.tenant('acme').shred({ region: 'eu' }))).toBe('done')
  })

  test('a region without a provider here, and one that is down', async () => {
    const made = await world()
    const ref = await refOf(made.vault, 'far')
    change(made, bytes(ref), damaged)
    const vault = await reopened(made)
    made.us.isDown = true
    expect(await outcome(() => vault.tenant('far').shred({ region: 'us' }))).toBe('key_provider_unavailable')
    const { us: _, ...keyProviders } = made.options.keyProviders
    const without = await openVault({ ...made.options, keyProviders })
    expect(await outcome(() => without.tenant('far').shred({ region: 'us' }))).toBe('region_refused')
    made.us.isDown = false
    expect(await outcome(() => vault.tenant('far').shred({ region: 'us' }))).toBe('done')
  })
})

describe('a damaged key that nobody can name', () => {
  /** acme with alice, her item, and bob, of which some are damaged. */
  async function withDamage(which: readonly ('alice' | 'item' | 'bob')[], how: Change = damaged) {
    const made = await world()
    const nodes = {
      alice: await nodeMadeBy(made.keyStore, () => alice(made.vault).encrypt(email, 'ada')),
      item: await nodeMadeBy(made.keyStore, () => alice(made.vault).item('crm').encrypt(email, 'x')),
      bob: await nodeMadeBy(made.keyStore, () => bob(made.vault).encrypt(email, 'bob')),
    }
    const stored = await alice(made.vault).encrypt(email, 'ada')
    // So that all nodes have to be moved.
    await made.vault.tenant('acme').subject('carol').shred()
    for (const name of which) change(made, nodes[name].ref, how)
    return { ...made, nodes, stored, vault: await reopened(made) }
  }

  test('blocks the epoch, and does not once it is shredded by its reference', async () => {
    const { vault, stored, nodes, keyStore } = await withDamage(['bob', 'item'])
    expect(await outcome(() => toEnd(vault.rotateRootKey()))).toBe('epoch_blocked')
    const found = (await findings(vault)).filter(({ problem }) => problem === 'version_does_not_open')
    expect(found.map(({ ref }) => ref).toSorted()).toEqual([hex(nodes.bob.ref), hex(nodes.item.ref)].toSorted())
    for (const { ref, kind } of found) {
      const done = await vault.tenant('acme').shredDamaged(ref, { reason: 'operator' })
      expect(done.versions).toBe(1)
      const receipt = verifyReceipt(done.receipt, await vault.receiptKeys())
      expect(receipt).toMatchObject({ kind, region: 'eu', reason: 'operator', ledger: done.ledger })
      expect(hex(receipt.ref)).toBe(ref)
      // Repeated, it answers the same.
      expect(await vault.tenant('acme').shredDamaged(ref)).toEqual(done)
    }
    expect(await findings(vault)).not.toContainEqual(expect.objectContaining({ problem: 'version_does_not_open' }))
    await toEnd(vault.rotateRootKey())
    await toEnd(vault.closeEpoch(CLOSE))
    expect(await alice(vault).decrypt(email, stored)).toBe('ada')
    expect(await outcome(() => bob(vault).encrypt(email, 'bob'))).toBe('shredded')
    expect(wrappingKeysOf(keyStore).length).toBeGreaterThan(0)
  })

  test('is the ledger’s word: the record put back from a backup is shredded again', async () => {
    const { vault, nodes, keyStore, options } = await withDamage(['bob'])
    await vault.tenant('acme').shredDamaged(hex(nodes.bob.ref))
    const revision = nodesOf(keyStore).find(({ ref }) => hex(ref) === hex(nodes.bob.ref))?.revision as number
    keyStore.edit({ type: 'node', ref: nodes.bob.ref }, () => ({ ...nodes.bob, revision: revision + 1 }))
    await vault.reconcile()
    expect(await outcome(async () => bob(await openVault(options)).encrypt(email, 'x'))).toBe('shredded')
  })

  test('one that opens is refused, whatever it is, and so is what is not there', async () => {
    const { vault, nodes, keyStore, stateStore } = await withDamage([])
    const acme = vault.tenant('acme')
    const rival = await nodeMadeBy(keyStore, () => vault.tenant('rival').subject('eve').encrypt(email, 'x'))
    const carol = nodesOf(keyStore).find(({ versions }) => versions.every(({ state }) => state === KeyState.shredded))
    const services = nodesOf(keyStore).filter(({ kind }) => kind === NodeKind.service)
    const before = held({ keyStore, stateStore })
    const refused = [nodes.alice, nodes.item, nodes.bob, rival, ...services].map(({ ref }) => hex(ref))
    for (const ref of [...refused, await refOf(vault, 'acme'), await refOf(vault, 'rival'), '0'.repeat(32)]) {
      const refusal = await refusalOf(() => acme.shredDamaged(ref))
      expect([refusal.code, refusal.argument], ref).toEqual(['invalid_argument', 'ref'])
    }
    for (const ref of ['f'.repeat(32)]) expect(await outcome(() => acme.shredDamaged(ref))).toBe('not_found')
    for (const ref of ['', 'bob', 'F'.repeat(32), 'f'.repeat(30), `${'f'.repeat(31)} `, 5, undefined, nodes.bob.ref]) {
      const refusal = await refusalOf(() => acme.shredDamaged(ref as never))
      expect([refusal.code, refusal.argument]).toEqual(['invalid_argument', 'ref'])
    }
    expect((await refusalOf(() => acme.shredDamaged(hex(nodes.bob.ref), { reason: 'because' as never }))).argument).toBe('reason')
    expect((await refusalOf(() => acme.shredDamaged(hex(nodes.bob.ref), { region: 'eu' } as never))).argument).toBe('options')
    expect(held({ keyStore, stateStore })).toEqual(before)
    // A place that was shredded by name answers with its own receipt; nothing is written.
    expect(await outcome(() => acme.shredDamaged(hex(carol?.ref as Uint8Array)))).toBe('done')
  })

  test('one whose record says that it is shredded, of which the ledger knows nothing, is refused', async () => {
    const forged: Change = (record) => ({
      ...record,
      versions: record.versions.map(({ version, commitment }) => ({
        version,
        commitment,
        state: KeyState.shredded,
        rootVersion: { number: 1, id: new Uint8Array(16) },
        instant: 1,
        reason: 0,
        ledger: { n: 2, hash: new Uint8Array(32) },
      })),
    })
    const { vault, nodes, keyStore, stateStore } = await withDamage(['bob'], forged)
    const before = held({ keyStore, stateStore })
    expect((await refusalOf(() => vault.tenant('acme').shredDamaged(hex(nodes.bob.ref)))).argument).toBe('ref')
    expect(held({ keyStore, stateStore })).toEqual(before)
  })

  test('one of several versions that opens keeps the key, whichever it is', async () => {
    for (const number of [1, 2]) {
      const { vault, nodes, keyStore, stateStore } = await withDamage([])
      await toEnd(vault.rotateSubjectKey(alice(vault)))
      keyStore.edit({ type: 'node', ref: nodes.alice.ref }, (record) =>
        record?.type === 'node'
          ? {
              ...record,
              versions: record.versions.map((v) =>
                v.version === number && v.state !== KeyState.shredded ? { ...v, wrap: flipped(v.wrap, 300) } : v,
              ),
            }
          : record,
      )
      const before = held({ keyStore, stateStore })
      expect((await refusalOf(() => vault.tenant('acme').shredDamaged(hex(nodes.alice.ref)))).argument).toBe('ref')
      expect(held({ keyStore, stateStore })).toEqual(before)
      // With all of them damaged, it goes.
      change({ keyStore } as Ground, nodes.alice.ref, damaged)
      change({ keyStore } as Ground, nodes.alice.ref, (record) => ({
        ...record,
        versions: record.versions.map((v) =>
          v.version === number && v.state !== KeyState.shredded ? { ...v, wrap: flipped(v.wrap, 300) } : v,
        ),
      }))
      expect(await outcome(() => vault.tenant('acme').shredDamaged(hex(nodes.alice.ref)))).toBe('done')
    }
  })

  test('beneath a person whose key does not open either: the person first', async () => {
    const { vault, nodes } = await withDamage(['alice'])
    const acme = vault.tenant('acme')
    expect((await refusalOf(() => acme.shredDamaged(hex(nodes.item.ref)))).argument).toBe('ref')
    await acme.shredDamaged(hex(nodes.alice.ref))
    // With her all beneath her is gone.
    expect((await refusalOf(() => acme.shredDamaged(hex(nodes.item.ref)))).argument).toBe('ref')
    await toEnd(vault.rotateRootKey())
    await toEnd(vault.closeEpoch(CLOSE))
  })

  test('beneath a person whose record is gone', async () => {
    const { vault, nodes, keyStore } = await withDamage([])
    keyStore.edit({ type: 'node', ref: nodes.alice.ref }, () => undefined)
    expect(await outcome(() => toEnd(vault.rotateRootKey()))).toBe('epoch_blocked')
    await vault.tenant('acme').shredDamaged(hex(nodes.item.ref))
    await toEnd(vault.rotateRootKey())
    await toEnd(vault.closeEpoch(CLOSE))
  })

  test('a provider that is down, or has another root key, does not make a key damaged', async () => {
    const made = await world()
    const eve = await nodeMadeBy(made.keyStore, () => made.vault.tenant('far').subject('eve').encrypt(email, 'x'))
    const vault = await reopened(made)
    const before = held(made)
    made.us.isDown = true
    expect(await outcome(() => vault.tenant('far').shredDamaged(hex(eve.ref)))).toBe('key_provider_unavailable')
    const keyProviders = { ...made.options.keyProviders, us: memoryKeyProvider() }
    const other = await openVault({ ...made.options, keyProviders })
    expect(await outcome(() => other.tenant('far').shredDamaged(hex(eve.ref)))).toBe('wrong_root_key')
    expect(held(made)).toEqual(before)
  })

  test('passes the gate, and a tenant that is gone or never was says so', async () => {
    const { vault, nodes, options } = await withDamage(['bob'])
    const seen: unknown[] = []
    let refuse = true
    const watched = await openVault({
      ...options,
      onAccess: (access) => {
        seen.push(access)
        if (refuse) throw new Error('no')
      },
    })
    expect(await outcome(() => watched.tenant('acme').shredDamaged(hex(nodes.bob.ref)))).toBe('denied')
    expect(seen).toMatchObject([{ operation: 'shredDamaged', tenant: 'acme', field: undefined, region: 'eu' }])
    refuse = false
    expect(await outcome(() => watched.tenant('acme').shredDamaged(hex(nodes.bob.ref)))).toBe('done')
    expect(await outcome(() => vault.tenant('nobody').shredDamaged(hex(nodes.bob.ref)))).toBe('not_found')
    await vault.tenant('acme').shred()
    expect(await outcome(() => vault.tenant('acme').shredDamaged(hex(nodes.alice.ref)))).toBe('shredded')
    await vault.close()
    expect(await outcome(() => vault.tenant('acme').shredDamaged(hex(nodes.bob.ref)))).toBe('vault_closed')
  })
})
