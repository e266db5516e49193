// Addresses as text: strict where parsers differ, one text for each address, and the platform's own opinion of both.
import { isIPv4, isIPv6 } from 'node:net'

import { formatAddress, parseAddress, parseEndpoint } from '@strongroom/pseudonyms'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { hex } from '../support.ts'

const canonical = (text: string): string | undefined => {
  const bytes = parseAddress(text)
  return bytes === undefined ? undefined : formatAddress(bytes)
}

// What WHATWG's URL makes of IPv6 is canonical but for the mapped ones, which it writes as groups.
const urlText = (text: string): string => new URL(`http://[${text}]/`).hostname.slice(1, -1)

const digits = (max: number): fc.Arbitrary<string> => fc.integer({ min: 0, max }).map(String)
const group = fc.oneof(
  fc.constant('0'),
  fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16)),
)
const v4Text = fc.tuple(digits(255), digits(255), digits(255), digits(255)).map((parts) => parts.join('.'))
/** IPv6 in all its spellings: cut anywhere, with zeros before, in any case, the end as IPv4. */
const v6Text = fc
  .record({
    groups: fc.array(group, { minLength: 8, maxLength: 8 }),
    from: fc.integer({ min: 0, max: 7 }),
    length: fc.integer({ min: 0, max: 8 }),
    upper: fc.boolean(),
    padded: fc.boolean(),
    tail: fc.option(v4Text),
  })
  .map(({ groups, from, length, upper, padded, tail }) => {
    const all = groups.map((each) => (padded ? each.padStart(4, '0') : each))
    if (tail !== null) all.splice(6, 2, tail)
    const cut = Math.min(length, (tail === null ? 8 : 6) - from)
    const text = cut < 1 ? all.join(':') : `${all.slice(0, from).join(':')}::${all.slice(from + cut).join(':')}`
    return upper ? text.toUpperCase() : text
  })

