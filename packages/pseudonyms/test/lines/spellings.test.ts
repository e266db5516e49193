// What is an address in a line, and what is not.
import { spawnSync } from 'node:child_process'

import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'

import { sent, shownPseudonyms } from './support.ts'

type Shown = Awaited<ReturnType<typeof shownPseudonyms>>
let shown: Shown
beforeAll(async () => {
  shown = await shownPseudonyms()
})

const through = async (line: string | Uint8Array): Promise<string> =>
  Buffer.from((await sent(shown, { format: 'text' }, [typeof line === 'string' ? Buffer.from(line) : line])).out).toString()

describe('in any text', () => {
  test.each([
    ['192.0.2.1', '<192.0.2.1>'],
    ['from 192.0.2.1:443, via [2001:DB8::1]:80', 'from <192.0.2.1>:443, via [<2001:db8::1>]:80'],
    ['x192.0.2.1y', 'x<192.0.2.1>y'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '<2001:db8::1>'],
    ['::ffff:192.0.2.1 ::FFFF:c000:201', '<192.0.2.1> <192.0.2.1>'],
    ['addr:fe80::1%eth0/64', 'addr:<fe80::1>%eth0/64'],
    ['at fe80::1: no route. Try ::1.', 'at <fe80::1>: no route. Try <::1>.'],
    ['::', '<::>'],
    ['"a\\nfe80::1"', '"a\\n<fe80::1>"'],
    ['"a\\nfe80::a"', '"a\\n<fe80::a>"'],
    // What is read in several ways.
    ['010.0.0.1 0300.0.2.1 0377.1.1.1', '[redacted] [redacted] [redacted]'],
    ['0x7f.0.0.1 0XC0.0x00.2.1 192.0.2.0x1', '[redacted] [redacted] [redacted]'],
    ['192.0.2.1.443 1.2.3.4.5.6', '[redacted] [redacted]'],
    ['2001:db8:1:2:3:4:5:6:443', '[redacted]'],
    ['2001:db8::1::2', '[redacted]'],
    ['12345::1', '[redacted]'],
    // A host, where a URL has one.
    ['http://2130706433/ https:0x7f.1 //017700000001?x', 'http://[redacted]/ https:[redacted] //[redacted]?x'],
    ['http://user:1.5@127.1:80/', 'http://user:1.5@[redacted]:80/'],
    ['http:\\\\127.1\\x', 'http:\\\\[redacted]\\x'],
    ['ftp://127.0.0.1./', 'ftp://<127.0.0.1>./'],
    // Escapes.
    ['%31%39%32.0.2.1 192%2E0%2e2%2E1', '<192.0.2.1> <192.0.2.1>'],
    ['%20192.0.2.1 %20fe80::1 a%221.2.3.4', '%20<192.0.2.1> %20<fe80::1> a%22<1.2.3.4>'],
    ['?ip=2001%3Adb8%3A%3A1&x=%5B%3A%3A1%5D', '?ip=<2001:db8::1>&x=%5B<::1>%5D'],
    ['192%252E0%25252E2%252E1', '<192.0.2.1>'],
    ['\\x22192.0.2.1 192\\x2e0\\056\\u{32}.1 \\u0031.2.3.4', '\\x22<192.0.2.1> <192.0.2.1> <1.2.3.4>'],
    ['192&#46;0&#x2e;2.1', '<192.0.2.1>'],
    ['%31.2.3.4.5', '[redacted]'],
    ['http:\\/\\/2130706433\\/', 'http:\\/\\/[redacted]\\/'],
    // As the URL standard maps characters.
    ['１９２．０．２．１ 192。0。2。1 ①.②.③.④', '<192.0.2.1> <192.0.2.1> <1.2.3.4>'],
    ['19\u00ad2.0.2.1', '<192.0.2.1>'],
    ['%EF%BC%91.2.3.4', '<1.2.3.4>'],
    // Text in UTF-16, as bytes; fields that a NUL divides.
    ['1\x009\x002\x00.\x000\x00.\x002\x00.\x001\x00', '<192.0.2.1>\x00'],
    ['10.0.0.1\x0010.0.0.2', '<10.0.0.1>\x00<10.0.0.2>'],
  ])('%j', async (line, expected) => {
    expect(await through(line)).toBe(expected)
  })

  test.each([
    'Chrome/126.0.0.0 Safari/537.36 Version/17.5 Mozilla/5.0 AppleWebKit/605.1.15',
    'std::fs core::fmt::Display Foo::Bar::Baz',
    '12:30:45 2030-01-01T12:30:45.123Z [10/Oct/2000:13:55:36 -0700] 00:1a:2b:3c:4d:5e',
    'lodash@4.17.21 1.2.3 0x7f000001 2130706433 300.1.2.3 1.2.3.256 1192.0.2.1',
    'https://example.com:8080/1/2 //4chan.org //1.example.com GET //path',
    '%20 %2F %zz \\n \\u12 &#; é ü %E9 C:\\users\\x',
  ])('left as it is: %s', async (line) => {
    expect(await through(line)).toBe(line)
  })
})

