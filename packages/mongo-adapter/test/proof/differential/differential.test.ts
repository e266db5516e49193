// The same random operations on a plain collection and on an encrypted one: the same documents, the same answers. More of them in .ci/run.
import { randomUUID } from 'node:crypto'

import { initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { encryptedCollection } from '@strongroom/mongo-adapter'
import fc from 'fast-check'
import { BSON, type Document, type MongoClient } from 'mongodb'
import { beforeAll, describe, expect, test } from 'vitest'

import { FILTER_OPERATORS, LOGIC } from '../../../dist/collection/filters/operators.js'
import { COLLECTION } from '../../../dist/collection/operations.js'
import { UPDATE_OPERATORS } from '../../../dist/collection/writes/operators.js'
import { emptyDatabase, openClient, uri } from '../../support.ts'
import { type Operation, operationsOf } from './operations.ts'
import { onEncrypted, onPlain, sorted, type Target } from './perform.ts'
import { isWrite, mayReorder, rowsOf } from './rows.ts'
import type { Shape } from './shape.ts'
import { SHAPES } from './shapes.ts'

/** Documents that would change hands, and upserts whose filter and update speak of the same encrypted path. */
const REFUSED =
  /^refused: \w+ (?:the replacement has another \S+ than the document:|\S+ must be what the filter of the upsert says$|\S+, which is encrypted, is in the filter of an upsert and changed by)/
const ON_DOCUMENTS = /^(?:find|insert|update|replace|delete|count|distinct|estimated|bulk)/

/** Sequences of operations for each schema. */
const sequences = Number(process.env['STRONGROOM_SEQUENCES'] ?? 150)
// Fixed, so that a change is what makes a difference; another one in .ci/run.
const seed = Number(process.env['STRONGROOM_SEED'] ?? 20_300_101)

/** The rows of the table that are operations on documents, and the operators that work on something encrypted. */
const ALLOWED = [
  ...Object.keys(COLLECTION).filter((row) => COLLECTION[row] === 'works' && ON_DOCUMENTS.test(row)),
  ...Object.keys(UPDATE_OPERATORS)
    .filter((operator) => operator !== '$currentDate')
    .map((operator) => `update ${operator}`),
  ...Object.entries(FILTER_OPERATORS).flatMap(([operator, { indexed }]) => (indexed === 'refused' ? [] : [`filter ${operator}`])),
  ...LOGIC.map((operator) => `filter ${operator}`),
]

describe.skipIf(uri === undefined)('on a server', () => {
  let client: MongoClient
  beforeAll(() => {
    client = openClient()
    process.stdout.write(
      `differential test: ${sequences} sequences of operations for each schema (as many as STRONGROOM_SEQUENCES says), seed ${seed}\n`,
    )
  })

  test.each(SHAPES.map((shape) => [shape.name, shape] as const))(
    '%s',
    async (_, shape) => {
      const { plain, encrypted, stored } = await openBoth(shape)
      const done = new Map<string, number>()
      await fc.assert(
        fc.asyncProperty(operationsOf(shape), async (operations) => {
          await Promise.all([plain.deleteMany({}), stored.deleteMany({})])
          const ordered = !operations.some(mayReorder)
          for (const operation of operations) {
            const answer = await onEncrypted(encrypted, operation, ordered)
            // What no collection of this kind does, and nothing was written.
            if (REFUSED.test(answer) && operation.kind !== 'bulkWrite') {
              total.refused++
              continue
            }
            const expected = await onPlain(plain as Target, shape, operation, ordered)
            expect(answer, said(operation)).toBe(expected)
            if (operation.kind === 'updateMany' && expected.startsWith('error'))
              await catchUp(operation, plain as Target, encrypted as unknown as Target)
            tell(done, operation, expected)
          }
          const all: Operation = {
            kind: 'find',
            scope: undefined,
            filter: {},
            options: { sort: { _id: 1 }, promoteValues: false },
            reading: 'toArray',
          }
          expect(await onEncrypted(encrypted, all, ordered)).toBe(await onPlain(plain as Target, shape, all, ordered))
        }),
        { seed, numRuns: sequences },
      )
      // What was done is not all of one kind, nor did it all find nothing or fail.
      for (const kind of [
        'insertOne',
        'insertMany',
        'find',
        'findOne',
        'countDocuments',
        'updateOne',
        'updateMany',
        'replaceOne',
        'deleteOne',
        'deleteMany',
        'findOneAndUpdate',
        'findOneAndReplace',
        'findOneAndDelete',
        'bulkWrite',
      ])
        expect([kind, (done.get(kind) ?? 0) > 0]).toEqual([kind, true])
    },
    3_600_000,
  )

  // Of all schemas together; of a run that is long enough.
  const rows = new Map<string, number>()
  const total = { operations: 0, writes: 0, refused: 0 }
  test.skipIf(sequences < 200)('at least 20,000 operations, 30 % of them writes, and each row 200 times', () => {
    process.stdout.write(
      `differential test: ${total.operations} operations, ${total.writes} of them writes, and ${total.refused} refused; seed ${seed}\n`,
    )
    process.stdout.write(`${[...rows].map(([row, count]) => `${row}: ${count}`).join(', ')}\n`)
    expect(total.operations).toBeGreaterThanOrEqual(20_000)
    expect(total.refused / total.operations).toBeLessThan(0.05)
    expect(total.writes / total.operations).toBeGreaterThanOrEqual(0.3)
    expect([...rows].filter(([, count]) => count < 200)).toEqual([])
    expect([...rows.keys()]).toEqual(expect.arrayContaining(ALLOWED))
  })

  /** Operations that did something: found, wrote, counted. */
  function tell(done: Map<string, number>, operation: Operation, answer: string): void {
    total.operations++
    if (isWrite(operation)) total.writes++
    for (const row of rowsOf(operation)) rows.set(row, (rows.get(row) ?? 0) + 1)
    const { kind } = operation
    if (/^error|"value":(null|\[\])|^(?!.*(inserted|upserted)Count).*"(matched|deleted)Count":\{"\$numberInt":"0"\}/.test(answer)) return
    done.set(kind, (done.get(kind) ?? 0) + 1)
  }

  // What an updateMany has done before it failed, secantusd takes back; mongod does not, nor does an encrypted collection that has sent several updates.
  async function catchUp(
    { filter, update }: { readonly filter: Document; readonly update: Document },
    plain: Target,
    encrypted: Target,
  ): Promise<void> {
    const textOf = (document: unknown): string => BSON.EJSON.stringify(sorted(document), { relaxed: false })
    for (const document of await encrypted.find().toArray()) {
      const { _id } = document
      if (textOf(await plain.findOne({ _id })) !== textOf(document)) await plain.updateOne({ $and: [{ _id }, filter] }, update)
    }
  }

  function said(operation: Operation): string {
    return BSON.EJSON.stringify(operation, { relaxed: true })
  }

  async function openBoth(shape: Shape) {
    const options = {
      keyProviders: { eu: memoryKeyProvider() },
      defaultRegion: 'eu',
      keyStore: memoryKeyStore(),
      stateStore: memoryStateStore(),
    }
    await initVault(options)
    const vault = await openVault(options)
    for (const tenant of shape.tenants) await vault.tenants.create(String(tenant))
    const db = emptyDatabase(client)
    const [plain, stored] = [db.collection('plain'), db.collection(`encrypted-${randomUUID()}`)]
    for (const key of shape.unique) {
      const [path] = Object.keys(key).slice(-1)
      // Of what is missing or null there may be many.
      await plain.createIndex(key, { unique: true, partialFilterExpression: { [path as string]: { $type: 'string' } } })
    }
    const encrypted = encryptedCollection(vault, stored, {
      schema: shape.schema,
      tenant: shape.tenant,
      subject: shape.subject,
      context: 'both',
    })
    await encrypted.createIndexes()
    return { plain, stored, encrypted }
  }
})
