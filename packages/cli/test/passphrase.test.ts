// Where passphrases come from, and that they show nowhere.
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { BIN, FUNCTION, shell, strongroom } from './support/command.ts'
import { Terminal } from './support/terminal.ts'
import { emptyFolder, PASSPHRASE, QUICK_CONFIGURATION, quickRootKey, writePrivate } from './support/vault-folder.ts'

/** A folder with a vault behind a passphrase. */
async function ground(): Promise<string> {
  const folder = emptyFolder()
  writeFileSync(join(folder, 'strongroom.config.ts'), QUICK_CONFIGURATION)
  writePrivate(join(folder, 'passphrase'), `${PASSPHRASE}\n`)
  await quickRootKey(folder)
  const { code, stderr } = await strongroom(folder, ['init', '--passphrase-file', 'passphrase'])
  expect([code, stderr]).toEqual([0, ''])
  return folder
}

describe('without a terminal', () => {
  test('from a file, with or without a line feed; from a descriptor; from stdin; from a pipe', async () => {
    const folder = await ground()
    writePrivate(join(folder, 'bare'), PASSPHRASE)
    for (const line of [
      'strongroom status --passphrase-file passphrase',
      'strongroom status --passphrase-file bare',
      'strongroom status --passphrase-fd 7 7<passphrase',
      'strongroom status --passphrase-fd 0 <passphrase',
      `strongroom status --passphrase-file <(echo '${PASSPHRASE}')`,
    ]) {
      const { code, stdout, stderr } = await shell(folder, line)
      expect([line, code, stderr]).toEqual([line, 0, ''])
      expect(stdout).toContain('home region eu')
    }
  })

  test('refused: nothing given, a file that others can use, an empty one, none, a wrong one', async () => {
    const folder = await ground()
    writePrivate(join(folder, 'empty'), '\n')
    writePrivate(join(folder, 'wrong'), 'hunter2')
    writePrivate(join(folder, 'binary'), '')
    writeFileSync(join(folder, 'binary'), Buffer.of(0xff, 0xfe))
    writePrivate(join(folder, 'long'), 'x'.repeat(5000))
    const refusals: readonly [readonly string[], number, RegExp][] = [
      [[], 64, /passphrase_missing: .*--passphrase-file FILE or --passphrase-fd N/],
      [['--passphrase-file', 'empty'], 64, /passphrase_unusable: .* is empty/],
      [['--passphrase-file', 'none'], 64, /passphrase_unusable: .* cannot be read \(ENOENT\)/],
      [['--passphrase-file', 'binary'], 64, /passphrase_unusable: .* does not hold UTF-8/],
      [['--passphrase-file', 'long'], 64, /passphrase_unusable: .* more than 4096 bytes/],
      [['--passphrase-file', '.'], 64, /passphrase_unusable: .* is a folder/],
      [['--passphrase-fd', '99'], 64, /passphrase_unusable: file descriptor 99 cannot be read \(EBADF\)/],
      [['--passphrase-file', 'wrong'], 1, /wrong_passphrase: .*; next: /],
    ]
    for (const [args, expected, message] of refusals) {
      const { code, stdout, stderr } = await strongroom(folder, ['status', ...args])
      expect([args, code, stdout]).toEqual([args, expected, ''])
      expect(stderr).toMatch(message)
      expect(stderr.trimEnd()).not.toContain('\n')
      expect(stderr).not.toContain('hunter2')
    }
    for (const mode of [0o640, 0o604]) {
      chmodSync(join(folder, 'passphrase'), mode)
      const { code, stderr } = await strongroom(folder, ['status', '--passphrase-file', 'passphrase'])
      expect(code).toBe(64)
      expect(stderr).toMatch(/can be used by others than its owner: run `chmod 600`/)
    }
    chmodSync(join(folder, 'passphrase'), 0o400)
    expect((await strongroom(folder, ['status', '--passphrase-file', 'passphrase'])).code).toBe(0)
  })

  test('an environment variable counts only where the configuration names it', async () => {
    const folder = await ground()
    const environment = { VAULT_PASSPHRASE: PASSPHRASE, STRONGROOM_PASSPHRASE: PASSPHRASE, PASSPHRASE }
    const unnamed = await strongroom(folder, ['status'], { environment })
    expect(unnamed.code).toBe(64)
    writeFileSync(
      join(folder, 'strongroom.config.ts'),
      QUICK_CONFIGURATION.replace('passphrase()', "passphrase({ env: 'VAULT_PASSPHRASE' })"),
    )
    expect((await strongroom(folder, ['status'], { environment })).code).toBe(0)
    const unset = await strongroom(folder, ['status'])
    expect(unset.code).toBe(64)
    expect(unset.stderr).toContain('or set VAULT_PASSPHRASE')
  })

  test('no error repeats it, whoever put it into a message', async () => {
    const folder = await ground()
    writeFileSync(
      join(folder, 'strongroom.config.ts'),
      `export default async ({ passphrase }) => {
  const known = await passphrase()
  throw new Error('cannot reach mongodb://admin:sesame@db.example with ' + known.reveal() + ', or ' + known, { cause: new Error(known.reveal()) })
}
`,
    )
    const { code, stderr } = await strongroom(folder, ['status', '--verbose', '--passphrase-file', 'passphrase'])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^strongroom: unexpected: Error: cannot reach mongodb:\/\/\[redacted\]@db\.example with \[redacted\], or \[redacted\]/,
    )
    expect(stderr).toContain('[cause]')
    expect(stderr).not.toContain(PASSPHRASE)
    expect(stderr).not.toContain('sesame')
  })
})

