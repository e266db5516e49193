// Escapes and what is glued to addresses: an independent decoder is the judge, Python's.
import { spawnSync } from 'node:child_process'

import { parseAddress } from '@strongroom/pseudonyms'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'

import { sent, shownPseudonyms } from './support.ts'

type Shown = Awaited<ReturnType<typeof shownPseudonyms>>
let shown: Shown
beforeAll(async () => {
  shown = await shownPseudonyms()
})

const through = async (line: string): Promise<string> => (await sent(shown, { format: 'text' }, [Buffer.from(line)])).out.toString()

describe('escapes, in any text', () => {
  test.each([
    // What a backslash is before punctuation.
    [String.raw`192\.0\.2\.1 fe80\:\:1 192\\.0\\.2\\.1`, '<192.0.2.1> <fe80::1> <192.0.2.1>'],
    // Characters of no account, with digits glued to them.
    ['%u2013192.0.2.1 %u00e9fe80::1', '%u2013<192.0.2.1> %u00e9<fe80::1>'],
    [String.raw`\xE2\x80\x99192.0.2.1 \342\200\223192.0.2.1`, String.raw`\xE2\x80\x99<192.0.2.1> \342\200\223<192.0.2.1>`],
    [String.raw`\u2018192.0.2.1\u2019 \u3000192.0.2.1`, String.raw`\u2018<192.0.2.1>\u2019 \u3000<192.0.2.1>`],
    ['it\u2019s\u2019192.0.2.1', 'it\u2019s\u2019<192.0.2.1>'],
    // Bytes of UTF-8, and a code point of JavaScript.
    [String.raw`\xEF\xBC\x91.2.3.4 \357\274\221.2.3.4 19\xad2.0.2.1`, '<1.2.3.4> <1.2.3.4> <192.0.2.1>'],
    [String.raw`\x{31}.2.3.4 \u{31}.2.3.4`, '<1.2.3.4> <1.2.3.4>'],
    // References.
    ['&#49&#46&#50&#46&#51&#46&#52 192&#x2e;0&#00000000046;2.1', '<1.2.3.4> <192.0.2.1>'],
    ['192&period;0&period;2&period;1 fe80&colon;&colon;1 192&amp;#46;0.2.1', '<192.0.2.1> <fe80::1> <192.0.2.1>'],
    // Quoted-printable, and equals signs that are none of it.
    ['192=2E0=2e2=2E1 fe80=3A=3A1 ip=3D192.0.2.1 ip=3D2001:db8::1', '<192.0.2.1> <fe80::1> ip=3D<192.0.2.1> ip=3D<2001:db8::1>'],
    ['ip=31.2.3.4 ip=20.2.3.4 ip=2001:db8::1 ip=fe80::1', 'ip=<31.2.3.4> ip=<20.2.3.4> ip=<2001:db8::1> ip=<fe80::1>'],
    // What is replaced neither begins nor ends within an escape.
    [String.raw`\u003cfe80::1::2 caf\u00e9.10.0.0.1 \u0012.2.3.4`, String.raw`\u003c[redacted] caf\u00e9.<10.0.0.1> [redacted]`],
    ['%12.2.3.4 &#192.0.2.1 %20:2001:db8::1', '[redacted] [redacted] %20:<2001:db8::1>'],
    [String.raw`\\172.16.0.1\share "\\\\172.16.0.1\\share"`, String.raw`\\<172.16.0.1>\share "\\\\<172.16.0.1>\\share"`],
    // One character in two units of UTF-16.
    [String.raw`http://\ud835\udfcf\ud835\udfd7\ud835\udfd0.0.2.1/ %uD835%uDFCF.2.3.4`, 'http://<192.0.2.1>/ <1.2.3.4>'],
    // Digits beside it that are its own to some: of an octal escape, of a reference without its end, of another script.
    [String.raw`x\203%2e0%2e113%2e77 x\203&period;0&period;113&period;77`, String.raw`x\<203.0.113.77> x\<203.0.113.77>`],
    [String.raw`&#203.\u0030.2.1 &#x203.0%2e2.1`, '&#<203.0.2.1> &#x<203.0.2.1>'],
    ['203.0%2e113.77３0 ３203.0%2e113%252e77', '<203.0.113.77>３0 ３<203.0.113.77>'],
    // A host that ends where an escape does.
    ['http://3221225985%2Fx //127.1%20y http://a@127.1:80%22', 'http://[redacted]%2Fx //[redacted]%20y http://a@[redacted]:80%22'],
    // Two addresses, depending on who reads.
    [String.raw`fe80::1%31 fe80::1%2531 \fe80::1 %fe80::1`, '[redacted] [redacted] [redacted] [redacted]'],
    ['fe80::1%eth0 fe80::1%3 ::1%20', '<fe80::1>%eth0 <fe80::1>%3 <::1>%20'],
  ])('%j', async (line, expected) => {
    expect(await through(line)).toBe(expected)
  })

  test.each([
    // The end of a word is no group of an address.
    ['IPv6:2001:db8::1 ip6:fe80::1 eth0:2001:db8::1', 'IPv6:<2001:db8::1> ip6:<fe80::1> eth0:<2001:db8::1>'],
    ['Received:2001:db8::1 surface:1:2:3:4:5:6:7:8', 'Received:<2001:db8::1> surface:<1:2:3:4:5:6:7:8>'],
    ['src_2001:db8::1 src_dead:beef:1:2:3:4:5:6', 'src_<2001:db8::1> src_<dead:beef:1:2:3:4:5:6>'],
    ['src_dead:beef:dead:beef:dead:beef:dead:beef', 'src_<dead:beef:dead:beef:dead:beef:dead:beef>'],
    // Or it may be one.
    ['enp0s31f6:fe80::1 eth_0:fe80::1 xfe80::1', 'enp0s[redacted] eth_[redacted] x[redacted]'],
    ['640x192.0.2.1 640x10.0.0.1', '640x<192.0.2.1> 640x<10.0.0.1>'],
    ['0x192.168.1.1 0xab192.0.2.1 1.0x192.168.1.1', '[redacted] [redacted] [redacted]'],
    // A host behind a user of any characters.
    [`http://a,b@2130706433/ http://'@127.1/ http://a<b>"c@127.1`, `http://a,b@[redacted]/ http://'@[redacted]/ http://a<b>"c@[redacted]`],
    ['"http://127.1","x":"a@b" ?url=http://2130706433&x=1', '"http://[redacted]","x":"a@b" ?url=http://[redacted]&x=1'],
    ['http://x/@5 mailto:a@5 lodash@4', 'http://x/@5 mailto:a@5 lodash@4'],
    // No separator, and no digit more than others: whatever it is, in a text it is a number of a trace.
    ['4bf92f3577b34da6a3ce929d0e0e4736', '4bf92f3577b34da6a3ce929d0e0e4736'],
  ])('glued: %j', async (line, expected) => {
    expect(await through(line)).toBe(expected)
  })
})

