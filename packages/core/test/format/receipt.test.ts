import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { ed25519PublicKey, ed25519Sign } from '#core/crypto/ed25519.js'
import { ascii, lp } from '#core/format/bytes.js'
import { valueToText } from '#core/format/encrypted-value.js'
import { openReceipt as openTrusted, type ReceiptBody, signReceipt } from '#core/format/receipt.js'
import { NodeKind, Reason } from '#core/format/records.js'
import { trustedKey } from '#core/format/trusted-key.js'

import { bytes, flip, hex } from './arbitraries.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const LABEL = lp(ascii('strongroom/v1/shred-receipt'))

const seed32 = bytes(32)
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const u53 = fc.maxSafeInteger().map(Math.abs)
const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code))

const body: fc.Arbitrary<ReceiptBody> = fc.record({
  vaultId: bytes(16),
  kind: fc.constantFrom(...Object.values(NodeKind)),
  ref: bytes(16),
  parentRef: fc.oneof(bytes(0), bytes(16)),
  tenantRef: bytes(16),
  region: fc.string({ unit: visible, minLength: 1, maxLength: 64 }),
  versions: u32,
  rootVersion: fc.record({
    number: u32.map((n) => Math.max(n, 1)),
    id: fc.uint8Array({ minLength: 1, maxLength: 1024, size: 'max' }),
  }),
  instant: u53,
  reason: fc.constantFrom(...Object.values(Reason).filter((reason) => reason !== Reason.retired)),
  ledger: fc.record({ n: u53.map((n) => Math.max(n, 1)), hash: bytes(32) }),
  kept: fc
    .uniqueArray(fc.record({ ref: bytes(16), until: u53 }), { maxLength: 64, selector: ({ until }) => until })
    .map((kept) => kept.toSorted((a, b) => a.until - b.until)),
})

const SEED = new Uint8Array(32).fill(7)
const KEY = ed25519PublicKey(SEED)
const BODY: ReceiptBody = {
  vaultId: new Uint8Array(16).fill(1),
  kind: NodeKind.subject,
  ref: new Uint8Array(16).fill(2),
  parentRef: new Uint8Array(16).fill(3),
  tenantRef: new Uint8Array(16).fill(3),
  region: 'eu',
  versions: 2,
  rootVersion: { number: 1, id: new Uint8Array(16).fill(4) },
  instant: 1_795_305_600_000,
  reason: Reason.subjectRequest,
  ledger: { n: 9, hash: new Uint8Array(32).fill(5) },
  kept: [
    { ref: new Uint8Array(16).fill(6), until: 1_795_910_400_000 },
    { ref: new Uint8Array(16).fill(7), until: 1_795_996_800_000 },
  ],
}

/** With public keys that are trusted as those of one vault. */
const openReceipt = (
  text: string,
  keys: readonly Uint8Array[],
  { vaultId }: Pick<ReceiptBody, 'vaultId'> = BODY,
): ReceiptBody | undefined =>
  openTrusted(
    text,
    keys.map((key) => trustedKey(vaultId, key)),
  )

const decoded = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replace('srr1.', ''), 'base64url'))
const encoded = (all: Uint8Array): string => `srr1.${Buffer.from(all).toString('base64url')}`
const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))
/** Any fields at all, signed as a receipt is. */
const signedFields = (fields: Uint8Array): string => encoded(joined(fields, KEY, ed25519Sign(SEED, joined(LABEL, fields))))
const fieldsOf = (text: string): Uint8Array => decoded(text).slice(0, -96)