describe('IPv4', () => {
  test.each(['0.0.0.0', '255.255.255.255', '192.0.2.1', '8.8.8.8'])('%s', (text) => {
    expect([canonical(text), parseAddress(text)?.length]).toEqual([text, 16])
  })

  // RFC 6943, section 3.1.1: inet_aton, getaddrinfo and URL parsers read these as addresses, and not as the same ones.
  test.each([
    '010.0.0.1',
    '0x7f.0.0.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '127.1',
    '1.2.3',
    '1.2.3.0x4',
    '1.2.3.04',
    '00.0.0.0',
    '1.2.3.4.',
    '.1.2.3.4',
    '1.2.3.4.5',
    '1..3.4',
    '256.0.0.1',
    '1.2.3.1000',
    '1.2.3.-4',
    '+1.2.3.4',
    ' 1.2.3.4',
    '1.2.3.4 ',
    '1.2.3.4\n',
    '1.2.3.4\0',
    '1,2,3,4',
    '１.2.3.4',
    '1。2。3。4',
    '1.2.3.٤',
    '1.2.3.4/24',
    '1.2.3.4%0',
    '1.2.3.4:80',
    '[1.2.3.4]',
    '1e0.2.3.4',
    '1.2.3.4e0',
    'localhost',
    '',
    '1',
  ])('%j is no address', (text) => {
    expect(parseAddress(text)).toBeUndefined()
  })

  test('what the platform takes for one, and nothing else', () => {
    fc.assert(fc.property(v4Text, (text) => canonical(text) === text))
    const near = fc.array(fc.oneof(fc.constantFrom('.', '0', '00', 'x', ':'), digits(300)), { maxLength: 9 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(near, (text) => (parseAddress(text) !== undefined) === (isIPv4(text) || isIPv6(text))),
      { numRuns: 5000 },
    )
  })
})

describe('IPv6', () => {
  // RFC 5952, section 4, and its appendix.
  test.each([
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['0001:0002:0003:0004:0005:0006:0007:0008', '1:2:3:4:5:6:7:8'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:0201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['::192.0.2.1', '::c000:201'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['::ffff:0:192.0.2.1', '::ffff:0:c000:201'],
  ])('%s is %s', (text, expected) => {
    expect(canonical(text)).toBe(expected)
  })

  test.each([
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8:',
    ':1:2:3:4:5:6:7:8',
    '1::2::3',
    '::00001',
    '12345::',
    '::g',
    ':1::',
    '1:::2',
    '::1%eth0',
    '[::1]',
    '::1/64',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1:2:3:4:5:1.2.3.4',
    '::1.2.3',
    '::010.0.0.1',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '::1 ',
    '١::',
    '::1\0',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
  ])('%j is no address', (text) => {
    expect(parseAddress(text)).toBeUndefined()
  })

  test('every spelling of an address, as the platform and a URL read it', () => {
    fc.assert(
      fc.property(v6Text, (text) => {
        if (!isIPv6(text)) return parseAddress(text) === undefined
        const ours = canonical(text) ?? ''
        return ours.includes(':') ? ours === urlText(text) : urlText(text) === urlText(`::ffff:${ours}`)
      }),
      { numRuns: 5000 },
    )
  })

  test('what the platform takes for one without a zone, and nothing else', () => {
    const near = fc
      .array(fc.oneof(fc.constantFrom(':', '::', '.', 'fFfF', '%'), group, digits(300)), { maxLength: 17 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(near, (text) => (parseAddress(text) !== undefined) === ((isIPv6(text) && !text.includes('%')) || isIPv4(text))),
      { numRuns: 10_000 },
    )
  })
})

test('text and bytes: each address has one text, which leads back to it', () => {
  const block = fc.array(fc.constantFrom(0, 0, 0, 1, 0x10, 0xff), { minLength: 16, maxLength: 16 }).map((bytes) => Uint8Array.from(bytes))
  fc.assert(
    fc.property(
      fc.oneof(block, fc.uint8Array({ minLength: 16, maxLength: 16 })),
      (bytes) => hex(parseAddress(formatAddress(bytes)) ?? new Uint8Array()) === hex(bytes),
    ),
    { numRuns: 5000 },
  )
})

test('any text: no address, or one', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => [undefined, 16].includes(parseAddress(text)?.length)))
  for (const strange of [undefined, null, 1, {}, [], ['1.2.3.4']]) expect(parseAddress(strange as unknown as string)).toBeUndefined()
})

describe('with what stands around them', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1', undefined, undefined],
    ['192.0.2.1:8080', '192.0.2.1', 8080, undefined],
    ['2001:db8::1', '2001:db8::1', undefined, undefined],
    ['[2001:db8::1]', '2001:db8::1', undefined, undefined],
    ['[2001:db8::1]:443', '2001:db8::1', 443, undefined],
    ['fe80::1%eth0', 'fe80::1', undefined, 'eth0'],
    ['[fe80::1%25eth0]:80', 'fe80::1', 80, 'eth0'],
    ['::ffff:192.0.2.1', '192.0.2.1', undefined, undefined],
    ['[::ffff:192.0.2.1]:80', '192.0.2.1', 80, undefined],
    // A port cannot be told from a group.
    ['2001:db8::1:443', '2001:db8::1:443', undefined, undefined],
  ])('%s', (text, address, port, zone) => {
    const endpoint = parseEndpoint(text)
    expect([endpoint === undefined ? undefined : formatAddress(endpoint.address), endpoint?.port, endpoint?.zone]).toEqual([
      address,
      port,
      zone,
    ])
  })

  test.each([
    '[192.0.2.1]',
    '[192.0.2.1]:80',
    '192.0.2.1:',
    '192.0.2.1:x',
    '192.0.2.1:65536',
    '[2001:db8::1',
    '2001:db8::1]',
    '[2001:db8::1]443',
    '[]',
    'fe80::1%',
    '192.0.2.1%eth0',
    'fe80::1%eth 0',
    'example.org',
    '010.0.0.1:80',
    '[::1]:80:80',
    '',
    ' '.repeat(200),
  ])('%j is none', (text) => {
    expect(parseEndpoint(text)).toBeUndefined()
  })
})
