// Who the client is, and what of its address is left.
import { inspect } from 'node:util'

import { pseudonymiseRequest, type RequestAddress, type RequestOptions } from '@strongroom/pseudonyms'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { pseudonymsOf, world } from '../support.ts'

const OURS = { trustedProxies: ['10.0.0.0/8', '2001:db8:ffff::/48', '192.0.2.100'], header: 'x-forwarded-for' } as const
const RFC = { ...OURS, header: 'forwarded' } as const

/** Reads requests, and says which address each pseudonym stands for. */
async function reading(addresses: readonly string[]) {
  const pseudonyms = pseudonymsOf(await world())
  const names = new Map(await Promise.all(addresses.map(async (address) => [await pseudonyms.pseudonymise(address), address] as const)))
  const named = (text: string): string => [...names].reduce((all, [pseudonym, address]) => all.replaceAll(pseudonym, `<${address}>`), text)
  return async (request: RequestAddress, options?: RequestOptions) => {
    const answer = await pseudonymiseRequest(pseudonyms, request, options)
    return { ...answer, client: named(answer.client), headers: answer.headers.map(([name, value]) => [name, named(value)]) }
  }
}

const ALL = ['192.0.2.1', '192.0.2.2', '198.51.100.7', '10.0.0.1', '10.0.0.2', '2001:db8::1', '2001:db8:ffff::5', '192.0.2.100']

describe('the client', () => {
  test.each<[string, string, string | undefined, RequestOptions | undefined, string]>([
    ['the peer, where no proxy is stated', '192.0.2.1', '198.51.100.7', undefined, '<192.0.2.1>'],
    ['the peer, where it is no proxy of ours: what it says is its own', '192.0.2.1', '198.51.100.7', OURS, '<192.0.2.1>'],
    ['what our proxy says', '10.0.0.1', '198.51.100.7', OURS, '<198.51.100.7>'],
    [
      'the last that is not ours, whatever the client has put before',
      '10.0.0.1',
      '192.0.2.2, 198.51.100.7, 10.0.0.2',
      OURS,
      '<198.51.100.7>',
    ],
    ['by proxies of both families', '2001:db8:ffff::5', '198.51.100.7:443, [2001:db8::1]:80, 192.0.2.100', OURS, '<2001:db8::1>'],
    ['a proxy itself', '10.0.0.1', '10.0.0.2', OURS, '<10.0.0.2>'],
    ['a proxy that says nothing', '10.0.0.1', undefined, OURS, '<10.0.0.1>'],
    ['nobody, where what our proxy says is no address', '10.0.0.1', '198.51.100.7, 010.0.0.1, 10.0.0.2', OURS, '-'],
    ['nobody, where it says nothing that can be read', '10.0.0.1', 'unknown', OURS, '-'],
    ['a mapped peer', '::ffff:10.0.0.1', '::ffff:198.51.100.7', OURS, '<198.51.100.7>'],
  ])('%s', async (_, remoteAddress, forwarded, options, client) => {
    const read = await reading(ALL)
    const headers = forwarded === undefined ? [] : [['X-Forwarded-For', forwarded] as const]
    expect((await read({ remoteAddress, headers }, options)).client).toBe(client)
  })

  test('by Forwarded, several of them, and not by another header', async () => {
    const read = await reading(ALL)
    const headers = [
      ['Forwarded', 'for=192.0.2.2;proto=https, for="[2001:db8::1]:4711";by=10.0.0.2'],
      ['forwarded', 'For=10.0.0.2'],
      ['X-Forwarded-For', '192.0.2.1'],
    ] as const
    const answer = await read({ remoteAddress: '10.0.0.1', headers }, RFC)
    expect(answer.client).toBe('<2001:db8::1>')
    expect(answer.headers).toEqual([
      ['Forwarded', 'for="[<192.0.2.2>]";proto=https, for="[<2001:db8::1>]";by="[<10.0.0.2>]"'],
      ['forwarded', 'for="[<10.0.0.2>]"'],
      ['X-Forwarded-For', '<192.0.2.1>'],
    ])
  })

  test('is dropped by DNT and Sec-GPC, with every header that has an address, and enrich does not see it', async () => {
    const read = await reading(ALL)
    const seen: string[] = []
    for (const [signal, dropped] of [
      [['DNT', '1'], 'dnt'],
      [['sec-gpc', ' 1 '], 'gpc'],
      [['DNT', '1, 1'], 'dnt'],
      [['dnt', '0,1'], 'dnt'],
      [['DNT', '1xyz'], 'dnt'],
      [['Sec-GPC', '1,1'], 'gpc'],
    ] as const) {
      const headers = [['Host', 'x'], ['X-Real-IP', '192.0.2.1'], ['Forwarded', 'for=192.0.2.1'], signal] as const
      const answer = await read({ remoteAddress: '192.0.2.1', headers }, { enrich: (address) => void seen.push(address) })
      expect(answer).toEqual({ client: '-', dropped, enriched: undefined, headers: [['Host', 'x'], [...signal]] })
    }
    expect(seen).toEqual([])
    const kept = await read({ remoteAddress: '192.0.2.1', headers: [['DNT', '0']] }, { enrich: (address) => `${address.length}` })
    expect(kept).toMatchObject({ client: '<192.0.2.1>', dropped: undefined, enriched: '9' })
  })
})

