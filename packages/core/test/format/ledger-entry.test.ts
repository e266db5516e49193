import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'

import { hmacSha256 } from '#core/crypto/hash.js'
import { ascii, lp } from '#core/format/bytes.js'
import { type LedgerEntry, LedgerOp, openLedgerEntry, sealLedgerEntry } from '#core/format/ledger-entry.js'
import { NodeKind, Reason } from '#core/format/records.js'

import { bytes, copyOf, flip, hex, text } from './arbitraries.ts'

const key32 = bytes(32)
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const u53 = fc.maxSafeInteger().map(Math.abs)

const entry: fc.Arbitrary<LedgerEntry> = fc.record({
  vaultId: bytes(16),
  n: u53,
  previous: key32,
  op: fc.constantFrom(...Object.values(LedgerOp)),
  kind: fc.constantFrom(...Object.values(NodeKind)),
  ref: bytes(16),
  parentRef: fc.oneof(bytes(0), bytes(16)),
  tenantRef: bytes(16),
  region: text,
  keys: fc.array(fc.record({ version: u32, commitment: key32 }), { maxLength: 4 }),
  rootVersion: fc.record({ number: u32, id: fc.uint8Array({ maxLength: 80 }) }),
  instant: u53,
  reason: fc.constantFrom(...Object.values(Reason)),
})

test('an entry comes back as it was, with its hash', () => {
  fc.assert(
    fc.property(key32, entry, (key, original) => {
      const { bytes: stored, hash } = sealLedgerEntry(key, original)
      const opened = openLedgerEntry(key, stored)

      expect(hash.length).toBe(32)
      expect(hex(stored.subarray(-32))).toBe(hex(hash))
      expect(isDeepStrictEqual(plain(opened), plain({ ...original, hash }))).toBe(true)
      expect(hex(sealLedgerEntry(key, opened as LedgerEntry).bytes)).toBe(hex(stored))
    }),
    { numRuns: 500 },
  )
})

// Without the difference between a Buffer and a plain Uint8Array.
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return copyOf(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
}

test('an entry with any bit changed is refused, and so is one under another key', () => {
  fc.assert(
    fc.property(key32, entry, fc.nat(), (key, original, bit) => {
      const stored = sealLedgerEntry(key, original).bytes

      expect(openLedgerEntry(key, stored)).toBeDefined()
      expect(openLedgerEntry(key, flip(stored, bit))).toBeUndefined()
      expect(openLedgerEntry(flip(key, bit), stored)).toBeUndefined()
    }),
    { numRuns: 500 },
  )
})

test('every bit of one entry counts', () => {
  const key = new Uint8Array(32).fill(7)
  const { bytes: stored } = sealLedgerEntry(key, fc.sample(entry, { numRuns: 1, seed: 1 })[0] as LedgerEntry)

  expect(openLedgerEntry(key, stored)).toBeDefined()
  for (let bit = 0; bit < 8 * stored.length; bit++) expect(openLedgerEntry(key, flip(stored, bit))).toBeUndefined()
})

test('an entry that is cut or extended, at either end, is refused', () => {
  fc.assert(
    fc.property(key32, entry, fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 40 }), (key, original, at, extra) => {
      const stored = sealLedgerEntry(key, original).bytes
      const cut = at % stored.length

      expect(openLedgerEntry(key, stored)).toBeDefined()
      expect(openLedgerEntry(key, stored.subarray(0, cut))).toBeUndefined()
      expect(openLedgerEntry(key, stored.subarray(stored.length - cut))).toBeUndefined()
      expect(openLedgerEntry(key, Uint8Array.of(...stored, ...extra))).toBeUndefined()
      expect(openLedgerEntry(key, Uint8Array.of(...extra, ...stored))).toBeUndefined()
    }),
  )
})

test('two entries that differ anywhere differ in their bytes and their hash', () => {
  fc.assert(
    fc.property(
      key32,
      entry,
      entry,
      fc.constantFrom(
        ...([
          'vaultId',
          'n',
          'previous',
          'op',
          'kind',
          'ref',
          'parentRef',
          'tenantRef',
          'region',
          'keys',
          'rootVersion',
          'instant',
          'reason',
        ] as const),
      ),
      (key, a, b, field) => {
        const other = { ...a, [field]: b[field] }
        const same = isDeepStrictEqual(a[field], b[field])

        expect(hex(sealLedgerEntry(key, a).hash) === hex(sealLedgerEntry(key, other).hash)).toBe(same)
        expect(hex(sealLedgerEntry(key, a).bytes) === hex(sealLedgerEntry(key, other).bytes)).toBe(same)
      },
    ),
    { numRuns: 500 },
  )
})

test('an opened entry is a copy of its own: a store may use its buffer again', () => {
  const key = new Uint8Array(32).fill(7)
  const [original] = fc.sample(entry, { numRuns: 1, seed: 3 }) as [LedgerEntry]
  const { bytes: stored, hash } = sealLedgerEntry(key, original)
  const buffer = Buffer.from(stored)
  const opened = openLedgerEntry(key, buffer)
  buffer.fill(0)

  expect(isDeepStrictEqual(plain(opened), plain({ ...original, hash }))).toBe(true)
})

test('an entry that is authentic but not whole is refused: whoever holds the key cannot write two forms of one', () => {
  const key = new Uint8Array(32).fill(7)
  const [whole] = fc.sample(entry, { numRuns: 1, seed: 4 }) as [LedgerEntry]
  const open = (changed: object) => openLedgerEntry(key, sealLedgerEntry(key, { ...whole, ...changed }).bytes)

  expect(open({})).toBeDefined()
  for (const changed of [
    { vaultId: new Uint8Array(15) },
    { previous: new Uint8Array(33) },
    { ref: new Uint8Array(0) },
    { parentRef: new Uint8Array(8) },
    { tenantRef: new Uint8Array(17) },
    { op: 0 },
    { op: 7 },
    { kind: 6 },
    { reason: 8 },
    { n: 2 ** 60 },
    { instant: 2 ** 60 },
  ]) {
    expect(open(changed)).toBeUndefined()
  }
  // A root version whose inner length is not that of its id.
  const { bytes: stored } = sealLedgerEntry(key, { ...whole, rootVersion: { number: 1, id: new Uint8Array(16) } })
  const fields = stored.slice(0, -32)
  const at = hex(fields).indexOf('000000180000000100000010') / 2
  expect(at).toBeGreaterThan(0)
  fields[at + 11] = 15
  const forged = Uint8Array.of(...fields, ...hmacSha256(key, Uint8Array.of(...lp(ascii('strongroom/v1/ledger')), ...fields)))
  expect(openLedgerEntry(key, forged)).toBeUndefined()
})

test('an entry with no keys says that a place is occupied, and is not the entry with one key', () => {
  const key = new Uint8Array(32)
  const [base] = fc.sample(entry, { numRuns: 1, seed: 2 }) as [LedgerEntry]
  const none = sealLedgerEntry(key, { ...base, keys: [] })
  const one = sealLedgerEntry(key, { ...base, keys: [{ version: 0, commitment: new Uint8Array(32) }] })

  expect(openLedgerEntry(key, none.bytes)?.keys).toEqual([])
  expect(openLedgerEntry(key, one.bytes)?.keys.length).toBe(1)
  expect(one.bytes.length).toBe(none.bytes.length + 36)
})
