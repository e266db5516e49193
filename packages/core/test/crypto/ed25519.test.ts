// Ed25519 beyond the published vectors (test/vectors): what RFC 8032 leaves open, where implementations are known to differ.
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { backend as node } from '#core/crypto/backend/node.js'
import { backend as portable } from '#core/crypto/backend/portable.js'
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from '#core/crypto/ed25519.js'

import { bytes } from '../format/arbitraries.ts'
import { refusal } from '../format/refusal.ts'

const { Point } = ed25519
type Point = InstanceType<typeof Point>
const { ORDER } = Point.Fn
const P = Point.Fp.ORDER

const littleEndian = (value: bigint): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
const number = (all: Uint8Array): bigint => all.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))
const challenge = (r: Uint8Array, key: Uint8Array, message: Uint8Array): bigint => number(sha512(joined(r, key, message))) % ORDER
const times = (point: Point, n: bigint): Point => point.multiplyUnsafe(n % ORDER)
const withSign = (encoding: Uint8Array): Uint8Array => encoding.map((byte, i) => (i === 31 ? byte | 0x80 : byte))

// The eight points of small order.
const SMALL = ED25519_TORSION_SUBGROUP.map((hex) => Point.fromHex(hex))
const EIGHTH = SMALL.find((point) => !times(point, 4n).is0()) as Point

/** Every way to write a point of small order: canonical, x = 0 called negative, y not below the prime. */
const SMALL_ENCODINGS = [
  ...SMALL.map((point) => point.toBytes()),
  ...[1n, P - 1n, P, P + 1n].map((y) => withSign(littleEndian(y))),
  ...[P, P + 1n].map(littleEndian),
]

