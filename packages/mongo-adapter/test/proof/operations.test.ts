// The table of operations, row by row, on a server behind a tap: what works shows no plaintext anywhere, what is refused sends nothing and makes no key.
import { EncryptedAggregationCursor, EncryptedFindCursor } from '@strongroom/mongo-adapter'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { AGGREGATION_CURSOR, CHANGE_STREAM, COLLECTION, FIND_CURSOR, type Operations } from '../../dist/collection/operations.js'
import { refusalOf } from '../refusals.ts'
import { ghost, NEEDLES } from './people.ts'
import { PIPELINE_REFUSALS, PIPELINE_RUNS } from './pipeline-rows.ts'
import { openProof, type Proof, uri } from './proof.ts'
import { CHANGE_STREAM_RUNS, COLLECTION_REFUSALS, COLLECTION_RUNS, CURSOR_REFUSALS, CURSOR_RUNS, type Run } from './rows.ts'

interface Runs {
  readonly works: Readonly<Record<string, Run>>
  readonly refused: Readonly<Record<string, readonly unknown[]>>
  /** What a refused method is called on. */
  readonly target: (proof: Proof) => object
}

const TABLES: readonly (readonly [string, Operations, Runs])[] = [
  ['Collection', COLLECTION, { works: COLLECTION_RUNS, refused: COLLECTION_REFUSALS, target: ({ users }) => users }],
  ['ChangeStream', CHANGE_STREAM, { works: CHANGE_STREAM_RUNS, refused: {}, target: ({ users }) => users }],
  ['FindCursor', FIND_CURSOR, { works: CURSOR_RUNS, refused: CURSOR_REFUSALS, target: ({ users }) => users.find({ email: ghost.email }) }],
  [
    'AggregationCursor',
    AGGREGATION_CURSOR,
    { works: PIPELINE_RUNS, refused: PIPELINE_REFUSALS, target: ({ users }) => users.aggregate([{ $match: { email: ghost.email } }]) },
  ],
]
/** Rows of the collection that ask nobody. */
const SILENT = new Set([
  'dbName',
  'collectionName',
  'namespace',
  'readConcern',
  'readPreference',
  'writeConcern',
  'bsonOptions',
  'timeoutMS',
])

const rowsOf = (table: Operations, outcome: 'works' | 'refused'): readonly string[] =>
  Object.keys(table).filter((row) => (outcome === 'works' ? table[row] === 'works' : typeof table[row] === 'object'))

describe('every row has a run, and every run a row', () => {
  test.each(TABLES)('%s', (_, table, { works, refused }) => {
    expect(Object.keys(works).sort()).toEqual([...rowsOf(table, 'works')].sort())
    expect(Object.keys(refused).sort()).toEqual([...rowsOf(table, 'refused')].sort())
  })
})

describe.skipIf(uri === undefined)('on a server', () => {
  let proof: Proof
  beforeAll(async () => {
    proof = await openProof()
  })
  afterAll(() => proof.close())
  beforeEach(() => proof.fresh())

  describe.each(TABLES)('%s', (name, table, { works, refused, target }) => {
    const isSilent = (row: string): boolean => name === 'Collection' && SILENT.has(row)

    test.each(rowsOf(table, 'works'))('%s works, and shows nothing', async (row) => {
      await (works[row] as Run)(proof)
      await proof.gather(row)
      expect(proof.witness.findings(NEEDLES)).toEqual([])
      // The driver's own account and the line's are the same, so that neither was deaf.
      expect([...proof.data.commands()].sort()).toEqual(proof.commands.map(({ commandName }) => commandName).sort())
      expect(proof.commands.length > 0).toBe(!isSilent(row))
      for (const channel of isSilent(row) ? (['stored by the stores'] as const) : (['sent', 'received', 'command', 'driver log'] as const))
        expect([channel, proof.witness.heard(channel) > 0]).toEqual([channel, true])
    })

    test.each(rowsOf(table, 'refused'))('%s is refused: nothing is sent, no key is made, and the error shows nothing', async (row) => {
      const before = await proof.keyRecords()
      const calls = { ...proof.provider.calls }
      const on = target(proof)
      const error = await refusalOf(() => {
        // A getter that is refused throws here.
        const method = Reflect.get(on, row) as (...given: readonly unknown[]) => unknown
        return Reflect.apply(method, on, refused[row] as readonly unknown[])
      })
      expect(error.code).toBe('unsupported_operation')
      expect(proof.commands).toEqual([])
      expect(proof.data.commands()).toEqual([])
      // The key store listens for news of keys all the time.
      expect(proof.keys.commands().filter((command) => command !== 'getMore')).toEqual([])
      expect(await proof.keyRecords()).toBe(before)
      expect(proof.provider.calls).toEqual(calls)
      proof.witness.error(row, error)
      await proof.gather(row)
      expect(proof.witness.findings(NEEDLES)).toEqual([])
      if (on instanceof EncryptedFindCursor || on instanceof EncryptedAggregationCursor) await on.close()
    })
  })
})