// For each family: how it writes a character, and which it always writes so; and how Python reads all of it.
interface Writing {
  readonly write: (character: string) => string
  readonly sign: string
  readonly read: string
}
const codeOf = (character: string): number => character.charCodeAt(0)
const hexOf = (character: string): string => codeOf(character).toString(16).padStart(2, '0')
const octalOf = (character: string): string => codeOf(character).toString(8).padStart(3, '0')
const wide = (character: string): string => (/[0-9a-f.:]/.test(character) ? String.fromCharCode(codeOf(character) + 0xfee0) : character)
const bytesOf = (character: string): readonly string[] => [...Buffer.from(wide(character)).toString('latin1')]
const BYTES = "s.encode('latin1','backslashreplace').decode('unicode_escape').encode('latin1').decode()"
const FAMILIES = {
  percent: { sign: '%\\', write: (c) => `%${hexOf(c)}`, read: 'urllib.parse.unquote(s)' },
  percentU: { sign: '%', write: (c) => `%u00${hexOf(c)}`, read: "re.sub('%u(....)',lambda m:chr(int(m[1],16)),s)" },
  json: { sign: '\\', write: (c) => `\\u00${hexOf(c)}`, read: String.raw`json.loads('"'+s+'"')` },
  hex: { sign: '\\', write: (c) => `\\x${hexOf(c)}`, read: BYTES },
  octal: { sign: '\\', write: (c) => `\\${octalOf(c)}`, read: BYTES },
  wideHex: {
    sign: '\\',
    write: (c) =>
      bytesOf(c)
        .map((byte) => `\\x${hexOf(byte)}`)
        .join(''),
    read: `nfkc(${BYTES})`,
  },
  wideOctal: {
    sign: '\\',
    write: (c) =>
      bytesOf(c)
        .map((byte) => `\\${octalOf(byte)}`)
        .join(''),
    read: `nfkc(${BYTES})`,
  },
  widePercent: {
    sign: '%',
    write: (c) =>
      bytesOf(c)
        .map((byte) => `%${hexOf(byte)}`)
        .join(''),
    read: 'nfkc(urllib.parse.unquote(s))',
  },
  wide: { sign: '', write: wide, read: 'nfkc(s)' },
  decimalReference: { sign: '&', write: (c) => `&#${codeOf(c)};`, read: 'html.unescape(s)' },
  openReference: { sign: '', write: (c) => `&#${codeOf(c)}`, read: 'html.unescape(s)' },
  namedReference: { sign: '&', write: (c) => ({ '.': '&period;', ':': '&colon;', '&': '&amp;' })[c] ?? c, read: 'html.unescape(s)' },
  shell: { sign: '\\', write: (c) => (/[.:\\]/.test(c) ? `\\${c}` : c), read: 'shlex.split(s)[0]' },
  quotedPrintable: {
    sign: '=',
    write: (c) => (/[.:=]/.test(c) ? `=${hexOf(c).toUpperCase()}` : c),
    read: 'quopri.decodestring(s.encode()).decode()',
  },
} as const satisfies Record<string, Writing>
type Family = keyof typeof FAMILIES

