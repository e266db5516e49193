// The command line itself: wrong use, help, and a configuration that is missing or wrong.
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { strongroom } from './support/command.ts'
import { strongroomHere } from './support/in-process.ts'
import { emptyFolder, vaultFolder } from './support/vault-folder.ts'

describe('wrong use: one line, exit 64, nothing begun', () => {
  const CASES: readonly [readonly string[], RegExp][] = [
    [['statsu'], /unknown command 'statsu' \(Did you mean status\?\)/],
    [['rotate', 'rot'], /unknown command 'rot' \(Did you mean root\?\)/],
    [['close-epcoh'], /Did you mean close-epoch\?/],
    [['status', '--jsno'], /unknown option '--jsno' \(Did you mean --json\?\)/],
    [['rotate', 'tenant'], /missing required argument 'id'/],
    [['rotate', 'root', '--concurrency', '0'], /whole number, 1 to 1000/],
    [['rotate', 'root', '--concurrency', '1001'], /whole number, 1 to 1000/],
    [['shred', 'tenant', 'a', '--reason', 'whim'], /Allowed choices are unspecified, subjectRequest, accountDeleted/],
    [['close-epoch'], /give --root-backup and --backup FOLDER \(or --marker TEXT with --started-at TIME\)/],
    [['close-epoch', '--backup', 'x'], /give --root-backup/],
    [['close-epoch', '--marker', 'x', '--root-backup'], /--started-at TIME/],
    [['close-epoch', '--backup', 'x', '--started-at', '2030-01-01T03:00:00Z', '--root-backup'], /cannot be used with/],
    [['close-epoch', '--dangerously-without-backup', '--root-backup'], /cannot be used with/],
    [['close-epoch', '--marker', 'x', '--started-at', '2030-01-01T03:00:00', '--root-backup'], /UTC milliseconds, or a time such as/],
    [['status', '--passphrase-fd', '3', '--passphrase-file', 'x'], /cannot be used with/],
    [['status', 'extra'], /too many arguments/],
    [
      ['close-epoch', '--marker', 'x', '--started-at', '2026-02-31T03:00:00Z', '--root-backup', '--dry-run'],
      /UTC milliseconds, or a time such as/,
    ],
    [
      ['close-epoch', '--marker', 'x', '--started-at', '2026-02-01T24:00:00Z', '--root-backup', '--dry-run'],
      /UTC milliseconds, or a time such as/,
    ],
    [['shred', 't1', 's1'], /unknown command 't1'/],
    [['init', '--root-key', 'x', '--region', 'a b'], /1 to 64 letters, digits, - and _/],
    [['rotate', 'root', '--region', ''], /1 to 64 letters, digits, - and _/],
    [['help', 'statsu'], /unknown command 'statsu' \(Did you mean status\?\)/],
    [['help', 'rotate', 'rot'], /unknown command 'rot' \(Did you mean root\?\)/],
  ]

  test.each(CASES)('%j', async (args, message) => {
    const { code, stdout, stderr } = await strongroomHere(emptyFolder(), args)
    expect([code, stdout]).toEqual([64, ''])
    expect(stderr).toMatch(/^strongroom: usage: [^\n]*\n$/)
    expect(stderr).toMatch(message)
  })

  test('--json: one object for wrong use too', async () => {
    for (const [args, command] of [
      [['statsu'], ''],
      [['status', '--jsno'], 'status'],
      [['rotate', 'root', '--concurrency', '0'], 'rotate root'],
      [['rotate'], 'rotate'],
      [['status', '--config', 'none.ts'], 'status'],
    ] as const) {
      const { code, stdout } = await strongroomHere(emptyFolder(), [...args, '--json'])
      expect([args, code]).toEqual([args, 64])
      expect(JSON.parse(stdout)).toEqual({
        command,
        outcome: 'failed',
        code: expect.any(String),
        message: expect.any(String),
        exitCode: 64,
      })
    }
  })

  test('the same from a process of its own', async () => {
    const { code, stdout, stderr } = await strongroom(emptyFolder(), ['statsu'])
    expect([code, stdout, stderr]).toEqual([64, '', "strongroom: usage: unknown command 'statsu' (Did you mean status?)\n"])
  })

  test('no command at all: help on stderr', async () => {
    for (const args of [[], ['rotate']]) {
      const { code, stdout, stderr } = await strongroomHere(emptyFolder(), args)
      expect([code, stdout]).toEqual([64, ''])
      expect(stderr).toMatch(/^Usage: strongroom/)
    }
  })

  test.each([
    ['--passphrase=hunter2'],
    ['--passphrase', 'hunter2'],
    ['--passphrase-fd', 'hunter2'],
    ['--passphrase-fd=hunter2'],
    ['-phunter2'],
    ['-hunter2'],
  ])('a passphrase as an argument is not taken, nor repeated: %s %s', async (...args) => {
    const { code, stderr } = await strongroomHere(emptyFolder(), ['status', ...args])
    expect(code).toBe(64)
    expect(stderr).toMatch(/^strongroom: usage: [^\n]*(?:--passphrase|unknown option)/)
    expect(stderr).not.toContain('hunter2')
  })
})