describe('headers', () => {
  test('have pseudonyms in place of addresses; what is none where one is expected goes', async () => {
    const read = await reading(ALL)
    const headers = [
      ['x-forwarded-for', '192.0.2.1, 0300.0.2.1,host.example,, [2001:db8::1]:443'],
      ['CF-Connecting-IP', '192.0.2.1'],
      ['X-Mine', '192.0.2.2'],
      ['host', '127.0.0.1:8080'],
      ['forwarded', 'for=_hidden;by=unknown;secret=192.0.2.1, for=192.0.2.1;host="a:80"'],
    ] as const
    expect((await read({ remoteAddress: '192.0.2.1', headers }, { addressHeaders: ['X-MINE'] })).headers).toEqual([
      ['x-forwarded-for', '<192.0.2.1>, unknown, unknown, <2001:db8::1>'],
      ['CF-Connecting-IP', '<192.0.2.1>'],
      ['X-Mine', '<192.0.2.2>'],
      ['host', '127.0.0.1:8080'],
      ['forwarded', 'for=unknown;by=unknown, for="[<192.0.2.1>]";host="a:80"'],
    ])
  })

  test.each([
    'X-Forwarded-For,X-Original-Forwarded-For,X-Real-IP,X-Client-IP,X-ClientIP,X-Cluster-Client-IP,X-Originating-IP,X-Remote-IP,X-Remote-Addr',
    'Client-IP,Proxy-Client-IP,WL-Proxy-Client-IP,True-Client-IP,Forwarded-For,X-Forwarded,X-Envoy-External-Address,X-ProxyUser-Ip',
    'CF-Connecting-IP,CF-Connecting-IPv6,CloudFront-Viewer-Address,Fastly-Client-IP,Fastly-Temp-XFF,Fly-Client-IP,DO-Connecting-IP',
    'X-Vercel-Forwarded-For,X-Vercel-Proxied-For,X-NF-Client-Connection-IP,Incap-Client-IP,X-Sucuri-ClientIP,Ali-CDN-Real-IP,CDN-Src-IP',
    'X-AppEngine-User-IP,X-AppEngine-Remote-Addr,X-Azure-ClientIP,X-Azure-SocketIP',
  ])('of proxies and CDNs are known: %s', async (names) => {
    const read = await reading(ALL)
    const headers = names.split(',').map((name) => [name, '192.0.2.1'] as const)
    const answer = await read({ remoteAddress: '192.0.2.2', headers })
    expect(answer.headers).toEqual(headers.map(([name]) => [name, '<192.0.2.1>']))
    const objecting = await read({ remoteAddress: '192.0.2.2', headers: [...headers, ['DNT', '1']] })
    expect(objecting.headers).toEqual([['DNT', '1']])
  })

  test('of CloudFront have a port, behind IPv6 without brackets too', async () => {
    const read = await reading(ALL)
    for (const [value, expected] of [
      ['192.0.2.1:46532', '<192.0.2.1>'],
      ['2001:db8::1:4653', '<2001:db8::1>'],
      ['2001:db8:0:0:0:0:0:1:46532', '<2001:db8::1>'],
      ['[2001:db8::1]:46532', '<2001:db8::1>'],
    ] as const) {
      const { headers } = await read({ remoteAddress: '192.0.2.2', headers: [['CloudFront-Viewer-Address', value]] })
      expect(headers).toEqual([['CloudFront-Viewer-Address', expected]])
    }
  })

  test('Forwarded: what is none becomes for=unknown, and hides neither the others nor the client', async () => {
    const read = await reading(ALL)
    const known = 'for="[<192.0.2.1>]"'
    for (const [value, expected, client] of [
      ['for=192.0.2.1', known, '<192.0.2.1>'],
      [';;for=192.0.2.1; ;', known, '<192.0.2.1>'],
      [', ,for=192.0.2.1,,', known, '<192.0.2.1>'],
      ['', undefined, '<10.0.0.1>'],
      [' , ', undefined, '<10.0.0.1>'],
      ['for="192.0.2.1:80";secret="a, for=192.0.2.2"', known, '<192.0.2.1>'],
      [String.raw`for="192.0.2.1";x="\", for=192.0.2.2"`, known, '<192.0.2.1>'],
      [String.raw`for="192.0.2.1";x="\\", for=192.0.2.2`, `${known}, for="[<192.0.2.2>]"`, '<192.0.2.2>'],
      // Planted by the client, with what the proxies have put behind it.
      ['for=192.0.2.2:80, for=192.0.2.1', `for=unknown, ${known}`, '<192.0.2.1>'],
      ['for=192.0.2.2, for=", for=192.0.2.1', `for=unknown, ${known}`, '<192.0.2.1>'],
      ['x="for=192.0.2.2, for=192.0.2.1', `for=unknown, ${known}`, '<192.0.2.1>'],
      [String.raw`x=\", for=192.0.2.1, for="10.0.0.2"`, `for=unknown, ${known}, for="[<10.0.0.2>]"`, '<192.0.2.1>'],
      ['192.0.2.2, for=192.0.2.1, for=10.0.0.2', `for=unknown, ${known}, for="[<10.0.0.2>]"`, '<192.0.2.1>'],
      // Where it is what the nearest of them says, nobody is believed.
      ['for=192.0.2.1, for=192.0.2.2:80', `${known}, for=unknown`, '-'],
      ['for=192.0.2.1, proto=https', `${known}, proto=https`, '-'],
    ] as const) {
      const answer = await read({ remoteAddress: '10.0.0.1', headers: [['forwarded', value]] }, RFC)
      expect([value, answer.client, answer.headers]).toEqual([value, client, expected === undefined ? [] : [['forwarded', expected]]])
    }
    // In a header of its own.
    const two = [
      ['Forwarded', 'for="'],
      ['Forwarded', 'for=192.0.2.1'],
    ] as const
    const answer = await read({ remoteAddress: '10.0.0.1', headers: two }, RFC)
    expect([answer.client, answer.headers]).toEqual([
      '<192.0.2.1>',
      [
        ['Forwarded', 'for=unknown'],
        ['Forwarded', known],
      ],
    ])
  })

  test('no address that came in goes out, whatever the headers are', async () => {
    const pseudonyms = pseudonymsOf(await world())
    const address = fc.oneof(fc.ipV4(), fc.ipV6())
    const value = fc.array(
      fc.oneof(address, fc.string({ maxLength: 5 }), fc.constantFrom(',', ';', 'for=', '"', '[', ']', ':80', '%eth0')),
      { maxLength: 6 },
    )
    const headers = fc.array(fc.tuple(fc.constantFrom('x-forwarded-for', 'Forwarded', 'X-Real-IP'), value), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(headers, address, async (all, remoteAddress) => {
        const given = all.map(([name, parts]) => [name, parts.join('')] as const)
        const answer = await pseudonymiseRequest(pseudonyms, { remoteAddress, headers: given })
        const out = answer.headers.map(([, text]) => text).join('\n')
        const long = given.flatMap(([, text]) => text.match(/(?:\d+\.){3}\d+|[0-9a-f:]{8,}/giu) ?? [])
        for (const each of [...long, remoteAddress]) if (each.length > 7) expect([each, out.includes(each)]).toEqual([each, false])
      }),
      { numRuns: 1000 },
    )
  })
})

