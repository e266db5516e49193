// What errors must not show, whoever put it into a message.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { strongroom } from './support/command.ts'
import { emptyFolder, PASSPHRASE, writePrivate } from './support/vault-folder.ts'

describe('no error repeats it, in whatever form', () => {
  /** What a configuration says when it throws this, which may use `value`. */
  async function thrown(passphrase: string, expression: string): Promise<string> {
    const folder = emptyFolder()
    writePrivate(join(folder, 'passphrase'), passphrase)
    writeFileSync(
      join(folder, 'strongroom.config.mjs'),
      `import { inspect } from 'node:util'
export default async ({ passphrase }) => {
  const value = (await passphrase()).reveal()
  throw new Error(${expression})
}
`,
    )
    let said = ''
    for (const more of [[], ['--verbose'], ['--json']]) {
      const { code, stdout, stderr } = await strongroom(folder, ['status', '--passphrase-file', 'passphrase', ...more])
      expect(code).toBe(1)
      said += stdout + stderr
    }
    return said
  }

  test('with blanks, quotes and lines in it, as it is and encoded', async () => {
    const passphrase = `two  blanks\t"and" it's \\ here\nsecond line of it`
    const said = await thrown(
      passphrase,
      "[value, JSON.stringify(value), inspect(value), inspect({ value }, { breakLength: 5 }), encodeURIComponent(value), Buffer.from(value).toString('hex'), Buffer.from(value).toString('HEX'.toLowerCase()).toUpperCase(), Buffer.from(value).toString('base64'), Buffer.from(value).toString('base64url'), new URLSearchParams({ value }).toString(), ...value.split('\\n')].join(' | ')",
    )
    expect(said).toContain('[redacted]')
    const squeezed = passphrase.replaceAll(/\s+/g, ' ')
    for (const form of [
      passphrase,
      squeezed,
      'two  blanks',
      'two blanks',
      'second line',
      'second%20line',
      'second+line',
      Buffer.from('two  blan').toString('hex'),
      Buffer.from('two  blan').toString('base64'),
    ])
      expect(said.toLowerCase()).not.toContain(form.toLowerCase())
  })

  test('one that is too short to be taken out: the message is withheld', async () => {
    const said = await thrown('ab1', "'cannot open with ab1'")
    expect(said).toContain('is withheld')
    expect(said).not.toContain('ab1')
  })

  test('passwords in addresses and in queries', async () => {
    const said = await thrown(
      'not in there',
      `'at mongodb://admin:s@sa/me@db.example/x?authSource=admin and https://api.example/?a=1&password=open1&access_token=open2 or host=x password="open 3" user=me'`,
    )
    expect(said).toContain('mongodb://[redacted]@db.example/x?authSource=admin')
    for (const secret of ['sa/me', 's@sa', 'open1', 'open2', 'open 3']) expect(said).not.toContain(secret)
    expect(said).toContain('user=me')
  })

  test('a file is no address: where an error comes from stays readable', async () => {
    const said = await thrown(
      'not in there',
      `'at file:///srv/node_modules/@strongroom/core/dist/x.js:1:2 and file:///srv/@x,mongodb://u:open1@db.example and file://u:open2@db.example and file:////u:open3@db.example'`,
    )
    expect(said).toContain('file:///srv/node_modules/@strongroom/core/dist/x.js:1:2 and file:///srv/@x,mongodb://[redacted]@db.example')
    for (const secret of ['open1', 'open2', 'open3']) expect(said).not.toContain(secret)
  })

  test.each([
    [PASSPHRASE, 'orrect h'],
    ['x y z '.repeat(10), 'y z x'],
  ])('a part of it, as JSON.parse shows it: %s', async (passphrase, part) => {
    const said = await thrown(passphrase, 'JSON.parse(value)')
    expect(said).toMatch(/SyntaxError: Unexpected token '.', "\[redacted\]"\.\.\. is not valid JSON/)
    expect(said).not.toContain(part)
  })

  test.each(['NFC', 'NFD', 'NFKC', 'NFKD'])('in %s', async (form) => {
    const said = await thrown('Bäume ﬁnster Wölfe\n', `'with ' + value.normalize('${form}') + '.'`)
    expect(said).toContain('Error: with [redacted].')
    expect(said).not.toMatch(/ume|nster|lfe/)
  })

  test('escaped more than once, wrapped, within base64 of more, as numbers, in either case', async () => {
    const passphrase = `correct "horse"\\battery\tstaple`
    const said = await thrown(
      passphrase,
      `[
        JSON.stringify(JSON.stringify({ value })),
        inspect(JSON.stringify(JSON.stringify([value]))),
        ...['', 'u', 'us'].map((user) => 'Basic ' + Buffer.from(user + ':' + value).toString('base64')),
        Buffer.from('abc:' + value + ':more').toString('base64').replaceAll(/.{20}/g, '$&\\n'),
        value.toUpperCase(),
        [...Buffer.from(value)].join(),
        JSON.stringify(Buffer.from(value)),
        inspect([...Buffer.from(value)], { maxArrayLength: null }),
      ].join(' | ')`,
    )
    const bare = said.toLowerCase().replaceAll(/[\s\\]/g, '')
    for (const part of ['correct', 'orse', 'ttery', 'stapl', '111,114,114', '115,116,97']) expect(bare).not.toContain(part)
    // What base64 makes of the middle, however it is aligned.
    for (const before of ['', 'u', 'us']) {
      const middle = Buffer.from(`${before}${passphrase}`).toString('base64').slice(8, 32).toLowerCase()
      for (let at = 0; at + 8 <= middle.length; at++) expect(bare).not.toContain(middle.slice(at, at + 8))
    }
  })

  test('bytes are told by their number, whatever they are', async () => {
    const said = await thrown(
      PASSPHRASE,
      `'with ' + inspect(new TextEncoder().encode('another secret')), { cause: {
        buffer: Buffer.from(value),
        empty: Buffer.alloc(0),
        long: Buffer.alloc(70, 0xab),
        bytes: new TextEncoder().encode('another secret'),
        many: new Uint8Array(200).fill(171),
        own: new (class Key extends Uint8Array {})([171, 172]),
        shared: new Uint8Array([171, 172, 173]).buffer,
        view: new DataView(new Uint8Array([171, 172, 173, 174]).buffer),
      } }`,
    )
    expect(said).toMatch(/Error: with <14 bytes>;/)
    for (const line of [
      'buffer: <28 bytes>',
      'empty: <0 bytes>',
      'long: <70 bytes>',
      'bytes: <14 bytes>',
      'many: <200 bytes>',
      'own: <2 bytes>',
      'shared: ArrayBuffer { [Uint8Contents]: <3 bytes>, byteLength: 3 }',
      'buffer: ArrayBuffer { [Uint8Contents]: <4 bytes>, byteLength: 4 }',
    ])
      expect(said).toContain(line)
    expect(said).not.toMatch(/17[1-4]|\bab\b|\b97\b/)
  })

  test('passwords as drivers print what they were given', async () => {
    const said = await thrown(
      'not in there',
      `[
        inspect({ password: 'hunter2, "x"' }),
        inspect({ auth: { clientSecret: "it's open4" } }),
        JSON.stringify({ user: 'me', password: 'open5 "quoted" open6', host: 'db.example' }),
        JSON.stringify(JSON.stringify({ password: 'open7 open8', host: 'db2.example' })),
        inspect(new Map([['password', 'open9']])),
        'Pwd: open10 and more',
        'password = "open11',
      ].join(' | ')`,
    )
    for (const secret of ['hunter2', ...Array.from({ length: 8 }, (_, i) => `open${i + 4}`)]) expect(said).not.toContain(secret)
    for (const kept of ['db.example', 'db2.example', 'and more', 'user']) expect(said).toContain(kept)
  })

  test.each([
    ['a promise that nobody waits for', "void Promise.reject(new Error('with ' + value)); await new Promise((r) => setTimeout(r, 60_000))"],
    ['a callback', "setTimeout(() => { throw new Error('with ' + value) }, 1); await new Promise((r) => setTimeout(r, 60_000))"],
  ])('what is thrown in %s is one line, one object, and exit 1', async (_, work) => {
    const folder = emptyFolder()
    writePrivate(join(folder, 'passphrase'), PASSPHRASE)
    writeFileSync(
      join(folder, 'strongroom.config.mjs'),
      `export default async ({ passphrase }) => { const value = (await passphrase()).reveal(); ${work} }`,
    )
    const { code, stdout, stderr } = await strongroom(folder, ['status', '--json', '--passphrase-file', 'passphrase'])
    expect([code, stderr]).toEqual([1, 'strongroom: unexpected: Error: with [redacted]; next: --verbose shows where it comes from\n'])
    expect(JSON.parse(stdout)).toMatchObject({
      command: 'status',
      outcome: 'failed',
      code: 'unexpected',
      message: 'Error: with [redacted]',
    })
  })
})