describe('a receipt', () => {
  test('comes back as it was, and is always the same text', () => {
    fc.assert(
      fc.property(seed32, body, (seed, original) => {
        const text = signReceipt(seed, original)
        const opened = openReceipt(text, [ed25519PublicKey(seed)], original)

        expect(opened).toEqual(original)
        expect(signReceipt(seed, opened as ReceiptBody)).toBe(text)
        expect(text).toBe(encoded(decoded(text)))
      }),
      { numRuns: 200 },
    )
  })

  test('is signed over its label and every byte before the public key', () => {
    const all = decoded(signReceipt(SEED, BODY))

    expect(hex(all.subarray(-96, -64))).toBe(hex(KEY))
    expect(hex(all.subarray(-64))).toBe(hex(ed25519Sign(SEED, joined(LABEL, all.subarray(0, -96)))))
    expect(signedFields(all.subarray(0, -96))).toBe(signReceipt(SEED, BODY))
  })

  test('of the greatest lengths opens', () => {
    const longest = { ...BODY, region: 'x'.repeat(64), rootVersion: { number: 2 ** 32 - 1, id: new Uint8Array(1024).fill(1) } }

    expect(openReceipt(signReceipt(SEED, longest), [KEY])).toEqual(longest)
  })

  test('with any bit changed is refused', () => {
    const all = decoded(signReceipt(SEED, BODY))

    expect(openReceipt(encoded(all), [KEY])).toEqual(BODY)
    for (let bit = 0; bit < 8 * all.length; bit++) expect(openReceipt(encoded(flip(all, bit)), [KEY])).toBeUndefined()
  })

  test('with any character changed is refused', () => {
    const text = signReceipt(SEED, BODY)
    for (let at = 0; at < text.length; at++) {
      const other = ALPHABET[(ALPHABET.indexOf(text[at] as string) + 1) % 64] as string
      expect(openReceipt(text.slice(0, at) + other + text.slice(at + 1), [KEY])).toBeUndefined()
    }
  })

  test('that is cut or extended, at either end, is refused', () => {
    const text = signReceipt(SEED, BODY)
    const all = decoded(text)

    for (let to = 0; to < text.length; to++) expect(openReceipt(text.slice(0, to), [KEY])).toBeUndefined()
    for (let to = 0; to < all.length; to++) {
      expect(openReceipt(encoded(all.subarray(0, to)), [KEY])).toBeUndefined()
      expect(openReceipt(encoded(all.subarray(all.length - to)), [KEY])).toBeUndefined()
    }
    for (const more of ['A', 'AA', 'AAA', 'AAAA', text]) expect(openReceipt(text + more, [KEY])).toBeUndefined()
    for (const more of [1, 2, 3, 32, 64, 96]) {
      expect(openReceipt(encoded(joined(all, new Uint8Array(more))), [KEY])).toBeUndefined()
      expect(openReceipt(encoded(joined(new Uint8Array(more), all)), [KEY])).toBeUndefined()
    }
  })

  test('is spelt in one way only', () => {
    fc.assert(
      fc.property(
        body,
        fc.nat(),
        fc.constantFrom(' ', '\n', '\t', '\0', '\u00a0', '\ufeff', '.', '=', '+', '/'),
        (original, at, character) => {
          const text = signReceipt(SEED, original)
          const place = at % (text.length + 1)
          const rest = text.slice(5)

          expect(openReceipt(text, [KEY], original)).toBeDefined()
          const others = [
            text.slice(0, place) + character + text.slice(place),
            `${text}=`,
            `${text}==`,
            ...['', 'srr1', 'SRR1.', 'srr2.', 'sr1.', 'srr1..', ' srr1.'].map((prefix) => prefix + rest),
          ]
          const standard = `srr1.${Buffer.from(decoded(text)).toString('base64').replaceAll('=', '')}`
          if (standard !== text) others.push(standard)
          for (const other of others) expect(openReceipt(other, [KEY], original)).toBeUndefined()
        },
      ),
      { numRuns: 50 },
    )
  })

  test('has no bits set behind its last byte', () => {
    for (const id of [1, 2, 3]) {
      const text = signReceipt(SEED, { ...BODY, rootVersion: { number: 1, id: new Uint8Array(id) } })
      const spare = [1, 16, 4][decoded(text).length % 3] as number
      const last = ALPHABET.indexOf(text.at(-1) as string)

      expect(openReceipt(text, [KEY])).toBeDefined()
      expect(last % spare).toBe(0)
      for (let extra = 1; extra < spare; extra++) expect(openReceipt(text.slice(0, -1) + ALPHABET[last + extra], [KEY])).toBeUndefined()
    }
  })

  test('is no encrypted value, and an encrypted value is no receipt', () => {
    expect(openReceipt(valueToText(decoded(signReceipt(SEED, BODY))), [KEY])).toBeUndefined()
  })
})

