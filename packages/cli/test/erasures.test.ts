// Erasures from a terminal: asked for, listed, swept, replayed.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { FUNCTION, shell, strongroom } from './support/command.ts'
import { erasingFolder } from './support/erasing-folder.ts'
import { Terminal } from './support/terminal.ts'
import { rawKeyConfiguration, readAll, vaultFolder } from './support/vault-folder.ts'

test('asked for: suspended, and listed until when; nothing is destroyed', async () => {
  const { folder, values } = await erasingFolder()
  const asked = await strongroom(folder, ['erase', 'subject', 't0', 's0', '--reason', 'accountDeleted'])
  expect([asked.code, asked.stderr]).toEqual([0, ''])
  expect(asked.stdout).toMatch(
    /^[0-9a-f.]{98}: suspended; it can be taken back until \d{4}-\d\d-\d\d \d\d:\d\dZ, and goes with sweeping after that\n$/,
  )
  expect(await readAll(folder, values)).toEqual(['suspended', 't0 s1', 't1 s0', 't1 s1'])
  const listed = await strongroom(folder, ['erasures'])
  expect(listed.stdout.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\dZ/g, 'INSTANT').replaceAll(/[0-9a-f]{32}/g, 'REF')).toBe(
    [
      'erasure        of subject s0 of tenant t0',
      // Whole, to be copied, however narrow the terminal.
      'id             REF.REF.REF',
      'asked for      INSTANT, because of accountDeleted',
      'due            INSTANT',
      'is             suspended',
      'waits for      its grace, in which it can be taken back',
      'until          INSTANT',
      '',
    ].join('\n'),
  )
  const { erasures } = JSON.parse((await strongroom(folder, ['erasures', '--json'])).stdout) as { readonly erasures: readonly unknown[] }
  expect(erasures).toMatchObject([
    { state: 'suspended', waitsFor: 'grace', names: { tenant: 't0', subject: 's0' }, reason: 'accountDeleted' },
  ])
  expect((await strongroom(folder, ['sweep'])).stdout).toBe('erasure: 0 done, 0 waiting\n')
  expect(existsSync(join(folder, 'rows-s0'))).toBe(true)
})

test('without grace: asked in a terminal; then sweeping erases the rest, and it waits for its epoch', async () => {
  const { folder, values } = await erasingFolder()
  const refused = await strongroom(folder, ['erase', 'subject', 't0', 's0', '--grace-zero'])
  expect([refused.code, refused.stderr]).toEqual([
    64,
    expect.stringMatching(/^Gone for good, without grace: subject s0 of tenant t0[^\n]*\n[^\n]*--yes/),
  ])
  const command = `${FUNCTION}; strongroom erase subject t0 s0 --grace-zero`
  const no = new Terminal(command, folder)
  await no.answer(/Type "s0" to go on/, 'no\r')
  expect([await no.ended, await readAll(folder, values)]).toEqual([1, values.map(({ value }) => value)])
  const yes = new Terminal(command, folder)
  await yes.answer(/Type "s0" to go on/, 's0\r')
  expect([await yes.ended, (await readAll(folder, values))[0]]).toEqual([0, 'shredded'])
  const swept = await strongroom(folder, ['sweep'])
  expect([swept.code, swept.stdout, swept.stderr]).toEqual([
    0,
    'erasure: 1 done, 0 waiting\n',
    expect.stringContaining('sweeping erasure 0/1'),
  ])
  expect([existsSync(join(folder, 'rows-s0')), existsSync(join(folder, 'rows-s1'))]).toEqual([false, true])
  const listed = await strongroom(folder, ['erasures'])
  expect(listed.stdout).toMatch(/^erasure {8}of somebody whose name is erased$/m)
  expect(listed.stdout).toMatch(/^waits for {6}its epoch: older backups still bring its keys back$/m)
  expect(listed.stdout).toMatch(/rotation_needed: strongroom rotate root --region eu/)
})

test('what is left, and what fails, is told by code and count, and ends with 1; the others are swept', async () => {
  const { folder } = await erasingFolder({ resource: 'liar()', sweepables: '[broken]' })
  expect((await strongroom(folder, ['erase', 'tenant', 't1', '--grace-zero', '--yes'])).code).toBe(0)
  const swept = await strongroom(folder, ['sweep', '--json'])
  expect([swept.code, JSON.parse(swept.stdout)]).toMatchObject([
    1,
    {
      outcome: 'failed',
      swept: [
        { name: 'erasure', failures: [{ place: expect.stringMatching(/ liar$/), reason: 'resource_remains', remaining: 2 }] },
        { name: 'broken', failures: [{ place: 'broken', reason: 'unexpected', code: 'ECONNREFUSED' }] },
      ],
    },
  ])
  expect(swept.stdout + swept.stderr).not.toContain('secret')
  const listed = await strongroom(folder, ['erasures'])
  expect(listed.stdout).toMatch(/^waits for {6}resources of which something is left$/m)
  expect(listed.stdout).toMatch(/^failed {9}liar: resource_remains, since \d{4}-\d\d-\d\d \d\d:\d\dZ; 2 records left$/m)
})