// An address, and ways to write it that some parser takes.
const octet = fc.integer({ min: 0, max: 255 })
const octets = fc.tuple(octet, octet, octet, octet)
const number = (value: number): fc.Arbitrary<string> =>
  fc.constantFrom(
    String(value),
    `0${value.toString(8)}`,
    `000${value.toString(8)}`,
    `0x${value.toString(16)}`,
    `0X00${value.toString(16).toUpperCase()}`,
  )
const v4 = octets.chain(([a, b, c, d]) =>
  fc.oneof(
    fc.tuple(...[a, b, c, d].map(number)).map((parts) => parts.join('.')),
    fc.tuple(number(a), number(b), number(c * 256 + d)).map((parts) => parts.join('.')),
    fc.tuple(number(a), number((b * 256 + c) * 256 + d)).map((parts) => parts.join('.')),
    number(((a * 256 + b) * 256 + c) * 256 + d),
  ),
)
const group = fc
  .integer({ min: 0, max: 0xffff })
  .chain((value) => fc.constantFrom(value.toString(16), value.toString(16).padStart(4, '0'), value.toString(16).toUpperCase()))
const v6 = fc.oneof(
  fc.tuple(fc.array(group, { minLength: 8, maxLength: 8 })).map(([groups]) => groups.join(':')),
  fc
    .integer({ min: 0, max: 7 })
    .chain((before) =>
      fc
        .tuple(fc.array(group, { minLength: before, maxLength: before }), fc.array(group, { maxLength: 7 - before }))
        .map(([left, right]) => `${left.join(':')}::${right.join(':')}`),
    ),
  octets.map((parts) => `::ffff:${parts.join('.')}`),
)
const FULL_WIDTH = 0xfee0
/** Characters written as something else that stands for them. */
const escaped = (text: string): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0, max: 11 }), { minLength: text.length, maxLength: text.length }).map((ways) =>
    [...text]
      .map((character, i) => {
        const code = character.charCodeAt(0)
        const hex = code.toString(16).padStart(2, '0')
        switch (ways[i]) {
          case 0:
            return `%${hex}`
          case 1:
            return `%${hex.toUpperCase()}`
          case 2:
            return `%25${hex}`
          case 3:
            return `\\x${hex}`
          case 4:
            return `\\u00${hex}`
          case 5:
            return `&#${code};`
          case 6:
            return String.fromCharCode(code + FULL_WIDTH)
          default:
            return character
        }
      })
      .join(''),
  )
const MARKER = /<[^>]*>|\[redacted\]/g