describe('trust', () => {
  test('is in the given keys: one of them must have signed', () => {
    fc.assert(
      fc.property(body, seed32, seed32, (original, mine, other) => {
        fc.pre(hex(mine) !== hex(other))
        const text = signReceipt(mine, original)
        const [key, stranger] = [ed25519PublicKey(mine), ed25519PublicKey(other)]

        expect(openReceipt(text, [stranger, key], original)).toEqual(original)
        expect(openReceipt(text, [key, stranger], original)).toEqual(original)
        expect(openReceipt(text, [stranger], original)).toBeUndefined()
        expect(openReceipt(text, [], original)).toBeUndefined()
      }),
      { numRuns: 30 },
    )
  })

  test('is not in the key that a receipt brings along', () => {
    const other = new Uint8Array(32).fill(8)
    const fields = fieldsOf(signReceipt(SEED, BODY))
    const signature = ed25519Sign(other, joined(LABEL, fields))

    // Signed by a stranger, with the stranger's key or under the name of a trusted one.
    expect(openReceipt(encoded(joined(fields, ed25519PublicKey(other), signature)), [KEY])).toBeUndefined()
    expect(openReceipt(encoded(joined(fields, KEY, signature)), [KEY])).toBeUndefined()
    // Signed by a trusted one under the name of another trusted one.
    expect(openReceipt(encoded(joined(fields, KEY, signature)), [KEY, ed25519PublicKey(other)])).toBeUndefined()
    expect(openReceipt(encoded(joined(fields, ed25519PublicKey(other), signature)), [KEY, ed25519PublicKey(other)])).toEqual(BODY)
  })

  test('is in the key of the vault that a receipt is of, and not in that of another', () => {
    const [other, seed] = [new Uint8Array(16).fill(9), new Uint8Array(32).fill(8)]
    const both = [trustedKey(BODY.vaultId, KEY), trustedKey(other, ed25519PublicKey(seed))]
    expect(openTrusted(signReceipt(SEED, BODY), both)).toEqual(BODY)
    expect(openTrusted(signReceipt(seed, { ...BODY, vaultId: other }), both)).toEqual({ ...BODY, vaultId: other })
    // Each of them speaking for the other.
    expect(openTrusted(signReceipt(seed, BODY), both)).toBeUndefined()
    expect(openTrusted(signReceipt(SEED, { ...BODY, vaultId: other }), both)).toBeUndefined()
  })

  test('is in whole keys: none that is cut, extended or empty', () => {
    const text = signReceipt(SEED, BODY)

    for (const key of [new Uint8Array(0), KEY.subarray(0, 31), joined(KEY, Uint8Array.of(0)), new Uint8Array(32)]) {
      expect(openReceipt(text, [key])).toBeUndefined()
      expect(openReceipt(text, [key, KEY])).toEqual(BODY)
    }
  })

  test('is not in what was signed for something else', () => {
    const fields = fieldsOf(signReceipt(SEED, BODY))
    for (const label of [new Uint8Array(0), ascii('strongroom/v1/shred-receipt'), lp(ascii('strongroom/v1/ledger'))]) {
      expect(openReceipt(encoded(joined(fields, KEY, ed25519Sign(SEED, joined(label, fields)))), [KEY])).toBeUndefined()
    }
  })
})