describe('help', () => {
  test('fits 80 columns, and says units and defaults', async () => {
    const folder = emptyFolder()
    const of = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await strongroomHere(folder, [...args, '--help'])
      expect([code, stderr]).toEqual([0, ''])
      return stdout
    }
    const rotate = await of('rotate', 'root')
    expect(rotate).toMatch(/1 to\s+1000\s+\(default: 64\)/)
    expect(rotate).toMatch(/one cacheBound \(60 s\s+unless/)
    expect(await of('close-epoch')).toMatch(/UTC milliseconds, or a\s+time such as/)
    expect(rotate).toMatch(/default\s+without\s+either:\s+the\s+environment/)
    expect(await of('shred', 'subject')).toMatch(/\(choices:[\s\S]*default:\s+"unspecified"\)/)
    for (const args of [
      ['init'],
      ['status'],
      ['rotate', 'tenant'],
      ['rotate', 'subject'],
      ['verify-keys'],
      ['receipt-keys'],
      ['verify-receipt'],
      ['verify-certificate'],
    ])
      expect((await of(...args)).split('\n').filter((line) => line.length > 80)).toEqual([])
    const top = await of()
    expect(top).toMatch(/0 done; 1 failed; 2 interrupted[^\n]*; 64 wrong use/)
  })
})

test('help of a command, however deep, and of none', async () => {
  const folder = emptyFolder()
  for (const names of [['status'], ['rotate'], ['rotate', 'root'], ['shred', 'item'], []]) {
    const [asked, flagged] = [await strongroomHere(folder, ['help', ...names]), await strongroomHere(folder, [...names, '--help'])]
    expect(asked).toEqual(flagged)
    expect(asked.stdout).toContain(`Usage: strongroom ${names.join(' ')}`.trim())
  }
  for (const names of [['elsewhere'], ['rotate', 'elsewhere'], ['status', 'root']]) {
    const { code, stdout, stderr } = await strongroomHere(folder, ['help', ...names])
    expect([code, stdout, stderr]).toEqual([64, '', `strongroom: usage: unknown command '${names.at(-1)}'\n`])
  }
})

