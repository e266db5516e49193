// The same random operations on a plain collection and on an encrypted one: the same documents, the same answers. More of them in .ci/run.
import { randomUUID } from 'node:crypto'

import { initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { encryptedCollection } from '@strongroom/mongo-adapter'
import fc from 'fast-check'
import { BSON, type MongoClient } from 'mongodb'
import { beforeAll, describe, expect, test } from 'vitest'

import { emptyDatabase, openClient, uri } from '../../support.ts'
import { type Operation, operationsOf } from './operations.ts'
import { onEncrypted, onPlain, type Target } from './perform.ts'
import type { Shape } from './shape.ts'
import { SHAPES } from './shapes.ts'

/** Sequences of operations for each schema. */
const sequences = Number(process.env['STRONGROOM_SEQUENCES'] ?? 150)
// Fixed, so that a change is what makes a difference; another one in .ci/run.
const seed = Number(process.env['STRONGROOM_SEED'] ?? 20_300_101)

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
          for (const operation of operations) {
            const [expected, actual] = [await onPlain(plain as Target, shape, operation), await onEncrypted(encrypted, operation)]
            expect(actual, said(operation)).toBe(expected)
            tell(done, operation, expected)
          }
          const all: Operation = {
            kind: 'find',
            scope: undefined,
            filter: {},
            options: { sort: { _id: 1 }, promoteValues: false },
            reading: 'toArray',
          }
          expect(await onEncrypted(encrypted, all)).toBe(await onPlain(plain as Target, shape, all))
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
      ])
        expect([kind, (done.get(kind) ?? 0) > 0]).toEqual([kind, true])
    },
    3_600_000,
  )

  /** Operations that did something: found, wrote, counted. */
  function tell(done: Map<string, number>, { kind }: Operation, answer: string): void {
    if (/^error|"value":(null|\[\])|"(matched|deleted)Count":\{"\$numberInt":"0"\}/.test(answer)) return
    done.set(kind, (done.get(kind) ?? 0) + 1)
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
