// The pipeline: every line comes out, whatever is in it and wherever it is cut.
import { once } from 'node:events'
import { Readable } from 'node:stream'

import { parseAddress, pseudonymiseLines } from '@strongroom/pseudonyms'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { DAY, pseudonymsOf, START, world } from '../support.ts'
import { sent, shownPseudonyms } from './support.ts'

const line = (address: string, at: string, rest = '"GET / HTTP/1.1" 200 12 "-" "x"'): string => `${address} - - [${at}] ${rest}\n`
const TODAY = '01/Jan/2030:00:00:00 +0000'
const ADDRESSES = ['192.0.2.1', '2001:db8::1', '::ffff:198.51.100.7', '203.0.113.9']

/** An independent search: whatever is an address by the platform's parser, between characters that no address has; but no part of a word. */
function addressesIn(bytes: Buffer): readonly string[] {
  const text = bytes.toString('latin1')
  const found: string[] = []
  for (const { 0: candidate, index } of text.matchAll(/[0-9A-Fa-f:.]{2,}/g)) {
    const isInWord = /[G-Zg-z_]/.test(text.slice(Math.max(0, index - 1), index) + text.charAt(index + candidate.length))
    if (isInWord && !/\d/.test(candidate)) continue
    const block = parseAddress(candidate)
    if (block !== undefined) found.push(Buffer.from(block).toString('hex'))
  }
  return found
}

const junk = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes))
const noise = fc.constantFrom(
  ...['\r', '\0', 'é', '\xff\xfe', '%', '\\', '"', '[', ' ', '{"a":"', '%2', '\\u00', 'GET /?q=1&b=2'].map((text) =>
    Buffer.from(text, 'latin1'),
  ),
)
// Between blanks, so that random bytes do not go on with it.
const address = fc
  .oneof(fc.ipV4(), fc.ipV6())
  .filter((text) => parseAddress(text) !== undefined)
  .map((text) => Buffer.from(` ${text} `))
const lineOf = fc.array(fc.oneof(junk, noise, address), { maxLength: 8 }).map((parts) => Buffer.concat(parts))
const stream = fc
  .tuple(fc.array(lineOf, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
  .map(([lines, end, isEnded]) => Buffer.from(lines.map((each) => each.toString('latin1')).join(end) + (isEnded ? end : ''), 'latin1'))

function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...sorted].map((from, i) => bytes.subarray(from, sorted[i] ?? bytes.length))
}

const feeds = (bytes: Buffer): number => bytes.filter((byte) => byte === 10).length

