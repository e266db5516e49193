// Holds, taking back, certificates and records that do not open, from a terminal.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { FUNCTION, strongroom } from './support/command.ts'
import { erasingFolder } from './support/erasing-folder.ts'
import { strongroomHere } from './support/in-process.ts'
import { Terminal } from './support/terminal.ts'
import { readAll } from './support/vault-folder.ts'

test('without grace, under a hold: what it prints is that nothing is destroyed, and it ends with 1; released, it goes', async () => {
  const { folder, values } = await erasingFolder()
  const held = await strongroom(folder, ['hold', 'tenant', 't0', '--reason', 'case 4711'])
  expect([held.code, held.stdout]).toEqual([0, 'held: tenant t0, every subject and item of it\n'])
  const asked = await strongroom(folder, ['erase', 'subject', 't0', 's0', '--grace-zero', '--yes'])
  expect([asked.code, asked.stdout]).toEqual([
    1,
    expect.stringMatching(/^[0-9a-f.]{98}: suspended, and its keys are NOT destroyed: [^\n]*\n$/),
  ])
  for (let i = 0; i < 2; i++)
    expect((await strongroom(folder, ['sweep'])).stdout).toBe('erasure: 0 done, 1 waiting (1 for the release of a hold)\n')
  const shred = await strongroom(folder, ['shred', 'subject', 't0', 's1', '--yes'])
  expect([shred.code, shred.stderr]).toEqual([1, expect.stringMatching(/^strongroom: held: [^\n]*; next: strongroom holds[^\n]*$/m)])
  expect((await readAll(folder, values)).slice(0, 2)).toEqual(['suspended', 't0 s1'])

  const refused = await strongroom(folder, ['release', 'tenant', 't0', '--reason', 'case closed'])
  expect([refused.code, refused.stderr]).toEqual([
    64,
    expect.stringMatching(/^No longer held: tenant t0, [^\n.]*; what was asked for[^\n]*\n[^\n]*--yes/),
  ])
  const released = await strongroom(folder, ['release', 'tenant', 't0', '--reason', 'case closed', '--yes'])
  expect([released.code, released.stdout]).toEqual([0, 'released: tenant t0, every subject and item of it\n'])
  expect((await strongroom(folder, ['sweep'])).stdout).toBe('erasure: 1 done, 0 waiting\n')
  expect(await readAll(folder, values)).toEqual(['shredded', 't0 s1', 't1 s0', 't1 s1'])
})

test('holds are listed, with their ids; one is released by its id, in a terminal by a word', async () => {
  const { folder } = await erasingFolder()
  expect((await strongroom(folder, ['holds'])).stdout).toBe('there was never a hold\n')
  await strongroom(folder, ['hold', 'subject', 't0', 's0', '--reason', 'case 4711'])
  const again = await strongroom(folder, ['hold', 'subject', 't0', 's0', '--reason', 'case 4712'])
  expect([again.code, again.stderr]).toEqual([
    1,
    expect.stringMatching(/^strongroom: already_exists: [^\n]*; next: [^\n]*strongroom holds/),
  ])
  const listed = JSON.parse((await strongroom(folder, ['holds', '--json'])).stdout) as {
    readonly holds: readonly { readonly id: string }[]
  }
  expect(listed).toMatchObject({ outcome: 'done', holds: [{ reason: 'case 4711' }] })
  const id = listed.holds[0]?.id ?? ''
  const release = new Terminal(`${FUNCTION}; strongroom release id ${id} --reason "case closed"`, folder)
  await release.answer(/Type "release" to go on/, 'release\r')
  expect(await release.ended).toBe(0)
  const { stdout } = await strongroom(folder, ['holds'])
  expect(stdout.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\dZ/g, 'INSTANT').replaceAll(/[0-9a-f]{32}/g, 'REF')).toBe(
    ['was held       since INSTANT: case 4711', 'id             REF.REF', 'released       INSTANT: case closed', ''].join('\n'),
  )
  const none = await strongroom(folder, ['release', 'id', id, '--reason', 'again', '--yes'])
  expect([none.code, none.stderr]).toEqual([1, expect.stringMatching(/strongroom: not_found: /)])
})

test('a request is taken back by its id, while its grace lasts', async () => {
  const { folder, values } = await erasingFolder()
  const idOf = ({ stdout }: { readonly stdout: string }) => stdout.slice(0, 98)
  const id = idOf(await strongroom(folder, ['erase', 'subject', 't0', 's0']))
  const cancelled = await strongroom(folder, ['erasures', 'cancel', id])
  expect([cancelled.code, cancelled.stdout]).toEqual([0, expect.stringMatching(/^[0-9a-f.]{98}: taken back; /)])
  expect(await readAll(folder, values)).toEqual(values.map(({ value }) => value))
  const again = await strongroom(folder, ['erasures', 'cancel', id])
  expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/^strongroom: not_found: /)])
  const gone = idOf(await strongroom(folder, ['erase', 'subject', 't0', 's0', '--grace-zero', '--yes']))
  const late = await strongroom(folder, ['erasures', 'cancel', gone, '--json'])
  expect([late.code, JSON.parse(late.stdout)]).toMatchObject([1, { command: 'erasures cancel', code: 'grace_over' }])
})

