// Rotation and closing where what opens a tenant is damaged.
import { type KeyStoreRecord, NodeKind, type NodeRecord, openVault, type Vault, type WrappingKeyRecord } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { hex, nodesOf, refusalOf, wrappingKeysOf } from '../vault/support.ts'
import { encrypt, toEnd, WITHOUT, type World, world } from './support.ts'

async function tenantRefOf(vault: Vault): Promise<string> {
  return (await vault.tenants.get('acme'))?.ref ?? ''
}

describe('a damaged tenant is epoch_blocked, with what to do', () => {
  const flip = (wrap: Uint8Array): Uint8Array => wrap.map((byte, i) => (i === 40 ? byte ^ 1 : byte))

  const flipNode = (record: KeyStoreRecord | undefined): KeyStoreRecord => {
    const node = record as NodeRecord
    return { ...node, versions: node.versions.map((version) => ('wrap' in version ? { ...version, wrap: flip(version.wrap) } : version)) }
  }

  const flipWrappingKey = (record: KeyStoreRecord | undefined): KeyStoreRecord => {
    const key = record as WrappingKeyRecord
    return { ...key, wraps: key.wraps.map(({ rootVersion, wrap }) => ({ rootVersion, wrap: flip(wrap) })) }
  }

  const DAMAGES: readonly { readonly what: string; damage(made: World, tenant: string): void }[] = [
    {
      what: 'its record is altered',
      damage: ({ keyStore }, tenant) => keyStore.edit({ type: 'node', ref: Buffer.from(tenant, 'hex') }, flipNode),
    },
    {
      what: 'the record of its ref key is altered',
      damage: ({ keyStore }, tenant) => {
        for (const { kind, ref, parentRef } of nodesOf(keyStore))
          if (kind === NodeKind.service && hex(parentRef) === tenant) keyStore.edit({ type: 'node', ref }, flipNode)
      },
    },
    {
      what: 'the record of its ref key is missing',
      damage: ({ keyStore }, tenant) => {
        for (const { kind, ref, parentRef } of nodesOf(keyStore))
          if (kind === NodeKind.service && hex(parentRef) === tenant) keyStore.edit({ type: 'node', ref }, () => undefined)
      },
    },
    {
      what: 'its wrapping key is altered',
      damage: ({ keyStore }, tenant) => {
        for (const { id, tenantRef } of wrappingKeysOf(keyStore))
          if (hex(tenantRef) === tenant) keyStore.edit({ type: 'wrapping-key', id }, flipWrappingKey)
      },
    },
    {
      what: 'its wrapping key is missing',
      damage: ({ keyStore }, tenant) => {
        for (const { id, tenantRef } of wrappingKeysOf(keyStore))
          if (hex(tenantRef) === tenant) keyStore.edit({ type: 'wrapping-key', id }, () => undefined)
      },
    },
  ]

  async function damaged(
    damage: (made: World, tenant: string) => void,
    shredded: boolean,
  ): Promise<World & { readonly whole: () => void }> {
    const made = await world()
    for (const subject of ['alice', 'gone']) await encrypt(made.vault, subject)
    if (shredded) await made.vault.tenant('acme').subject('gone').shred()
    const before = made.keyStore.snapshot()
    damage(made, await tenantRefOf(made.vault))
    return { ...made, vault: await openVault(made.options), whole: () => made.keyStore.restore(before) }
  }

  test.each(DAMAGES)('$what: rotateRootKey', async ({ damage }) => {
    const { vault, whole, options } = await damaged(damage, true)
    const refusal = await refusalOf(() => toEnd(vault.rotateRootKey()))
    expect(refusal.code).toBe('epoch_blocked')
    expect(refusal.message).toMatch(/put it back from a backup/)
    whole()
    await toEnd((await openVault(options)).rotateRootKey())
  })

  test.each(DAMAGES.slice(0, 4))(
    '$what: where no backup has it, a shred by its region ends it, and the epoch turns',
    async ({ damage }) => {
      const { vault } = await damaged(damage, true)
      const refusal = await refusalOf(() => toEnd(vault.rotateRootKey()))
      expect(refusal.message).toContain('shred({ region })')
      await vault.tenant('acme').shred({ region: 'eu' })
      await toEnd(vault.rotateRootKey())
      await toEnd(vault.closeEpoch(WITHOUT))
      // The refused run had made the second root version already, so the shred has to outlive that as well.
      expect((await vault.status()).regions[0]).toMatchObject({
        rotation: { state: 'finished' },
        rootVersions: [{ state: 'destroyed' }, { state: 'live' }],
      })
    },
  )

  test('rotateRootKey that would only wrap its wrapping key', async () => {
    const { vault } = await damaged(DAMAGES[3]?.damage ?? expect.unreachable(), false)
    expect((await refusalOf(() => toEnd(vault.rotateRootKey()))).code).toBe('epoch_blocked')
  })

  test('closeEpoch that would wrap its wrapping key', async () => {
    const made = await world()
    const tenant = await tenantRefOf(made.vault)
    const before = wrappingKeysOf(made.keyStore).filter(({ tenantRef }) => hex(tenantRef) === tenant)
    await toEnd(made.vault.rotateRootKey())
    for (const record of before) made.keyStore.edit({ type: 'wrapping-key', id: record.id }, () => flipWrappingKey(record))
    expect((await refusalOf(() => toEnd(made.vault.closeEpoch(WITHOUT)))).code).toBe('epoch_blocked')
  })

  test.each(DAMAGES.slice(0, 4))('$what: rotateTenantKey by a process that has read the tenant before', async ({ damage }) => {
    const made = await world()
    const { vault } = made
    await encrypt(vault, 'alice')
    damage(made, await tenantRefOf(vault))
    await encrypt(vault, 'alice')
    const refusal = await refusalOf(() => toEnd(vault.rotateTenantKey(vault.tenant('acme'))))
    expect(refusal.code).toBe('epoch_blocked')
  })
})