describe('every line comes out', () => {
  test('random bytes, cut anywhere: the same lines, the same count of addresses, and none of those that came in', async () => {
    const pseudonyms = pseudonymsOf(await world())
    await fc.assert(
      fc.asyncProperty(stream, fc.array(fc.nat(), { maxLength: 8 }), fc.constantFrom('text', 'combined'), async (bytes, places, format) => {
        const whole = await sent(pseudonyms, { format }, [bytes])
        const pieces = await sent(pseudonyms, { format }, cut(bytes, places))
        expect(pieces.out.equals(whole.out)).toBe(true)
        expect(feeds(whole.out)).toBe(feeds(bytes))
        expect(whole.counts.lines).toBe(feeds(bytes) + (bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0))
        const [before, after] = [addressesIn(bytes), addressesIn(whole.out)]
        // Random bytes may be a strange spelling as well: then that is counted by itself.
        expect(whole.counts.addresses + whole.counts.unclear).toBeGreaterThanOrEqual(before.length)
        expect(after.length).toBe(whole.counts.addresses)
        expect(after.filter((each) => before.includes(each))).toEqual([])
      }),
      { numRuns: 2000 },
    )
  })

  test('addresses among words: as many before and after, and every other byte as it was', async () => {
    const pseudonyms = pseudonymsOf(await world())
    const word = fc.stringMatching(/^[g-zG-Z_=,;()<>!?*+-]{0,8}$/).map((text) => Buffer.from(text))
    const lines = fc.array(
      fc.array(fc.oneof(word, address), { maxLength: 8 }).map((parts) => Buffer.concat(parts)),
      { maxLength: 8 },
    )
    await fc.assert(
      fc.asyncProperty(lines, async (all) => {
        const bytes = Buffer.from(all.map((each) => each.toString('latin1')).join('\n'), 'latin1')
        const { out, counts } = await sent(pseudonyms, { format: 'text' }, [bytes])
        const [before, after] = [addressesIn(bytes), addressesIn(out)]
        expect([after.length, counts.addresses, counts.unclear]).toEqual([before.length, before.length, 0])
        const masked = (text: string): string =>
          text.replaceAll(/[0-9A-Fa-f:.]{2,}/g, (each) => (parseAddress(each) === undefined ? each : '*'))
        expect(masked(out.toString('latin1'))).toBe(masked(bytes.toString('latin1')))
      }),
      { numRuns: 1000 },
    )
  })

  test('what is no address is not touched: bytes, CRLF, NULs, invalid UTF-8, no end of the last line', async () => {
    const pseudonyms = pseudonymsOf(await world())
    const bytes = Buffer.concat([Buffer.from('a\r\n\n\r\nb\0c\xc3('), Buffer.from([0xff, 0xfe, 0xc0, 0x80, 10, 0x80])])
    for (const format of ['text', 'combined'] as const) expect((await sent(pseudonyms, { format }, [bytes])).out.equals(bytes)).toBe(true)
  })

  test('a line of 1 MiB, with addresses at its beginning and its end, in chunks of every size', async () => {
    const shown = await shownPseudonyms()
    const middle = 'word '.repeat(209_700)
    const bytes = Buffer.from(`${ADDRESSES[0]} ${middle}${ADDRESSES[1]}\nnext ${ADDRESSES[3]}\n`)
    expect(bytes.indexOf('\n')).toBeLessThanOrEqual(1024 * 1024)
    for (const size of [1000, 65_536, bytes.length]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
      const { text, counts } = await sent(shown, { format: 'text' }, chunks)
      expect(text === `<192.0.2.1> ${middle}<2001:db8::1>\nnext <203.0.113.9>\n`).toBe(true)
      expect(counts).toMatchObject({ lines: 2, addresses: 3, malformed: 0 })
    }
  })

  test('back-pressure: what nobody reads is not read either', async () => {
    const lines = pseudonymiseLines(pseudonymsOf(await world()), { format: 'text' })
    let read = 0
    const chunk = Buffer.from('192.0.2.1 and more\n'.repeat(3000))
    const source = new Readable({
      read() {
        read += chunk.length
        this.push(chunk)
      },
    })
    source.pipe(lines)
    await once(lines, 'readable')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(read).toBeLessThan(10 * chunk.length)
    source.destroy()
    lines.destroy()
  })
})

