// From schemas to what is encrypted where; what cannot be seen through is refused.
import { encrypted } from '@strongroom/mongo-adapter'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { holdsMark } from '../../dist/schema/inner-schemas.js'
import type { SchemaNode } from '../../dist/schema/node.js'
import { walkSchema } from '../../dist/schema/walk.js'
import { outcome, refusalOf } from '../refusals.ts'

const secret = (): z.ZodString => encrypted(z.string())

/** Every path that is encrypted, and those that are plain with `-` before. */
function paths(node: SchemaNode, at = ''): readonly string[] {
  switch (node.kind) {
    case 'encrypted':
      return [node.path]
    case 'plain':
      return [`-${at}`]
    case 'array':
      return paths(node.element, `${at}[]`)
    case 'object':
      return [...node.members].flatMap(([name, member]) => paths(member, at === '' ? name : `${at}.${name}`))
  }
}

const of = (member: z.ZodType): readonly string[] => paths(walkSchema(z.object({ m: member, n: secret() }))).filter((path) => path !== 'n')

describe('what is seen through', () => {
  test.each<[string, z.ZodType, readonly string[]]>([
    ['nothing', secret(), ['m']],
    ['optional', secret().optional(), ['m']],
    ['exactOptional', z.exactOptional(secret()), ['m']],
    ['nullable', secret().nullable(), ['m']],
    ['nullish', secret().nullish(), ['m']],
    ['default', secret().default('x'), ['m']],
    ['readonly', secret().readonly(), ['m']],
    ['array', z.array(secret()), ['m[]']],
    ['array of arrays', z.array(z.array(secret())), ['m[][]']],
    ['object', z.object({ a: secret(), b: z.string() }), ['m.a', '-m.b']],
    ['strict object', z.strictObject({ a: secret() }), ['m.a']],
    ['loose object', z.looseObject({ a: secret() }), ['m.a']],
    ['array of objects', z.array(z.object({ a: secret() })), ['m[].a']],
    ['all of them', z.array(z.object({ a: secret().nullable().default(null).readonly() }).optional()).readonly(), ['m[].a']],
    [
      'discriminated union',
      z.discriminatedUnion('k', [z.object({ k: z.literal('a'), a: secret() }), z.object({ k: z.literal('b'), b: z.string() })]),
      ['-m.k', 'm.a', '-m.b'],
    ],
    ['brand', secret().brand('b'), ['m']],
  ])('%s', (_, member, expected) => {
    expect(of(member)).toEqual(expected)
  })

  test.each<[string, z.ZodType]>([
    ['the whole wrapper marked: optional', encrypted(z.string().optional())],
    ['array', encrypted(z.array(z.string()))],
    ['object', encrypted(z.object({ a: z.string() }))],
    ['record', encrypted(z.record(z.string(), z.string()))],
    ['union', encrypted(z.union([z.string(), z.number()]))],
    ['transform', encrypted(z.string().transform((text) => text.length))],
    ['lazy', encrypted(z.lazy(() => z.string()))],
    ['any', encrypted(z.any())],
  ])('one encrypted value: %s', (_, member) => {
    expect(of(member)).toEqual(['m'])
  })
})

