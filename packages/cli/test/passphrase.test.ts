// Where passphrases come from, and that they show nowhere.
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, writeFileSync } from 'node:fs'
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
      [['--passphrase-fd', '99'], 64, /passphrase_unusable: file descriptor 99 was not handed over/],
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

describe('files and descriptors', () => {
  test('a file of systemd, readable for its group, is taken from its folder alone', async () => {
    const folder = await ground()
    mkdirSync(join(folder, 'credentials'))
    const environment = { CREDENTIALS_DIRECTORY: join(folder, 'credentials') }
    for (const mode of [0o440, 0o444, 0o400]) {
      const file = join(folder, 'credentials', `passphrase-${mode}`)
      writePrivate(file, PASSPHRASE)
      chmodSync(file, mode)
      expect((await strongroom(folder, ['status', '--passphrase-file', file], { environment })).code).toBe(0)
      expect((await strongroom(folder, ['status', '--passphrase-file', file])).code).toBe(mode === 0o400 ? 0 : 64)
    }
    const file = join(folder, 'credentials', 'writable')
    writePrivate(file, PASSPHRASE)
    chmodSync(file, 0o460)
    expect((await strongroom(folder, ['status', '--passphrase-file', file], { environment })).code).toBe(64)
    chmodSync(join(folder, 'passphrase'), 0o440)
    expect((await strongroom(folder, ['status', '--passphrase-file', 'passphrase'], { environment })).code).toBe(64)
  })

  test.runIf(process.getuid?.() === 0)('a file of another user is refused', async () => {
    const folder = await ground()
    chownSync(join(folder, 'passphrase'), 12_345, 0)
    const { code, stderr } = await strongroom(folder, ['status', '--passphrase-file', 'passphrase'])
    expect([code, stderr]).toEqual([64, expect.stringMatching(/passphrase_unusable: .* belongs to someone else/)])
  })

  test('no number beyond what a descriptor can be; nothing but files, pipes and sockets; no byte order mark', async () => {
    const folder = await ground()
    writePrivate(join(folder, 'marked'), `\uFEFF${PASSPHRASE}`)
    for (const [line, message] of [
      ['strongroom status --passphrase-fd 2147483648', /strongroom: usage: .*whole number, 0 to 2147483647/],
      ['strongroom status --passphrase-fd 4294967296', /strongroom: usage: /],
      ['strongroom status --passphrase-fd 2147483647', /was not handed over/],
      ['strongroom status --passphrase-fd 3 3</dev/zero', /is neither a file nor a pipe nor a socket/],
      ['strongroom status --passphrase-fd 3 3>out', /was not handed over to be read/],
      ['strongroom status --passphrase-fd 1 | cat; exit ${PIPESTATUS[0]}', /was not handed over to be read/],
      ['strongroom status --passphrase-file /dev/zero', /is neither a file nor a pipe nor a socket/],
      ['strongroom status --passphrase-file marked', /byte order mark/],
    ] as const) {
      const { code, stderr } = await shell(folder, line)
      expect([line, code]).toEqual([line, 64])
      expect(stderr).toMatch(message)
    }
  })

  test.runIf(process.platform === 'linux')("Node's own descriptors were not handed over: refused at once", async () => {
    const folder = await ground()
    const node = `timeout -s KILL 30 "${process.execPath}" "${BIN}"`
    for (let descriptor = 3; descriptor <= 24; descriptor++) {
      const { code, stderr } = await shell(folder, `${node} status --passphrase-fd ${descriptor} </dev/null`)
      expect([descriptor, code]).toEqual([descriptor, 64])
      expect(stderr).toMatch(
        new RegExp(`passphrase_unusable: file descriptor ${descriptor} (?:was not handed over|is neither a file nor a pipe nor a socket)`),
      )
    }
    const { stderr } = await shell(folder, `${node} status --passphrase-fd 4 </dev/null`)
    expect(stderr).toMatch(/file descriptor 4 was not handed over to be read; npx passes on 0 to 2 alone, and sudo closes those above 2\n$/)
  })

  test('those that were handed over have the same numbers, and are read', async () => {
    const folder = await ground()
    for (let descriptor = 3; descriptor <= 9; descriptor++)
      for (const from of ['passphrase', '<(cat passphrase)']) {
        const line = `strongroom status --passphrase-fd ${descriptor} ${descriptor}< ${from}`
        const { code, stderr } = await shell(folder, line)
        expect([line, code, stderr]).toEqual([line, 0, ''])
      }
  })

  test('a socket that was handed over: read to its end', async () => {
    const folder = await ground()
    const { stdout } = await shell(folder, overSocket(`ours.sendall(b"${PASSPHRASE}\\n"); ours.close()`))
    expect(stdout).toMatch(/home region eu[^]*exit 0\n$/)
  })

  test('a socket that nobody writes to is ended by a signal', async () => {
    const folder = await ground()
    const { stdout } = await shell(folder, overSocket('time.sleep(1.5); command.terminate()'))
    expect(stdout).toBe('exit 2\n')
  })

  test.each(['--passphrase-file pipe', '--passphrase-fd 3 3<>pipe', '--passphrase-fd 5 5< <(exec sleep 20 2> /dev/null)'])(
    'a pipe that nobody writes to: %s is ended by a signal',
    async (how) => {
      const folder = await ground()
      const { stdout } = await shell(
        folder,
        `mkfifo -m 600 pipe; (exec "${process.execPath}" "${BIN}" status ${how}) & sleep 1.5; kill -TERM $!; wait $!; echo "exit $?"`,
      )
      expect(stdout).toBe('exit 2\n')
    },
  )

  test('a pipe that is written to later', async () => {
    const folder = await ground()
    const { code, stderr } = await shell(
      folder,
      `mkfifo -m 600 pipe; (sleep 1; echo '${PASSPHRASE}' > pipe) & strongroom status --passphrase-file pipe`,
    )
    expect([code, stderr]).toEqual([0, ''])
  })
})