describe('periods', () => {
  test('are those of the line: a line of yesterday has the pseudonym of yesterday, in any order', async () => {
    const ground = await world()
    const pseudonyms = pseudonymsOf(ground)
    const [now, before] = await Promise.all([START, START - DAY].map((at) => pseudonyms.pseudonymise('192.0.2.1', { at })))
    const days = [
      TODAY,
      '31/Dec/2029:23:59:59 +0000',
      '01/Jan/2030:00:59:59 +0100',
      '31/Dec/2029:23:00:00 -0100',
      '31/Dec/2029:12:00:00 +0000',
    ]
    const { text } = await sent(pseudonyms, { format: 'combined' }, [days.map((at) => line('192.0.2.1', at)).join('')])
    const expected = [now, before, before, now, before]
    expect(text).toBe(days.map((at, i) => line(expected[i] as string, at)).join(''))
    expect(now).not.toBe(before)
  })

  test('past the time that keys are kept: the addresses are taken out, the line comes out, and no key is made', async () => {
    const ground = await world()
    const pseudonyms = pseudonymsOf(ground)
    const old = line('192.0.2.1', '01/Dec/2029:12:00:00 +0000')
    const { text, counts } = await sent(pseudonyms, { format: 'combined' }, [`${old}${old}${line('192.0.2.1', TODAY)}${old}`])
    const [today] = [await pseudonyms.pseudonymise('192.0.2.1')]
    const gone = line('[redacted]', '01/Dec/2029:12:00:00 +0000')
    expect(text).toBe(`${gone}${gone}${line(today as string, TODAY)}${gone}`)
    expect(counts).toMatchObject({ lines: 4, addresses: 1, refused: 3 })
    expect(ground.stateStore.snapshot().filter(({ namespace }) => namespace === 'strongroom/period-keys')).toHaveLength(1)
  })

  test('ahead of the clock: as well, and not for good', async () => {
    const ground = await world()
    const pseudonyms = pseudonymsOf(ground)
    const tomorrow = line('192.0.2.1', '02/Jan/2030:12:00:00 +0000')
    const lines = pseudonymiseLines(pseudonyms, { format: 'combined' })
    lines.write(tomorrow)
    expect(String((await once(lines, 'data'))[0])).toBe(line('[redacted]', '02/Jan/2030:12:00:00 +0000'))
    ground.clock.advance(1.5 * DAY)
    lines.write(tomorrow)
    const expected = await pseudonyms.pseudonymise('192.0.2.1', { at: START + DAY })
    expect(String((await once(lines, 'data'))[0])).toBe(line(expected, '02/Jan/2030:12:00:00 +0000'))
    lines.destroy()
  })

  test('lines without a time are of now, or of the time that is given', async () => {
    const pseudonyms = pseudonymsOf(await world())
    const [now, before] = await Promise.all([START, START - DAY].map((at) => pseudonyms.pseudonymise('192.0.2.1', { at })))
    expect((await sent(pseudonyms, { format: 'text' }, ['192.0.2.1'])).text).toBe(now)
    expect((await sent(pseudonyms, { format: 'text', at: () => START - DAY }, ['192.0.2.1'])).text).toBe(before)
  })

  test('a lease that ends in between is taken anew; once the tenant is shredded, addresses are taken out', async () => {
    const ground = await world()
    const pseudonyms = pseudonymsOf(ground)
    const lines = pseudonymiseLines(pseudonyms, { format: 'text' })
    const written = async (): Promise<string> => {
      lines.write('192.0.2.1\n')
      return String((await once(lines, 'data'))[0])
    }
    const first = await written()
    ground.clock.advance(600_000)
    expect(await written()).toBe(first)
    await ground.vault.tenant('acme').shred({ reason: 'accountDeleted' })
    expect([await written(), lines.counts.refused]).toEqual(['[redacted]\n', 1])
    lines.destroy()
  })

  test('where keys cannot be had the stream fails, and nothing of what came goes out', async () => {
    const ground = await world()
    const lines = pseudonymiseLines(pseudonymsOf(ground), { format: 'text' })
    const out: unknown[] = []
    lines.on('data', (chunk: unknown) => out.push(chunk))
    await ground.vault.close()
    lines.write('no address\n192.0.2.1\n')
    const [error] = await once(lines, 'error')
    expect([error, out]).toEqual([expect.objectContaining({ code: 'vault_closed' }), []])
  })
})