const PROGRAM = String.raw`
import sys,json,re,html,shlex,urllib.parse,quopri,unicodedata,ipaddress
nfkc=lambda s:unicodedata.normalize('NFKC',s)
readers=json.loads(sys.argv[1])
for line in sys.stdin:
  s,families=json.loads(line)
  try:
    for f in reversed(families): s=eval(readers[f])
    print(ipaddress.ip_address(s))
  except ValueError: print('-')
`
const v4 = fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 0, max: 255 }))).map((parts) => parts.join('.'))
const group = fc.integer({ min: 1, max: 0xffff }).map((value) => value.toString(16))
const v6 = fc
  .tuple(fc.array(group, { minLength: 1, maxLength: 4 }), fc.array(group, { minLength: 1, maxLength: 3 }))
  .map(([left, right]) => `${left.join(':')}::${right.join(':')}`)
const family = fc.constantFrom(...(Object.keys(FAMILIES) as Family[]))
const BEFORE = [
  '',
  'x ',
  '"',
  ',',
  '(',
  '[',
  '%20',
  '%22',
  '%u2013',
  String.raw`\u003c`,
  String.raw`\u2018`,
  String.raw`\xE2\x80\x99`,
  '\\"',
  '&lt;',
  'é',
  'http://',
]
const AFTER = ['', ' y', '"', ',', ')', ']', '%20y', '%22', String.raw`\u003e`, '/', '\\"', ' é']
const endsOpen = (each: Family): boolean => each === 'wide' || each === 'decimalReference'
const spelling = fc
  .record({
    address: fc.oneof(v4, v6),
    families: fc
      .array(family, { minLength: 1, maxLength: 3 })
      // References without a semicolon end where their digits end: nothing else writes in them, and no digit or semicolon is behind them.
      .filter((all) => !all.includes('openReference') || (all.indexOf('openReference') === all.length - 1 && !all.some(endsOpen))),
    // Which characters the innermost writes in its way, by where they stand; the others write all, or what is no letter and no digit.
    some: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
    before: fc.constantFrom(...BEFORE),
    after: fc.constantFrom(...AFTER),
  })
  .map(({ address, families, some, before, after }) => {
    let text = address
    for (const [depth, each] of families.entries()) {
      const { write, sign } = FAMILIES[each]
      const isAll = each === 'openReference' || (depth > 0 && some[depth % some.length] === true)
      const isWritten = (c: string, i: number): boolean =>
        c <= '~' && (isAll || (depth === 0 ? some[i % some.length] === true : /[^0-9A-Za-z]/.test(c)))
      text = [...text].map((c, i) => (sign.includes(c) || isWritten(c, i) ? write(c) : c)).join('')
    }
    return { address, families, text, before, after }
  })

