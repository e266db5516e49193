// From schemas to what is encrypted where; what cannot be seen through is refused.
import { encrypted } from '@strongroom/mongo-adapter'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

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

  test.each([
    'extend',
    'safeExtend',
    'merge',
    'pick',
    'omit',
    'partial',
    'required',
    'catchall',
    'strict',
    'loose',
    'passthrough',
    'strip',
  ])('an object is changed before it is marked: %s', async (method) => {
    const object = encrypted(z.object({ a: z.string() })) as unknown as Record<string, (argument: unknown) => unknown>
    expect(await outcome(() => object[method]?.({}))).toBe('unsupported_operation')
  })

  test('an enum too', async () => {
    expect(await outcome(() => encrypted(z.enum(['a', 'b'])).exclude(['a']))).toBe('unsupported_operation')
    expect(await outcome(() => encrypted(z.enum(['a', 'b'])).extract(['a']))).toBe('unsupported_operation')
    expect(await outcome(() => z.enum(['a', 'b']).exclude(['a']))).toBe('done')
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
