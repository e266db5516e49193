import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { binaryScalar, CanonicalScalar, canonicalScalar, type Scalar } from '#core/format/scalar.js'

import { date, hex, int64, number, text } from './arbitraries.ts'
import { refusal } from './refusal.ts'

const canonical = (value: unknown): string => hex(canonicalScalar(value, 'record'))

// Values that stand close together: the same number as a number, bigint, text, date, bytes.
const near = fc
  .integer({ min: -3, max: 3 })
  .chain((n) => fc.constantFrom<Scalar>(n, BigInt(n), String(n), new Date(n), n + 0.5, n > 0, Uint8Array.of(n & 0xff), n === 0 ? -0 : n))
const scalar: fc.Arbitrary<Scalar> = fc.oneof(near, text, number, int64, fc.boolean(), date, fc.uint8Array({ maxLength: 40 }))

/** What makes two scalars the same one, in the words of the format. */
function identity(value: Scalar): string {
  if (value instanceof Uint8Array) return `bytes ${hex(value)}`
  if (value instanceof Date) return `date ${value.getTime()}`
  if (typeof value === 'bigint') return `integer ${value}`
  if (typeof value === 'number') {
    const integer = Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63
    return integer ? `integer ${BigInt(value)}` : `double ${value}`
  }
  return `${typeof value} ${String(value)}`
}

test('two scalars have the same bytes exactly if they are the same scalar', () => {
  fc.assert(
    fc.property(fc.oneof(fc.tuple(scalar, scalar), fc.tuple(near, near)), ([a, b]) => {
      expect(canonical(a) === canonical(b)).toBe(identity(a) === identity(b))
    }),
    { numRuns: 5000 },
  )
})

test('a number that is an int64 is the same as that bigint, and −0 is 0', () => {
  expect(canonical(5)).toBe(canonical(5n))
  expect(canonical(-0)).toBe(canonical(0))
  expect(canonical(-0)).toBe(canonical(0n))
  expect(canonical(2 ** 53)).toBe(canonical(2n ** 53n))
  expect(canonical(-(2 ** 63))).toBe(canonical(-(2n ** 63n)))
  expect(canonical(2 ** 63)).toBe('0143e0000000000000')
  expect(canonical(2 ** 63 - 1024)).toBe(canonical(2n ** 63n - 1024n))
  expect(canonical(5)).not.toBe(canonical('5'))
  expect(canonical(5)).not.toBe(canonical(5.5))
  expect(canonical(0)).not.toBe(canonical(false))
  expect(canonical(0)).not.toBe(canonical(new Date(0)))
  expect(canonical('a')).not.toBe(canonical(Uint8Array.of(0x61)))
})

test('every NaN is the same NaN', () => {
  const other = new Float64Array(new BigUint64Array([0xfff8000000000123n]).buffer)[0]

  expect(canonical(Number.NaN)).toBe('017ff8000000000000')
  expect(canonical(other)).toBe('017ff8000000000000')
  expect(canonical(Infinity)).toBe('017ff0000000000000')
  expect(canonical(-Infinity)).toBe('01fff0000000000000')
})

test('text is not normalised: two spellings are two scalars', () => {
  expect(canonical('\u00e9')).not.toBe(canonical('e\u0301'))
})

test('binary of another subtype is another scalar', () => {
  const bytes = new Uint8Array(16)

  expect(hex(binaryScalar(0, bytes, 'record'))).toBe(canonical(bytes))
  expect(hex(binaryScalar(4, bytes, 'record'))).not.toBe(canonical(bytes))
})

test('text is its UTF-8 behind the type, of whatever length and letters', () => {
  const letters = fc.string({
    unit: fc.constantFrom('a', '~', '\0', '\x7f', '\x80', 'é', 'ÿ', 'Ā', '€', '😀'),
    minLength: 58,
    maxLength: 70,
  })
  fc.assert(
    fc.property(fc.oneof(text, letters, fc.string({ unit: fc.constantFrom('a', 'é'), maxLength: 3 })), (value) => {
      expect(canonical(value)).toBe(`02${Buffer.from(value, 'utf8').toString('hex')}`)
    }),
    { numRuns: 1000 },
  )
})

test('a subarray, a Buffer and a plain Uint8Array with the same bytes are the same scalar', () => {
  const plain = Uint8Array.of(1, 2, 3)

  expect(canonical(Buffer.from(plain))).toBe(canonical(plain))
  expect(canonical(Uint8Array.of(0, 1, 2, 3, 0).subarray(1, 4))).toBe(canonical(plain))
})

test('a scalar in canonical form passes as it is', () => {
  fc.assert(
    fc.property(scalar, (value) => {
      expect(canonical(new CanonicalScalar(canonicalScalar(value, 'record')))).toBe(canonical(value))
    }),
  )
})

test('a scalar that was made canonical once stands for the same', () => {
  fc.assert(
    fc.property(scalar, (value) => {
      expect(canonical(CanonicalScalar.of(value, 'record'))).toBe(canonical(value))
    }),
  )
})

const revoked = Proxy.revocable({}, {})
revoked.revoke()

describe('refused as a scalar, by name of the argument and without the value', () => {
  test.each<[string, unknown, Scalar]>([
    ['undefined', undefined, 'SECRET'],
    ['null', null, 'SECRET'],
    ['a symbol', Symbol('SECRET'), 'SECRET'],
    ['a function', () => 'SECRET', 'SECRET'],
    ['an array', ['SECRET'], 'SECRET'],
    ['an object', { SECRET: 1 }, 'SECRET'],
    ['a boxed string', new String('SECRET'), 'SECRET'],
    ['an array buffer', new ArrayBuffer(1), new Uint8Array(1)],
    ['a data view', new DataView(new ArrayBuffer(1)), new Uint8Array(1)],
    ['sixteen-bit integers', new Uint16Array(1), new Uint8Array(1)],
    ['something that only looks like a date', Object.create(Date.prototype), new Date(0)],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          getPrototypeOf() {
            throw new Error('SECRET')
          },
        },
      ),
      'SECRET',
    ],
    [
      'a proxy that says it is canonical and throws',
      new Proxy(new CanonicalScalar(new Uint8Array(1)), {
        get() {
          throw new Error('SECRET')
        },
      }),
      'SECRET',
    ],
    ['a revoked proxy', revoked.proxy, 'SECRET'],
    ['a lone surrogate', 'SECRET\ud800', 'SECRET\ud800\udc00'],
    ['a bigint above 64 bits', 2n ** 63n, 2n ** 63n - 1n],
    ['a bigint below 64 bits', -(2n ** 63n) - 1n, -(2n ** 63n)],
    ['an invalid date', new Date(Number.NaN), new Date(0)],
    ['text of more than 64 KiB', 'S'.repeat(65_536), 'S'.repeat(65_535)],
    ['text of more than 64 KiB in UTF-8', 'é'.repeat(32_768), 'é'.repeat(32_767)],
    ['more than 64 KiB of bytes', new Uint8Array(65_535), new Uint8Array(65_534)],
    ['more than 64 KiB in canonical form', new CanonicalScalar(new Uint8Array(65_537)), new CanonicalScalar(new Uint8Array(65_536))],
  ])('%s', (_, bad, good) => {
    expect(canonicalScalar(good, 'record')).toBeInstanceOf(Uint8Array)
    for (const call of [() => canonicalScalar(bad, 'record'), () => CanonicalScalar.of(bad as Scalar, 'record')])
      expect(refusal(call)).toEqual({ code: 'invalid_argument', argument: 'record', leaks: false })
  })
})