describe('a fuzz of spellings', () => {
  test('whatever the URL standard takes for an address in a URL is taken out of one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .oneof(
            v4,
            v6.map((text) => `[${text}]`),
          )
          .chain(escaped),
        async (host) => {
          const url = `http://${host.replaceAll('\\', '')}/path`
          if (!URL.canParse(url)) return
          const { hostname } = new URL(url)
          // Some become names.
          if (!/^(?:\d+\.){3}\d+$|^\[/.test(hostname)) return
          const out = await through(url)
          expect(out.replace(MARKER, '')).toMatch(/^http:\/\/\[?(?:%[25]*5[bB])?(?:\\x5b|\\u005b|［)?.{0,8}\/path$/u)
        },
      ),
      { numRuns: 3000 },
    )
  })

  test('whoever the URL standard takes for the user before it', async () => {
    const user = fc.stringMatching(/^[a-c0-9,;:'"<>`()[\]{}|!$&*+=~^_.@-]{0,12}$/)
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('http://', 'https:', 'ftp:/', 'ws:\\\\'), user, v4, async (scheme, before, host) => {
        const url = `${scheme}${before}@${host}/path`
        if (!URL.canParse(url)) return
        const out = await through(`x ${url} y`)
        expect([url, out.replaceAll(MARKER, '').includes(`@${host}/path`)]).toEqual([url, false])
        expect(out.endsWith('/path y')).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  test('whatever inet_aton takes, of four numbers in any text, and of fewer where a host stands', async () => {
    const spellings = fc.sample(v4, { numRuns: 3000, seed: 7 })
    // The platform's own, by way of Python.
    const program = 'import socket,sys\nfor line in sys.stdin:\n  try: socket.inet_aton(line.strip()); print(1)\n  except OSError: print(0)'
    const { stdout } = spawnSync('python3', ['-c', program], { input: spellings.join('\n'), encoding: 'utf8' })
    const taken = stdout.trim().split('\n')
    expect(taken.length).toBe(spellings.length)
    expect(taken.filter((each) => each === '1').length).toBeGreaterThan(2500)
    for (const [i, spelling] of spellings.entries()) {
      if (taken[i] !== '1') continue
      const four = spelling.split('.').length === 4
      for (const line of [`http://${spelling}/`, ...(four ? [`peer ${spelling} gone`, `ip=${spelling};`] : [])])
        expect([line, (await through(line)).replaceAll(MARKER, '').includes(spelling)]).toEqual([line, false])
    }
  })

  test('whatever the platform takes for IPv6, in any text', async () => {
    const spellings = fc.sample(fc.oneof(v6, fc.stringMatching(/^[0-9a-f:.]{2,24}$/)), { numRuns: 6000, seed: 7 })
    const program =
      'import socket,sys\nfor line in sys.stdin:\n  try: socket.inet_pton(socket.AF_INET6,line.rstrip("\\n")); print(1)\n  except (OSError,ValueError): print(0)'
    const { stdout } = spawnSync('python3', ['-c', program], { input: spellings.join('\n'), encoding: 'utf8' })
    const taken = stdout.trim().split('\n')
    expect(taken.filter((each) => each === '1').length).toBeGreaterThan(2500)
    for (const [i, spelling] of spellings.entries())
      if (taken[i] === '1')
        for (const line of [spelling, `"${spelling}"`, `[${spelling}]:80`, `from=${spelling},`])
          expect([line, (await through(line)).replace(MARKER, '').replace(/:80|from=/, '')]).toEqual([
            line,
            expect.stringMatching(/^["[\],]*$/),
          ])
  })

  test('escaped in any way, one address stays one address', async () => {
    await fc.assert(
      fc.asyncProperty(
        octets.chain((parts) => fc.tuple(fc.constant(parts.join('.')), escaped(parts.join('.')))),
        fc.constantFrom(' ', '=', '"', ',', '%20', '\\n', '\\"', '('),
        async ([address, spelling], before) => {
          const out = await through(`x${before}${spelling} y`)
          expect([spelling, out]).toEqual([spelling, `x${before}<${address}> y`])
        },
      ),
      { numRuns: 3000 },
    )
  })
})
