// Moving keys to another wrapping key, beside another runner that moves them further.
import { NodeKind, type NodeRecord, openVault, type Vault, type WrappingKeyRecord } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { email, hex, nodesOf, type Stored, wrappingKeysOf } from '../vault/support.ts'
import { backupNow, encrypt, reads, stopping, toEnd, world } from './support.ts'

// More than one page of nodes.
const MANY = 1100

async function tenantRefOf(vault: Vault): Promise<string> {
  return (await vault.tenants.get('acme'))?.ref ?? ''
}

async function findings(vault: Vault): Promise<readonly string[]> {
  const all: string[] = []
  for await (const { problem } of vault.verifyKeys()) all.push(problem)
  return all
}

test('a runner retires what it has waited for and drained, not what was followed since', async () => {
  const made = await world()
  const { vault } = made
  const stored = new Map<string, Uint8Array>()
  for (const subject of ['gone', 'a', 'b', 'c']) stored.set(subject, await encrypt(vault, subject))
  const first = await stopping(made.options, 'move.rescanned')
  const rotating = toEnd(first.vault.rotateTenantKey(first.vault.tenant('acme')))
  await first.reached
  // Marks the wrapping key that the first runner has moved everything to: the second moves it further.
  await vault.tenant('acme').subject('gone').shred()
  for await (const { phase, done } of vault.rotateRootKey()) {
    if (phase !== 'waiting' || done > 0) continue
    first.go()
    await rotating
  }
  expect(await findings(vault)).toEqual([])
  const copy = made.keyStore.snapshot()
  await toEnd(vault.closeEpoch(await backupNow(made)))
  for (const snapshot of [made.keyStore.snapshot(), copy]) {
    made.keyStore.restore(snapshot)
    const opened = await openVault(made.options)
    for (const subject of ['a', 'b', 'c']) expect(await reads(opened, subject, stored.get(subject) as Uint8Array)).toBe(true)
  }
})

describe('paused between two pages while the epoch turns', () => {
  test('rotateSubjectKey moves no item back to a wrapping key that is gone', async () => {
    const made = await world()
    const other = await openVault(made.options)
    const alice = made.vault.tenant('acme').subject('alice')
    const stored: Uint8Array[] = []
    for (let i = 0; i < MANY; i++) stored.push(await alice.item(`i${i}`).encrypt(email, `v${i}`))
    await encrypt(made.vault, 'gone')
    let paused = false
    for await (const { phase, done } of made.vault.rotateSubjectKey(alice)) {
      if (phase !== 'rewrapping' || done === 0 || paused) continue
      paused = true
      await other.tenant('acme').subject('gone').shred()
      await toEnd(other.rotateRootKey())
      await toEnd(other.closeEpoch(await backupNow(made)))
      // Hers is rotated once more, and once more begun: what the paused runner still has to look at hangs beneath an older version.
      const hers = other.tenant('acme').subject('alice')
      await toEnd(other.rotateSubjectKey(hers))
      for await (const progress of other.rotateSubjectKey(hers)) if (progress.phase === 'waiting') break
    }
    expect(paused).toBe(true)
    const fresh = await openVault(made.options)
    for (const [i, value] of stored.entries())
      expect(
        await fresh
          .tenant('acme')
          .subject('alice')
          .item(`i${i}`)
          .decrypt(email, value as Stored),
      ).toBe(`v${i}`)
    // Her older versions still decrypt; nothing else is left behind.
    expect((await findings(fresh)).filter((problem) => problem !== 'version_unreferenced')).toEqual([])
  })

  test('rotateTenantKey moves what it finds late to the newest wrapping key', async () => {
    const made = await world()
    const { vault, keyStore } = made
    const tenant = await tenantRefOf(vault)
    for (let i = 0; i < MANY; i++) await encrypt(vault, `s${i}`)
    const last = nodesOf(keyStore)
      .filter(({ kind, tenantRef }) => kind === NodeKind.subject && hex(tenantRef) === tenant)
      .toSorted((a, b) => (hex(a.ref) < hex(b.ref) ? 1 : -1))[0] as NodeRecord
    let pages = 0
    for await (const { phase, done } of vault.rotateTenantKey(vault.tenant('acme'))) {
      if (phase !== 'rewrapping' || done === 0) continue
      if (pages++ > 0) break
      const other = await openVault(made.options)
      await other.tenant('acme').subject('s0').shred()
      await toEnd(other.rotateRootKey())
      // As one that was stored late by a process that then died.
      keyStore.edit({ type: 'node', ref: last.ref }, () => last)
    }
    expect(pages).toBe(2)
    const keys = wrappingKeysOf(keyStore).filter(({ tenantRef }) => hex(tenantRef) === tenant)
    const newest = keys.toSorted((a, b) => b.created - a.created)[0] as WrappingKeyRecord
    expect(keys).toHaveLength(3)
    const moved = nodesOf(keyStore).find(({ ref }) => hex(ref) === hex(last.ref))
    expect(moved?.versions.map((version) => 'wrappingKeyId' in version && hex(version.wrappingKeyId))).toEqual([hex(newest.id)])
  })
})