test('erasures are told as they are found: more than memory holds, and those before one that is damaged', async () => {
  const { folder } = await erasingFolder({
    list: `async *list() {
      const of = (id) => ({ id, region: 'eu', state: 'suspended', reason: 'operator', requested: 0, due: 0, waitsFor: 'grace', blockedBy: [], resources: [] })
      yield of('one')
      process.stderr.write('asked for two\\n')
      yield of('two')
      throw new Error('damaged')
    }`,
  })
  const text = await strongroom(folder, ['erasures'])
  expect([text.code, text.stdout.match(/^id +\w+$/gm)]).toEqual([1, ['id             one', 'id             two']])
  expect((await shell(folder, 'strongroom erasures 2>&1')).stdout).toMatch(/one[^]*asked for two[^]*id +two[^]*strongroom: /)
  const json = await strongroom(folder, ['erasures', '--json'])
  expect([json.code, JSON.parse(json.stdout)]).toMatchObject([
    1,
    { command: 'erasures', erasures: [{ id: 'one' }, { id: 'two' }], outcome: 'failed', exitCode: 1 },
  ])
})

test('replay: what came back of the dead is removed again; one that cannot look ends it with 1', async () => {
  const { folder } = await erasingFolder()
  await strongroom(folder, ['erase', 'subject', 't0', 's0', '--grace-zero', '--yes'])
  await strongroom(folder, ['sweep'])
  writeFileSync(join(folder, 'rows-s0'), '')
  const replayed = await strongroom(folder, ['replay'])
  expect([replayed.code, replayed.stdout]).toEqual([0, 'rows: 1 record removed of 2\n'])
  expect(existsSync(join(folder, 'rows-s0'))).toBe(false)
  const again = await strongroom(folder, ['erase', 'subject', 't0', 's0'])
  expect([again.code, again.stdout]).toEqual([
    0,
    expect.stringMatching(/^[0-9a-f.]{98}: suspended; its key was destroyed before: what resources still have of it goes [^\n]*\n$/),
  ])
  const source = readFileSync(join(folder, 'strongroom.config.ts'), 'utf8')
  writeFileSync(join(folder, 'strongroom.config.ts'), source.replace('resources: [rows(vault)]', 'resources: [rows(vault), liar()]'))
  const partly = await strongroom(folder, ['replay'])
  expect([partly.code, partly.stdout]).toEqual([
    1,
    'rows: 0 records removed of 1\nliar: cannot look through what it holds; see to it by hand\n',
  ])
  writeFileSync(join(folder, 'strongroom.config.ts'), source.replace('replay: async (dead) => {', '$&\n    throw new Error("secret")'))
  const failed = await strongroom(folder, ['replay'])
  expect([failed.code, failed.stdout]).toEqual([1, 'rows: failed; run it again\n'])
  const left = '{ ...liar(), replay: async () => ({ looked: 3, removed: 0, suspended: 1, retired: 2 }) }'
  writeFileSync(join(folder, 'strongroom.config.ts'), source.replace('resources: [rows(vault)]', `resources: [${left}]`))
  const told = await strongroom(folder, ['replay'])
  expect([told.code, told.stdout]).toEqual([
    0,
    'liar: 0 records removed of 3; 1 of people who are suspended, and nobody has asked for their erasure; 2 left that no key opens: from before a rotation, of people who live\n',
  ])
})

test.each([
  [['erase', 'subject', 't0', 'nobody'], 'no_key', 1],
  [['erase', 'tenant', 'nobody'], 'not_found', 1],
  [['erase', 'subject', 't0', 's0', '--reason', 'none'], 'usage', 64],
] as const)('refused: %j', async (args, code, exitCode) => {
  const { folder } = await erasingFolder()
  const refused = await strongroom(folder, args)
  expect([refused.code, refused.stderr]).toEqual([exitCode, expect.stringMatching(new RegExp(`^strongroom: ${code}: `, 'm'))])
  expect((await strongroom(folder, ['erasures'])).stdout).toBe('no erasure is under way\n')
})

test('a configuration without an erasure, and with none that is one', async () => {
  const { folder } = await vaultFolder()
  for (const command of [['erasures'], ['erase', 'tenant', 't0'], ['holds'], ['replay'], ['sweep']]) {
    const { code, stderr } = await strongroom(folder, command)
    expect([command, code, stderr]).toEqual([command, 64, expect.stringMatching(/^strongroom: config_invalid: the configuration has no/)])
  }
  for (const services of ['5', '() => ({ erasure: 5 })', '() => ({ sweepables: 5 })', '() => ({ sweepables: [{}] })']) {
    writeFileSync(
      join(folder, 'strongroom.config.ts'),
      rawKeyConfiguration(folder)
        .replace('  openVault({', '({')
        .replace(/\n {2}\}\),\n\)/, ` services: ${services} }))`),
    )
    const { code, stderr } = await strongroom(folder, ['sweep'])
    expect([services, code, stderr]).toEqual([services, 64, expect.stringMatching(/^strongroom: config_invalid: /)])
  }
})
