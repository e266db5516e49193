// docs/restore-runbook.md, step by step: somebody is erased, an older copy of the data is put back, and what the page says is done.
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { type Ended, strongroom } from './support/command.ts'
import { emptyFolder, PASSPHRASE, quick, quickRootKey, writePrivate } from './support/vault-folder.ts'

const PAGE = readFileSync(new URL('../../../docs/restore-runbook.md', import.meta.url), 'utf8')
const CONFIGURATION = /```ts\n(\/\/ strongroom\.config\.ts\n[\s\S]*?)```/.exec(PAGE)?.[1] ?? ''
const COMMANDS = /```sh\n([\s\S]*?)```/.exec(PAGE)?.[1] ?? ''

async function madeFolder(): Promise<{ readonly folder: string; readonly run: (...args: readonly string[]) => Promise<Ended> }> {
  const folder = emptyFolder()
  writeFileSync(
    join(folder, 'strongroom.config.ts'),
    quick(CONFIGURATION).replace("defaultRegion: 'eu',", "defaultRegion: 'eu',\n  cacheBound: 100,"),
  )
  writePrivate(join(folder, 'passphrase'), PASSPHRASE)
  await quickRootKey(folder)
  const run = (...args: readonly string[]): Promise<Ended> => strongroom(folder, [...args, '--passphrase-file', 'passphrase'])
  expect((await run('init')).code).toBe(0)
  writeFileSync(
    join(folder, 'tenants.mjs'),
    `import { openVault } from '@strongroom/core'
import { localStores } from '@strongroom/store-local'
export default async ({ keyProviders }) => {
  const vault = await openVault({ keyProviders, defaultRegion: 'eu', ...localStores({ directory: 'vault' }) })
  for (const tenant of ['acme', 'rival']) await vault.tenants.create(tenant)
  return vault
}
`,
  )
  const tenants =
    quick(CONFIGURATION).replace('export default', 'const configured =') +
    "\nimport make from './tenants.mjs'\nexport default async (context) => make(await configured(context))\n"
  writeFileSync(join(folder, 'tenants.config.ts'), tenants)
  expect((await run('status', '--config', 'tenants.config.ts')).code).toBe(0)
  return { folder, run }
}

const rowsOf = (folder: string): readonly unknown[] => JSON.parse(readFileSync(join(folder, 'rows.json'), 'utf8')) as readonly unknown[]
const ADA = { tenant: 'acme', subject: 'ada' }
const BOB = { tenant: 'acme', subject: 'bob' }
const EVE = { tenant: 'rival', subject: 'eve' }

test('the page has the commands that are followed here', () => {
  expect(COMMANDS.split('&&').map((line) => line.trim())).toEqual([
    'strongroom status',
    'strongroom replay',
    'strongroom sweep',
    'strongroom erasures',
  ])
})

test('copies of data and key store from before an erasure are put back: the dead are gone again, everybody else is there', async () => {
  const { folder, run } = await madeFolder()
  writeFileSync(join(folder, 'rows.json'), JSON.stringify([ADA, BOB, EVE]))
  const backup = emptyFolder()
  const lost = ['rows.json', 'vault/keys']
  for (const part of lost) cpSync(join(folder, part), join(backup, part), { recursive: true })
  expect((await run('erase', 'subject', 'acme', 'ada', '--grace-zero', '--yes', '--even-if-absent')).code).toBe(0)
  expect((await run('erase', 'tenant', 'rival', '--grace-zero', '--yes')).code).toBe(0)
  expect((await run('sweep')).code).toBe(0)
  expect(rowsOf(folder)).toEqual([BOB])

  // Step 2.
  for (const part of lost) {
    rmSync(join(folder, part), { recursive: true })
    cpSync(join(backup, part), join(folder, part), { recursive: true })
  }
  // Steps 3 to 5.
  const status = await run('status')
  expect([status.code, status.stdout]).toEqual([0, expect.stringContaining('all of them in effect')])
  const replayed = await run('replay', '--json')
  expect([replayed.code, JSON.parse(replayed.stdout)]).toMatchObject([
    0,
    { resources: [{ name: 'rows', looked: 3, removed: 2, suspended: 0, retired: 0 }], withoutReplay: [] },
  ])
  expect(rowsOf(folder)).toEqual([BOB])
  const swept = await run('sweep')
  expect([swept.code, swept.stdout]).toEqual([0, 'erasure: 0 done, 0 waiting\n'])
  expect((await run('erasures')).stdout.match(/^waits for .*$/gm)).toEqual(
    Array.from({ length: 2 }, () => expect.stringContaining('its epoch')),
  )
})

test('a state store from before an erasure: nothing is done before the newest one is put back', async () => {
  const { folder, run } = await madeFolder()
  writeFileSync(join(folder, 'rows.json'), JSON.stringify([ADA, BOB]))
  const backup = emptyFolder()
  cpSync(join(folder, 'vault/state'), join(backup, 'state'), { recursive: true })
  expect((await run('erase', 'subject', 'acme', 'ada', '--grace-zero', '--yes', '--even-if-absent')).code).toBe(0)
  expect((await run('sweep')).code).toBe(0)
  cpSync(join(folder, 'vault/state'), join(backup, 'newest'), { recursive: true })
  rmSync(join(folder, 'vault/state'), { recursive: true })
  cpSync(join(backup, 'state'), join(folder, 'vault/state'), { recursive: true })
  writeFileSync(join(folder, 'rows.json'), JSON.stringify([ADA, BOB]))
  for (const command of ['status', 'replay', 'sweep', 'erasures'])
    expect(await run(command)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^strongroom: ledger_invalid: /) })
  expect(rowsOf(folder)).toEqual([ADA, BOB])
  rmSync(join(folder, 'vault/state'), { recursive: true })
  cpSync(join(backup, 'newest'), join(folder, 'vault/state'), { recursive: true })
  expect([(await run('replay')).code, rowsOf(folder)]).toEqual([0, [BOB]])
})