describe('a mark is never lost', () => {
  test.each<[string, z.ZodType]>([
    ['refine', secret().refine(() => true)],
    ['superRefine', secret().superRefine(() => undefined)],
    ['min', secret().min(1)],
    ['trim', secret().trim()],
    ['meta', secret().meta({ title: 'x' })],
    ['describe', secret().describe('x')],
    ['check', secret().check(z.minLength(1))],
    ['clone', secret().clone()],
    ['overwrite', secret().overwrite((text) => text)],
    [
      'all of them',
      secret()
        .min(1)
        .trim()
        .describe('x')
        .refine(() => true)
        .optional()
        .meta({ title: 'x' }),
    ],
    ['array max', encrypted(z.array(z.string())).max(3)],
  ])('%s', (_, member) => {
    expect(of(member)).toEqual(['m'])
  })

  test('shared schemas stay as they are', () => {
    const shared = z.string()
    encrypted(shared)
    expect(of(shared)).toEqual(['-m'])
    const marked = encrypted(z.object({ a: z.string() }))
    expect(of(z.object({ a: z.string() }))).toEqual(['-m.a'])
    expect(of(marked)).toEqual(['m'])
  })

  // By each method that copies a schema, once and again.
  const COPIES: readonly (readonly [string, (schema: z.ZodType) => z.ZodType])[] = [
    ['nothing', (schema) => schema],
    ['meta', (schema) => schema.meta({ title: 'x' })],
    ['describe', (schema) => schema.describe('x')],
    ['refine', (schema) => schema.refine(() => true)],
    ['clone', (schema) => schema.clone()],
    ["zod's own clone", (schema) => z.core.clone(schema)],
    ['brand and check', (schema) => schema.brand('b').check(() => undefined)],
    [
      'all of them',
      (schema) =>
        schema
          .meta({})
          .describe('x')
          .refine(() => true)
          .clone()
          .brand('b'),
    ],
  ]
  const object = z.object({ a: z.string() })
  const DERIVERS: readonly (readonly [string, z.ZodType, readonly string[]])[] = [
    [
      'object',
      object,
      'extend safeExtend merge pick omit partial exactPartial required keyof catchall strict loose passthrough strip shape'.split(' '),
    ],
    ['enum', z.enum(['a', 'b']), ['exclude', 'extract']],
    ['array', z.array(object), ['element', 'unwrap']],
    ['tuple', z.tuple([object]), ['rest', 'partial']],
    ['record', z.record(z.string(), object), ['keyType', 'valueType']],
    ['map', z.map(z.string(), object), ['keyType', 'valueType']],
    ['union', z.union([object, z.string()]), ['options']],
    ['discriminated union', z.discriminatedUnion('k', [z.object({ k: z.literal('a') })]), ['options']],
    ['pipe', object.pipe(z.any()), ['in', 'out']],
    ['optional', object.optional(), ['unwrap']],
    ['exactOptional', z.exactOptional(object), ['unwrap']],
    ['nonoptional', z.nonoptional(object), ['unwrap']],
    ['nullable', object.nullable(), ['unwrap']],
    ['default', object.default({ a: '' }), ['unwrap', 'removeDefault']],
    ['prefault', z.prefault(object, { a: '' }), ['unwrap']],
    ['catch', object.catch({ a: '' }), ['unwrap', 'removeCatch']],
    ['readonly', object.readonly(), ['unwrap']],
    ['promise', z.promise(object), ['unwrap']],
    ['success', z.success(object), ['unwrap']],
    ['lazy', z.lazy(() => object), ['unwrap']],
  ]
  const derive = (schema: z.ZodType, name: string): unknown => {
    const member: unknown = (schema as unknown as Record<string, unknown>)[name]
    return typeof member === 'function'
      ? (member as (argument: unknown) => unknown).call(schema, name === 'rest' ? z.string() : ['a'])
      : member
  }

  describe.each(COPIES)('after %s', (_, copy) => {
    test.each(DERIVERS)('what is derived of a marked schema is refused: %s', async (__, schema, names) => {
      for (const name of names) {
        expect([name, name in schema]).toEqual([name, true])
        expect([name, await outcome(() => derive(copy(encrypted(schema)), name))]).toEqual([name, 'unsupported_operation'])
      }
      expect(of(copy(encrypted(schema)))).toEqual(['m'])
    })

    // What a later zod adds is met here: no method gives a schema in which no mark is left.
    test.each(DERIVERS)('nothing that a marked schema has gives one without a mark: %s', async (__, schema) => {
      const names = new Set<string>()
      for (let at: object | null = schema; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object | null)
        for (const name of Object.getOwnPropertyNames(at)) names.add(name)
      // What a schema is made of, to whoever reads that; what makes no schema; and the constructor.
      for (const name of ['def', '_def', '_zod', 'constructor', '~standard']) names.delete(name)
      for (const name of names) {
        const made = await Promise.resolve()
          .then(() => derive(copy(encrypted(schema)), name))
          .catch(() => undefined)
        for (const each of Array.isArray(made) ? (made as readonly unknown[]) : [made])
          if (typeof each === 'object' && each !== null && '_zod' in each)
            expect([name, holdsMark(each as z.ZodType)]).toEqual([name, true])
      }
    })
  })

  test('of an enum the options are values, and stay', () => {
    expect(encrypted(z.enum(['a', 'b'])).options).toEqual(['a', 'b'])
  })

  // As where a schema comes from a package that has an installation of its own.
  test('marks of another copy of this package are marks, also beside those of this one', async () => {
    const name = '../../dist/schema/encrypted.js?another'
    const other = (await import(/* @vite-ignore */ name)) as { readonly encrypted: typeof encrypted }
    expect(other.encrypted).not.toBe(encrypted)
    expect(of(other.encrypted(z.string()).min(1).optional())).toEqual(['m'])
    expect(paths(walkSchema(z.object({ m: other.encrypted(z.string()) })))).toEqual(['m'])
    expect(await outcome(() => of(z.array(z.record(z.string(), other.encrypted(z.string())))))).toBe('unsupported_operation')
  })

  test('deepPartial: refused within a mark, kept beside one', async () => {
    const inner = z.object({ b: z.object({ c: z.string() }) })
    expect(await outcome(() => z.deepPartial(z.object({ a: encrypted(inner) })))).toBe('unsupported_operation')
    expect(of(z.deepPartial(z.object({ a: secret(), b: z.string() })))).toEqual(['m.a', '-m.b'])
  })
})

