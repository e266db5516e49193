// Tenant and subject of a document: which paths may say them, and what name a value stands for.
import { encrypted } from '@strongroom/mongo-adapter'
import { Binary, Decimal128, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'mongodb'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { ownerName, type OwnerPath, ownerPath, type OwnerType } from '../../dist/schema/owner-path.js'
import { walkSchema } from '../../dist/schema/walk.js'
import { outcome, refusalOf } from '../refusals.ts'

function pathIn(member: z.ZodType, path: unknown = 'm'): OwnerPath {
  const schema = z.object({ m: member, secret: encrypted(z.string()) })
  return ownerPath(walkSchema(schema), schema, path, 'tenant')
}

test.each<[string, z.ZodType, OwnerType]>([
  ['a string', z.string(), 'string'],
  ['an e-mail address', z.email(), 'string'],
  ['the text of a UUID', z.uuid(), 'string'],
  ['one of some', z.enum(['a', 'b']), 'string'],
  ['a number', z.number(), 'integer'],
  ['an integer', z.int(), 'integer'],
  ['a bigint', z.bigint(), 'integer'],
  ['an ObjectId', z.instanceof(ObjectId), 'objectId'],
  ['a UUID', z.instanceof(UUID), 'uuid'],
  ['what may be missing', z.string().optional(), 'string'],
  ['what has a default', z.instanceof(ObjectId).readonly().default(new ObjectId()), 'objectId'],
])('%s', (_, member, type) => {
  expect(pathIn(member)).toEqual({ path: 'm', steps: ['m'], type })
})

test('deeper paths, and those of discriminated unions', () => {
  expect(pathIn(z.object({ a: z.object({ b: z.string() }).optional() }), 'm.a.b')).toEqual({
    path: 'm.a.b',
    steps: ['m', 'a', 'b'],
    type: 'string',
  })
  const union = z.discriminatedUnion('k', [z.object({ k: z.literal('a'), org: z.int() }), z.object({ k: z.literal('b'), org: z.int() })])
  expect(pathIn(union, 'm.org').type).toBe('integer')
})

test.each<[string, z.ZodType, unknown]>([
  ['no path', z.string(), null],
  ['an empty one', z.string(), ''],
  ['one that is not declared', z.string(), 'n'],
  ['one of a prototype', z.string(), 'constructor'],
  ['an encrypted one', encrypted(z.string()), 'm'],
  ['one through an array', z.array(z.object({ a: z.string(), b: encrypted(z.string()) })), 'm.a'],
  ['an object', z.object({ a: z.string() }), 'm'],
  ['anything', z.any(), 'm'],
  ['a boolean', z.boolean(), 'm'],
  ['a date', z.date(), 'm'],
  ['two types', z.union([z.string(), z.instanceof(ObjectId)]), 'm'],
  ['an instance of anything', z.custom(), 'm'],
])('refused: %s', async (_, member, path) => {
  const error = await refusalOf(() => pathIn(member, path))
  expect([error.code, error.argument]).toEqual(['invalid_argument', 'tenant'])
  expect(await outcome(() => pathIn(z.string()))).toBe('done')
})

describe('the name of a value', () => {
  const id = new ObjectId('656565656565656565656565')
  const uuid = new UUID('0E984725-C51C-4BF4-9960-E1C80E27ABA0')

  test.each<[OwnerType, unknown, string | undefined]>([
    ['string', 'acme', 'acme'],
    ['string', '', undefined],
    ['string', 5, undefined],
    ['string', id, undefined],
    ['integer', 5, '5'],
    ['integer', -0, '0'],
    ['integer', 5n, '5'],
    ['integer', Long.fromString('9223372036854775807'), '9223372036854775807'],
    ['integer', 0.5, undefined],
    ['integer', 2 ** 53, undefined],
    ['integer', '5', undefined],
    ['integer', Number.NaN, undefined],
    ['objectId', id, '656565656565656565656565'],
    ['objectId', '656565656565656565656565', undefined],
    ['uuid', uuid, '0e984725-c51c-4bf4-9960-e1c80e27aba0'],
    ['uuid', new Binary(uuid.buffer, 4), '0e984725-c51c-4bf4-9960-e1c80e27aba0'],
    ['uuid', new Binary(uuid.buffer, 0), undefined],
    ['uuid', '0e984725-c51c-4bf4-9960-e1c80e27aba0', undefined],
    ...(['string', 'integer', 'objectId', 'uuid'] as const).flatMap((type) =>
      [null, undefined, true, {}, [], new Timestamp(1n), new Date(0), new Decimal128('1')].map((value): [OwnerType, unknown, undefined] => [
        type,
        value,
        undefined,
      ]),
    ),
  ])('%s %s', (type, value, name) => {
    expect(ownerName(type, value)).toBe(name)
  })

  test('integers of the classes of BSON', () => {
    expect(ownerName('integer', new Int32(5))).toBe('5')
    expect(ownerName('integer', new Double(5))).toBe('5')
    expect(ownerName('integer', new Double(0.5))).toBeUndefined()
  })
})
