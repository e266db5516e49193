// What is read of lines of each format.
import type { LineOptions } from '@strongroom/pseudonyms'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { pseudonymsOf, START, world } from '../support.ts'
import { line, sent, shownPseudonyms, TODAY } from './support.ts'

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
      ['20010db8000000000000000000000001', '[redacted]'],
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

  test('JSON stays JSON, and JSON in its texts too: what is replaced neither begins nor ends within an escape', async () => {
    const shown = await shownPseudonyms()
    const fragments = [
      '192.0.2.1',
      '10.0.0.1',
      'fe80::1',
      'fe80::1::2',
      '::',
      '127.1',
      'cafe',
      '1',
      '.',
      ':',
      '<',
      'é',
      '\u2019',
      '\u0012',
      ' ',
    ]
    const others = ['\\', '\n', '"', '%31', '%', '&#49;', '&', '=', '=2E', 'IPv6:', 'http://', '@', 'token=a', '?', '/', '\\u003a', '\\x31']
    const text = fc.array(fc.constantFrom(...fragments, ...others), { maxLength: 8 }).map((parts) => parts.join(''))
    // As servers write it that trust no encoding.
    const written = (value: unknown): string =>
      JSON.stringify(value).replaceAll(/[^ -~]|[<>&']/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)
    const options = fc.constantFrom<LineOptions>(
      { format: 'text' },
      { format: 'text', redactQuery: ['token'] },
      { format: 'json', addresses: ['ip'] },
    )
    await fc.assert(
      fc.asyncProperty(text, text, options, async (plain, inner, given) => {
        const json = written({ ip: '192.0.2.1', plain, nested: written({ inner, more: [inner] }) })
        const { text: out } = await sent(shown, given, [json])
        const read = JSON.parse(out) as { readonly nested: string }
        // The value of a parameter goes on behind a quote that is escaped.
        if (given.redactQuery === undefined) expect(Object.keys(JSON.parse(read.nested) as object)).toEqual(['inner', 'more'])
      }),
      { numRuns: 4000 },
    )
  })
})
