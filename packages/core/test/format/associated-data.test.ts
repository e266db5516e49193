import fc from 'fast-check'
import { expect, test } from 'vitest'

import { ascii, concat, lp, utf8 } from '#core/format/bytes.js'
import { commitment, indexTag, type ServiceUse, serviceKey, valueTag } from '#core/format/derivations.js'
import { fieldData, valueData, valueHeader } from '#core/format/encrypted-value.js'
import { indexData, indexValue, type Normaliser } from '#core/format/index-value.js'
import { firstWrappingKeyId, nodeRef, refKeyRef, serviceName } from '#core/format/reference.js'
import { canonicalScalar } from '#core/format/scalar.js'
import { wrappingKeyData } from '#core/format/wrapping-key.js'

import { bytes, hex, int64, text } from './arbitraries.ts'

const KEY = new Uint8Array(32).fill(7)
const bytesOf = (value: string): Uint8Array => utf8(value, 'test')

/** One text cut into three at two pairs of places: the parts differ, their concatenation does not. */
const shifted = fc.tuple(fc.string({ minLength: 1, maxLength: 12 }), fc.nat(), fc.nat(), fc.nat(), fc.nat()).map(([all, ...cuts]) => {
  const [a, b, c, d] = cuts.map((cut) => cut % (all.length + 1)) as [number, number, number, number]
  const parts = (x: number, y: number) =>
    [all.slice(0, Math.min(x, y)), all.slice(Math.min(x, y), Math.max(x, y)), all.slice(Math.max(x, y))] as const
  return [parts(a, b), parts(c, d)] as const
})

/** Two lists that would be the same bytes if the first, or the second, of their parts had no length in front. */
const prefixed = (part: string): string => `\0\0\0${String.fromCharCode(part.length)}${part}`
const short = fc.string({ maxLength: 12 })
const nested = fc.tuple(short, short, short, short).chain(([p, q, r, other]) => {
  const inner = q + prefixed(r)
  const outer = p + prefixed(inner).slice(0, 4) + q
  return fc.constantFrom(
    [
      [p, inner, other],
      [outer, r, other],
    ] as const,
    [
      [other, p, inner],
      [other, outer, r],
    ] as const,
  )
})
const triple = fc.tuple(text, text, text)
const triples = fc.oneof(fc.tuple(triple, triple), shifted, nested)

/** Equal parts give equal bytes; parts that differ anywhere, also by where one ends, give other bytes. */
function injective(encode: (parts: readonly [string, string, string]) => Uint8Array): void {
  fc.assert(
    fc.property(triples, ([a, b]) => {
      expect(hex(encode(a)) === hex(encode(b))).toBe(JSON.stringify(a) === JSON.stringify(b))
    }),
    { numRuns: 2000 },
  )
}

test('length-prefixed lists are the same bytes only if they are the same list', () => {
  const list = fc.array(fc.uint8Array({ maxLength: 6 }), { maxLength: 5 })
  fc.assert(
    fc.property(list, list, (a, b) => {
      const same = JSON.stringify(a.map(hex)) === JSON.stringify(b.map(hex))
      expect(hex(concat(...a.map(lp))) === hex(concat(...b.map(lp)))).toBe(same)
    }),
    { numRuns: 2000 },
  )
})

test('the associated data of a value differ if context, field or record do', () => {
  const header = valueHeader(new Uint8Array(16))
  injective(([context, field, record]) => valueData(header, fieldData(bytesOf(context), bytesOf(field)), canonicalScalar(record, 'record')))
  injective(([context, field, more]) =>
    concat(lp(bytesOf(more)), valueData(header, fieldData(bytesOf(context), bytesOf(field)), undefined)),
  )
})

test('a value that is bound to a record differs from one that is not, whatever the record', () => {
  fc.assert(
    fc.property(text, text, fc.oneof(text, int64), (context, field, record) => {
      const header = valueHeader(new Uint8Array(16))
      const ofField = fieldData(bytesOf(context), bytesOf(field))
      const bound = hex(valueData(header, ofField, canonicalScalar(record, 'record')))
      const unbound = hex(valueData(header, ofField, undefined))

      expect(bound).not.toBe(unbound)
      expect(unbound.endsWith(`${hex(header)}${hex(ofField)}00`)).toBe(true)
      expect(bound.startsWith(`${unbound.slice(0, -2)}01`)).toBe(true)
    }),
  )
})

test('the header is part of the associated data', () => {
  fc.assert(
    fc.property(bytes(16), bytes(16), (a, b) => {
      const data = (tag: Uint8Array): string => hex(valueData(valueHeader(tag), fieldData(ascii('users'), ascii('email')), undefined))

      expect(data(a) === data(b)).toBe(hex(a) === hex(b))
    }),
  )
})