describe('formats', () => {
  test('combined: the host is an address or goes; the rest is searched', async () => {
    const shown = await shownPseudonyms()
    const rest = '"GET /a?ip=198.51.100.7 HTTP/1.1" 200 12 "http://[2001:db8::1]/" "x 1.2.3.4"'
    const through = async (host: string): Promise<string> => (await sent(shown, { format: 'combined' }, [line(host, TODAY, rest)])).text
    const redone = '"GET /a?ip=<198.51.100.7> HTTP/1.1" 200 12 "http://[<2001:db8::1>]/" "x <1.2.3.4>"'
    for (const [host, expected] of [
      ['192.0.2.1', '<192.0.2.1>'],
      ['fe80::1%eth0', '<fe80::1>'],
      ['192.0.2.1:443', '<192.0.2.1>:443'],
      ['[2001:db8::1]:443', '[<2001:db8::1>]:443'],
      ['-', '-'],
      ['dsl-203-0-113-9.example.net', '[redacted]'],
      ['2130706433', '[redacted]'],
      ['127.1', '[redacted]'],
      ['0300.0.2.1', '[redacted]'],
      ['192.0.2.1.', '[redacted]'],
      ['%31.2.3.4', '[redacted]'],
    ])
      expect(await through(host as string)).toBe(line(expected as string, TODAY, redone))
  })

  test('combined: what is none is passed, or set aside, counted and without addresses either way', async () => {
    const shown = await shownPseudonyms()
    const bad = [
      'no time 192.0.2.1\r\n',
      line('192.0.2.1', '31/Feb/2029:12:00:00 +0000'),
      line('192.0.2.1', '01/Jan/2030:24:00:00 +0000'),
      line('192.0.2.1', '01/jan/2030:12:00:00 +0000'),
      line('192.0.2.1', '01/Jan/1960:12:00:00 +0000'),
      ' 192.0.2.1\n',
      '\n',
    ]
    const good = line('192.0.2.1', '31/Dec/2029:23:59:60 +0000')
    const chunks = [good + bad.join('') + good]
    const passed = await sent(shown, { format: 'combined' }, chunks)
    expect(passed.text).toBe(chunks.join('').replaceAll('192.0.2.1', '<192.0.2.1>'))
    expect(passed.counts).toMatchObject({ lines: 9, malformed: 7 })
    const aside: Buffer[] = []
    const divided = await sent(shown, { format: 'combined', malformed: async (lines) => void aside.push(Buffer.from(lines)) }, chunks)
    expect(divided.text).toBe((good + good).replaceAll('192.0.2.1', '<192.0.2.1>'))
    expect(Buffer.concat(aside).toString()).toBe(bad.join('').replaceAll('192.0.2.1', '<192.0.2.1>'))
    expect(divided.counts).toMatchObject({ lines: 9, malformed: 7, addresses: passed.counts.addresses })
  })

  test('combined: a user name that looks like a time is none', async () => {
    const shown = await shownPseudonyms()
    const forged = `192.0.2.1 - x\\" [01/Dec/2029:12:00:00 +0000] [${TODAY}] "GET / HTTP/1.1" 200 12 "-" "-"\n`
    expect((await sent(shown, { format: 'combined' }, [forged])).counts).toMatchObject({ addresses: 1, refused: 0, malformed: 0 })
  })

  test('JSON: members by name are addresses or go; all other bytes stay', async () => {
    const shown = await shownPseudonyms()
    const options = { format: 'json', addresses: ['ip', 'client.ip', 'via'], time: 'at' } as const
    const at = '"at":"2030-01-01T00:00:00Z"'
    for (const [before, after] of [
      [`{"ip":"192.0.2.1",${at},"n":1.0e2}`, `{"ip":"<192.0.2.1>",${at},"n":1.0e2}`],
      [`{ "client" : { "ip" : "2001:db8::1" } , ${at} }\r`, `{ "client" : { "ip" : "<2001:db8::1>" } , ${at} }\r`],
      [`{"client.ip":"192.0.2.1","ip":null,${at}}`, `{"client.ip":"<192.0.2.1>","ip":null,${at}}`],
      [`{"via":["192.0.2.1","host.example"],${at}}`, `{"via":["<192.0.2.1>","[redacted]"],${at}}`],
      [`{"via":"192.0.2.1, 198.51.100.7:80, unknown",${at}}`, `{"via":"<192.0.2.1>, <198.51.100.7>:80, unknown",${at}}`],
      [`{"ip":3221225985,"x":3221225985,${at}}`, `{"ip":"[redacted]","x":3221225985,${at}}`],
      [`{"i\\u0070":"127.1","ip":"0x7f.1",${at}}`, `{"i\\u0070":"[redacted]","ip":"[redacted]",${at}}`],
      [`{"ip":"192.0.2\\u002e1",${at}}`, `{"ip":"[redacted]",${at}}`],
      [`{"text":"\\u0031.2.3.4 \\"5.6.7.8\\"",${at}}`, `{"text":"<1.2.3.4> \\"<5.6.7.8>\\"",${at}}`],
      [`{"1.2.3.4":{"ip":"5.6.7.8"},${at}}`, `{"<1.2.3.4>":{"ip":"<5.6.7.8>"},${at}}`],
    ]) {
      const { text, counts } = await sent(shown, options, [before as string])
      expect([text, counts.malformed]).toEqual([after, 0])
      if (!text.endsWith('\r')) JSON.parse(text)
    }
  })

  test('JSON: times as text, seconds and milliseconds; what has none, or is no JSON, is malformed', async () => {
    const pseudonyms = pseudonymsOf(await world())
    const options = { format: 'json', addresses: ['ip'], time: 'at' } as const
    const before = await pseudonyms.pseudonymise('192.0.2.1', { at: START - 1 })
    for (const at of ['"2029-12-31T23:59:59.999Z"', '"2030-01-01 00:59:59,9+0100"', String(START - 1), String((START - 1) / 1000)])
      expect((await sent(pseudonyms, options, [`{"ip":"192.0.2.1","at":${at}}`])).text).toBe(`{"ip":"${before}","at":${at}}`)
    const now = await pseudonyms.pseudonymise('192.0.2.1')
    for (const bad of [
      '{"ip":"192.0.2.1"}',
      '{"ip":"192.0.2.1","at":"2029-02-30T00:00:00Z"}',
      '{"ip":"192.0.2.1","at":"2029-12-31T23:59:59"}',
      '{"ip":"192.0.2.1","at":-5}',
      '{"ip":"192.0.2.1","at":1e300}',
      '{"ip":"192.0.2.1","at":true}',
      '["192.0.2.1"]',
      '{"ip":"192.0.2.1","at":01}',
      '{"ip":"192.0.2.1",}',
      '{"ip":"192.0.2.1"} x',
      '{"ip":"192.0.2.1","x":"\\q"}',
      `{"ip":"192.0.2.1","x":${'['.repeat(100)}${']'.repeat(100)}}`,
    ]) {
      const { text, counts } = await sent(pseudonyms, options, [bad])
      expect([text, counts.malformed, counts.addresses]).toEqual([bad.replace('192.0.2.1', now), 1, 1])
    }
  })

  test('JSON that is walked is JSON, and what is not, is not', async () => {
    const shown = await shownPseudonyms()
    const options = { format: 'json', addresses: ['ip'] } as const
    const mutated = fc
      .tuple(fc.dictionary(fc.string(), fc.jsonValue()), fc.option(fc.tuple(fc.nat(), fc.constantFrom(...'"\\{}[],:0e.-tfn x\t'))))
      .map(([value, change]) => {
        const text = JSON.stringify(value)
        return change === null
          ? text
          : text.slice(0, change[0] % (text.length + 1)) + change[1] + text.slice((change[0] % (text.length + 1)) + 1)
      })
    await fc.assert(
      fc.asyncProperty(mutated, async (text) => {
        let isObject = false
        try {
          isObject = text.trim().startsWith('{') && typeof JSON.parse(text) === 'object'
        } catch {
          // It is not.
        }
        const { counts } = await sent(shown, options, [Buffer.from(text)])
        if (text !== '') expect([text, counts.malformed]).toEqual([text, isObject ? 0 : 1])
      }),
      { numRuns: 3000 },
    )
  })
})

