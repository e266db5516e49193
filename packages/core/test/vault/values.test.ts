// Properties of encrypted values, by the vault's own calls.
import { CanonicalScalar, encryptedToText, type Encrypted, field, openVault, type Scalar, type Subject, type Vault } from '@strongroom/core'
import fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { coreValue, text } from '../format/arbitraries.ts'
import { alice, anything, bob, email, type Ground, hex, openGround, outcome } from './support.ts'

let made: Ground & { readonly vault: Vault }
let vault: Vault
let cold: Vault

beforeAll(async () => {
  made = await openGround()
  vault = made.vault
  for (const name of ['alice', 'hubspot', 'bob']) {
    await vault.tenant('acme').subject(name).encrypt(email, 'x')
    await vault.tenant('rival').subject(name).encrypt(email, 'x')
    for (const item of ['hubspot', 'zoom', 'alice']) await vault.tenant('acme').subject(name).item(item).encrypt(email, 'x')
  }
  await vault.tenant('acme').self().encrypt(email, 'x')
  await vault.tenant('acme').self().item('hubspot').encrypt(email, 'x')
  cold = await openVault(made.options)
})

const record: fc.Arbitrary<Scalar> = fc.oneof(
  text.filter((t) => t.length < 200),
  fc.double(),
  fc.integer(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.boolean(),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 40 }),
)
const bound = fc.option(record, { nil: undefined })
const options = (id: Scalar | undefined) => (id === undefined ? undefined : { record: id })