describe('what zod takes out of a marked schema', () => {
  const object = z.object({ a: z.string() })
  const choice = z.discriminatedUnion('k', [z.object({ k: z.literal('a') }), z.object({ k: z.literal('b') })])
  const codec = z.codec(z.iso.datetime(), z.date(), { decode: (text) => new Date(text), encode: (date) => date.toISOString() })
  const inner = z.string().transform((text) => text)
  test.each<[string, () => z.ZodType]>([
    ['deepPartial, of a discriminated union', () => z.deepPartial(encrypted(choice))],
    ['deepPartial, of one that stands deeper', () => z.deepPartial(z.object({ x: z.array(encrypted(choice).optional()) }))],
    ['invertCodec', () => z.invertCodec(encrypted(codec))],
    ['input of a pipe', () => z.input(encrypted(codec).optional())],
    ['output of a pipe', () => z.output(encrypted(codec))],
    ['input of a transform', () => z.input(encrypted(inner))],
    ['input of a default', () => z.input(encrypted(codec.default(new Date(0))))],
    ['input of a catch', () => z.input(encrypted(inner.catch('x')))],
    ['output of a prefault', () => z.output(encrypted(z.prefault(inner, 'x')))],
    ['the definition', () => encrypted(object.optional())._zod.def.innerType],
    ['the definition, and checked', () => (encrypted(object.optional())._zod.def.innerType as typeof object).refine(() => true)],
    [
      'the definition of a list',
      () => encrypted(z.union([object, z.string()]).meta({ title: 't' })).refine(() => true)._zod.def.options[0],
    ],
  ])('%s: refused wherever it stands, unless it is marked anew', async (_, take) => {
    const taken = take()
    for (const place of [taken, taken.optional(), z.array(taken), z.record(z.string(), taken), z.union([taken, z.number()])]) {
      const error = await refusalOf(() => walkSchema(z.object({ other: secret(), m: place })))
      expect([error.code, error.message]).toEqual(['unsupported_operation', expect.stringMatching(/^m.*mark/)])
    }
    if (holdsMark(taken)) return
    expect(of(encrypted(taken).optional())).toEqual(['m'])
  })

  test('what was marked stays as it was, and parses as it did', () => {
    for (const schema of [object.optional(), choice, codec, inner, z.array(object), z.tuple([object]), plainTree.optional()]) {
      const before = Object.getOwnPropertyDescriptors(schema._zod.def)
      encrypted(schema)
      expect(Object.getOwnPropertyDescriptors(schema._zod.def)).toEqual(before)
      expect(of(z.object({ a: secret(), plain: schema }))).toContain('m.a')
    }
    expect(encrypted(choice).parse({ k: 'b' })).toEqual({ k: 'b' })
    expect(encrypted(codec).parse('2030-01-01T00:00:00Z')).toEqual(new Date(Date.UTC(2030, 0, 1)))
    expect(encrypted(plainTree.optional()).parse({ a: 'x', children: [{ a: 'y' }] })).toEqual({ a: 'x', children: [{ a: 'y' }] })
  })
})

