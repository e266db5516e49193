// Connections of whoever’s keys do not open any more: what cannot be revoked is said, and what has to go goes.
import { openVault } from '@strongroom/core'
import { createCredentials } from '@strongroom/credentials'
import { expect, test } from 'vitest'

import { outcome, swept, world, type World } from './support.ts'

const entriesOf = ({ stateStore }: World, namespace: string) => stateStore.snapshot().filter((entry) => entry.namespace === namespace)

/** Alters what is stored of a key, so that it does not open. */
function damage({ keyStore }: World, ref: string): void {
  keyStore.edit({ type: 'node', ref: Uint8Array.from(Buffer.from(ref, 'hex')) }, (record) => {
    if (record?.type !== 'node') throw new Error('there is no such key')
    const versions = record.versions.map((version) =>
      'wrap' in version ? { ...version, wrap: version.wrap.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) } : version,
    )
    return { ...record, versions }
  })
}

/** Two of alice’s connections and one of bob’s, as a process sees them that has nothing of theirs in memory. */
async function damaged(whose: 'tenant' | 'alice') {
  const w = await world()
  const bob = w.vault.tenant('acme').subject('bob')
  for (const [owner, name] of [
    [w.alice, 'one'],
    [w.alice, 'two'],
    [bob, 'one'],
  ] as const)
    await w.credentials.connection(owner, name, { provider: 'crm' }).save(w.server.grant())
  const [tenant = '', alice = ''] = await w.alice.references()
  damage(w, whose === 'tenant' ? tenant : alice)
  w.events.length = 0
  const { vault, credentials } = await w.another()
  return { w, vault, credentials, alice, told: () => w.events.map((event) => ('outcome' in event ? event.outcome : event.type)).toSorted() }
}

test('a damaged tenant is destroyed by its region: of each connection it is said that nobody can revoke it', async () => {
  const { w, vault, credentials, told } = await damaged('tenant')
  expect(await outcome(() => vault.tenant('acme').shred())).toBe('decrypt_failed')
  await vault.tenant('acme').shred({ region: 'eu' })
  expect(told()).toEqual(['disconnected', 'disconnected', 'disconnected', 'unconfirmed', 'unconfirmed', 'unconfirmed'])
  expect(entriesOf(w, 'strongroom/connections')).toEqual([])
  expect(await credentials.sweep()).toEqual(swept())
})

test('a damaged person is destroyed by the reference: of each connection it is said that nobody can revoke it', async () => {
  const { w, vault, alice, told } = await damaged('alice')
  await vault.tenant('acme').shredDamaged(alice)
  expect(told()).toEqual(['disconnected', 'disconnected', 'unconfirmed', 'unconfirmed'])
  expect(entriesOf(w, 'strongroom/connections')).toHaveLength(1)
})

test('also where nothing can revoke: what hangs on it then is told of by whoever destroys it again', async () => {
  const { w, vault, alice, told } = await damaged('alice')
  const bare = await openVault(w.vaultOptions)
  await bare.tenant('acme').shredDamaged(alice)
  expect(told()).toEqual([])
  await vault.tenant('acme').subject('alice').shred()
  expect(told()).toEqual(['disconnected', 'disconnected', 'unconfirmed', 'unconfirmed'])
})

test.each(['alice', 'tenant'] as const)('what was left of %s when the epoch was closed is tidied up by sweeping', async (whose) => {
  const w = await world({ timeout: 500, lease: 1000, vaultOptions: { cacheBound: 100 } })
  await w.connection.save(w.server.grant())
  const vault = await openVault({ ...w.vaultOptions, cacheBound: 100 })
  const stop = async () => {
    throw new Error('stopped')
  }
  vault.guardShreds('strongroom/connections', { before: async () => undefined, after: stop })
  createCredentials(vault, { providers: { crm: w.provider }, timeout: 500, lease: 1000 })
  const acme = vault.tenant('acme')
  await expect((whose === 'tenant' ? acme : acme.subject(whose)).shred()).rejects.toThrow('stopped')
  for await (const _ of vault.rotateRootKey());
  for await (const _ of vault.closeEpoch({ dangerouslyWithoutBackup: true }));
  const { credentials } = await w.another()
  await new Promise((resolve) => setTimeout(resolve, 1100))
  await credentials.sweep()
  expect([entriesOf(w, 'strongroom/connections'), w.server.revoked.length]).toEqual([[], 1])
})
