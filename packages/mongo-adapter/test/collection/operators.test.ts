// The tables of operators: what they say is what happens, and the page is made from them.
import { readFileSync } from 'node:fs'
import { encrypted, encryptedCollection } from '@strongroom/mongo-adapter'
import { MongoClient } from 'mongodb'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { FILTER_OPERATORS, type FilterOperator } from '../../dist/collection/filters/operators.js'
import { layoutOf } from '../../dist/collection/layout.js'
import { checkUpdate } from '../../dist/collection/writes/check-update.js'
import { UPDATE_OPERATORS, type UpdateOperator } from '../../dist/collection/writes/operators.js'
import { outcome, refusalOf } from '../refusals.ts'

const schema = z.object({
  _id: z.string(),
  org: z.string(),
  plain: z.unknown(),
  one: encrypted(z.string(), { index: { scope: 'application' } }),
  list: z.array(encrypted(z.string(), { index: { scope: 'application' } })),
  bare: encrypted(z.string()),
  bares: z.array(encrypted(z.string())),
})
// Connects to nothing: what is not refused is planned, and no more.
const collection = new MongoClient('mongodb://127.0.0.1:1').db('d').collection('c')
const users = encryptedCollection({ tenant: () => undefined } as never, collection, { schema, tenant: 'org', subject: '_id' })
const layout = layoutOf({ schema, tenant: 'org', subject: '_id', context: 'c', bind: 'record' })

const PAGE = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')
const rowsOf = (part: string): readonly string[] =>
  (PAGE.split(`## ${part}\n`)[1]?.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `$'))
const SAYS = {
  works: 'works',
  refused: 'refused',
  arrays: 'of arrays',
  indexed: 'of arrays with an index',
  chosen: 'of arrays with an index, or of objects',
  null: 'with `null` only',
}

describe('filters', () => {
  const OPERANDS: Readonly<Record<string, unknown>> = {
    $in: ['x'],
    $nin: ['x'],
    $all: ['x'],
    $elemMatch: { $eq: 'x' },
    $not: { $exists: true },
    $exists: true,
    $size: 1,
  }
  const ofNull = (operator: string): unknown => (operator === '$in' || operator === '$nin' ? [null] : null)
  const asked = (path: string, operator: string, operand: unknown = OPERANDS[operator] ?? 'x'): Promise<string> =>
    outcome(() => users.find({ [path]: { [operator]: operand } } as never))

  type Row = readonly [string, FilterOperator]
  const rows: readonly Row[] = Object.entries(FILTER_OPERATORS)

  test.each(rows)('%s', async (operator, { plain, indexed, unindexed, instead }) => {
    const NO = 'unsupported_operation'
    expect(await asked('plain', operator)).toBe(plain === 'works' ? 'done' : NO)
    for (const [says, single, array] of [[indexed, 'one', 'list'] as const, [unindexed, 'bare', 'bares'] as const]) {
      expect([single, await asked(single, operator)]).toEqual([single, says === 'works' ? 'done' : NO])
      if (says !== 'works' || operator !== '$eq')
        expect([array, await asked(array, operator)]).toEqual([array, says === 'works' || says === 'arrays' ? 'done' : NO])
      if (says === 'null') expect(await asked(single, operator, ofNull(operator))).toBe('done')
    }
    // Where there only has to be an index, the error says so.
    expect(instead !== undefined).toBe(indexed === 'refused')
    if (instead === undefined) return
    const refused = await refusalOf(() => users.find({ one: { [operator]: 'x' } } as never))
    expect(refused.message).toContain(instead)
    expect(refused.message).toContain(operator)
  })

  test.each(rows.filter(([, { plain }]) => plain === 'refused'))('%s at the top', async (operator, { instead }) => {
    const refused = await refusalOf(() => users.find({ [operator]: 'Canary' } as never))
    expect([refused.code, refused.message]).toEqual(['unsupported_operation', expect.stringContaining(`; instead: ${instead ?? '?'} (`)])
    expect(refused.message.startsWith(`${operator} in filter `)).toBe(true)
  })

  test('what no table has', async () => {
    for (const path of ['plain', 'one', 'bare'])
      for (const operator of ['$unheard', '$constructor', '$__proto__']) {
        const refused = await refusalOf(() => users.find({ [path]: { [operator]: 'Canary' } } as never))
        expect([refused.code, refused.message]).toEqual(['unsupported_operation', expect.stringContaining(operator)])
      }
    for (const operator of ['constructor', 'toString']) expect(await asked('plain', operator, 'x')).toBe('done')
    const odd = await refusalOf(() => users.find({ plain: { '$ada@example.com': 1 } } as never))
    expect(odd.message).not.toContain('ada')
  })

  test('docs/operations.md', () => {
    expect(rowsOf('Filters')).toEqual(
      rows.map(([name, of]) => `| \`${name}\` | ${SAYS[of.plain]} | ${SAYS[of.indexed]} | ${SAYS[of.unindexed]} | ${of.instead ?? ''} |`),
    )
  })
})

describe('updates', () => {
  const operandOf = (operator: string): unknown => ({ $pop: 1, $rename: 'plain', $pullAll: ['x'] })[operator] ?? 'x'
  const changed = (path: string, operator: string): Promise<string> =>
    outcome(() => checkUpdate(layout, { [operator]: { [path]: operandOf(operator) } }))

  const rows: readonly (readonly [string, UpdateOperator])[] = Object.entries(UPDATE_OPERATORS)

  test.each(rows)('%s', async (operator, { plain, encrypted: says, instead }) => {
    const NO = 'unsupported_operation'
    expect(await changed('plain', operator)).toBe(plain === 'works' ? 'done' : NO)
    for (const [single, array] of [
      ['one', 'list'],
      ['bare', 'bares'],
    ] as const) {
      expect([single, await changed(single, operator)]).toEqual([single, says === 'works' ? 'done' : NO])
      const works = says === 'indexed' || says === 'chosen' ? array === 'list' : says !== 'refused'
      expect([array, await changed(array, operator)]).toEqual([array, works ? 'done' : NO])
    }
    expect(says === 'refused' || says === 'indexed' || says === 'chosen').toBe(instead !== undefined)
    if (instead === undefined) return
    const refused = await refusalOf(() =>
      checkUpdate(layout, { [operator]: { [says === 'indexed' || says === 'chosen' ? 'bares' : 'one']: operandOf(operator) } }),
    )
    expect(refused.message).toContain(instead)
    expect(refused.message).toContain(operator)
  })

  test('what the table does not have', async () => {
    for (const operator of ['$unheard', '$constructor']) {
      const refused = await refusalOf(() => checkUpdate(layout, { [operator]: { plain: 'Canary' } }))
      expect([refused.code, refused.message]).toEqual(['unsupported_operation', expect.stringContaining(operator)])
    }
  })

  test('docs/operations.md', () => {
    expect(rowsOf('Updates')).toEqual(
      rows.map(([name, of]) => `| \`${name}\` | ${SAYS[of.plain]} | ${SAYS[of.encrypted]} | ${of.instead ?? ''} |`),
    )
  })
})
