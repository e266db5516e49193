// The same in plain JavaScript, shorter, and with what a test of one's own takes from /testing.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { field, initVault, openVault } from '@strongroom/core'
import { keyStoreContract, memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { createLocalKeyFile, localKeyProvider } from '@strongroom/kms-local'
import { localStores } from '@strongroom/store-local'
import { z } from 'zod'

const folder = await mkdtemp(join(tmpdir(), 'strongroom-scratch-program-'))
const file = join(folder, 'root.key')
await createLocalKeyFile({ file, passphrase: 'correct horse battery staple', region: 'eu' })
const local = {
  keyProviders: { eu: await localKeyProvider({ file, passphrase: 'correct horse battery staple', copiesLife: 0 }) },
  ...localStores({ directory: join(folder, 'vault') }),
}
const memory = { keyProviders: { eu: memoryKeyProvider() }, keyStore: memoryKeyStore(), stateStore: memoryStateStore() }

for (const stores of [local, memory]) {
  const options = { ...stores, defaultRegion: 'eu' }
  await initVault({ ...options, cacheBound: 1000 })
  const vault = await openVault(options)
  await vault.tenants.create('acme')
  const email = field('users', 'email', z.email())
  const [alice, bob] = ['alice', 'bob'].map((name) => vault.tenant('acme').subject(name))
  const [a, b] = [await alice.encrypt(email, 'ada@example.com'), await bob.encrypt(email, 'bob@example.com')]
  assert.equal(await alice.decrypt(email, a), 'ada@example.com')
  await alice.shred()
  await assert.rejects(alice.decrypt(email, a), { code: 'shredded' })
  for await (const progress of vault.rotateRootKey()) void progress
  assert.equal(await bob.decrypt(email, b), 'bob@example.com')
  await vault.close()
}

const cases = keyStoreContract({ open: async () => ({ store: memoryKeyStore(), close: async () => {} }) })
for (const { run } of cases) await run()
assert(cases.length > 5)
await rm(folder, { recursive: true })
console.log('every expectation held')
