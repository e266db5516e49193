// `strongroom pseudonymise`, as a filter among others.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

import { createPseudonyms, days } from '@strongroom/pseudonyms'
import { beforeEach, describe, expect, test } from 'vitest'

import { BIN, FUNCTION, shell, strongroom } from './support/command.ts'
import { Terminal } from './support/terminal.ts'
import { type VaultFolder, vaultFolder, withVault } from './support/vault-folder.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const DAY = days(1)
const NOW = Date.now()

/** A line of the combined format. */
function line(address: string, at = NOW, target = '/'): string {
  const [year, month, rest] = [new Date(at).getUTCFullYear(), MONTHS[new Date(at).getUTCMonth()], new Date(at).toISOString().slice(11, 19)]
  const day = String(new Date(at).getUTCDate()).padStart(2, '0')
  return `${address} - - [${day}/${month}/${year}:${rest} +0000] "GET ${target} HTTP/1.1" 200 12 "-" "x"\n`
}

let vault: VaultFolder
let folder: string
/** What the library makes of an address. */
const expected = (address: string, at = NOW, purpose = 'access-log'): Promise<string> =>
  withVault(folder, (opened) => createPseudonyms(opened.tenant('t0'), { purpose }).pseudonymise(address, { at }))

beforeEach(async () => {
  vault = await vaultFolder()
  folder = vault.folder
})

describe('in and out', () => {
  test('stdin, files, gzip by its bytes, and - among them: one stream of lines', async () => {
    const at = NOW - DAY
    const [one, two] = [await expected('192.0.2.1', at), await expected('2001:db8::1', at)]
    writeFileSync(join(folder, 'a.log'), line('192.0.2.1', at).trimEnd())
    writeFileSync(join(folder, 'b'), Buffer.concat([gzipSync(line('2001:db8::1', at)), gzipSync(line('192.0.2.1', at))]))
    writeFileSync(join(folder, 'empty'), '')
    const all = [one, one, two, one].map((text) => line(text, at))
    const input = line('192.0.2.1', at)
    const found = await strongroom(folder, ['pseudonymise', 't0', '-', 'a.log', 'empty', 'b'], { input })
    expect(found).toEqual({ code: 0, stdout: all.join(''), stderr: '4 lines, 4 pseudonyms\n' })
    const alone = await strongroom(folder, ['pseudonymise', 't0', '--quiet'], { input })
    expect(alone).toEqual({ code: 0, stdout: line(one, at), stderr: '' })
    const packed = await shell(folder, 'strongroom pseudonymise t0 --quiet < b; strongroom pseudonymise t0 --quiet < /dev/null')
    expect(packed).toEqual({ code: 0, stdout: line(two, at) + line(one, at), stderr: '' })
  })

  test('what was taken out is told: unclear ones, values of parameters, lines of another format, and lines that are too old', async () => {
    const input = [line('0300.0.2.1', undefined, '/?token=x'), 'no line of 192.0.2.1\n', line('192.0.2.1', NOW - 40 * DAY)].join('')
    const { code, stdout, stderr } = await strongroom(folder, ['pseudonymise', 't0', '--redact-query', 'token', '--redact-query', 'x'], {
      input,
    })
    expect(code).toBe(0)
    expect(stdout.match(/\[redacted\]/g)).toHaveLength(3)
    expect(stdout).not.toMatch(/192\.0\.2\.1|0300|token=x/)
    expect(stderr).toBe(
      '3 lines, 1 pseudonym; 1 unclear one taken out; 1 value of parameters taken out; 1 line not of the format; 1 line for which there is no key any more, or not yet: their addresses were taken out\n',
    )
  })

  test('JSON by names of members, text at an instant, other purposes and modes, lines set aside', async () => {
    const at = NOW - DAY
    const json = await strongroom(
      folder,
      ['pseudonymise', 't0', '--quiet', '--format', 'json', '--address', 'ip', '--address', 'client.ip', '--time', 'at'],
      {
        input: `{"ip":"192.0.2.1","at":${at}}\n`,
      },
    )
    expect(json.stdout).toBe(`{"ip":"${await expected('192.0.2.1', at)}","at":${at}}\n`)
    const text = await strongroom(folder, ['pseudonymise', 't0', '--format', 'text', '--at', String(at), '--purpose', 'mail'], {
      input: '<192.0.2.1>',
    })
    expect(text.stdout).toBe(`<${await expected('192.0.2.1', at, 'mail')}>`)
    const cut = await strongroom(folder, ['pseudonymise', 't0', '--format', 'text', '--mode', 'truncate'], {
      input: '192.0.2.99 2001:db8:1:2::3',
    })
    expect(cut.stdout).toBe('192.0.2.0 2001:db8:1::')
    for (let i = 0; i < 2; i++) {
      const aside = await strongroom(folder, ['pseudonymise', 't0', '--aside', 'aside'], { input: `bad 192.0.2.1\n${line('-')}` })
      expect(aside.stdout).toBe(line('-'))
    }
    expect(readFileSync(join(folder, 'aside'), 'utf8')).toBe(`bad ${await expected('192.0.2.1')}\n`.repeat(2))
    expect(statSync(join(folder, 'aside')).mode & 0o777).toBe(0o600)
  })

  test('--sweep destroys the keys whose time is over', async () => {
    const args = ['pseudonymise', 't0', '--format', 'text']
    const before = NOW - 2 * DAY
    await strongroom(folder, [...args, '--at', String(before)], { input: '192.0.2.1' })
    const kept = await strongroom(folder, [...args, '--sweep', '--retain', '30d'], { input: '192.0.2.1' })
    expect(kept.stderr).toBe('1 line, 1 pseudonym\n0 keys destroyed\n')
    const swept = await strongroom(folder, [...args, '--sweep', '--retain', '1d'], { input: '192.0.2.1' })
    expect(swept.stderr).toBe('1 line, 1 pseudonym\n1 key destroyed\n')
    // For good, and also for who would keep it longer.
    const gone = await strongroom(folder, [...args, '--at', String(before)], { input: '192.0.2.1' })
    expect([gone.code, gone.stdout]).toEqual([0, '[redacted]'])
  })
})

