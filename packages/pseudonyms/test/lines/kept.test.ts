// What else is taken out of lines, and what is kept of them.
import { once } from 'node:events'

import { pseudonymiseLines } from '@strongroom/pseudonyms'
import { describe, expect, test } from 'vitest'

import { pseudonymsOf, world } from '../support.ts'
import { line, sent, shownPseudonyms, TODAY } from './support.ts'

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