test('what enrich returns holds no address and is short; what it throws is not shown', async () => {
  const pseudonyms = pseudonymsOf(await world())
  const request = { remoteAddress: '192.0.2.1', headers: [] }
  for (const enrich of [
    (address: string) => address,
    () => 'at 192%2e0.2.1',
    () => 'x'.repeat(65),
    () => 5 as unknown as string,
    (address: string) => {
      throw new Error(`no country of ${address}`)
    },
  ]) {
    const failed = await pseudonymiseRequest(pseudonyms, request, { enrich }).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: 'invalid_argument', argument: 'enrich' })
    expect(inspect(failed, { depth: 9 })).not.toContain('192.0.2.1')
  }
})

test('options that are none are refused', async () => {
  const pseudonyms = pseudonymsOf(await world())
  const request = { remoteAddress: '192.0.2.1', headers: [] }
  for (const [argument, options] of [
    ['trustedProxies[0]', { trustedProxies: ['10.0.0.0/33'], header: 'forwarded' }],
    ['trustedProxies[1]', { trustedProxies: ['::1', 'proxy.example'], header: 'forwarded' }],
    ['trustedProxies[0]', { trustedProxies: ['010.0.0.0/8'], header: 'forwarded' }],
    ['header', { trustedProxies: ['10.0.0.0/8'] }],
    ['header', { header: 'forwarded' }],
    ['header', { trustedProxies: ['10.0.0.0/8'], header: 'x-real-ip' }],
    ['addressHeaders', { addressHeaders: [''] }],
    ['enrich', { enrich: 'FR' }],
    ['options', { trustedProxy: ['10.0.0.0/8'] }],
    ['options', 5],
  ] as const)
    await expect(pseudonymiseRequest(pseudonyms, request, options as never)).rejects.toMatchObject({ code: 'invalid_argument', argument })
})
