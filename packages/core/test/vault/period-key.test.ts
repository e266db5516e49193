// Keys of the vault itself, for one use and one period; references and names, for packages that keep records of their own.
import { encryptedToText, NodeKind, openVault, type PeriodKeyOptions, verifyReceipt } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { toEnd, world } from '../epochs/support.ts'
import { alice, email, ground, hex, nodeMadeBy, nodesOf, openGround, outcome, refusalOf } from './support.ts'

const MS = 86_400_000
const DAY = { use: 'revocation', at: 7 * MS } as const
const NEXT = { use: 'revocation', at: 8 * MS } as const

describe('periodKey', () => {
  test('each use and period has a key of its own, made by the first value and by no reader', async () => {
    const { vault, keyStore } = await openGround()
    const before = nodesOf(keyStore).length
    const key = vault.periodKey(DAY)
    expect(await key.state()).toBe('absent')
    expect(nodesOf(keyStore)).toHaveLength(before)
    const node = await nodeMadeBy(keyStore, () => key.encrypt(email, 'ada'))
    expect([node.kind, hex(node.tenantRef), hex(node.ref)]).toEqual([NodeKind.service, '0'.repeat(32), (await key.references()).at(-1)])
    const stored = await key.encrypt(email, 'ada')
    expect(await vault.periodKey(DAY).decrypt(email, stored)).toBe('ada')
    for (const other of [NEXT, { use: 'revocation', at: 7 * MS - 1 }, { use: 'connect', at: 7 * MS }] as const)
      expect([other, await outcome(() => vault.periodKey(other).decrypt(email, stored))]).toEqual([other, 'decrypt_failed'])
    expect(nodesOf(keyStore)).toHaveLength(before + 1)
  })

  test('is one key from the first instant of its period to the last, and says when that ends', async () => {
    const { vault } = await openGround()
    const refOf = async (use: PeriodKeyOptions['use'], at: number) => (await vault.periodKey({ use, at }).references()).at(-1)
    expect(await refOf('revocation', 8 * MS - 1)).toBe(await refOf('revocation', 7 * MS))
    expect(vault.periodKey({ use: 'revocation', at: 8 * MS - 1 }).until).toBe(8 * MS)
    expect(vault.periodKey({ use: 'revocation', at: 8 * MS }).until).toBe(9 * MS)
    expect(await refOf('connect', MS + 3_599_999)).toBe(await refOf('connect', MS))
    expect([vault.periodKey({ use: 'connect', at: MS }).until, await refOf('connect', MS + 3_600_000)]).not.toEqual([
      MS + 3_600_000,
      await refOf('connect', MS),
    ])
  })

  test('shredded, it is gone in every process, and the others live', async () => {
    const made = await openGround()
    const { vault } = made
    const [day, next] = [vault.periodKey(DAY), vault.periodKey(NEXT)]
    const stored = [await day.encrypt(email, 'ada'), await next.encrypt(email, 'ada')] as const
    const { receipt } = await day.shred({ reason: 'retentionEnded' })
    const body = verifyReceipt(receipt, await vault.receiptKeys())
    expect([body?.kind, hex(body?.ref ?? new Uint8Array())]).toEqual(['service', (await day.references()).at(-1)])
    const other = await openVault(made.options)
    for (const each of [vault, other]) {
      expect(await outcome(() => each.periodKey(DAY).decrypt(email, stored[0]))).toBe('shredded')
      expect(await outcome(() => each.periodKey(DAY).encrypt(email, 'ada'))).toBe('shredded')
      expect(await each.periodKey(NEXT).decrypt(email, stored[1])).toBe('ada')
    }
    // What the vault itself needs was not touched.
    expect(await alice(other).decrypt(email, await alice(other).encrypt(email, 'ada'))).toBe('ada')
  })

  test('lives on when the root key is rotated and the epoch closed', async () => {
    const w = await world()
    const key = w.vault.periodKey(DAY)
    const stored = encryptedToText(await key.encrypt(email, 'ada'))
    await w.vault.periodKey({ use: 'connect', at: MS }).encrypt(email, 'ada')
    await w.vault.periodKey({ use: 'connect', at: MS }).shred()
    await toEnd(w.vault.rotateRootKey())
    const again = await openVault(w.options)
    expect(await again.periodKey(DAY).decrypt(email, stored)).toBe('ada')
  })

  test('what is wrong is said, by name', async () => {
    const { vault } = await openGround()
    const wrong: readonly [unknown, string][] = [
      [{ use: 'ref', at: 1 }, 'use'],
      [{ use: 'toString', at: 1 }, 'use'],
      [{ at: 1 }, 'use'],
      [{ use: 'revocation' }, 'at'],
      [{ use: 'revocation', at: -1 }, 'at'],
      [{ use: 'revocation', at: 1.5 }, 'at'],
      [{ use: 'revocation', at: 1, name: 'x' }, 'options'],
    ]
    for (const [options, argument] of wrong) {
      const refusal = await refusalOf(() => vault.periodKey(options as PeriodKeyOptions))
      expect([options, refusal.code, refusal.argument]).toEqual([options, 'invalid_argument', argument])
    }
    await vault.close()
    expect(await outcome(() => vault.periodKey(DAY))).toBe('vault_closed')
  })
})

describe('what other packages build on', () => {
  test('references: one for each step, the same in every process, and none of another place', async () => {
    const made = await openGround()
    const item = alice(made.vault).item('hubspot')
    const [tenant, subject, own] = await item.references()
    expect(await alice(made.vault).references()).toEqual([tenant, subject])
    expect(tenant).toBe((await made.vault.tenants.get('acme'))?.ref)
    const other = await openVault(made.options)
    expect(await alice(other).item('hubspot').references()).toEqual([tenant, subject, own])
    const rival = await other.tenant('rival').subject('alice').item('hubspot').references()
    const self = await other.tenant('acme').self().references()
    expect(new Set([tenant, subject, own, ...rival, ...self]).size).toBe(7)
    expect([tenant, subject, own, ...rival].every((ref) => /^[0-9a-f]{32}$/.test(ref ?? ''))).toBe(true)
    expect(await outcome(() => other.tenant('nobody').self().references())).toBe('not_found')
  })

  test('names are those of the handle, and a copy', async () => {
    const { vault } = await openGround()
    const item = alice(vault).item('hubspot')
    expect(item.names()).toEqual({ tenant: 'acme', subject: 'alice', item: 'hubspot' })
    expect(vault.tenant('acme').self().names()).toEqual({ tenant: 'acme' })
    Object.assign(item.names(), { tenant: 'rival' })
    expect(item.names().tenant).toBe('acme')
  })

  test('the id is the same for whoever opens the vault, and another for another vault', async () => {
    const [one, two] = [await openGround(), await ground()]
    const ids = [one.vault.id, (await openVault(one.options)).id, (await openVault(two.options)).id]
    expect([ids[0] === ids[1], ids[0] === ids[2], /^[0-9a-f]{32}$/.test(one.vault.id)]).toEqual([true, false, true])
  })
})