interface Tree {
  readonly a: string
  readonly children?: readonly Tree[] | undefined
}
const tree: z.ZodType<Tree> = z.object({
  a: secret(),
  get children() {
    return z.array(tree).optional()
  },
})
const plainTree: z.ZodType<Tree> = z.object({
  a: z.string(),
  get children() {
    return z.array(plainTree).optional()
  },
})

const REFUSED: readonly [string, (inner: z.ZodType) => z.ZodType][] = [
  ['transform', (inner) => inner.transform((value) => value)],
  ['pipe', (inner) => inner.pipe(z.any())],
  ['pipe from behind', (inner) => z.any().pipe(inner)],
  ['preprocess', (inner) => z.preprocess((value) => value, inner)],
  ['codec', (inner) => z.codec(z.string(), inner as z.ZodString, { decode: (value) => value, encode: (value) => value })],
  ['record', (inner) => z.record(z.string(), inner)],
  ['partialRecord', (inner) => z.partialRecord(z.enum(['a']), inner)],
  ['map', (inner) => z.map(z.string(), inner)],
  ['set', (inner) => z.set(inner)],
  ['tuple', (inner) => z.tuple([z.string(), inner])],
  ['rest of a tuple', (inner) => z.tuple([z.string()], inner)],
  ['lazy', (inner) => z.lazy(() => inner)],
  ['union', (inner) => z.union([inner, z.number()])],
  ['xor', (inner) => z.xor([inner, z.number()])],
  ['intersection', (inner) => z.intersection(z.object({ a: inner }), z.object({ b: z.string() }))],
  ['nonoptional', (inner) => z.nonoptional(inner.optional())],
  ['prefault', (inner) => z.prefault(inner, 'x')],
  ['catch', (inner) => inner.catch('x')],
  ['success', (inner) => z.success(inner)],
  ['promise', (inner) => z.promise(inner)],
  ['catchall', (inner) => z.object({}).catchall(inner)],
  ['a record within optional within array', (inner) => z.array(z.record(z.string(), z.object({ a: inner })).optional())],
]

describe('what cannot be seen through', () => {
  test.each(REFUSED)('%s is refused where it holds a mark, and is a plain value where it holds none', async (_, wrap) => {
    const error = await refusalOf(() => of(wrap(secret())))
    expect(error.code).toBe('unsupported_operation')
    expect(error.message).toMatch(/^m/)
    expect(of(wrap(z.string())).every((path) => path.startsWith('-') || path === '')).toBe(true)
  })

  test('a mark within a mark', async () => {
    expect(await outcome(() => of(encrypted(z.object({ a: secret() }))))).toBe('unsupported_operation')
    expect(await outcome(() => of(encrypted(secret().optional())))).toBe('unsupported_operation')
  })

  test('a schema that holds itself', async () => {
    expect(await outcome(() => of(tree))).toBe('unsupported_operation')
    expect(of(plainTree)).toEqual(['-m.a', '-m.children'])
  })

  test('options that do not agree', async () => {
    const union = (one: z.ZodType, two: z.ZodType): readonly string[] =>
      of(z.discriminatedUnion('k', [z.object({ k: z.literal('a'), v: one }), z.object({ k: z.literal('b'), v: two })]))
    expect(await outcome(() => union(secret(), z.string()))).toBe('unsupported_operation')
    expect(await outcome(() => union(secret(), encrypted(z.string(), { padded: true })))).toBe('unsupported_operation')
    expect(await outcome(() => union(z.object({ x: secret() }), z.string()))).toBe('unsupported_operation')
    expect(await outcome(() => union(z.array(secret()), z.array(z.string())))).toBe('unsupported_operation')
    expect(union(secret(), encrypted(z.number()))).toEqual(['-m.k', 'm.v'])
    expect(union(z.object({ x: secret() }), z.object({ y: z.string() }))).toEqual(['-m.k', 'm.v.x', '-m.v.y'])
    const encryptedKey = z.discriminatedUnion('k', [z.object({ k: encrypted(z.literal('a')) }), z.object({ k: encrypted(z.literal('b')) })])
    expect(await outcome(() => of(encryptedKey))).toBe('unsupported_operation')
  })
})

