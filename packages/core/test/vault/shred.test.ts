import { openVault } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { KeyState, Reason } from '#core/format/records.js'

import {
  alice,
  type Around,
  bob,
  BOUND,
  email,
  held,
  hex,
  nodeMadeBy,
  nodesOf,
  openGround,
  optionsAround,
  outcome,
  putRecord,
  START,
  wrappingKeysOf,
} from './support.ts'

describe('the order of steps', () => {
  // What a recording store saw, in words.
  async function recorded(): Promise<{
    readonly made: Awaited<ReturnType<typeof openGround>>
    readonly steps: string[]
    readonly vault: Awaited<ReturnType<typeof openVault>>
  }> {
    const made = await openGround()
    const steps: string[] = []
    const around: Around = async ({ store, method, args }, proceed) => {
      const answer = await proceed()
      if (method === 'put' && store === 'state') steps.push('ledger')
      if (method === 'put' && store === 'key') {
        const record = putRecord(args)
        if (record.type === 'wrapping-key') steps.push(record.marked ? 'mark' : 'unmark')
        else if (record.type === 'node') steps.push(record.versions.every(({ state }) => state === KeyState.shredded) ? 'shredded' : 'node')
        else if (record.type === 'vault') steps.push('acknowledged')
      }
      if (method === 'scan' && store === 'key' && (args[0] as { type: string }).type === 'wrapping-key') steps.push('list wrapping keys')
      return answer
    }
    return { made, steps, vault: await openVault(optionsAround(made, around)) }
  }

  const writes = (steps: readonly string[]): readonly string[] => steps.filter((step) => step !== 'list wrapping keys')

  test('marks, then the ledger, then the version, then the marks are looked at again, then it is acknowledged', async () => {
    const { steps, vault } = await recorded()
    const her = alice(vault)
    const stored = await her.encrypt(email, 'ada')
    steps.length = 0
    await her.shred()
    expect(writes(steps)).toEqual(['mark', 'ledger', 'shredded', 'acknowledged'])
    expect(steps.indexOf('list wrapping keys', steps.indexOf('shredded'))).toBeGreaterThan(0)
    expect(steps.lastIndexOf('list wrapping keys', steps.indexOf('ledger'))).toBeGreaterThanOrEqual(0)
    expect(await outcome(() => her.decrypt(email, stored))).toBe('shredded')
  })

  test('every wrapping key of the tenant is marked, the retiring and the retired too; none of another tenant', async () => {
    const { made, vault } = await recorded()
    const her = alice(vault)
    await her.encrypt(email, 'ada')
    const acme = (await nodeMadeBy(made.keyStore, () => bob(vault).encrypt(email, 'b'))).tenantRef
    const own = wrappingKeysOf(made.keyStore).find(({ tenantRef }) => hex(tenantRef) === hex(acme))
    if (own === undefined) throw new Error('no wrapping key')
    for (const [i, state] of (['retiring', 'retired'] as const).entries()) {
      const id = Uint8Array.from({ length: 16 }, () => 200 + i)
      made.keyStore.edit({ type: 'wrapping-key', id }, () => ({ ...own, id, state }))
    }
    await her.shred()
    const marked = wrappingKeysOf(made.keyStore).map((record) => [hex(record.tenantRef) === hex(acme), record.marked])
    expect(marked.filter(([ofAcme]) => ofAcme)).toEqual([
      [true, true],
      [true, true],
      [true, true],
    ])
    expect(marked.filter(([ofAcme]) => !ofAcme)).toEqual([
      [false, false],
      [false, false],
    ])
  })

  test('one wrapping key that appears while she is shredded is marked as well', async () => {
    const made = await openGround()
    await alice(made.vault).encrypt(email, 'ada')
    const acme = (await nodeMadeBy(made.keyStore, () => bob(made.vault).encrypt(email, 'b'))).tenantRef
    const id = new Uint8Array(16).fill(222)
    const vault = await openVault(
      optionsAround(made, async ({ store, method, args }, proceed) => {
        const answer = await proceed()
        const record = store === 'key' && method === 'put' ? putRecord(args) : undefined
        if (record?.type === 'node' && record.versions.every(({ state }) => state === KeyState.shredded)) {
          const own = wrappingKeysOf(made.keyStore).find(({ tenantRef }) => hex(tenantRef) === hex(acme))
          if (own !== undefined) made.keyStore.edit({ type: 'wrapping-key', id }, () => ({ ...own, id, marked: false }))
        }
        return answer
      }),
    )
    await alice(vault).shred()
    expect(wrappingKeysOf(made.keyStore).find((record) => hex(record.id) === hex(id))?.marked).toBe(true)
  })

  test('if her record moves after it was read, all begins again at the marks, and she is shredded all the same', async () => {
    const made = await openGround()
    await alice(made.vault).encrypt(email, 'ada')
    const { parentRef: ref } = await nodeMadeBy(made.keyStore, () => alice(made.vault).item('x').encrypt(email, 'x'))
    const steps: string[] = []
    let moves = 0
    const racing = await openVault(
      optionsAround(made, async ({ store, method, args }, proceed) => {
        if (store === 'key' && method === 'scan') steps.push('marks')
        const record = store === 'key' && method === 'put' ? putRecord(args) : undefined
        if (record?.type === 'node' && hex(record.ref) === hex(ref)) {
          steps.push('write')
          // Another process wrote it a moment ago.
          if (moves++ < 2)
            made.keyStore.edit({ type: 'node', ref }, (now) => ({ ...now, revision: (now?.revision ?? 0) + 1 }) as typeof now)
        }
        return proceed()
      }),
    )
    await alice(racing).encrypt(email, 'x')
    steps.length = 0
    await alice(racing).shred()
    // Once before the ledger, once before each of the three writes, and once behind the last.
    expect(steps.slice(0, 8)).toEqual(['marks', 'marks', 'write', 'marks', 'write', 'marks', 'write', 'marks'])
    expect(
      nodesOf(made.keyStore)
        .find((record) => hex(record.ref) === hex(ref))
        ?.versions.map(({ state }) => state),
    ).toEqual([KeyState.shredded])
    made.clock.advance(BOUND)
    for (const one of [made.vault, racing]) expect(await outcome(() => alice(one).encrypt(email, 'x'))).toBe('shredded')
  })

  test('a repeated shred looks at the marks again, sets those that are missing, and answers the same', async () => {
    const { made, steps, vault } = await recorded()
    const her = alice(vault)
    await her.encrypt(email, 'ada')
    const first = await her.shred({ reason: 'subjectRequest' })
    made.clock.advance(12_345)
    for (const { id, tenantRef } of wrappingKeysOf(made.keyStore)) {
      if (hex(tenantRef) !== '0'.repeat(32))
        made.keyStore.edit({ type: 'wrapping-key', id }, (record) => ({ ...record, marked: false }) as typeof record)
    }
    steps.length = 0
    const again = await her.shred({ reason: 'compromise' })
    expect(again).toEqual(first)
    expect(writes(steps)).toEqual(['mark'])
    expect(await alice(await openVault(made.options)).shred()).toEqual(first)
  })

  test('the answer is the ledger entry: instant, position, root version, number of versions', async () => {
    const { made, vault } = await recorded()
    await alice(vault).encrypt(email, 'ada')
    made.clock.advance(777)
    await made.provider.createVersion(7)
    const answer = await alice(vault).shred({ reason: 'accountDeleted' })
    const record = nodesOf(made.keyStore).find(({ versions }) => versions[0]?.state === KeyState.shredded)
    expect(answer).toEqual({
      instant: START + 777,
      kept: [],
      // Behind the entry that says that the new root version exists.
      ledger: { n: 3, hash: expect.any(Uint8Array) },
      rootVersion: 7,
      versions: 1,
      receipt: expect.stringMatching(/^srr1\./),
    })
    expect(record?.versions).toMatchObject([
      { state: 4, instant: START + 777, reason: Reason.accountDeleted, ledger: answer.ledger, rootVersion: { number: 7 } },
    ])
  })
})

