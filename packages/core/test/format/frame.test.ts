import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'

import { frame, MAX_VALUE_BYTES, unframe } from '#core/format/frame.js'
import { padmeLength } from '#core/format/padding.js'
import { jsonCodec, stringFrame } from '#core/format/value-codec.js'

import { coreValue, flip, hex, text } from './arbitraries.ts'

const TYPES = [0x01, 0x02, 0x03, 0x04, 0x05, 0x07, 0x08, 0x09, 0x10, 0x12, 0x13, 0x70]
const type = fc.constantFrom(...TYPES)
const body = fc.oneof(
  fc.uint8Array({ maxLength: 600 }),
  // Bodies that look like padding.
  fc.array(fc.constantFrom(0x00, 0x80), { maxLength: 80 }).map((all) => Uint8Array.from(all)),
)

test('every value of core comes back from its frame as it was, padded or not', () => {
  fc.assert(
    fc.property(coreValue, fc.boolean(), (value, padded) => {
      const encoded = unframe(frame(jsonCodec.encode(value), padded))

      expect(encoded).toBeDefined()
      expect(isDeepStrictEqual(jsonCodec.decode(encoded as never), value)).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('the short cut for strings makes the same frame', () => {
  fc.assert(
    fc.property(text, (value) => {
      expect(hex(stringFrame(value))).toBe(hex(frame(jsonCodec.encode(value), false)))
    }),
    { numRuns: 500 },
  )
  expect(() => stringFrame('lone \ud800')).toThrow('value must not hold lone surrogates')
  expect(stringFrame('e'.repeat(MAX_VALUE_BYTES - 1)).length).toBe(MAX_VALUE_BYTES)
  expect(() => stringFrame('e'.repeat(MAX_VALUE_BYTES))).toThrow('value must be at most 16777215 bytes when encoded')
})

test('any type and body come back, also bodies that end like padding', () => {
  fc.assert(
    fc.property(type, body, fc.boolean(), (t, b, padded) => {
      const framed = frame({ type: t, body: b }, padded)

      expect(framed.length).toBe(padded ? padmeLength(b.length + 2) : b.length + 1)
      expect(framed[0]).toBe(padded ? t | 0x80 : t)
      expect(unframe(framed)).toEqual({ type: t, body: b })
    }),
    { numRuns: 1000 },
  )
})

test('whatever is accepted as a frame is the one frame of what it holds', () => {
  const mutation = fc.record({ framed: fc.tuple(type, body, fc.boolean()), bit: fc.nat() })
  fc.assert(
    fc.property(mutation, fc.uint8Array({ maxLength: 80 }), ({ framed: [t, b, padded], bit }, arbitrary) => {
      for (const candidate of [flip(frame({ type: t, body: b }, padded), bit), arbitrary]) {
        const encoded = unframe(candidate)
        if (encoded !== undefined) expect(hex(frame(encoded, ((candidate[0] as number) & 0x80) !== 0))).toBe(hex(candidate))
      }
    }),
    { numRuns: 2000 },
  )
})

test('a padded frame with zeros appended or removed is refused', () => {
  fc.assert(
    fc.property(type, body, fc.integer({ min: 1, max: 40 }), (t, b, more) => {
      const framed = frame({ type: t, body: b }, true)
      const zeros = framed.length - (b.length + 2)

      expect(unframe(framed)).toBeDefined()
      expect(unframe(Uint8Array.of(...framed, ...new Uint8Array(more)))).toBeUndefined()
      for (let less = 1; less <= zeros; less++) expect(unframe(framed.subarray(0, -less))).toBeUndefined()
    }),
  )
})

test('a padding marker that is moved, doubled, changed or gone is refused, or makes the one frame of another value', () => {
  fc.assert(
    fc.property(type, fc.integer({ min: 0, max: 2000 }), fc.nat(), (t, length, to) => {
      // A body without zeros and markers, so that what is seen comes from the padding alone.
      const b = new Uint8Array(length).fill(0x61)
      const framed = frame({ type: t, body: b }, true)
      const marker = 1 + length
      const change = (...at: readonly (readonly [number, number])[]): Uint8Array => {
        const out = framed.slice()
        for (const [position, byte] of at) out[position] = byte
        return out
      }

      expect(unframe(framed)).toEqual({ type: t, body: b })
      // Gone, or another byte.
      expect(unframe(change([marker, 0x00]))).toBeUndefined()
      expect(unframe(change([marker, 0x81]))).toBeUndefined()
      if (length > 0) {
        // Moved into the body: the length is no longer the one for that end, or it is the frame of a shorter value.
        const place = 1 + (to % length)
        const moved = unframe(change([marker, 0x00], [place, 0x80], ...zerosAfter(place, marker)))
        if (moved !== undefined) expect(moved.body.length).toBe(place - 1)
        if (padmeLength(place + 1) !== framed.length) expect(moved).toBeUndefined()
      }
      const zeros = framed.length - marker - 1
      if (zeros > 0) {
        const place = marker + 1 + (to % zeros)
        // Moved into the zeros, or a second one there: the value is another one, longer by what was padding.
        expect(unframe(change([marker, 0x00], [place, 0x80]))?.body.length).toBe(place - 1)
        expect(unframe(change([place, 0x80]))?.body.length).toBe(place - 1)
        // Anything else than a zero behind the marker.
        expect(unframe(change([place, 0x01]))).toBeUndefined()
      }
    }),
  )
})

function zerosAfter(from: number, to: number): [number, number][] {
  return Array.from({ length: to - from - 1 }, (_, i) => [from + 1 + i, 0])
}

test('only twelve types can be stored, padded or not', () => {
  for (let first = 0; first < 256; first++) {
    const known = TYPES.includes(first & 0x7f)
    const framed = first < 0x80 ? Uint8Array.of(first, 1) : Uint8Array.of(first, 1, 0x80)

    expect(unframe(framed) !== undefined).toBe(known)
    // A type byte with the padding bit is no type: the caller says whether to pad.
    if (TYPES.includes(first)) expect(frame({ type: first, body: new Uint8Array(1) }, false).length).toBe(2)
    else expect(() => frame({ type: first, body: new Uint8Array(1) }, false)).toThrow('value has a type that cannot be stored')
  }
})

test('what has no type byte, or only a padded one without a marker, is no frame', () => {
  expect(unframe(Uint8Array.of(0x02))).toEqual({ type: 2, body: new Uint8Array(0) })
  expect(unframe(new Uint8Array(0))).toBeUndefined()
  expect(unframe(Uint8Array.of(0x82, 0x80))).toEqual({ type: 2, body: new Uint8Array(0) })
  expect(unframe(Uint8Array.of(0x82))).toBeUndefined()
  expect(unframe(Uint8Array.of(0x82, 0x00))).toBeUndefined()
  expect(unframe(Uint8Array.of(0x82, 0x80, 0x00))).toBeUndefined()
})

test('a frame holds 16 MiB with its type byte, and no more', () => {
  const most = new Uint8Array(MAX_VALUE_BYTES - 1)

  expect(MAX_VALUE_BYTES).toBe(16_777_216)
  expect(frame({ type: 5, body: most }, false).length).toBe(MAX_VALUE_BYTES)
  expect(unframe(frame({ type: 5, body: most }, true))?.body.length).toBe(most.length)
  for (const padded of [true, false]) {
    expect(() => frame({ type: 5, body: new Uint8Array(MAX_VALUE_BYTES) }, padded)).toThrow(
      'value must be at most 16777215 bytes when encoded',
    )
  }
  expect(() => jsonCodec.encode('é'.repeat(MAX_VALUE_BYTES))).not.toThrow()
  expect(() => jsonCodec.encode('e'.repeat(MAX_VALUE_BYTES + 1))).toThrow('value must be at most 16777215 bytes when encoded')
})

test('padded lengths are those of the Padmé paper, computed without floating point', () => {
  const lengths = [
    ...Array.from({ length: 70_000 }, (_, i) => i),
    ...[20, 23, 24, 25].flatMap((e) => [-2, -1, 0, 1, 2].map((d) => 2 ** e + d)),
  ]
  for (const length of lengths) {
    const padded = padmeLength(length)
    if (padded !== padme(length)) expect.fail(`another length for ${length}`)
    if (padded < length || padded > 1.12 * length + 1) expect.fail(`too much padding for ${length}`)
    if (padmeLength(padded) !== padded) expect.fail(`padding ${length} twice is not the same`)
  }
  expect([0, 1, 2, 8, 9, 33, 100, 101, 1025].map(padmeLength)).toEqual([0, 1, 2, 8, 10, 36, 104, 104, 1088])
})

// E = floor(log2 L), S = floor(log2 E) + 1; the last E − S bits become zero, rounding up.
function padme(length: number): number {
  if (length < 2) return length
  const floorLog2 = (n: number): number => 31 - Math.clz32(n)
  const e = floorLog2(length)
  const mask = 2 ** Math.max(0, e - (floorLog2(e) + 1)) - 1
  return Number((BigInt(length) + BigInt(mask)) & ~BigInt(mask))
}