/** What each backend answers, in one word if they agree. */
function verdict(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean | string {
  const [a, b] = [node, portable].map((backend) => backend.ed25519Verify(publicKey, message, signature)) as [boolean, boolean]
  return a === b ? a : `node ${a}, portable ${b}`
}

// Secret scalar a, public key aB + `torsion`, and R = rB + `shift`; S as a signer makes it.
function signed(a: bigint, r: bigint, message: Uint8Array, torsion = Point.ZERO, shift = Point.ZERO) {
  const publicKey = Point.BASE.multiply(a).add(torsion).toBytes()
  const R = times(Point.BASE, r).add(shift).toBytes()
  const k = challenge(R, publicKey, message)
  return { publicKey, k, signature: joined(R, littleEndian((r + k * a) % ORDER)) }
}

const scalar = fc.bigInt({ min: 1n, max: ORDER - 1n })
const runs = { numRuns: 40 }

describe('both backends agree', () => {
  test('on the eight points of small order, and on their fourteen encodings', () => {
    expect(SMALL.every((point) => point.isSmallOrder())).toBe(true)
    expect(new Set(SMALL_ENCODINGS.map((encoding) => encoding.join())).size).toBe(14)
    expect(SMALL_ENCODINGS.every((encoding) => Point.fromBytes(encoding, true).isSmallOrder())).toBe(true)
  })

  test('no public key of small order verifies anything, though the equation holds', () => {
    for (const publicKey of SMALL_ENCODINGS) {
      const R = times(Point.BASE, 5n).toBytes()
      // With k a multiple of 8 the key drops out of [S]B = R + [k]A: S = r signs for everyone.
      const message = Array.from({ length: 256 }, (_, i) => Uint8Array.of(i)).find((each) => challenge(R, publicKey, each) % 8n === 0n)
      if (message === undefined) throw new Error('no such message')
      const signature = joined(R, littleEndian(5n))

      expect(ed25519.verify(signature, message, publicKey, { zip215: true })).toBe(true)
      expect(verdict(publicKey, message, signature)).toBe(false)
    }
  })

  test('a public key with a part of small order: accepted exactly where that part drops out', () => {
    const seen = new Set<boolean>()
    fc.assert(
      fc.property(scalar, scalar, bytes(3), (a, r, message) => {
        const { publicKey, k, signature } = signed(a, r, message, EIGHTH)
        const expected = k % 8n === 0n
        seen.add(expected)

        expect(ed25519.verify(signature, message, publicKey, { zip215: false })).toBe(true)
        expect(verdict(publicKey, message, signature)).toBe(expected)
      }),
      { ...runs, numRuns: 80, seed: 1 },
    )
    expect(seen.size).toBe(2)
  })

  test('an R with a part of small order is refused', () => {
    fc.assert(
      fc.property(scalar, scalar, bytes(3), fc.constantFrom(...SMALL), (a, r, message, shift) => {
        const { publicKey, signature } = signed(a, r, message, Point.ZERO, shift)

        expect(ed25519.verify(signature, message, publicKey, { zip215: false })).toBe(true)
        expect(verdict(publicKey, message, signature)).toBe(shift.is0())
      }),
      runs,
    )
  })

  test('an R of small order is refused, though the equation holds: only the holder of the key can bring it about, and Node 26 refuses it', () => {
    const a = 7n
    const publicKey = Point.BASE.multiply(a).toBytes()
    const message = Uint8Array.of(1)
    const withR = (R: Uint8Array): Uint8Array => joined(R, littleEndian((challenge(R, publicKey, message) * a) % ORDER))
    for (const R of SMALL_ENCODINGS) expect(verdict(publicKey, message, withR(R))).toBe(false)

    expect(ed25519.verify(withR(Point.ZERO.toBytes()), message, publicKey, { zip215: true })).toBe(true)
    // With a key that has a part of small order too, the equation can hold for an R other than zero.
    const mixed = Point.BASE.multiply(a).add(EIGHTH).toBytes()
    let held = 0
    for (const R of SMALL) {
      const encoded = R.toBytes()
      for (let i = 0; i < 64; i++) {
        const k = challenge(encoded, mixed, Uint8Array.of(i))
        if (!R.add(EIGHTH.multiplyUnsafe(k % 8n)).is0()) continue
        held++
        expect(verdict(mixed, Uint8Array.of(i), joined(encoded, littleEndian((k * a) % ORDER)))).toBe(false)
      }
    }
    expect(held).toBeGreaterThan(8)
  })

  test('S is below the order of the group', () => {
    fc.assert(
      fc.property(scalar, scalar, bytes(3), (a, r, message) => {
        const { publicKey, signature } = signed(a, r, message)
        const s = number(signature.subarray(32))

        expect(verdict(publicKey, message, signature)).toBe(true)
        for (let more = s + ORDER; more < 2n ** 256n; more += ORDER) {
          expect(verdict(publicKey, message, joined(signature.subarray(0, 32), littleEndian(more)))).toBe(false)
        }
      }),
      { numRuns: 5 },
    )
    const { publicKey } = signed(7n, 5n, new Uint8Array(0))
    for (const s of [ORDER, ORDER + 1n, 2n ** 255n, 2n ** 256n - 1n]) {
      expect(verdict(publicKey, new Uint8Array(0), joined(Point.ZERO.toBytes(), littleEndian(s)))).toBe(false)
    }
  })

  test('no public key whose y is not below the prime', () => {
    for (let y = P; y < 2n ** 255n; y++) {
      for (const publicKey of [littleEndian(y), withSign(littleEndian(y))]) {
        expect(verdict(publicKey, Uint8Array.of(1), ed25519Sign(new Uint8Array(32), Uint8Array.of(1)))).toBe(false)
      }
    }
  })

  test('on bytes of any kind: false, and no error', () => {
    const wrong = fc.uint8Array({ maxLength: 70 })
    fc.assert(
      fc.property(fc.oneof(bytes(32), wrong), wrong, fc.oneof(bytes(64), wrong), (publicKey, message, signature) => {
        expect(verdict(publicKey, message, signature)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  test('signatures and keys that are cut or extended: false', () => {
    const seed = new Uint8Array(32).fill(3)
    const message = Uint8Array.of(1, 2, 3)
    const [publicKey, signature] = [ed25519PublicKey(seed), ed25519Sign(seed, message)]

    expect(verdict(publicKey, message, signature)).toBe(true)
    for (let to = 0; to < 64; to++) expect(verdict(publicKey, message, signature.subarray(0, to))).toBe(false)
    for (let to = 0; to < 32; to++) expect(verdict(publicKey.subarray(0, to), message, signature)).toBe(false)
    expect(verdict(publicKey, message, joined(signature, Uint8Array.of(0)))).toBe(false)
    expect(verdict(joined(publicKey, Uint8Array.of(0)), message, signature)).toBe(false)
  })
})

test('what was signed verifies, and nothing else', () => {
  const seed = new Uint8Array(32).fill(3)
  const message = new TextEncoder().encode('message')
  const signature = ed25519Sign(seed, message)

  expect(ed25519Verify(ed25519PublicKey(seed), message, signature)).toBe(true)
  expect(ed25519Verify(ed25519PublicKey(new Uint8Array(32).fill(4)), message, signature)).toBe(false)
  expect(ed25519Verify(ed25519PublicKey(seed), new TextEncoder().encode('messagf'), signature)).toBe(false)
})

test.each([0, 31, 33, 64])('a seed of %i bytes is refused by name', (length) => {
  const seed = new Uint8Array(length)
  const expected = { code: 'invalid_argument', argument: 'seed', leaks: false }

  expect(refusal(() => ed25519PublicKey(seed))).toEqual(expected)
  expect(refusal(() => ed25519Sign(seed, seed))).toEqual(expected)
})