test('a certificate is printed once its epoch is closed, in words as well, and into a file that is written over by nothing else', async () => {
  const { folder, with: withVault } = await erasingFolder()
  const id = (await strongroom(folder, ['erase', 'subject', 't0', 's0', '--grace-zero', '--yes'])).stdout.slice(0, 98)
  await strongroom(folder, ['sweep'])
  const early = await strongroom(folder, ['certificate', id])
  expect([early.code, early.stdout, early.stderr]).toEqual([1, '', expect.stringMatching(/^strongroom: not_closed: [^\n]*it is erased;/)])
  const unknown = await strongroom(folder, ['certificate', `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}`])
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringMatching(/^strongroom: not_found: /)])
  await withVault(async (vault) => {
    for await (const _ of vault.rotateRootKey());
    for await (const _ of vault.closeEpoch({ dangerouslyWithoutBackup: true }));
  })
  // Copies of the root key live for a day: the clock of the sweep that closes is past that.
  const config = join(folder, 'strongroom.config.ts')
  const source = readFileSync(config, 'utf8')
  writeFileSync(
    config,
    source.replace(
      "defaultRegion: 'eu',",
      "defaultRegion: 'eu', clock: { now: () => Date.now() + days(2), monotonic: () => performance.now() },",
    ),
  )
  expect((await strongroom(folder, ['sweep'])).stdout).toBe('erasure: 1 done, 0 waiting\n')
  writeFileSync(config, source)
  const printed = await strongroom(folder, ['certificate', id])
  expect([printed.code, printed.stdout]).toEqual([0, expect.stringMatching(/^scc1\.\S+\n$/)])
  const words = await strongroom(folder, ['certificate', id, '--text'])
  expect([words.code, words.stdout]).toEqual([0, expect.stringContaining('rows')])
  for (const args of [[], ['--text']]) {
    const file = join(folder, `certificate${args.join('')}`)
    const command = ['certificate', id, ...args, '--out', file]
    // Twice, with the same end.
    for (let i = 0; i < 2; i++) expect((await strongroom(folder, command)).code).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe(args.length === 0 ? printed.stdout : words.stdout)
    writeFileSync(file, 'something else')
    const kept = await strongroom(folder, command)
    expect([kept.code, kept.stderr, readFileSync(file, 'utf8')]).toEqual([
      1,
      expect.stringMatching(/^strongroom: file_unusable: /),
      'something else',
    ])
  }
})

test('a record that does not open: the others are listed, its id is told, and asking again or discarding it is the way out', async () => {
  const { folder, with: withVault } = await erasingFolder()
  for (const subject of ['s0', 's1']) await strongroom(folder, ['erase', 'subject', 't0', subject])
  const id = await withVault(async (vault) => {
    const references = await vault.tenant('t0').subject('s0').references()
    const key = [vault.id, ...references, 'open'].join('/')
    const entry = await vault.stateStore.get('strongroom/erasures', key)
    await vault.stateStore.put('strongroom/erasures', key, Uint8Array.of(1), { expected: entry?.version ?? 'absent', due: 0 })
    return references.join('.')
  })
  const listed = await strongroom(folder, ['erasures'])
  expect([listed.code, listed.stdout, listed.stderr]).toEqual([
    1,
    expect.stringContaining('of subject s1 of tenant t0'),
    expect.stringContaining(id),
  ])
  const held = await strongroom(folder, ['hold', 'subject', 't0', 's0', '--reason', 'case 4711'])
  expect([held.code, held.stdout]).toEqual([1, expect.stringContaining(`${id}: the record of this erasure does not open`)])
  const discarded = await strongroom(folder, ['erasures', 'discard', id])
  expect([discarded.code, discarded.stdout]).toEqual([0, `${id}: its record is taken away; what was suspended stays so\n`])
  const whole = await strongroom(folder, ['erasures'])
  expect([whole.code, whole.stderr]).toEqual([0, ''])
})

test.each([
  [['hold', 'subject', 't0', 'nobody', '--reason', 'case'], 'no_key', 1],
  [['hold', 'subject', 't0', 's0'], 'usage', 64],
  [['release', 'subject', 't0', 's0', '--reason', 'case', '--yes'], 'not_found', 1],
  [['release', 'id', 'x', '--reason', 'case', '--yes'], 'usage', 64],
  [['erasures', 'cancel', 's0'], 'usage', 64],
  [['erasures', 'somebody'], 'usage', 64],
  [['certificate', 's0'], 'usage', 64],
] as const)('refused: %j', async (args, code, exitCode) => {
  const { folder } = await erasingFolder()
  // What is wrong use ends before anything is opened.
  const refused = await (code === 'usage' ? strongroomHere : strongroom)(folder, args)
  expect([refused.code, refused.stderr]).toEqual([exitCode, expect.stringMatching(new RegExp(`^strongroom: ${code}: `, 'm'))])
})