describe('what else is taken out, and kept', () => {
  test('values of parameters by name, wherever a URL stands and however the name is written', async () => {
    const shown = await shownPseudonyms()
    const through = async (text: string, redactQuery: readonly string[] | 'all' = ['token', 'e-mail']): Promise<string> =>
      (await sent(shown, { format: 'text', redactQuery }, [text])).text
    for (const [before, after] of [
      ['GET /?a=1&token=x.y-z&b=2 HTTP/1.1', 'GET /?a=1&token=[redacted]&b=2 HTTP/1.1'],
      ['/?TOKEN=x#f /?tok%65n=x /?e%2dmail=a%26b=c&d=1', '/?TOKEN=[redacted]#f /?tok%65n=[redacted] /?e%2dmail=[redacted]&d=1'],
      ['/?token[]=x&token[a]=y&mytoken=z&token', '/?token[]=[redacted]&token[a]=[redacted]&mytoken=z&token'],
      ['/cb#token=x', '/cb#token=[redacted]'],
      ['?next=%2Fa%3Ftoken%3Dsecret%26b%3D1 x', '?next=%2Fa%3Ftoken%3D[redacted] x'],
      ['"/?token=a\\"b&c=1"', '"/?token=[redacted]&c=1"'],
      ['"/?token=x\\u0026b=2\\u003d"', '"/?token=[redacted]\\u0026b=2\\u003d"'],
      ['"/?a=1\\u0026token=x\\u0026b=2"', '"/?a=1\\u0026token=[redacted]\\u0026b=2"'],
      ['?a=1&amp;token=x', '?a=1&amp;token=[redacted]'],
      ['?token=192.0.2.1&ip=192.0.2.1', '?token=[redacted]&ip=<192.0.2.1>'],
      ['?token=&a=1', '?token=&a=1'],
    ])
      expect(await through(before as string)).toBe(after)
    expect(await through('/?a=1&b=&c=x%20y z', 'all')).toBe('/?a=[redacted]&b=&c=[redacted] z')
  })

  test('enrich sees the address of the client, once a line, and its text is appended', async () => {
    const shown = await shownPseudonyms()
    const seen: string[] = []
    const enrich = (given: string): string | undefined => {
      seen.push(given)
      return given.startsWith('192.') ? 'FR "é"' : undefined
    }
    const combined = ['192.0.2.1', '2001:db8::1', '-'].map((host) => line(host, TODAY)).join('')
    const { out } = await sent(shown, { format: 'combined', enrich }, [combined.replaceAll('\n', '\r\n')])
    const lines = out.toString().split('\r\n')
    expect(lines.map((each) => /"x" (.*)$/.exec(each)?.[1])).toEqual(['"FR \\"é\\""', '"-"', '"-"', undefined])
    expect(seen).toEqual(['192.0.2.1', '2001:db8::1'])
    const json = { format: 'json', addresses: ['ip'], enrichAs: 'country', enrich } as const
    expect((await sent(shown, json, ['{"x":"9.9.9.9","ip":["192.0.2.1","2001:db8::1"] }'])).out.toString()).toBe(
      '{"x":"<9.9.9.9>","ip":["<192.0.2.1>","<2001:db8::1>"] ,"country":"FR \\"é\\""}',
    )
  })

  test('what enrich returns must hold no address, and be short', async () => {
    const shown = await shownPseudonyms()
    for (const returned of [(given: string) => given, () => 'x'.repeat(65), () => 5 as unknown as string, () => 'at 192%2e0.2.1'])
      await expect(sent(shown, { format: 'combined', enrich: returned }, [line('192.0.2.1', TODAY)])).rejects.toMatchObject({
        code: 'invalid_argument',
        argument: 'enrich',
      })
  })

  test('options that are none are refused', async () => {
    const pseudonyms = pseudonymsOf(await world())
    for (const [argument, options] of [
      ['format', { format: 'csv' }],
      ['addresses', { format: 'json', addresses: [] }],
      ['time', { format: 'json', addresses: ['ip'], time: '' }],
      ['enrich', { format: 'text', enrich: () => 'x' }],
      ['enrichAs', { format: 'json', addresses: ['ip'], enrich: () => 'x' }],
      ['enrichAs', { format: 'json', addresses: ['ip'], enrichAs: 'x' }],
      ['redactQuery', { format: 'text', redactQuery: [''] }],
      ['malformed', { format: 'text', malformed: 'drop' }],
      ['mostLine', { format: 'text', mostLine: 10 }],
      ['at', { format: 'text', at: 5 }],
    ] as const) {
      const make = (): unknown => pseudonymiseLines(pseudonyms, options as never)
      expect(make).toThrow(expect.objectContaining({ code: 'invalid_argument', argument }))
    }
    const lines = pseudonymiseLines(pseudonyms, { format: 'text', at: () => Number.NaN })
    lines.end('192.0.2.1')
    expect((await once(lines, 'error'))[0]).toMatchObject({ code: 'invalid_argument', argument: 'at' })
  })
})

describe('what is glued to an escape of a character that is no part of an address', () => {
  test.each([
    String.raw`\xE2\x80\x99192.0.2.1`,
    String.raw`\u2018192.0.2.1\u2019`,
    String.raw`\u3000192.0.2.1`,
    String.raw`\342\200\223192.0.2.1`,
    'it\u2019s\u2019192.0.2.1',
  ])('%s: does not come out', async (written) => {
    const { text, counts } = await sent(await shownPseudonyms(), { format: 'text' }, [`said ${written} today\n`])
    expect(text).not.toContain('92.0.2.1 ')
    expect(text.replace('<192.0.2.1>', '')).not.toMatch(/192\.0\.2\.1/)
    expect(counts.addresses).toBe(1)
  })
})