describe('a receipt that is signed but not whole is refused', () => {
  const open = (changed: object) => openReceipt(signReceipt(SEED, { ...BODY, ...changed }), [KEY])

  test.each<[string, object]>([
    ['a vault id of another length', { vaultId: new Uint8Array(15) }],
    ['an unknown kind', { kind: 6 }],
    ['a reference of another length', { ref: new Uint8Array(0) }],
    ['a parent reference of another length', { parentRef: new Uint8Array(8) }],
    ['a tenant reference of another length', { tenantRef: new Uint8Array(17) }],
    ['no region', { region: '' }],
    ['a region that is too long', { region: 'x'.repeat(65) }],
    ['a region that is not ASCII', { region: 'zürich' }],
    ['a region with a space', { region: 'e u' }],
    ['a region with a line break', { region: 'eu\n' }],
    ['root version 0', { rootVersion: { number: 0, id: new Uint8Array(16) } }],
    ['no id of the root version', { rootVersion: { number: 1, id: new Uint8Array(0) } }],
    ['an id of the root version that is too long', { rootVersion: { number: 1, id: new Uint8Array(1025) } }],
    ['an instant past 2^53', { instant: 2 ** 60 }],
    ['an unknown reason', { reason: 8 }],
    ['the reason of what is retired', { reason: Reason.retired }],
    ['entry 0 of the ledger', { ledger: { n: 0, hash: new Uint8Array(32) } }],
    ['an entry past 2^53', { ledger: { n: 2 ** 60, hash: new Uint8Array(32) } }],
    ['a hash of another length', { ledger: { n: 1, hash: new Uint8Array(31) } }],
    ['a key of what is kept of another length', { kept: [{ ref: new Uint8Array(15), until: 1 }] }],
    ['an end past 2^53', { kept: [{ ref: new Uint8Array(16), until: 2 ** 60 }] }],
    ['ends out of order', { kept: BODY.kept.toReversed() }],
    ['a key of what is kept twice', { kept: [BODY.kept[0], BODY.kept[0]] }],
    ['two keys that end at once, out of order', { kept: BODY.kept.toReversed().map(({ ref }) => ({ ref, until: 1 })) }],
    ['more than 64 keys of what is kept', { kept: Array.from({ length: 65 }, (_, until) => ({ ref: new Uint8Array(16), until })) }],
  ])('%s', (_, changed) => {
    expect(open({})).toEqual(BODY)
    expect(open(changed)).toBeUndefined()
  })

  test('other fields than these', () => {
    const fields = fieldsOf(signReceipt(SEED, BODY))
    const first = fields.subarray(0, 1)
    // Where each field begins.
    const starts = [1]
    while ((starts.at(-1) as number) < fields.length) {
      const at = starts.at(-1) as number
      starts.push(at + 4 + new DataView(fields.buffer, fields.byteOffset).getUint32(at))
    }
    const parts = starts.slice(1).map((end, i) => fields.subarray(starts[i], end))
    expect(parts.length).toBe(13)
    expect(openReceipt(signedFields(fields), [KEY])).toEqual(BODY)

    for (let i = 0; i < parts.length; i++) {
      const empty = lp(new Uint8Array(0))
      const twice = parts.flatMap((part, j) => (j === i ? [part, part] : [part]))
      expect(openReceipt(signedFields(joined(first, ...parts.toSpliced(i, 1))), [KEY])).toBeUndefined()
      expect(openReceipt(signedFields(joined(first, ...twice)), [KEY])).toBeUndefined()
      // Of all fields only the parent reference may be empty, and what is kept.
      expect(openReceipt(signedFields(joined(first, ...parts.with(i, empty))), [KEY]) === undefined).toBe(i !== 3 && i !== 12)
      const part = parts[i] as Uint8Array
      for (const other of [lp(joined(part.subarray(4), Uint8Array.of(0))), lp(part.subarray(4, -1))]) {
        const opened = openReceipt(signedFields(joined(first, ...parts.with(i, other))), [KEY])
        // A region may be one letter longer or shorter, but not by a zero.
        expect(opened === undefined || (i === 5 && opened.region === 'e')).toBe(true)
      }
    }
    for (const fewer of [new Uint8Array(0), first, fields.subarray(0, -1), fields.subarray(0, 3)]) {
      expect(openReceipt(signedFields(fewer), [KEY])).toBeUndefined()
    }
    expect(openReceipt(signedFields(joined(fields, Uint8Array.of(0))), [KEY])).toBeUndefined()
    // Another version, or none.
    for (const version of [0, 2, 0x81])
      expect(openReceipt(signedFields(joined(Uint8Array.of(version), fields.subarray(1))), [KEY])).toBeUndefined()
    expect(openReceipt(signedFields(fields.subarray(1)), [KEY])).toBeUndefined()
    // A root version whose inner length is not that of its id.
    const root = new Uint8Array(parts[7] as Uint8Array)
    root[11] = 15
    expect(openReceipt(signedFields(joined(first, ...parts.with(7, root))), [KEY])).toBeUndefined()
  })
})

test('no text makes it throw', () => {
  const nearly = fc
    .tuple(fc.constantFrom('srr1.', 'srr1', 'sr1.', ''), fc.string({ unit: fc.constantFrom(...ALPHABET, '=', '+', '/', ' ') }))
    .map(([prefix, rest]) => prefix + rest)
  fc.assert(
    fc.property(fc.oneof(nearly, fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 400 }).map(encoded)), (text) => {
      expect(openReceipt(text, [KEY])).toBeUndefined()
    }),
    { numRuns: 500 },
  )
})