describe('what is no schema of a document', () => {
  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'invalid_argument'],
    ['an object', {}, 'invalid_argument'],
    ['a string', z.string(), 'invalid_argument'],
    ['a record', z.record(z.string(), z.string()), 'invalid_argument'],
    ['nothing is encrypted', z.object({ a: z.string() }), 'invalid_argument'],
    ['the whole document', encrypted(z.object({ a: z.string() })), 'unsupported_operation'],
    ['a dotted name', z.object({ 'a.b': secret() }), 'invalid_argument'],
    ['a name with $', z.object({ $a: secret() }), 'invalid_argument'],
    ['an empty name', z.object({ '': secret() }), 'invalid_argument'],
    ['a name of a prototype', z.object(JSON.parse('{"__proto__":1}') as never), 'invalid_argument'],
    ['a name that ends like an array', z.object({ 'a[]': secret() }), 'invalid_argument'],
  ])('%s', async (_, schema, code) => {
    expect(await outcome(() => walkSchema(schema as z.ZodType))).toBe(code)
    expect(await outcome(() => walkSchema(z.object({ a: secret() })))).toBe('done')
  })

  test('loose or not', () => {
    expect(walkSchema(z.object({ a: secret() })).loose).toBe(false)
    expect(walkSchema(z.strictObject({ a: secret() })).loose).toBe(false)
    expect(walkSchema(z.looseObject({ a: secret() })).loose).toBe(true)
    expect(walkSchema(z.object({ a: secret() }).catchall(z.string())).loose).toBe(true)
  })
})

describe('options of encrypted', () => {
  test.each<[string, unknown, string]>([
    ['an index without a scope', { index: {} }, 'index.scope'],
    ['a scope that there is not', { index: { scope: 'subject' } }, 'index.scope'],
    ['unique that is no boolean', { index: { scope: 'tenant', unique: 1 } }, 'index.unique'],
    ['a normaliser that there is not', { index: { scope: 'tenant', normalize: 'mail' } }, 'index.normalize'],
    ['an empty domain', { index: { scope: 'tenant', domain: '' } }, 'index.domain'],
    ['a misspelt option of an index', { index: { scope: 'tenant', uniqe: true } }, 'options'],
    ['a misspelt option', { indx: { scope: 'tenant' } }, 'options'],
    ['padded that is no boolean', { padded: 'yes' }, 'padded'],
  ])('%s', async (_, options, argument) => {
    const error = await refusalOf(() => encrypted(z.string(), options as never))
    expect([error.code, error.argument]).toEqual(['invalid_argument', argument])
    expect(
      await outcome(() =>
        encrypted(z.string(), { index: { scope: 'tenant', unique: true, normalize: 'text', domain: 'd' }, padded: true }),
      ),
    ).toBe('done')
  })

  test('no schema', async () => {
    expect(await outcome(() => encrypted('email' as never))).toBe('invalid_argument')
    expect(await outcome(() => encrypted(null as never))).toBe('invalid_argument')
  })
})
