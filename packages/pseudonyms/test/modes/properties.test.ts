// What holds of every mode, whatever the addresses and keys.
import { createCipheriv, randomBytes } from 'node:crypto'

import { StrongroomError } from '@strongroom/core'
import { formatAddress, parseAddress } from '@strongroom/pseudonyms'
import { deterministic, type KeyedMode, nd, ndx, prefix, type ReversibleMode, token, truncate } from '@strongroom/pseudonyms/raw-keys'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { outcome, refusalOf } from '../support.ts'

const key = (length: number): Uint8Array => Uint8Array.from(randomBytes(length))
const REVERSIBLE: readonly [string, () => ReversibleMode][] = [
  ['deterministic', () => deterministic(key(16))],
  ['prefix', () => prefix(key(32))],
  ['nd', () => nd(key(16))],
  ['ndx', () => ndx(key(32))],
]
const KEYED: readonly [string, () => KeyedMode][] = [...REVERSIBLE, ['token', () => token(key(32), 7)]]

const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...bytes]))
// The first byte keeps it from being IPv4, by chance or by shrinking.
const v6 = fc.uint8Array({ minLength: 15, maxLength: 15 }).map((bytes) => Uint8Array.from([0x20, ...bytes]))
const address = fc.oneof(v4, v6)
const batch = fc.array(address, { maxLength: 300 }).map((all) => Uint8Array.from(all.flatMap((one) => [...one])))

describe.each(REVERSIBLE)('%s', (_, make) => {
  test('is undone by its key', () => {
    const mode = make()
    fc.assert(
      fc.property(batch, (blocks) => {
        const back = mode.pseudonymise(blocks).map((text) => mode.reverse(text))
        return Buffer.concat(back.map((bytes) => bytes ?? new Uint8Array())).equals(blocks)
      }),
    )
  })

  test('never leaves an address as it was', () => {
    const mode = make()
    fc.assert(fc.property(address, (block) => formatAddress(block) !== mode.pseudonymise(block)[0]))
  })

  test('makes something else under another key', () => {
    fc.assert(fc.property(address, (block) => make().pseudonymise(block)[0] !== make().pseudonymise(block)[0]))
  })

  test('undoes nothing that it has not made', () => {
    const mode = make()
    for (const text of ['', 'nonsense', '::g', '0'.repeat(47), 'A'.repeat(48), '0'.repeat(63), `${'0'.repeat(63)}g`, '010.0.0.1'])
      expect([text, mode.reverse(text)]).toEqual([text, undefined])
  })
})

describe.each(KEYED)('%s', (name, make) => {
  test('a batch is its addresses one by one, where a pseudonym does not change from time to time', () => {
    const mode = make()
    const changes = name === 'nd' || name === 'ndx'
    fc.assert(
      fc.property(batch, (blocks) => {
        const texts = mode.pseudonymise(blocks)
        const single = texts.map((_, i) => mode.pseudonymise(blocks.subarray(16 * i, 16 * i + 16))[0])
        return changes ? texts.every((text, i) => text !== single[i]) : texts.every((text, i) => text === single[i])
      }),
    )
  })

  test('leaves what it was given as it was', () => {
    const mode = make()
    fc.assert(
      fc.property(batch, (blocks) => {
        const before = Buffer.from(blocks)
        mode.pseudonymise(blocks)
        return before.equals(blocks)
      }),
    )
  })

  test('destroyed, it does nothing more', async () => {
    const mode = make()
    mode.destroy()
    mode.destroy()
    expect(await outcome(() => mode.pseudonymise(new Uint8Array(16)))).toBe('handle_expired')
    if ('reverse' in mode) {
      const texts = ['192.0.2.1', '0'.repeat(48), '0'.repeat(64)]
      const codes = await Promise.all(texts.map((text) => outcome(() => (mode as ReversibleMode).reverse(text))))
      expect(codes.filter((code) => code === 'handle_expired').length).toBeGreaterThan(0)
    }
  })

  test('no address, and no whole number of them', async () => {
    const mode = make()
    expect([mode.pseudonymise(new Uint8Array(0)), mode.pseudonymiseBytes(new Uint8Array(0))]).toEqual([
      [],
      expect.objectContaining({ length: 0 }),
    ])
    const error = await refusalOf(() => mode.pseudonymise(new Uint8Array(17)))
    expect([error.code, error.argument]).toEqual(['invalid_argument', 'addresses'])
  })
})

