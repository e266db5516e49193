// What the property tests draw from.
import fc from 'fast-check'

/** Exactly this many bytes. */
export function bytes(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length })
}

/** A copy with bit `bit` (modulo its length) changed. */
export function flip(original: Uint8Array, bit: number): Uint8Array {
  const out = new Uint8Array(original)
  const at = bit % (8 * out.length)
  out[at >> 3] = (out[at >> 3] as number) ^ (1 << (at & 7))
  return out
}

/** As a plain `Uint8Array`, so that comparisons do not see Node's `Buffer`. */
export function copyOf(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? new Uint8Array(value) : undefined
}

export function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex')
}

/** Any well-formed text: from ASCII to astral planes, also U+0000, U+FEFF and unassigned ones. */
export const text: fc.Arbitrary<string> = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }))

export const number: fc.Arbitrary<number> = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    0,
    -0,
    Number.NaN,
    Infinity,
    -Infinity,
    5e-324,
    -5e-324,
    2 ** 31,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 53,
    -(2 ** 63),
    2 ** 63,
    1e308,
  ),
)

export const int64: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 0n, 5n, -(2n ** 53n)),
)

export const date: fc.Arbitrary<Date> = fc.oneof(
  fc.date({ noInvalidDate: true }),
  fc.constantFrom(new Date(8.64e15), new Date(-8.64e15), new Date(0), new Date(-1)),
)

const key = fc
  .oneof(text, fc.constantFrom('', '0', '10', 'constructor', 'toString', 'length', 'hasOwnProperty', 'toJson'))
  .filter((k) => k !== '__proto__')

/** Arrays and plain objects that JSON keeps as they are. */
export const json: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  leaf: fc.oneof(text, number.filter(Number.isFinite), fc.boolean(), fc.constant(null)),
  array: fc.array(tie('value'), { maxLength: 5 }),
  object: fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  value: fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('array'), tie('object')),
  top: fc.oneof(tie('array'), tie('object')),
})).top

/** Every kind of value that core encrypts. */
export const coreValue: fc.Arbitrary<unknown> = fc.oneof(text, number, int64, fc.boolean(), date, fc.uint8Array({ maxLength: 400 }), json)