// Of strings of JSON: what escapes are made of, on any level.
const OF_STRINGS = [
  ...[
    String.raw`\"`,
    String.raw`\\`,
    String.raw`\/`,
    String.raw`\n`,
    String.raw`\f`,
    String.raw`\u0031`,
    String.raw`\u002e`,
    String.raw`\u0022`,
  ],
  ...[String.raw`\u005c`, String.raw`\ud835\udfcf`, String.raw`\u0000`, String.raw`\\061`, String.raw`\\u0031`, String.raw`\\x31`],
  ...[
    '1.2.3.4',
    '1.2.3.',
    '.4',
    '1',
    '.',
    ':',
    '::',
    'fe80::1',
    'f',
    '%31',
    '%22',
    '%5c',
    '%u0022',
    '&#34;',
    '&#92;',
    '&quot;',
    '=2E',
    '=22',
  ],
  ...['?token=', '&token=', '&', '#', '=', ';', '//', 'http:', '@', '0x', ' ', 'é', '１', '＂', '＼', '％', '＆', '\u00ad', '”'],
]
const ofJson = fc
  .array(fc.constantFrom(...OF_STRINGS), { minLength: 1, maxLength: 8 })
  .map((parts) => `{"a":"${parts.join('')}","b":[1,"x"]}`)

describe('a fuzz of escapes', () => {
  test('JSON stays JSON', async () => {
    const all = fc.sample(ofJson, { numRuns: 40_000, seed: 5 })
    const { text, counts } = await sent(shown, { format: 'text', redactQuery: ['token'] }, [Buffer.from(all.join('\n'))])
    const broken = Buffer.from(text, 'latin1')
      .toString()
      .split('\n')
      .filter((line) => !isWhole(line))
    expect(broken).toEqual([])
    expect(counts.addresses + counts.unclear).toBeGreaterThan(10_000)
  })

  test('whatever Python decodes to an address is not there any more: a pseudonym of that address is, or nothing', async () => {
    const readers = JSON.stringify(Object.fromEntries(Object.entries(FAMILIES).map(([name, { read }]) => [name, read])))
    const all = fc.sample(spelling, { numRuns: 4000, seed: 11 })
    const input = all.map(({ text, families }) => JSON.stringify([text, families])).join('\n')
    const { stdout, stderr } = spawnSync('python3', ['-c', PROGRAM, readers], { input, encoding: 'utf8', maxBuffer: 2 ** 26 })
    expect(stderr).toBe('')
    const read = stdout.trim().split('\n')
    const wrong: object[] = []
    let judged = 0
    let named = 0
    for (const [i, { address, families, text, before, after }] of all.entries()) {
      if (read[i] === '-') continue
      judged++
      const out = await through(before + text + after)
      const [residue, marker = ''] = [out.replace(/<[^>]*>|\[redacted\]/, ''), /<([^>]*)>|\[redacted\]/.exec(out)?.[1]]
      const isWhole = residue === before + after
      if (marker !== '') named++
      // What is unclear may take some of what is before it.
      const isGone = marker === '' ? residue.endsWith(after) && before.startsWith(residue.slice(0, residue.length - after.length)) : isWhole
      const isRight = marker === '' || Buffer.from(parseAddress(marker) ?? []).equals(parseAddress(address) ?? Buffer.of(0))
      if (!isGone || !isRight) wrong.push({ text: before + text + after, out, address, families: families.join() })
    }
    expect(wrong).toEqual([])
    expect(judged).toBeGreaterThan(3500)
    expect(named / judged).toBeGreaterThan(0.9)
  })
})

function isWhole(line: string): boolean {
  try {
    return JSON.stringify((JSON.parse(line) as { readonly b: unknown }).b) === '[1,"x"]'
  } catch {
    return false
  }
}