describe('what a shred reaches', () => {
  test('a place without a key is occupied: nothing is ever written there', async () => {
    const made = await openGround()
    const other = await openVault(made.options)
    for (const place of [alice(made.vault), alice(made.vault).item('x'), made.vault.tenant('acme').self()]) {
      expect(await place.shred()).toMatchObject({ versions: 0 })
      expect(await place.shred()).toMatchObject({ versions: 0 })
      expect(await outcome(() => place.encrypt(email, 'x'))).toBe('shredded')
      expect(await outcome(() => place.unlock())).toBe('shredded')
      expect(await outcome(() => place.suspend())).toBe('shredded')
      expect(await outcome(() => place.resume())).toBe('shredded')
    }
    expect(await outcome(() => alice(other).encrypt(email, 'x'))).toBe('shredded')
    expect(await outcome(() => alice(other).item('y').encrypt(email, 'x'))).toBe('shredded')
    expect(await outcome(() => bob(other).encrypt(email, 'x'))).toBe('done')
  })

  test('an item dies alone: its subject and the item beside it live', async () => {
    const { vault } = await openGround()
    const hers = await alice(vault).encrypt(email, 'hers')
    const gone = await alice(vault).item('hubspot').encrypt(email, 'gone')
    const other = await alice(vault).item('zoom').encrypt(email, 'other')
    await alice(vault).item('hubspot').shred()
    expect(await outcome(() => alice(vault).item('hubspot').decrypt(email, gone))).toBe('shredded')
    expect(await outcome(() => alice(vault).item('hubspot').encrypt(email, 'x'))).toBe('shredded')
    expect([await alice(vault).decrypt(email, hers), await alice(vault).item('zoom').decrypt(email, other)]).toEqual(['hers', 'other'])
  })

  test('a subject takes its items with it, those of an unread process too', async () => {
    const made = await openGround()
    const token = await alice(made.vault).item('hubspot').encrypt(email, 'token')
    await alice(made.vault).shred()
    const cold = await openVault(made.options)
    expect(await outcome(() => alice(cold).item('hubspot').decrypt(email, token))).toBe('shredded')
    expect(await outcome(() => alice(cold).item('hubspot').encrypt(email, 'x'))).toBe('shredded')
    expect(await outcome(() => alice(cold).item('never seen').encrypt(email, 'x'))).toBe('shredded')
    expect(await outcome(() => alice(cold).item('hubspot').shred())).toBe('done')
  })

  test('shredded is said of her values only: what was never hers is decrypt_failed', async () => {
    const { vault } = await openGround()
    const hers = await alice(vault).encrypt(email, 'hers')
    const his = await bob(vault).encrypt(email, 'his')
    await alice(vault).shred()
    expect(await outcome(() => alice(vault).decrypt(email, hers))).toBe('shredded')
    expect(await outcome(() => alice(vault).decrypt(email, his))).toBe('decrypt_failed')
    expect(await outcome(() => alice(vault).decrypt(email, new Uint8Array(99).fill(1)))).toBe('decrypt_failed')
    expect(await bob(vault).decrypt(email, his)).toBe('his')
  })

  test('a tenant takes all with it; its name is gone from the store, and the list shows that it was there', async () => {
    const made = await openGround()
    const { vault, keyStore } = made
    const hers = await alice(vault).encrypt(email, 'hers')
    const token = await vault.tenant('acme').self().item('hubspot').encrypt(email, 'token')
    const rival = await vault.tenant('rival').subject('alice').encrypt(email, 'rival')
    expect(nodesOf(keyStore).filter(({ label }) => label !== undefined).length).toBe(2)
    const before = await vault.tenants.get('acme')
    expect(before).toEqual({ name: 'acme', ref: expect.stringMatching(/^[0-9a-f]{32}$/), region: 'eu', state: 'active', created: START })
    expect(await vault.tenant('acme').shred({ reason: 'contractEnded' })).toMatchObject({ versions: 1, rootVersion: 1 })

    for (const one of [vault, await openVault(made.options)]) {
      expect(await outcome(() => alice(one).decrypt(email, hers))).toBe('shredded')
      expect(await outcome(() => one.tenant('acme').self().item('hubspot').decrypt(email, token))).toBe('shredded')
      for (const call of [
        () => bob(one).encrypt(email, 'x'),
        () => alice(one).shred(),
        () => alice(one).suspend(),
        () => one.tenants.create('acme'),
      ]) {
        expect(await outcome(call)).toBe('shredded')
      }
      const list = []
      for await (const info of one.tenants.list()) list.push(info)
      expect(list.toSorted((a, b) => a.state.localeCompare(b.state))).toEqual([
        { name: 'rival', ref: expect.any(String), region: 'eu', state: 'active', created: START },
        { name: undefined, ref: before?.ref, region: 'eu', state: 'shredded', created: undefined },
      ])
      expect(await one.tenants.get('acme')).toEqual({
        name: undefined,
        ref: before?.ref,
        region: 'eu',
        state: 'shredded',
        created: undefined,
      })
      expect(await one.tenant('rival').subject('alice').decrypt(email, rival)).toBe('rival')
    }
    expect(nodesOf(keyStore).filter(({ label }) => label !== undefined).length).toBe(1)
  })

  test('what is not there is not found', async () => {
    const made = await openGround()
    const before = held(made)
    for (const act of ['shred', 'suspend', 'resume'] as const) {
      expect(await outcome(() => made.vault.tenant('nowhere')[act]())).toBe('not_found')
      expect(await outcome(() => made.vault.tenant('nowhere').subject('x')[act]())).toBe('not_found')
    }
    expect(await outcome(() => alice(made.vault).resume())).toBe('not_found')
    expect(await made.vault.tenants.get('nowhere')).toBeUndefined()
    expect(held(made)).toEqual(before)
    expect(await outcome(() => alice(made.vault).shred())).toBe('done')
  })

  test('what is suspended can be shredded, and resuming does not bring it back', async () => {
    const { vault } = await openGround()
    const hers = await alice(vault).encrypt(email, 'hers')
    await alice(vault).suspend()
    await alice(vault).suspend()
    await alice(vault).shred()
    expect(await outcome(() => alice(vault).resume())).toBe('shredded')
    expect(await outcome(() => alice(vault).suspend())).toBe('shredded')
    expect(await outcome(() => alice(vault).decrypt(email, hers))).toBe('shredded')
  })

  test('a person without a key can be suspended, and then no key works there', async () => {
    const { vault } = await openGround()
    await alice(vault).suspend()
    expect(await outcome(() => alice(vault).encrypt(email, 'x'))).toBe('suspended')
    expect(await outcome(() => alice(vault).item('y').encrypt(email, 'x'))).toBe('suspended')
    await alice(vault).resume()
    expect(await outcome(() => alice(vault).encrypt(email, 'x'))).toBe('done')
  })
})
