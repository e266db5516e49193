// Bringing in what lies in the clear.
import type { ImportResult, PlaintextCredential } from '@strongroom/credentials'
import { expect, test } from 'vitest'

import { outcome, tokenOf, world } from './support.ts'

async function all(results: AsyncIterable<ImportResult>): Promise<ImportResult[]> {
  const seen: ImportResult[] = []
  for await (const result of results) seen.push(result)
  return seen
}

test('a dry run says what the run will do, and makes and stores nothing', async () => {
  const { credentials, vault, server, keyStore, stateStore } = await world()
  const tenant = vault.tenant('acme')
  const bob = credentials.connection(tenant.subject('bob'), 'crm')
  const his = server.grant()
  await bob.save(his)
  const rows: readonly unknown[] = [
    { owner: tenant.subject('alice'), name: 'crm', material: server.grant(), expiresAt: Date.now() - 1 },
    { owner: tenant.subject('bob'), name: 'crm', material: server.grant() },
    { owner: tenant.subject('carol'), name: 'crm', material: { access_token: 'x', password: 'CANARY' } },
    { owner: tenant.subject('carol'), name: 'nowhere', material: server.grant() },
    { owner: tenant.subject('carol'), name: 'crm', material: server.grant(), more: 'CANARY' },
    { owner: 'carol', name: 'crm', material: server.grant() },
    { owner: tenant.subject('carol'), name: 'crm-2', provider: 'crm', material: server.grant(), account: 'carol@example.com' },
  ]
  const outcomes = ['imported', 'exists', 'refused', 'refused', 'refused', 'refused', 'imported']
  const before = [keyStore.snapshot(), stateStore.snapshot()]
  const dry = await all(credentials.importPlaintext(rows as PlaintextCredential[], { dryRun: true }))
  expect(dry.map((result) => result.outcome)).toEqual(outcomes)
  expect([keyStore.snapshot(), stateStore.snapshot()]).toEqual(before)
  const done = await all(credentials.importPlaintext(rows as PlaintextCredential[]))
  expect(done).toEqual(dry)
  expect(JSON.stringify(done)).not.toContain('CANARY')
  // By its instant the first one had ended; the second is as it was.
  const alices = await tokenOf(credentials.connection(tenant.subject('alice'), 'crm'))
  expect([server.isLive(alices), await tokenOf(bob)]).toEqual([true, his.access_token])
  expect(await credentials.connection(tenant.subject('carol'), 'crm-2', { provider: 'crm' }).status()).toMatchObject({
    account: 'carol@example.com',
  })
  expect((await all(credentials.importPlaintext(rows as PlaintextCredential[]))).map((result) => result.outcome)).toEqual(
    outcomes.map((each) => (each === 'imported' ? 'exists' : each)),
  )
})

test('a tenant that is not there ends it: what comes behind is not skipped', async () => {
  const { credentials, vault, server } = await world()
  const rows = [{ owner: vault.tenant('nobody').subject('alice'), name: 'crm', material: server.grant() }]
  expect(await outcome(() => all(credentials.importPlaintext(rows)))).toBe('not_found')
})
