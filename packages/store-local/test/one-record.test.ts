// The way of the runbook to put one record back from a backup, in the words of the runbook.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { field, initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider } from '@strongroom/core/testing'
import { backupLocalStore, localKeyStoreCopy, localStores } from '@strongroom/store-local'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'

const email = field('users', 'email', z.string())
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strongroom-one-record-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('a damaged key opens again, and who was shredded since the backup is shredded again', async () => {
  const directory = join(folder, 'vault')
  const provider = memoryKeyProvider()
  const options = () => ({ keyProviders: { eu: provider }, defaultRegion: 'eu', ...localStores({ directory }) })
  await initVault(options())
  let vault = await openVault(options())
  await vault.tenants.create('acme')
  const alice = await vault.tenant('acme').subject('alice').encrypt(email, 'alice')
  const bob = await vault.tenant('acme').subject('bob').encrypt(email, 'bob')
  await backupLocalStore({ directory, store: 'keys', to: join(folder, 'keys') })
  await vault.tenant('acme').subject('bob').shred()
  await vault.close()

  const reading = localStores({ directory })
  const nodes = await reading.keyStore.scan({ type: 'node', limit: 100 })
  for (const node of nodes) {
    if (node.type !== 'node' || node.kind !== 2) continue
    const versions = node.versions.map((version) => ('wrap' in version ? { ...version, wrap: new Uint8Array(73) } : version))
    await reading.keyStore.put({ ...node, versions, revision: node.revision + 1 })
  }
  await reading.close()
  vault = await openVault(options())
  const found: string[] = []
  for await (const { problem, ref } of vault.verifyKeys()) if (problem.endsWith('does_not_open')) found.push(ref)
  await vault.close()
  expect(found.length).toBe(1)

  for (const reference of [
    ...found,
    ...nodes.flatMap((node) => (node.type === 'node' && node.kind === 2 ? [Buffer.from(node.ref).toString('hex')] : [])),
  ]) {
    const at = { type: 'node', ref: Buffer.from(reference, 'hex') } as const
    const [copy, live] = [localKeyStoreCopy({ directory: join(folder, 'keys') }), localStores({ directory })]
    const [[older], [damaged]] = [await copy.keyStore.get([at]), await live.keyStore.get([at])]
    if (older !== undefined) await live.keyStore.put({ ...older, revision: (damaged?.revision ?? 0) + 1 })
    await Promise.all([copy.close(), live.close()])
  }
  vault = await openVault(options())
  await vault.reconcile()
  const after: unknown[] = []
  for await (const finding of vault.verifyKeys()) after.push(finding)
  expect(after).toEqual([])
  expect(await vault.tenant('acme').subject('alice').decrypt(email, alice)).toBe('alice')
  await expect(vault.tenant('acme').subject('bob').decrypt(email, bob)).rejects.toMatchObject({ code: 'shredded' })
  await vault.close()
})
