// Rotations, with and without a terminal: how far they are, Ctrl-C in the middle, and going on.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { RegionStatus } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { FUNCTION, strongroom } from './support/command.ts'
import { Terminal } from './support/terminal.ts'
import { readAll, vaultFolder, type VaultFolder } from './support/vault-folder.ts'

async function regionOf({ with: opened }: VaultFolder): Promise<RegionStatus> {
  return opened(async (vault) => (await vault.status()).regions[0] as RegionStatus)
}

/** A vault in which a rotation has something to move, and waits long enough for a signal. */
async function shredded(options: Parameters<typeof vaultFolder>[0] = {}): Promise<VaultFolder> {
  const made = await vaultFolder(options)
  await made.with((vault) => vault.tenant('t0').subject('s0').shred())
  return made
}

describe('without a terminal', () => {
  test('plain lines on stderr, the outcome on stdout', async () => {
    const made = await shredded()
    const { code, stdout, stderr } = await strongroom(made.folder, ['rotate', 'root', '--concurrency', '2'])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^region eu is rotated: the newest root version wraps every wrapping key of it\nnext: .*close-epoch --region eu --backup FOLDER --root-backup\n$/,
    )
    expect(stderr).toMatch(/^preparing 0\/1\npreparing 1\/1\nwrapping 0\/3\nwrapping 3\/3\nwaiting 0\/1\nwaiting 1\/1\nrewrapping /)
    expect(stderr).not.toContain('\u001B')
    expect(await regionOf(made)).toMatchObject({ current: 2, rotation: { state: 'finished', rootVersion: 2 } })
  })

  test('--json: one object on stdout, nothing else there', async () => {
    const { folder } = await vaultFolder()
    const { code, stdout } = await strongroom(folder, ['rotate', 'root', '--region', 'eu', '--json'])
    expect(code).toBe(0)
    expect(stdout.split('\n').length).toBe(2)
    expect(JSON.parse(stdout)).toEqual({ command: 'rotate root', outcome: 'done', region: 'eu' })
    const refused = await strongroom(folder, ['rotate', 'root', '--region', 'us', '--json'])
    expect([refused.code, JSON.parse(refused.stdout)]).toEqual([
      1,
      {
        command: 'rotate root',
        outcome: 'failed',
        code: 'region_refused',
        message: 'the configuration has no key provider for a region us',
        next: expect.stringMatching(/strongroom status lists the regions/),
        exitCode: 1,
      },
    ])
    expect(refused.stderr).toMatch(/^strongroom: region_refused: [^\n]*\n$/)
  })

  test('--dry-run says what, and does nothing', async () => {
    const made = await shredded()
    const root = readFileSync(join(made.folder, 'root.key'))
    const before = await regionOf(made)
    for (const [args, said] of [
      [['root'], /would make a new root version for region eu\nwould wrap 3 wrapping keys of 2 tenants.*; 1 of them was there at a shred/],
      [['tenant', 't1'], /would give tenant t1 \(region eu, active\) a new wrapping key/],
      [['subject', 't1', 's1'], /would give subject s1 of tenant t1 \(region eu\) a new key/],
    ] as const) {
      const { code, stdout, stderr } = await strongroom(made.folder, ['rotate', ...args, '--dry-run'])
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toMatch(said)
      expect(stdout).toMatch(/nothing was done\n$/)
    }
    expect(await regionOf(made)).toEqual(before)
    expect(readFileSync(join(made.folder, 'root.key'))).toEqual(root)
    for (const [args, code] of [
      [['tenant', 'nobody'], 'not_found'],
      [['subject', 't0', 'nobody'], 'not_found'],
      [['subject', 't0', 's0'], 'shredded'],
    ] as const) {
      const dry = await strongroom(made.folder, ['rotate', ...args, '--dry-run'])
      expect([args, dry.code, dry.stderr]).toEqual([args, 1, expect.stringMatching(new RegExp(`^strongroom: ${code}: `))])
    }
    await made.with((vault) => vault.tenant('t1').shred())
    expect((await strongroom(made.folder, ['rotate', 'tenant', 't1', '--dry-run'])).stderr).toMatch(/^strongroom: shredded: /)
  })

  test('--quiet: nothing of how far it is, but errors', async () => {
    const { folder } = await vaultFolder()
    const { code, stdout, stderr } = await strongroom(folder, ['rotate', 'root', '--quiet'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('region eu is rotated')
    expect((await strongroom(folder, ['rotate', 'tenant', 'nobody', '--quiet'])).stderr).toMatch(/^strongroom: not_found: [^\n]*\n$/)
  })

  test('a tenant, and a subject, whose values all still read', async () => {
    const made = await vaultFolder()
    const tenant = await strongroom(made.folder, ['rotate', 'tenant', 't0'])
    expect([tenant.code, tenant.stdout]).toEqual([0, 'tenant t0 has a new wrapping key, and its keys are wrapped by it\n'])
    const subject = await strongroom(made.folder, ['rotate', 'subject', 't1', 's1', '--json'])
    expect([subject.code, JSON.parse(subject.stdout)]).toEqual([
      0,
      { command: 'rotate subject', outcome: 'done', tenant: 't1', subject: 's1' },
    ])
    expect(await regionOf(made)).toMatchObject({ wrappingKeys: { retired: 1 }, nodes: { deactivatedVersions: 1 } })
    expect(await readAll(made.folder, made.values)).toEqual(made.values.map(({ value }) => value))
    const missing = await strongroom(made.folder, ['rotate', 'subject', 't1', 'nobody'])
    expect([missing.code, missing.stderr.split('\n').at(-2)]).toEqual([1, expect.stringMatching(/^strongroom: not_found: /)])
  })

  test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('%s: interrupted, and the same command ends it', async (signal) => {
    const made = await shredded({ cacheBound: 1000 })
    let sent = false
    const { code, stdout, stderr } = await strongroom(made.folder, ['rotate', 'root', '--json'], {
      onStderr: (text, process) => {
        if (sent || !text.includes('waiting 0/1')) return
        sent = true
        process.kill(signal)
      },
    })
    // Whose terminal is gone ends as if nothing had been waited for.
    expect(code).toBe(signal === 'SIGHUP' ? 'SIGHUP' : 2)
    expect(stderr).toMatch(/\nstrongroom: finishing what is in hand; [^\n]*\nstrongroom: interrupted: what was done is kept, [^\n]*\n$/)
    expect(JSON.parse(stdout)).toMatchObject({ command: 'rotate root', outcome: 'interrupted' })
    expect(await regionOf(made)).toMatchObject({ rotation: { state: 'unfinished', rootVersion: 2 } })
    expect((await strongroom(made.folder, ['rotate', 'root', '--dry-run'])).stdout).toMatch(
      /^would go on with the rotation of region eu to root version 2\n/,
    )
    expect((await strongroom(made.folder, ['rotate', 'root'])).code).toBe(0)
    expect(await regionOf(made)).toMatchObject({ current: 2, rotation: { state: 'finished', rootVersion: 2 } })
  })
})

test('a subject, interrupted: it is not said that the same command goes on', async () => {
  const { folder, with: opened } = await vaultFolder({ cacheBound: 2000 })
  await opened((vault) => vault.tenant('t0').subject('s0').item('i').suspend())
  let sent = false
  const { code, stderr } = await strongroom(folder, ['rotate', 'subject', 't0', 's0'], {
    onStderr: (text, process) => {
      if (sent || !text.includes('waiting 0/1')) return
      sent = true
      process.kill('SIGINT')
    },
  })
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/strongroom: interrupted: a new key may be there by now, and another run may make one more/),
  ])
})

