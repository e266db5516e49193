// What the stages of a pipeline make of documents, without a server: no encrypted value without whose it is, nothing computed of one.
import { encrypted } from '@strongroom/mongo-adapter'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { KNOWN } from '../../dist/collection/aggregation/expression-operators.js'
import { documentsOf, hasChecks, HIDDEN, isPlain, type Shape } from '../../dist/collection/aggregation/shape.js'
import { translate } from '../../dist/collection/aggregation/translate.js'
import { layoutOf } from '../../dist/collection/layout.js'
import { outcome } from '../refusals.ts'

const layout = layoutOf({
  schema: z.object({
    _id: z.string(),
    org: z.string(),
    plan: z.string(),
    open: z.object({ a: z.string(), b: z.string() }),
    mail: encrypted(z.string(), { index: { scope: 'application' } }),
    box: z.object({ street: encrypted(z.string()), city: z.string() }),
    list: z.array(encrypted(z.string())),
    rows: z.array(z.object({ name: z.string(), text: encrypted(z.string(), { index: { scope: 'application' } }) })),
  }),
  tenant: 'org',
  subject: '_id',
  context: 'shapes',
  bind: 'record',
})
const context = {
  scope: undefined,
  owners: layout,
  tenants: undefined,
  values: () => [],
  verify: () => undefined,
  other: () => {
    throw new Error('no other')
  },
  within: () => context,
} as never
const root = (verified = true): Shape & { readonly kind: 'document' } => documentsOf(layout, [], verified)
const through = (...stages: Record<string, unknown>[]) => translate(root(), stages, context)

/** Every encrypted value stands in a document of a collection, or is carried. */
function isOwned(shape: Shape, owned: boolean): boolean {
  switch (shape.kind) {
    case 'encrypted':
      return owned
    case 'array':
      return isOwned(shape.element, owned)
    case 'object':
      return [...shape.members.values()].every((member) => isOwned(member, owned))
    case 'document':
      return isOwned(shape.inner, shape.layout !== undefined)
    case 'carried':
      return isOwned(shape.inner, true)
    case 'either':
      return shape.of.every((each) => isOwned(each, false))
    default:
      return true
  }
}

const PLAIN_PATHS = ['_id', 'org', 'plan', 'open', 'open.a', 'box.city', 'rows.name']
const SEALED_PATHS = ['mail', 'box', 'box.street', 'list', 'rows', 'rows.text']
const name = fc.constantFrom('n0', 'n1', 'n2', 'plan', 'mail', 'box', 'open')
const reference = fc.constantFrom(...PLAIN_PATHS, ...SEALED_PATHS, 'n0', 'n1').map((path) => `$${path}`)
const stage: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  fc.dictionary(name, reference, { minKeys: 1, maxKeys: 2, noNullPrototype: true }).map(($set) => ({ $set })),
  fc
    .dictionary(name, fc.oneof(reference, fc.constant(1)), { minKeys: 1, maxKeys: 3, noNullPrototype: true })
    .map(($project) => ({ $project })),
  reference.map((path) => ({ $unset: path.slice(1) })),
  reference.map(($unwind) => ({ $unwind })),
  fc
    .tuple(fc.constantFrom('$first', '$last', '$push'), reference, fc.constantFrom(null, '$plan', '$mail'))
    .map(([accumulator, path, _id]) => ({
      $group: { _id, n0: { [accumulator]: path }, n1: { $sum: 1 } },
    })),
  fc.tuple(name, reference).map(([path, value]) => ({ $match: { [path]: value } })),
  fc.constant({ $limit: 1 }),
)

/** The longest run of stages that is not refused. */
function accepted(stages: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const all: Record<string, unknown>[] = []
  for (const each of stages)
    try {
      translate(root(), [...all, each], context)
      all.push(each)
    } catch {
      // Refused: the next one may not be.
    }
  return all
}

describe('random stages', () => {
  test('no encrypted value stands without whose it is', () => {
    let moved = 0
    fc.assert(
      fc.property(fc.array(stage, { maxLength: 6 }), (given) => {
        const { shape } = through(...accepted(given))
        if (!isPlain(shape)) moved++
        expect(isOwned(shape, false)).toBe(true)
      }),
    )
    expect(moved).toBeGreaterThan(20)
  })

  test('one after the other is as all together, and nothing that was given is changed', () => {
    fc.assert(
      fc.property(fc.array(stage, { maxLength: 6 }), (given) => {
        const stages = accepted(given)
        const before = JSON.stringify(stages)
        const whole = through(...stages)
        let shape: Parameters<typeof translate>[0] = root()
        const sent = stages.flatMap((each) => {
          const step = translate(shape, [each], context)
          shape = step.shape
          return step.stages
        })
        expect(JSON.stringify(sent)).toBe(JSON.stringify(whole.stages))
        expect(shape).toEqual(whole.shape)
        expect(JSON.stringify(stages)).toBe(before)
      }),
    )
  })

  test('what an index was asked for, where nothing was compared before, is compared or refused', () => {
    fc.assert(
      fc.property(fc.array(stage, { maxLength: 5 }), (given) => {
        let shape: Parameters<typeof translate>[0] = root(false)
        let asked = false
        for (const each of given) {
          let searched = false
          const values = { ...(context as object), values: () => ((searched = true), []) } as never
          try {
            shape = translate(shape, [each], values).shape
          } catch {
            continue
          }
          asked ||= searched
          if (asked) expect(hasChecks(shape)).toBe(true)
        }
      }),
    )
  })
})