test('two contexts never share a tag, and no two keys do', () => {
  fc.assert(
    fc.property(bytes(32), bytes(32), text, text, (k1, k2, a, b) => {
      const [c1, c2] = [commitment(k1), commitment(k2)]

      expect(hex(valueTag(c1, bytesOf(a))) === hex(valueTag(c1, bytesOf(b)))).toBe(a === b)
      expect(hex(valueTag(c1, bytesOf(a))) === hex(valueTag(c2, bytesOf(a)))).toBe(hex(k1) === hex(k2))
    }),
  )
})

test('references differ if kind, parent or name do', () => {
  injective(([parent, name, other]) =>
    concat(nodeRef(KEY, 2, bytesOf(parent), bytesOf(name)), nodeRef(KEY, 2, bytesOf(name), bytesOf(other))),
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }), text, (a, b, name) => {
      const ref = (kind: number): string => hex(nodeRef(KEY, kind as 0, new Uint8Array(16), bytesOf(name)))

      expect(ref(a) === ref(b)).toBe(a === b)
    }),
  )
})

test('names of service keys differ if use, name, or life do', () => {
  const life = fc.oneof(
    fc.constant(undefined),
    fc.record({ generation: fc.maxSafeInteger().map(Math.abs) }),
    fc.record({ period: fc.maxSafeInteger().map(Math.abs) }),
    fc.constantFrom({ generation: 0 }, { period: 0 }, { generation: 1 }, { period: 1 }),
  )
  const use = fc.constantFrom<ServiceUse>('ref', 'ledger', 'index')
  fc.assert(
    fc.property(use, use, text, text, life, life, (useA, useB, nameA, nameB, lifeA, lifeB) => {
      const same = JSON.stringify([useA, nameA, lifeA]) === JSON.stringify([useB, nameB, lifeB])
      expect(hex(serviceName(useA, bytesOf(nameA), lifeA)) === hex(serviceName(useB, bytesOf(nameB), lifeB))).toBe(same)
    }),
    { numRuns: 1000 },
  )
  injective(([more, a, b]) => concat(lp(bytesOf(more)), serviceName(a as ServiceUse, bytesOf(b))))
})

test('each use has a key of its own', () => {
  const keys = [serviceKey(KEY, 'ref'), serviceKey(KEY, 'ledger'), serviceKey(KEY, 'index'), commitment(KEY)]

  expect(new Set(keys.map(hex)).size).toBe(keys.length)
  expect(hex(serviceKey(KEY, 'ref'))).toBe(hex(serviceKey(KEY, 'ref')))
})

test('references that need no key differ by vault and parent, and from the id of a first wrapping key', () => {
  fc.assert(
    fc.property(bytes(16), bytes(16), bytes(16), bytes(16), (vaultA, vaultB, refA, refB) => {
      const same = hex(vaultA) === hex(vaultB) && hex(refA) === hex(refB)

      expect(hex(refKeyRef(vaultA, refA)) === hex(refKeyRef(vaultB, refB))).toBe(same)
      expect(hex(firstWrappingKeyId(vaultA, refA)) === hex(firstWrappingKeyId(vaultB, refB))).toBe(same)
      expect(hex(firstWrappingKeyId(vaultA, refA))).not.toBe(hex(refKeyRef(vaultA, refA)))
    }),
  )
})

test('index values differ if domain, normaliser or scalar do', () => {
  const tag = indexTag(commitment(KEY))
  injective(([domain, normaliser, scalar]) =>
    indexValue(tag, serviceKey(KEY, 'index'), indexData(bytesOf(domain), normaliser as Normaliser), canonicalScalar(scalar, 'value')),
  )
})

test('an index value is 21 bytes: version, tag, and 16 bytes of MAC', () => {
  const value = indexValue(Uint8Array.of(1, 2, 3, 4), KEY, indexData(ascii('users.email'), 'email/1'), canonicalScalar('a', 'value'))

  expect(value.length).toBe(21)
  expect(hex(value.subarray(0, 5))).toBe('0101020304')
})

test('the associated data of a wrapping key differ in every part', () => {
  const place = fc.record({
    id: bytes(16),
    tenantRef: bytes(16),
    region: fc.string({ maxLength: 8 }),
    created: fc.maxSafeInteger().map(Math.abs),
  })
  const shown = (p: { id: Uint8Array; tenantRef: Uint8Array; region: string; created: number }): string =>
    JSON.stringify([hex(p.id), hex(p.tenantRef), p.region, p.created])
  fc.assert(
    fc.property(bytes(16), place, place, (vault, a, b) => {
      for (const other of [
        b,
        { ...a, id: b.id },
        { ...a, tenantRef: b.tenantRef },
        { ...a, region: b.region },
        { ...a, created: b.created },
      ]) {
        expect(hex(wrappingKeyData(vault, a)) === hex(wrappingKeyData(vault, other))).toBe(shown(a) === shown(other))
      }
    }),
  )
})