describe('in a terminal', () => {
  test.each([30, 120])('%i columns: one line that changes, never wider; Ctrl-C, and going on', async (columns) => {
    const made = await shredded({ cacheBound: 4000, tenants: 3, subjects: 30 })
    const first = new Terminal(`${FUNCTION}; strongroom rotate root`, made.folder, { columns })
    // For how long, as it goes on.
    await first.until(columns > 50 ? /waiting {5}0\/1 [1-3] s; one cacheBound/ : /waiting/)
    // Without what the command says once it is done: that may be longer than a line.
    expect((await first.lines()).filter((line) => line !== '').length).toBe(1)
    first.type('\u0003')
    expect(await first.ended).toBe(2)
    const screen = (await first.lines()).join('').replaceAll('↪', '')
    expect(screen).toMatch(/\^C ?strongroom: finishing what is in hand/)
    expect(screen).toContain('strongroom: interrupted: what was done is kept, and the same command goes on from there')

    const second = new Terminal(`${FUNCTION}; strongroom rotate root`, made.folder, { columns })
    expect(await second.ended).toBe(0)
    const [progress = '', outcome] = await second.lines()
    expect(progress).toMatch(/^checking {3}.*1\/1$|^checking 1\/1$/)
    expect(outcome).toMatch(/^region eu is rotated/)
    expect(second.raw).toMatch(columns > 50 ? /\[#+-*\]/ : /rewrapping/)
    expect(await regionOf(made)).toMatchObject({ rotation: { state: 'finished' } })
  })

  test('Ctrl-C twice does not wait', async () => {
    const { folder } = await vaultFolder()
    // Whatever heeds no signal, such as a server that does not answer.
    writeFileSync(
      join(folder, 'slow.mjs'),
      'export default () => new Promise((resolve) => setTimeout(resolve, 600_000, console.error("begun")))',
    )
    const terminal = new Terminal(`${FUNCTION}; strongroom rotate root --config slow.mjs`, folder)
    await terminal.until(/begun/)
    terminal.type('\u0003')
    await terminal.until(/once more to end at once/)
    terminal.type('\u0003')
    expect(await terminal.ended).toBe(2)
    expect((await terminal.lines()).join('\n')).toContain('strongroom: ended at once: nothing was done')
  })

  test('no colour where none is wanted, and a dumb terminal gets plain lines', async () => {
    const { folder } = await vaultFolder()
    // Select Graphic Rendition: what colours are made of.
    const status = (environment: Readonly<Record<string, string>>): Terminal =>
      new Terminal(`${FUNCTION}; strongroom status`, folder, { environment })
    const [coloured, plain, dumb] = [status({}), status({ NO_COLOR: '1' }), status({ TERM: 'dumb' })]
    expect([await coloured.ended, await plain.ended, await dumb.ended]).toEqual([0, 0, 0])
    expect([coloured, plain, dumb].map(({ raw }) => raw.split('\u001B').some((part) => /^\[[\d;]*m/.test(part)))).toEqual([
      true,
      false,
      false,
    ])
    const rotation = new Terminal(`${FUNCTION}; strongroom rotate root`, folder, { environment: { TERM: 'dumb' } })
    expect(await rotation.ended).toBe(0)
    expect(rotation.raw).toMatch(/^preparing 0\/1\r\n/)
    expect(rotation.raw).not.toContain('\u001B')
  })
})