describe('prefix', () => {
  const shared = (a: Uint8Array, b: Uint8Array): number => {
    let bit = 0
    while (bit < 128 && (((a[bit >> 3] as number) ^ (b[bit >> 3] as number)) & (0x80 >> (bit & 7))) === 0) bit++
    return bit
  }
  // Of two addresses the second is the first with the bits from one on changed.
  const pairOf = (family: fc.Arbitrary<Uint8Array>, from: number): fc.Arbitrary<readonly [Uint8Array, Uint8Array]> =>
    fc.tuple(family, family, fc.integer({ min: from, max: 127 })).map(([a, other, bit]) => {
      const b = Uint8Array.from(a)
      for (let i = bit; i < 128; i++) {
        const mask = 0x80 >> (i & 7)
        const value = i === bit ? ~(a[i >> 3] as number) & mask : (other[i >> 3] as number) & mask
        b[i >> 3] = ((b[i >> 3] as number) & ~mask) | value
      }
      return [a, b] as const
    })

  test.each([
    ['IPv4', v4, 96],
    ['IPv6', v6, 8],
  ] as const)('%s: pseudonyms share as many first bits as their addresses, no more and no fewer', (_, family, from) => {
    const mode = prefix(key(32))
    fc.assert(
      fc.property(pairOf(family, from), ([a, b]) => {
        const out = mode.pseudonymiseBytes(Uint8Array.from([...a, ...b]))
        return shared(out.subarray(0, 16), out.subarray(16)) === shared(a, b)
      }),
      { numRuns: 2000 },
    )
  })

  test('IPv4 stays IPv4, and IPv6 IPv6', () => {
    const mode = prefix(key(32))
    fc.assert(fc.property(address, (block) => mode.pseudonymise(block)[0]?.includes(':') === formatAddress(block).includes(':')))
  })

  test('what is kept of a /16 is of no other key', () => {
    const [one, two] = [prefix(key(32)), prefix(key(32))]
    const block = parseAddress('192.0.2.1') as Uint8Array
    const before = one.pseudonymise(block)
    two.pseudonymise(block)
    expect(one.pseudonymise(block)).toEqual(before)
  })
})

describe('nd', () => {
  test('under a tweak of zeros KIASU-BC is AES-128', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.uint8Array({ minLength: 16, maxLength: 16 }), (secret, block) => {
        const aes = createCipheriv('aes-128-ecb', secret, null).setAutoPadding(false)
        const out = nd(secret, (length) => new Uint8Array(length)).pseudonymiseBytes(block)
        return aes.update(block).equals(out.subarray(8))
      }),
      { numRuns: 500 },
    )
  })
})

describe('token', () => {
  test('22 characters that say the version and the period', () => {
    const block = parseAddress('192.0.2.1') as Uint8Array
    const [text = ''] = token(key(32), 0x01020304).pseudonymise(block)
    expect(text).toMatch(/^[\w-]{22}$/)
    expect([...Buffer.from(text, 'base64url').subarray(0, 5)]).toEqual([1, 1, 2, 3, 4])
    const [other = ''] = token(key(32), 0x01020304).pseudonymise(block)
    expect([Buffer.from(text, 'base64url').length, text === other]).toEqual([16, false])
  })

  test('a known answer: AES-256 of the address, cut', () => {
    const secret = Uint8Array.from({ length: 32 }, (_, i) => i)
    const block = parseAddress('2001:db8::1') as Uint8Array
    const aes = createCipheriv('aes-256-ecb', secret, null).setAutoPadding(false).update(block)
    const expected = Buffer.concat([Uint8Array.of(1, 0, 0, 0x4f, 0xbf), aes.subarray(0, 11)]).toString('base64url')
    expect(token(secret, 20_415).pseudonymise(block)).toEqual([expected])
    expect(expected).toBe('AQAAT79B0p_TAW2dGDCqAQ')
  })
})

test('truncate: /24 and /48', () => {
  const of = (text: string): string | undefined => truncate.pseudonymise(parseAddress(text) as Uint8Array)[0]
  expect(['192.0.2.255', '::ffff:192.0.2.1', '2001:db8:1:2::3', '::1'].map(of)).toEqual(['192.0.2.0', '192.0.2.0', '2001:db8:1::', '::'])
})

describe('keys', () => {
  test('of two equal halves are refused', async () => {
    for (const mode of [prefix, ndx]) {
      const half = key(16)
      const error = await refusalOf(() => mode(Uint8Array.from([...half, ...half])))
      expect([error.code, error.argument, error.message.includes('equal halves')]).toEqual(['invalid_argument', 'key', true])
    }
  })

  test('of another length are refused', () => {
    for (const [mode, length] of [
      [deterministic, 32],
      [nd, 32],
      [prefix, 16],
      [ndx, 16],
      [(bytes: Uint8Array) => token(bytes, 1), 16],
      [deterministic, 0],
    ] as const)
      expect(() => mode(key(length))).toThrow(StrongroomError)
    for (const period of [-1, 1.5, 2 ** 32]) expect(() => token(key(32), period)).toThrow(StrongroomError)
  })

  test('are not kept in the caller’s bytes', () => {
    for (const [mode, length] of [
      [deterministic, 16],
      [nd, 16],
      [prefix, 32],
      [ndx, 32],
    ] as const) {
      const bytes = key(length)
      const made = mode(bytes, (count: number) => new Uint8Array(count))
      const block = new Uint8Array(16)
      const before = made.pseudonymise(block)
      bytes.fill(0)
      expect(made.pseudonymise(block)).toEqual(before)
    }
  })
})
