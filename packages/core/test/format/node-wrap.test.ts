import fc from 'fast-check'
import { expect, test } from 'vitest'

import { NODE_WRAP_BYTES, type NodePlace, nodeWrapData, unwrapNode, wrapNode } from '#core/format/node-wrap.js'
import { xaesSeal } from '#core/crypto/xaes-256-gcm.js'

import { bytes, copyOf, flip, hex } from './arbitraries.ts'

const key32 = bytes(32)
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })

const place: fc.Arbitrary<NodePlace> = fc.record({
  kind: fc.constantFrom(0, 1, 2, 3, 4, 5),
  ref: bytes(16),
  parentRef: fc.oneof(bytes(0), bytes(16)),
  parentVersion: u32,
  parentCommitment: key32,
  tenantRef: bytes(16),
  version: u32,
  state: fc.constantFrom(1, 2, 3),
  commitment: key32,
  region: fc.string({ maxLength: 12 }),
  created: fc.maxSafeInteger().map(Math.abs),
}) as fc.Arbitrary<NodePlace>

const COMPONENTS = [
  'kind',
  'ref',
  'parentRef',
  'parentVersion',
  'parentCommitment',
  'tenantRef',
  'version',
  'state',
  'commitment',
  'region',
  'created',
] as const satisfies readonly (keyof NodePlace)[]

test('a wrapped secret comes back in its place, and the wrap is 73 bytes', () => {
  fc.assert(
    fc.property(key32, bytes(16), place, key32, (key, vault, p, secret) => {
      const wrap = wrapNode(key, vault, p, secret)

      expect(wrap.length).toBe(NODE_WRAP_BYTES)
      expect(wrap[0]).toBe(1)
      expect(copyOf(unwrapNode(key, vault, p, wrap))).toEqual(secret)
    }),
  )
})

test.each(COMPONENTS)('a wrap is refused where %s is another', (component) => {
  fc.assert(
    fc.property(key32, bytes(16), place, place, key32, (key, vault, p, other, secret) => {
      fc.pre(String(p[component]) !== String(other[component]))
      const wrap = wrapNode(key, vault, p, secret)

      expect(unwrapNode(key, vault, p, wrap)).toBeDefined()
      expect(unwrapNode(key, vault, { ...p, [component]: other[component] }, wrap)).toBeUndefined()
    }),
  )
})

test('a wrap is refused in another vault, under another key, and where bytes moved from one component to the next', () => {
  fc.assert(
    fc.property(key32, bytes(16), place, key32, fc.nat(), (key, vault, p, secret, bit) => {
      const wrap = wrapNode(key, vault, p, secret)

      expect(unwrapNode(key, vault, p, wrap)).toBeDefined()
      expect(unwrapNode(key, flip(vault, bit), p, wrap)).toBeUndefined()
      expect(unwrapNode(flip(key, bit), vault, p, wrap)).toBeUndefined()
      if (hex(p.ref) !== hex(p.tenantRef))
        expect(unwrapNode(key, vault, { ...p, ref: p.tenantRef, tenantRef: p.ref }, wrap)).toBeUndefined()
      expect(unwrapNode(key, vault, { ...p, region: `${p.region}\0` }, wrap)).toBeUndefined()
    }),
  )
})

test('two places have the same associated data only if they are the same place', () => {
  fc.assert(
    fc.property(bytes(16), place, place, fc.subarray([...COMPONENTS]), (vault, a, b, taken) => {
      const mixed = { ...a, ...Object.fromEntries(taken.map((component) => [component, b[component]])) }
      const same = COMPONENTS.every((component) => String(a[component]) === String(mixed[component]))

      expect(hex(nodeWrapData(vault, a)) === hex(nodeWrapData(vault, mixed))).toBe(same)
    }),
    { numRuns: 1000 },
  )
})

test('a wrap with any bit changed is refused', () => {
  const key = new Uint8Array(32).fill(7)
  const vault = new Uint8Array(16).fill(1)
  const [p] = fc.sample(place, { numRuns: 1, seed: 1 }) as [NodePlace]
  const wrap = wrapNode(key, vault, p, new Uint8Array(32).fill(3))

  expect(unwrapNode(key, vault, p, wrap)).toBeDefined()
  for (let bit = 0; bit < 8 * wrap.length; bit++) expect(unwrapNode(key, vault, p, flip(wrap, bit))).toBeUndefined()
})

test('a wrap of another length is refused, also when it holds an authentic message', () => {
  const key = new Uint8Array(32).fill(7)
  const vault = new Uint8Array(16).fill(1)
  const [p] = fc.sample(place, { numRuns: 1, seed: 1 }) as [NodePlace]
  const wrap = wrapNode(key, vault, p, new Uint8Array(32))

  expect(unwrapNode(key, vault, p, wrap)).toBeDefined()
  for (let length = 0; length < wrap.length; length++) expect(unwrapNode(key, vault, p, wrap.subarray(0, length))).toBeUndefined()
  expect(unwrapNode(key, vault, p, Uint8Array.of(...wrap, 0))).toBeUndefined()
  for (const length of [0, 31, 33]) {
    const other = Uint8Array.of(1, ...xaesSeal(key, nodeWrapData(vault, p), new Uint8Array(length)))
    expect(unwrapNode(key, vault, p, other)).toBeUndefined()
  }
})

test('two wraps of the same secret in the same place share no nonce', () => {
  const [p] = fc.sample(place, { numRuns: 1, seed: 1 }) as [NodePlace]
  const key = new Uint8Array(32)
  const nonces = Array.from({ length: 100 }, () => hex(wrapNode(key, new Uint8Array(16), p, key).subarray(1, 25)))

  expect(new Set(nonces).size).toBe(100)
})
