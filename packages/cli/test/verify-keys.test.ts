// Looking at every key.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { localStores } from '@strongroom/store-local'
import { expect, test } from 'vitest'

import { strongroom } from './support/command.ts'
import { vaultFolder } from './support/vault-folder.ts'

test('a whole vault: exit 0; a damaged key is named, and exit 1; what is no damage is told without it', async () => {
  const { folder, with: opened } = await vaultFolder()
  const whole = await strongroom(folder, ['verify-keys'])
  expect([whole.code, whole.stderr]).toEqual([0, ''])
  expect(whole.stdout).toMatch(/^\d+ keys and 3 wrapping keys of 3 tenants, the vault itself among them: all that live open\n$/)

  await opened(async (vault) => {
    for await (const _ of vault.rotateSubjectKey(vault.tenant('t0').subject('s0')));
  })
  const old = await strongroom(folder, ['verify-keys'])
  expect(old.code).toBe(0)
  expect(old.stdout).toMatch(
    /^version_unreferenced: an old key that no other key needs; values were not looked for \(subject, [0-9a-f]{32}, version 1, /,
  )

  // One bit of the wrap of a tenant's wrapping key.
  const ref = await opened(async (vault) => (await vault.tenants.get('t1'))?.ref)
  const stores = localStores({ directory: join(folder, 'vault') })
  const [key] = await stores.keyStore.scan({ type: 'wrapping-key', tenantRef: Buffer.from(ref ?? '', 'hex'), limit: 1 })
  if (key?.type !== 'wrapping-key') throw new TypeError('t1 has a wrapping key')
  const wraps = key.wraps.map(({ wrap, ...rest }) => ({ ...rest, wrap: wrap.with(30, (wrap[30] ?? 0) ^ 1) }))
  await stores.keyStore.put({ ...key, revision: key.revision + 1, wraps })
  await stores.close()
  const damaged = await strongroom(folder, ['verify-keys', '--json'])
  expect(damaged.code).toBe(1)
  expect(JSON.parse(damaged.stdout)).toMatchObject({
    command: 'verify-keys',
    outcome: 'failed',
    damaged: 1,
    // In the order of references, which are random.
    details: expect.arrayContaining([
      expect.objectContaining({ problem: 'tenant_does_not_open', tenantRef: ref, code: 'decrypt_failed' }),
      expect.objectContaining({ problem: 'version_unreferenced' }),
    ]) as unknown,
  })
  const told = await strongroom(folder, ['verify-keys'])
  expect(told.stdout).toMatch(/^tenant_does_not_open: a tenant does not open, nor does anything of it \(tenant, /m)
  expect(told.stdout).toMatch(/1 damaged; put their records back from a backup: "One record from a backup" in the runbook\n$/)
})

test('an older root key in place of the newest: nothing is called damaged, and nothing is advised that destroys', async () => {
  const { folder, with: opened } = await vaultFolder()
  const file = join(folder, 'root.key')
  const older = await readFile(file)
  await opened(async (vault) => {
    await vault.tenant('t0').subject('s0').shred()
    for await (const _ of vault.rotateRootKey());
  })
  await writeFile(file, older)
  const told = await strongroom(folder, ['verify-keys'])
  expect(told.code).toBe(1)
  expect(told.stdout).toMatch(
    / 0 damaged, [1-9]\d* not looked at: put the newest root key back, and run this again before anything else\n$/,
  )
})