describe('random expressions', () => {
  const operators = [...KNOWN].filter((operator) => operator !== '$literal' && operator !== '$size')
  const { expression } = fc.letrec<{ readonly expression: unknown }>((tie) => ({
    expression: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(1, 'x', null, true, '$$NOW', '$$this', '$$x.y'),
      fc.constantFrom(...PLAIN_PATHS).map((path) => `$${path}`),
      fc.array(tie('expression'), { maxLength: 3 }),
      fc.tuple(fc.constantFrom(...operators), tie('expression')).map(([operator, operand]) => ({ [operator]: operand })),
      fc.tuple(fc.constantFrom(...operators), tie('expression'), tie('expression')).map(([operator, input, each]) => ({
        [operator]: { input, in: each },
      })),
      fc.tuple(tie('expression'), tie('expression')).map(([x, y]) => ({ $let: { vars: { x }, in: y } })),
      fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => ({ a, b })),
    ),
  }))
  // Within an operator, so that it is no reference to be moved.
  const computed = (inner: unknown) => [{ $set: { n: { $concat: [inner, 'x'] } } }]

  test('of what is plain they are sent as they are', () => {
    fc.assert(
      fc.property(expression, (inner) => {
        const { stages, shape } = through(...computed(inner))
        expect(stages).toEqual(computed(inner))
        expect(shape.kind === 'document' && shape.inner.members.get('n')).toEqual({ kind: 'plain' })
      }),
    )
  })

  const BAD: readonly unknown[] = [
    ...SEALED_PATHS.map((path) => `$${path}`),
    '$$ROOT',
    '$$CURRENT',
    '$$ROOT.mail',
    '$$CURRENT.plan',
    '$$DESCEND',
    `$${HIDDEN}`,
    `$${HIDDEN}.o.t`,
    '$mail.c',
    '$nothing',
    '$',
    '$plan.',
    { $getField: 'mail' },
    { $setField: { field: 'x', input: '$$ROOT', value: 1 } },
    { $function: { body: 'x', args: [], lang: 'js' } },
    { $meta: 'textScore' },
    { $let: { vars: { ROOT: 1 }, in: 1 } },
    { $let: { vars: { CURRENT: '$plan' }, in: '$a' } },
    { $add: 1, $subtract: 1 },
    { a: 1, $add: 1 },
    { 'a.b': 1 },
  ]
  test('with anything else in them, however deep, they are refused', async () => {
    await fc.assert(
      fc.asyncProperty(expression, expression, fc.constantFrom(...BAD), fc.constantFrom(...operators), async (one, two, bad, operator) => {
        for (const inner of [
          [one, bad],
          { [operator]: [bad, two] },
          { $let: { vars: { v: bad }, in: two } },
          { $map: { input: one, in: { a: bad } } },
        ])
          for (const stages of [
            computed(inner),
            [{ $project: { n: { $concat: [inner] } } }],
            [{ $group: { _id: { $concat: [inner] } } }],
            [{ $group: { _id: null, n: { $sum: inner } } }],
          ])
            expect(['unsupported_operation', 'invalid_argument']).toContain(await outcome(() => through(...stages)))
      }),
    )
  })
})

test('what is put into the same document stays as it is; what leaves it takes along whose it is', () => {
  const [beside] = through({ $set: { a: '$mail' } }).stages
  expect(beside).toEqual({ $set: { a: '$mail' } })
  const record = `$${HIDDEN}.o`
  const { stages } = through({ $group: { _id: null, a: { $first: '$mail' }, all: { $push: '$mail' }, plan: { $push: '$plan' } } })
  expect(stages).toEqual([
    { $set: { [`${HIDDEN}.p0`]: { $cond: [{ $eq: [{ $type: '$mail' }, 'missing'] }, '$mail', { v: '$mail', o: record }] } } },
    {
      $group: {
        _id: null,
        a: { $first: { v: { $ifNull: ['$mail', null] }, o: record } },
        all: { $push: `$${HIDDEN}.p0` },
        plan: { $push: '$plan' },
      },
    },
  ])
  expect(through({ $project: { a: '$mail', 'box.street': 1 } }).stages).toEqual([
    { $project: { [HIDDEN]: 1, 'box.street': 1, a: '$mail' } },
  ])
})

test('a member of the name __proto__, which an assignment would not make, is refused wherever it can be named', async () => {
  const named = (value: unknown): unknown => JSON.parse(`{"__proto__":${JSON.stringify(value)}}`)
  const stages: readonly Record<string, unknown>[] = [
    { $project: named(1) },
    { $project: named('$plan') },
    { $project: { 'a.__proto__': 1 } },
    { $set: named('$plan') },
    { $set: { a: named('$plan') } },
    { $unset: '__proto__' },
    { $group: { _id: null, ['__proto__']: { $sum: 1 } } },
    { $group: { _id: named('$plan') } },
    { $facet: named([{ $limit: 1 }]) },
    { $count: '__proto__' },
    { $lookup: { from: 'other', localField: '_id', foreignField: '_id', as: '__proto__' } },
    { $unwind: { path: '$tags', includeArrayIndex: '__proto__' } },
  ]
  for (const each of stages) expect([each, await outcome(() => through(each))]).toEqual([each, 'invalid_argument'])
})