describe('in a terminal', () => {
  test('the end of the input is a cancel; what is no UTF-8 is asked for again; no escape sequence', async () => {
    const folder = await ground()
    const ended = new Terminal(`${FUNCTION}; strongroom status; echo "exit $?"`, folder)
    await ended.answer(/Passphrase/, '\u0004')
    await ended.ended
    expect((await ended.lines()).join('\n')).toMatch(/strongroom: interrupted: [\s\S]*exit 2/)
    const dumb = new Terminal(`${FUNCTION}; strongroom status`, folder, { environment: { TERM: 'dumb', LANG: 'C' } })
    await dumb.answer(/Passphrase/, 'x\uFFFDy\r')
    await dumb.answer(/not UTF-8[^]*Passphrase/, `typo\u0015${PASSPHRASE}x\u007F\r`)
    expect(await dumb.ended).toBe(0)
    expect(dumb.raw).not.toContain('\u001B')
  })

  test('SIGQUIT at the question: the terminal echoes again', async () => {
    const folder = await ground()
    const terminal = new Terminal(
      `${FUNCTION}; (exec "${process.execPath}" "${BIN}" status) & pid=$!; fg 2>/dev/null; wait $pid; echo "exit $?"; stty -a | grep -o -e '-\\?echo ' -e '-\\?icanon'`.replace(
        '&',
        '<&0 &',
      ),
      folder,
    )
    await terminal.until(/Passphrase/)
    const pid = readdirSync('/proc').find(
      (name) =>
        /^\d+$/.test(name) && commandLine(name).startsWith(`${process.execPath}\0${BIN}\0status`) && cwdOf(name) === realpathSync(folder),
    )
    process.kill(Number(pid), 'SIGQUIT')
    await terminal.ended
    const screen = (await terminal.lines()).join('\n')
    expect(screen).toMatch(/exit 131\n(?:icanon\necho|echo ?\nicanon)/)
  })

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
    expect(screen).toMatch(/strongroom: interrupted: nothing was done\n/)
    expect(screen).toMatch(/exit 2\n(?:icanon\necho|echo ?\nicanon)/)
  })

  test('a descriptor that is the terminal would echo: refused', async () => {
    const folder = await ground()
    const terminal = new Terminal(`${FUNCTION}; strongroom status --passphrase-fd 0`, folder)
    expect(await terminal.ended).toBe(64)
    expect((await terminal.lines()).join('')).toContain('file descriptor 0 is a terminal')
  })
})

/** A line of shell that hands a socket over, and works with the other end of it. */
function overSocket(work: string): string {
  return `python3 -c '
import socket, subprocess, sys, time
ours, theirs = socket.socketpair()
command = subprocess.Popen(sys.argv[1:] + [str(theirs.fileno())], pass_fds=[theirs.fileno()])
theirs.close()
${work}
print("exit", command.wait())
' "${process.execPath}" "${BIN}" status --passphrase-fd`
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    // It has ended.
    return ''
  }
}

function cwdOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}