describe('what was encrypted is decrypted', () => {
  test('any value of any core type, with or without a record, padded or not, as bytes or as text, by another process', async () => {
    const padded = field('users', 'anything', z.any(), { padded: true })
    await fc.assert(
      fc.asyncProperty(coreValue, bound, fc.boolean(), async (value, id, isPadded) => {
        const declared = isPadded ? padded : anything
        const stored = await alice(vault).encrypt(declared, value, options(id))
        for (const form of [stored, encryptedToText(stored), Buffer.from(stored), Uint8Array.from(stored)]) {
          expect(isDeepStrictEqual(await alice(cold).decrypt(declared, form, options(id)), value)).toBe(true)
        }
        // Whether padded or not is written in the value.
        expect(isDeepStrictEqual(await alice(cold).decrypt(isPadded ? anything : padded, stored, options(id)), value)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('by the handle of a batch as by the subject', async () => {
    const keys = await alice(vault).unlock()
    await fc.assert(
      fc.asyncProperty(coreValue, bound, async (value, id) => {
        const stored = keys.encrypt(anything, value, options(id))
        expect(isDeepStrictEqual(keys.decrypt(anything, encryptedToText(stored), options(id)), value)).toBe(true)
        expect(isDeepStrictEqual(await alice(cold).decrypt(anything, stored, options(id)), value)).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  test('under the names that a field had before; and they are never written', async () => {
    const previous = [
      { context: 'people', field: 'mail' },
      { context: 'users', field: 'mail' },
      { context: 'people', field: 'email' },
    ]
    const renamed = field('users', 'email', z.string(), { previous })
    await fc.assert(
      fc.asyncProperty(text, bound, fc.constantFrom(...previous), async (value, id, before) => {
        const old = field(before.context, before.field, z.string())
        const stored = await alice(vault).encrypt(old, value, options(id))
        expect(await alice(cold).decrypt(renamed, stored, options(id))).toBe(value)
        expect(await outcome(() => alice(cold).decrypt(email, stored, options(id)))).toBe('decrypt_failed')
        const written = await alice(vault).encrypt(renamed, value, options(id))
        expect(await alice(cold).decrypt(email, written, options(id))).toBe(value)
        for (const { context, field: name } of previous) {
          expect(await outcome(() => alice(cold).decrypt(field(context, name, z.string()), written, options(id)))).toBe('decrypt_failed')
        }
      }),
      { numRuns: 60 },
    )
  })

  test('a value that the schema refuses is refused before and after, without its text', async () => {
    const loose = field('users', 'code', z.string())
    const strict = field('users', 'code', z.string().max(3))
    const stored = await alice(vault).encrypt(loose, 'SECRET')
    expect(await outcome(() => alice(vault).decrypt(strict, stored))).toBe('schema_mismatch')
    expect(await outcome(() => alice(vault).encrypt(strict, 'SECRET'))).toBe('invalid_argument')
    expect(await alice(vault).decrypt(strict, await alice(vault).encrypt(strict, 'abc'))).toBe('abc')
    expect(await alice(vault).decrypt(loose, stored)).toBe('SECRET')
  })
})

describe('what was altered is decrypt_failed, and nothing else', () => {
  async function always(stored: Uint8Array, read: (stored: Uint8Array | string) => Promise<unknown>): Promise<void> {
    for (const form of [stored, encryptedToText(stored as Encrypted<unknown>)])
      expect(await outcome(() => read(form))).toBe('decrypt_failed')
  }

  test('every single bit of a value', async () => {
    const stored = await alice(vault).encrypt(email, 'ada@example.com', { record: 5 })
    for (let bit = 0; bit < 8 * stored.length; bit++) {
      const edited = Uint8Array.from(stored)
      edited[bit >> 3] = (edited[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(await outcome(() => alice(cold).decrypt(email, edited, { record: 5 }))).toBe('decrypt_failed')
    }
    expect(await alice(cold).decrypt(email, stored, { record: 5 })).toBe('ada@example.com')
  })

  test('any bits, any cut, any addition, at any place', async () => {
    await fc.assert(
      fc.asyncProperty(
        coreValue,
        bound,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        async (value, id, at, mask, more) => {
          const stored = await alice(vault).encrypt(anything, value, options(id))
          const read = (form: Uint8Array | string): Promise<unknown> => alice(cold).decrypt(anything, form, options(id))
          const place = at % stored.length
          const edited = Uint8Array.from(stored)
          edited[place] = (edited[place] as number) ^ mask
          await always(edited, read)
          if (place > 0) await always(stored.subarray(0, place), read)
          await always(stored.subarray(place + 1), read)
          await always(Buffer.concat([stored, more]), read)
          await always(Buffer.concat([more, stored]), read)
          await always(Buffer.concat([stored.subarray(0, place), more, stored.subarray(place)]), read)
          expect(isDeepStrictEqual(await read(stored), value)).toBe(true)
        },
      ),
      { numRuns: 150 },
    )
  })

  test.each([
    ['nothing', ''],
    ['the prefix alone', 'sr1.'],
    ['another prefix', (all: string) => all.replace('sr1.', 'sr2.')],
    ['padding', (all: string) => `${all}=`],
    ['a blank before', (all: string) => ` ${all}`],
    ['a line end behind', (all: string) => `${all}\n`],
    ['the standard alphabet', (all: string) => `${all.slice(0, 8)}+${all.slice(9)}`],
    ['a letter that is none of it', (all: string) => `${all.slice(0, 8)}é${all.slice(9)}`],
    ['the prefix in capitals', (all: string) => all.replace('sr1.', 'SR1.')],
    ['no prefix', (all: string) => all.slice(4)],
  ])('a text form with %s', async (_, edit) => {
    const whole = encryptedToText(await alice(vault).encrypt(email, 'ada@example.com!'))
    expect(await outcome(() => alice(cold).decrypt(email, typeof edit === 'string' ? edit : edit(whole)))).toBe('decrypt_failed')
    expect(await alice(cold).decrypt(email, whole)).toBe('ada@example.com!')
  })

  test('a text form whose unused last bits are not zero', async () => {
    // 58 bytes: the last letter carries two bits that mean nothing.
    for (const value of ['', 'a', 'ab', 'abc']) {
      const whole = encryptedToText(await alice(vault).encrypt(email, value))
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      for (const letter of alphabet) {
        const edited = whole.slice(0, -1) + letter
        expect(await outcome(() => alice(cold).decrypt(email, edited))).toBe(edited === whole ? 'done' : 'decrypt_failed')
      }
    }
  })

  test('more bytes than any value has, with the beginning of a real one', async () => {
    const stored = await alice(vault).encrypt(email, 'ada@example.com')
    const huge = new Uint8Array(2 ** 31 + 100)
    huge.set(stored)
    expect(await outcome(() => alice(cold).decrypt(email, huge))).toBe('decrypt_failed')
    expect(await alice(cold).decrypt(email, stored)).toBe('ada@example.com')
  })

  test('more text than any value has', async () => {
    const whole = encryptedToText(await alice(vault).encrypt(email, 'ada@example.com'))
    expect(await outcome(() => alice(cold).decrypt(email, whole + 'A'.repeat(30_000_000)))).toBe('decrypt_failed')
    expect(await alice(cold).decrypt(email, whole)).toBe('ada@example.com')
  })
})

describe('what belongs elsewhere is decrypt_failed, and nothing else', () => {
  const PLACES: readonly [string, (v: Vault) => Pick<Subject, 'encrypt' | 'decrypt'>][] = [
    ['the subject', alice],
    ['another subject', bob],
    ['her item', (v) => alice(v).item('hubspot')],
    ['her other item', (v) => alice(v).item('zoom')],
    ['her item of her own name', (v) => alice(v).item('alice')],
    ['a subject with the name of the item', (v) => v.tenant('acme').subject('hubspot')],
    ["another subject's item of that name", (v) => bob(v).item('hubspot')],
    ["the tenant's own", (v) => v.tenant('acme').self()],
    ["the tenant's own item of that name", (v) => v.tenant('acme').self().item('hubspot')],
    ['the subject of that name in another tenant', (v) => v.tenant('rival').subject('alice')],
    ['a subject there that nobody ever made', (v) => v.tenant('acme').subject('nobody')],
  ]

  test.each(PLACES.slice(0, -1))('a value of %s opens nowhere else', async (name, place) => {
    const stored = await place(vault).encrypt(email, 'hers')
    for (const [other, read] of PLACES) {
      expect([other, await outcome(() => read(cold).decrypt(email, stored))]).toEqual([other, other === name ? 'done' : 'decrypt_failed'])
    }
    expect(await place(cold).decrypt(email, stored)).toBe('hers')
  })

  test('another context, another field, and names that only run together to the same', async () => {
    const declared = (context: string, name: string) => field(context, name, z.string())
    const names = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom('a', 'b', '.', '\u0000') })
    await fc.assert(
      fc.asyncProperty(names, names, names, names, async (context, name, otherContext, otherName) => {
        fc.pre(context !== otherContext || name !== otherName)
        const stored = await alice(vault).encrypt(declared(context, name), 'hers')
        expect(await outcome(() => alice(cold).decrypt(declared(otherContext, otherName), stored))).toBe('decrypt_failed')
        expect(await alice(cold).decrypt(declared(context, name), stored)).toBe('hers')
      }),
      { numRuns: 150 },
    )
    const stored = await alice(vault).encrypt(declared('ab', 'c'), 'hers')
    expect(await outcome(() => alice(cold).decrypt(declared('a', 'bc'), stored))).toBe('decrypt_failed')
  })

  const RECORDS: readonly (readonly [Scalar | undefined, Scalar | undefined])[] = [
    [undefined, 5],
    [undefined, ''],
    [undefined, 0],
    [undefined, false],
    [undefined, new Uint8Array(0)],
    [5, '5'],
    [5, 6],
    [5, 5.5],
    [5, true],
    [1, true],
    [0, false],
    [0, ''],
    ['', new Uint8Array(0)],
    ['a', new TextEncoder().encode('a')],
    [0, new Date(0)],
    ['a', 'A'],
    // The same letter, written with one code point and with two.
    ['\u00e9', 'e\u0301'],
    [2 ** 53, 2n ** 53n + 1n],
    [Number.NaN, 0],
    [2 ** 63, 2n ** 63n - 1n],
  ]

  test.each(
    RECORDS.flatMap(([a, b]) => [
      [a, b],
      [b, a],
    ]),
  )('bound to %o, read for %o', async (written, read) => {
    const stored = await alice(vault).encrypt(email, 'hers', options(written))
    expect(await outcome(() => alice(cold).decrypt(email, stored, options(read)))).toBe('decrypt_failed')
    expect(await alice(cold).decrypt(email, stored, options(written))).toBe('hers')
  })

  test.each([
    [5, 5n],
    [-0, 0],
    [2 ** 40, 2n ** 40n],
    [new Uint8Array([1, 2]), Buffer.from([1, 2])],
    ['a', new CanonicalScalar(new Uint8Array([2, 97]))],
  ] as const)('%o and %o are one and the same record', async (a, b) => {
    const stored = await alice(vault).encrypt(email, 'hers', { record: a as Scalar })
    expect(await alice(cold).decrypt(email, stored, { record: b as Scalar })).toBe('hers')
  })

  test('a version of the format that there is not', async () => {
    const stored = await alice(vault).encrypt(email, 'hers')
    for (let version = 0; version < 256; version++) {
      const edited = Uint8Array.from(stored)
      edited[0] = version
      expect(await outcome(() => alice(cold).decrypt(email, edited))).toBe(version === 1 ? 'done' : 'decrypt_failed')
    }
  })
})

describe('what a value shows', () => {
  test('two values of one input share version and tag, and no other byte string of eight', async () => {
    await fc.assert(
      fc.asyncProperty(text, bound, async (value, id) => {
        const [a, b] = [await alice(vault).encrypt(email, value, options(id)), await alice(vault).encrypt(email, value, options(id))]
        expect(hex(a.subarray(0, 17))).toBe(hex(b.subarray(0, 17)))
        const [restA, restB] = [hex(a.subarray(17)), hex(b.subarray(17))]
        for (let at = 0; at + 16 <= restA.length; at += 2) expect(restB.includes(restA.slice(at, at + 16))).toBe(false)
      }),
      { numRuns: 60 },
    )
  })

  test('10,000 values of one key have 10,000 nonces', async () => {
    const keys = await alice(vault).unlock()
    const nonces = new Set(Array.from({ length: 10_000 }, () => hex(keys.encrypt(email, 'x').subarray(17, 41))))
    expect(nonces.size).toBe(10_000)
  })

  test('one person in two contexts shows two tags, two fields of one context show one', async () => {
    const tag = async (context: string, name: string, place = alice(vault)): Promise<string> =>
      hex((await place.encrypt(field(context, name, z.string()), 'x')).subarray(1, 17))
    expect(await tag('users', 'email')).toBe(await tag('users', 'phone'))
    expect(await tag('users', 'email')).not.toBe(await tag('orders', 'email'))
    expect(await tag('users', 'email')).not.toBe(await tag('users', 'email', bob(vault)))
    expect(await tag('users', 'email')).not.toBe(await tag('users', 'email', vault.tenant('rival').subject('alice')))
  })

  test('a padded value shows only a rounded length', async () => {
    const padded = field('users', 'padded', z.string(), { padded: true })
    const sizes = new Set<number>()
    for (let length = 200; length < 216; length++) sizes.add((await alice(vault).encrypt(padded, 'x'.repeat(length))).length)
    expect(sizes.size).toBeLessThanOrEqual(3)
    expect((await alice(vault).encrypt(email, 'x'.repeat(200))).length).toBe(258)
  })

  test('neither the text nor the name is in the value, nor in the stores', async () => {
    const stored = await alice(vault).encrypt(email, 'ada@example.com', { record: 'record-4711' })
    for (const needle of ['ada@example.com', 'alice', 'users', 'email', 'record-4711'])
      expect(Buffer.from(stored).includes(needle)).toBe(false)
  })
})