describe('a configuration that is missing or wrong: which file, and one that works', () => {
  test('none in the folder', async () => {
    const folder = emptyFolder()
    const { code, stderr } = await strongroom(folder, ['status'])
    expect(code).toBe(64)
    expect(stderr).toContain(`looked for strongroom.config.ts, strongroom.config.js, strongroom.config.mjs in ${folder}`)
    expect(stderr).toContain('export default defineConfig(')
  })

  test('none of the name that was given', async () => {
    const folder = emptyFolder()
    const { code, stderr } = await strongroom(folder, ['status', '--config', 'other.ts'])
    expect(code).toBe(64)
    expect(stderr).toContain(`looked for ${join(folder, 'other.ts')}`)
  })

  test.each([
    ['no default export', 'export const x = 1'],
    ['a default export that is no function', 'export default { keyProviders: {} }'],
    ['a function that returns nothing of use', 'export default () => 5'],
    ['its syntax', 'export default ('],
    ['options that no vault takes', "export default () => ({ keyProviders: {}, defaultRegion: 'eu' })"],
    [
      'options that no vault takes, and it opens it',
      `import { openVault } from '${import.meta.resolve('@strongroom/core')}'\nexport default () => openVault({})`,
    ],
  ])('%s', async (_, source) => {
    const folder = emptyFolder()
    const file = join(folder, 'strongroom.config.mjs')
    writeFileSync(file, source)
    for (const command of ['status', 'init']) {
      const { code, stderr } = await strongroom(folder, [command])
      expect(code).toBe(64)
      expect(stderr).toMatch(/^strongroom: config_invalid: /)
      expect(stderr).toContain(file)
      expect(stderr).toContain('export default defineConfig(')
    }
  })

  test('its syntax: where', async () => {
    const folder = emptyFolder()
    const file = join(folder, 'strongroom.config.ts')
    writeFileSync(file, '\nexport default async ( => {\n')
    const { stderr } = await strongroom(folder, ['status'])
    expect(stderr.split('\n')[0]).toMatch(/ParseError: Unexpected token at \S+strongroom\.config\.ts:2:23; one that works:$/)
  })

  test.each([
    ['its syntax', 'export default ('],
    ['an import that is not there', "import 'nothing-of-the-kind'\nexport default () => 5"],
    ['a class', 'export default class {}'],
    ['what it throws while it is read', "throw new RangeError('too far')"],
  ])('%s: the file and the cause', async (_, source) => {
    const folder = emptyFolder()
    const file = join(folder, 'strongroom.config.mjs')
    writeFileSync(file, source)
    const { code, stderr } = await strongroom(folder, ['status', '--verbose'])
    expect(code).toBe(64)
    expect(stderr).toMatch(/^strongroom: config_invalid: /)
    expect(stderr).toContain(file)
    if (!source.includes('class')) expect(stderr).toContain('[cause]')
  })

  test('a file that leads back to itself', async () => {
    const folder = emptyFolder()
    symlinkSync('strongroom.config.ts', join(folder, 'strongroom.config.ts'))
    const { code, stderr } = await strongroom(folder, ['status'])
    expect([code, stderr]).toEqual([
      64,
      expect.stringMatching(/^strongroom: config_invalid: .*strongroom\.config\.ts cannot be read \(ELOOP\)/),
    ])
  })

  test('what it logs is beside the result', async () => {
    const { folder } = await vaultFolder()
    const source = readFileSync(join(folder, 'strongroom.config.ts'), 'utf8')
    writeFileSync(
      join(folder, 'strongroom.config.ts'),
      source.replace('async () =>', "async () => (console.log('one'), console.info('two'), 0) ||"),
    )
    const { code, stdout, stderr } = await strongroom(folder, ['status', '--json'])
    expect([code, stderr]).toEqual([0, 'one\ntwo\n'])
    expect(JSON.parse(stdout)).toMatchObject({ command: 'status' })
  })

  test.each([
    ['a message that is no text', '{ const error = new Error(); error.message = Object.create(null); throw error }'],
    ['a message that throws', "{ throw Object.defineProperty(new Error(), 'message', { get() { throw new Error('no') } }) }"],
    ['a code of every object', "{ throw Object.assign(new Error('odd'), { name: 'StrongroomError', code: 'toString' }) }"],
    ['a proxy', "{ throw new Proxy({}, { get() { throw new Error('no') }, getPrototypeOf() { throw new Error('no') } }) }"],
    ['nothing', '{ throw undefined }'],
  ])('an odd thing that is thrown is still one line: %s', async (_, body) => {
    const folder = emptyFolder()
    writeFileSync(join(folder, 'strongroom.config.mjs'), `export default () => ${body}`)
    for (const more of [[], ['--verbose']]) {
      const { code, stdout, stderr } = await strongroom(folder, ['status', '--json', ...more])
      expect([code, JSON.parse(stdout)]).toMatchObject([1, { outcome: 'failed', code: 'unexpected' }])
      expect(stderr).toMatch(/^strongroom: unexpected: /)
      expect(stderr).not.toMatch(/undefined; next|function/)
    }
  })

  test.each(['strongroom.config.ts', 'strongroom.config.js', 'strongroom.config.mjs'])(
    '%s is found, and returns an open vault',
    async (name) => {
      const { folder } = await vaultFolder()
      const other = emptyFolder()
      const typed = name.endsWith('.ts') ? ' as unknown as object' : ''
      writeFileSync(
        join(other, name),
        `import configured from '${folder}/strongroom.config.ts'\nexport default (context) => configured(context)${typed}\n`,
      )
      const { code, stdout, stderr } = await strongroom(other, ['status'])
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toMatch(/^vault {10}home region eu/)
    },
  )
})