describe('what goes wrong', () => {
  test('a note that somebody has planted: --sweep says where it is, destroys nothing by its word, and has failed', async () => {
    await strongroom(folder, ['pseudonymise', 't0', '--format', 'text', '--at', String(NOW - 2 * DAY)], { input: '192.0.2.1' })
    const key = await withVault(folder, async ({ id, stateStore }) => {
      const [note] = await stateStore.scan('strongroom/period-keys', `${id}/`, { limit: 1 })
      if (note === undefined) throw new Error('no end is noted')
      await stateStore.put('strongroom/period-keys', note.key, Uint8Array.of(1), { expected: note.version, due: 1 })
      return note.key
    })
    const swept = await strongroom(folder, ['pseudonymise', 't0', '--format', 'text', '--sweep', '--retain', '30d'], { input: '' })
    expect([swept.code, swept.stderr]).toEqual([
      1,
      `0 lines, 0 pseudonyms\n0 keys destroyed; 1 note of keys that are to end is damaged\ndamaged: strongroom/period-keys/${key}\n`,
    ])
  })

  test('files that cannot be read, gzip that is cut off: all lines that came before are printed, and it has failed', async () => {
    const one = line(await expected('192.0.2.1'))
    const lines = Array.from({ length: 500 }, (_, i) => line('192.0.2.1', NOW, `/${randomBytes(60).toString('hex')}/${i}`))
    writeFileSync(join(folder, 'cut.gz'), gzipSync(lines.join('')).subarray(0, 10_000))
    writeFileSync(join(folder, 'last.log'), line('192.0.2.1'))
    for (const [name, why] of [
      ['none.log', /none\.log cannot be read \(ENOENT\)/],
      ['.', /\. cannot be read \(EISDIR\)/],
      ['cut.gz', /cut\.gz is gzip that is damaged or cut off/],
    ] as const) {
      const { code, stdout, stderr } = await strongroom(folder, ['pseudonymise', 't0', '-', name, 'last.log'], { input: line('192.0.2.1') })
      expect([code, stderr]).toEqual([1, expect.stringMatching(why)])
      const redone = lines.join('').replaceAll('192.0.2.1', await expected('192.0.2.1'))
      // Whole lines, and none behind what could not be read.
      expect((one + redone).startsWith(stdout)).toBe(true)
      expect(stdout.endsWith('\n')).toBe(true)
      expect(stdout.length > one.length).toBe(name === 'cut.gz')
    }
  })

  test('gzip: members one after another, padding of NULs, and nothing else behind it', async () => {
    const [one, two] = [gzipSync(line('192.0.2.1')), gzipSync(line('2001:db8::1'))]
    const out = line(await expected('192.0.2.1'))
    for (const [parts, isWhole] of [
      [[one, Buffer.alloc(3)], true],
      [[one, Buffer.alloc(600_000)], true],
      [[one, Buffer.alloc(3), two], false],
      [[one, Buffer.alloc(600_000), Buffer.from(line('192.0.2.9'))], false],
      [[one, Buffer.from(line('192.0.2.9'))], false],
      [[one, Buffer.from('\n')], false],
    ] as const) {
      writeFileSync(join(folder, 'a.gz'), Buffer.concat(parts))
      const found = await strongroom(folder, ['pseudonymise', 't0', 'a.gz', '--quiet'])
      // Of what is damaged, as much as was unpacked by then.
      expect(out.startsWith(found.stdout)).toBe(true)
      if (isWhole) expect(found).toEqual({ code: 0, stdout: out, stderr: '' })
      else expect([found.code, found.stderr]).toEqual([1, expect.stringMatching(/file_unusable: a\.gz /)])
    }
    writeFileSync(join(folder, 'b.gz'), Buffer.concat([one, two, one]))
    const all = await strongroom(folder, ['pseudonymise', 't0', 'b.gz', '--quiet'])
    expect(all).toEqual({ code: 0, stdout: out + line(await expected('2001:db8::1')) + out, stderr: '' })
  })

  test('a file of --aside that cannot be written is told, before anything is read and in the middle', async () => {
    for (const [file, why] of [
      ['.', 'EISDIR'],
      ['no/such/folder', 'ENOENT'],
      ['/dev/full', 'ENOSPC'],
    ]) {
      const found = await strongroom(folder, ['pseudonymise', 't0', '--aside', file as string], { input: 'bad 192.0.2.1\n' })
      expect(found).toEqual({
        code: 1,
        stdout: '',
        stderr: `strongroom: file_unusable: the file of --aside cannot be written (${why})\n`,
      })
    }
  })

  test('what is read is no file that is written as well: not by name, link, stdin or stdout', async () => {
    const before = `bad 192.0.2.1\n${line('192.0.2.1')}`
    for (const [command, why] of [
      ['strongroom pseudonymise t0 a.log --aside a.log', '--aside must be another one than a.log'],
      ['strongroom pseudonymise t0 link hard --aside a.log', '--aside must be another one than link'],
      ['strongroom pseudonymise t0 --aside hard < a.log', '--aside must be another one than stdin'],
      ['strongroom pseudonymise t0 a.log --aside out >> out', '--aside must be another one than stdout'],
      ['strongroom pseudonymise t0 link >> a.log', 'stdout must go to another file than link'],
      ['strongroom pseudonymise t0 - < a.log >> hard', 'stdout must go to another file than stdin'],
    ] as const) {
      writeFileSync(join(folder, 'a.log'), before)
      const found = await shell(folder, `ln -sf a.log link; ln -f a.log hard; ${command}`)
      expect([command, found.code, found.stdout, found.stderr]).toEqual([command, 64, '', expect.stringContaining(why)])
      expect(readFileSync(join(folder, 'a.log'), 'utf8')).toBe(before)
    }
    const devices = await shell(folder, 'strongroom pseudonymise t0 --quiet --aside /dev/null < /dev/null > /dev/null')
    expect(devices).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('wrong use is told before anything is read', async () => {
    for (const args of [
      ['nobody'],
      ['t0', '--format', 'json'],
      ['t0', '--address', 'ip'],
      ['t0', '--time', 'at'],
      ['t0', '--format', 'csv'],
      ['t0', '--mode', 'hash'],
      ['t0', '--period', '1w'],
      ['t0', '--period', '2d', '--retain', '1d'],
      ['t0', '--purpose', ''],
      ['t0', '--redact-query', ''],
      // Keys are not destroyed by a number that nobody has given.
      ['t0', '--sweep'],
      ['t0', '--json'],
      [],
    ]) {
      const { code, stdout, stderr } = await strongroom(folder, ['pseudonymise', ...args], { input: line('192.0.2.1') })
      expect([args, [1, 64].includes(code as number), args.includes('--json') ? '' : stdout]).toEqual([args, true, ''])
      expect(stderr).toMatch(/^strongroom: (?:usage|not_found|invalid_argument): [^\n]+\n$/)
    }
  })

  test('nobody reads on: it ends by SIGPIPE, without a word', async () => {
    writeFileSync(join(folder, 'a.log'), line('192.0.2.1').repeat(50_000))
    const found = await shell(folder, 'strongroom pseudonymise t0 a.log | head -n 1 > first; echo "${PIPESTATUS[@]}"')
    expect(found).toEqual({ code: 0, stdout: '141 0\n', stderr: '' })
    expect(readFileSync(join(folder, 'first'), 'utf8')).toBe(line(await expected('192.0.2.1')))
  })

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s while it waits for input, and while nobody takes its output: it ends by that, without a word',
    async (signal) => {
      for (const hasInput of [false, true]) {
        const child = spawn(process.execPath, [BIN, 'pseudonymise', 't0'], { cwd: folder, env: { PATH: process.env['PATH'] } })
        let stderr = ''
        child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
        child.stdin.on('error', () => undefined)
        child.stdin.write(line('192.0.2.1'))
        await once(child.stdout, 'readable')
        if (hasInput) for (let i = 0; i < 20; i++) child.stdin.write(line('192.0.2.1').repeat(10_000))
        await new Promise((resolve) => setTimeout(resolve, 300))
        child.kill(signal)
        const [, by] = (await once(child, 'exit')) as [number | null, string | null]
        expect([by, stderr]).toEqual([signal, ''])
      }
    },
  )

  test('what was printed before it was killed is whole lines with pseudonyms, as far as it goes', async () => {
    const child = spawn(process.execPath, [BIN, 'pseudonymise', 't0'], { cwd: folder, env: { PATH: process.env['PATH'] } })
    let stdout = ''
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
    child.stdin.on('error', () => undefined)
    const timer = setInterval(() => child.stdin.write(line('192.0.2.1').repeat(1000)), 5)
    while (stdout.length < 100_000) await new Promise((resolve) => setTimeout(resolve, 10))
    child.kill('SIGKILL')
    await once(child, 'close')
    clearInterval(timer)
    expect(stdout).not.toContain('192.0.2.1')
  })
})

describe('in a terminal', () => {
  test('progress is on stderr where stdout is a file, and gone at the end; Ctrl-C ends it by SIGINT', async () => {
    const terminal = new Terminal(
      `${FUNCTION}\nstrongroom pseudonymise t0 < <(for i in 1 2 3; do sleep 0.5; cat a.log; done) > out; echo "exit $?"`,
      folder,
    )
    writeFileSync(join(folder, 'a.log'), line('192.0.2.1').repeat(1000))
    await terminal.until(/1,000 lines, 0 MiB, \d+ MiB\/s/)
    await terminal.until(/exit 0/)
    expect(await terminal.lines()).toEqual(['3,000 lines, 3,000 pseudonyms', 'exit 0'])
    expect(readFileSync(join(folder, 'out'), 'utf8').split('\n')).toHaveLength(3001)

    const stopped = new Terminal(
      `${FUNCTION}\ntrap 'echo "exit $?"' EXIT; trap : INT\nstrongroom pseudonymise t0 < <(trap '' INT; cat a.log; sleep 5) > out2`,
      folder,
    )
    await stopped.until(/1,000 lines/)
    stopped.type('\u0003')
    await stopped.until(/exit 130/)
  })

  test('lines and progress are not mixed where both would go to the terminal', async () => {
    const terminal = new Terminal(
      `${FUNCTION}\nfor i in 1 2 3; do sleep 0.3; echo x; done | strongroom pseudonymise t0 --format text`,
      folder,
    )
    expect(await terminal.ended).toBe(0)
    expect(await terminal.lines()).toEqual(['x', 'x', 'x', '3 lines, 0 pseudonyms'])
    expect(terminal.raw).not.toContain('MiB/s')
  })
})

test('memory stays as it is while much goes through', async () => {
  const out = openSync('/dev/null', 'w')
  const child = spawn(process.execPath, [BIN, 'pseudonymise', 't0', '--quiet'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] },
    stdio: ['pipe', out, 'inherit'],
  })
  const chunk = Buffer.from(line('192.0.2.1').repeat(5000))
  const resident = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024
  const seen: number[] = []
  for (let i = 0; i < 600; i++) {
    if (child.stdin?.write(chunk) === false) await once(child.stdin, 'drain')
    if (i % 50 === 49) seen.push(resident())
  }
  child.stdin?.end()
  expect((await once(child, 'exit'))[0]).toBe(0)
  closeSync(out)
  const [first, second] = [seen.slice(1, 6), seen.slice(7)].map((part) => Math.max(...part)) as [number, number]
  expect(second).toBeLessThan(first + 60)
})