describe('in a terminal', () => {
  test('asked for without echo, and seen neither on the screen nor among the arguments of any process', async () => {
    const folder = await ground()
    const terminal = new Terminal(`${FUNCTION}; strongroom status`, folder)
    await terminal.until(/Passphrase/)
    terminal.type(PASSPHRASE)
    // As `ps` would show them, while the command runs.
    const shown = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(commandLine)
    expect(shown.some((line) => line.includes(BIN))).toBe(true)
    expect(shown.filter((line) => line.includes(PASSPHRASE))).toEqual([])
    terminal.type('\r')
    expect(await terminal.ended).toBe(0)
    const screen = (await terminal.lines()).join('\n')
    expect(screen).toContain('home region eu')
    for (let length = 4; length <= PASSPHRASE.length; length++) expect(terminal.raw).not.toContain(PASSPHRASE.slice(0, length))
    expect(screen).not.toMatch(/\*{3}|▪{3}|•{3}/)
  })

  test('the name that the configuration gives is asked for; each name once', async () => {
    const folder = await ground()
    writeFileSync(
      join(folder, 'strongroom.config.ts'),
      QUICK_CONFIGURATION.replace('await passphrase()', "(await passphrase({ name: 'eu' })) && (await passphrase({ name: 'eu' }))"),
    )
    const terminal = new Terminal(`${FUNCTION}; strongroom status`, folder)
    await terminal.answer(/Passphrase of eu/, `${PASSPHRASE}\r`)
    expect(await terminal.ended).toBe(0)
    expect((await terminal.lines()).filter((line) => line.includes('Passphrase of eu')).length).toBe(1)
  })

  test('Ctrl-C at the question: exit 2, and the terminal echoes again', async () => {
    const folder = await ground()
    const terminal = new Terminal(
      `${FUNCTION}; strongroom status; echo "exit $?"; stty -a | grep -o -e '-\\?echo ' -e '-\\?icanon'`,
      folder,
    )
    await terminal.answer(/Passphrase/, '\u0003')
    expect(await terminal.ended).toBe(0)
    const screen = (await terminal.lines()).join('\n')
    expect(screen).toMatch(/strongroom: interrupted: .*\n/)
    expect(screen).toMatch(/exit 2\n(?:icanon\necho|echo ?\nicanon)/)
  })

  test('a descriptor that is the terminal would echo: refused', async () => {
    const folder = await ground()
    const terminal = new Terminal(`${FUNCTION}; strongroom status --passphrase-fd 0`, folder)
    expect(await terminal.ended).toBe(64)
    expect((await terminal.lines()).join('')).toContain('file descriptor 0 is a terminal')
  })
})

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    // It has ended.
    return ''
  }
}
