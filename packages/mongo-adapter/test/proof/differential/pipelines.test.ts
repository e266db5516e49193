// The same random pipelines on a plain collection and on an encrypted one: the same documents. More of them in .ci/run.
import { initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { encryptedCollection } from '@strongroom/mongo-adapter'
import fc from 'fast-check'
import { BSON, type Document } from 'mongodb'
import { describe, expect, test } from 'vitest'

import { STAGES } from '../../../dist/collection/aggregation/stages.js'
import { emptyDatabase, openClient, uri } from '../../support.ts'
import { answerOf, sorted } from './perform.ts'
import { drawPipeline, OWN, type Pipeline } from './pipelines.ts'
import type { Shape } from './shape.ts'
import { SHAPES } from './shapes.ts'

/** Sets of documents for each schema, with as many pipelines each. */
const sequences = Number(process.env['STRONGROOM_SEQUENCES'] ?? 150)
const PIPELINES = 8
// Fixed, so that a change is what makes a difference; another one in .ci/run.
const seed = Number(process.env['STRONGROOM_SEED'] ?? 20_300_101)

describe.skipIf(uri === undefined)('on a server', () => {
  test.each(SHAPES.map((shape) => [shape.name, shape] as const))(
    '%s',
    async (_, shape) => {
      const { plain, encrypted } = await openBoth(shape)
      const done = new Map<string, number>()
      await fc.assert(
        fc.asyncProperty(documentsOf(shape), fc.gen(), async (documents, g) => {
          await Promise.all([plain.deleteMany({}), encrypted.dangerouslyUnwrap().deleteMany({})])
          await plain.insertMany(documents.map((each) => ({ ...each })))
          await encrypted.insertMany(documents as never)
          for (let i = 0; i < PIPELINES; i++) {
            const pipeline = drawPipeline(g, shape)
            const expected = await answerOf(() =>
              answer(pipeline, (stages) => plain.aggregate(stages).toArray(), plain.collectionName, shape),
            )
            const target = pipeline.scope === undefined ? encrypted : encrypted.for({ tenant: pipeline.scope })
            const actual = await answerOf(() => answer(pipeline, (stages) => target.aggregate(stages).toArray(), 'both'))
            expect(actual, BSON.EJSON.stringify(pipeline, { relaxed: true })).toBe(expected)
            if (/"value":\[\]|^error/.test(expected)) continue
            for (const stage of pipeline.stages)
              for (const name of Object.keys(stage)) for (const counts of [done, total]) counts.set(name, (counts.get(name) ?? 0) + 1)
          }
        }),
        { seed, numRuns: sequences, endOnFailure: true },
      )
      process.stdout.write(
        `${shape.name}, seed ${seed}, stages of pipelines that found something: ${JSON.stringify(Object.fromEntries(done))}\n`,
      )
      for (const name of [
        '$match',
        '$project',
        '$unset',
        '$set',
        '$addFields',
        '$limit',
        '$skip',
        '$count',
        '$group',
        '$facet',
        '$lookup',
        '$unionWith',
      ])
        expect([name, (done.get(name) ?? 0) > 0]).toEqual([name, true])
    },
    3_600_000,
  )

  // Of all schemas together; of a run that is long enough.
  const total = new Map<string, number>()
  test.skipIf(sequences < 200)('each stage that works 200 times, in pipelines that found something', () => {
    const stages = Object.keys(STAGES).filter((name) => STAGES[name] === 'works')
    process.stdout.write(`seed ${seed}, of all schemas: ${stages.map((name) => `${name}: ${total.get(name) ?? 0}`).join(', ')}\n`)
    expect(stages.filter((name) => (total.get(name) ?? 0) < 200)).toEqual([])
  })
})

/** The documents, in no order where the last stages give them none. */
async function answer(
  { scope, stages }: Pipeline,
  run: (stages: Document[]) => Promise<readonly Document[]>,
  own: string,
  narrowed?: Shape,
): Promise<unknown> {
  const named = stages.map((stage): Document => {
    if (stage['$lookup'] !== undefined) return { $lookup: { ...(stage['$lookup'] as Document), from: own } }
    return stage['$unionWith'] === OWN ? { $unionWith: own } : stage
  })
  // As a programmer would do it who has no `for()`.
  const scoped = narrowed === undefined || scope === undefined ? named : [{ $match: { [narrowed.tenant]: scope } }, ...named]
  const found = (sorted(await run(scoped)) as readonly Document[]).map((each) => BSON.EJSON.stringify(each, { relaxed: false }))
  return stages.some((stage) => '$group' in stage || '$unionWith' in stage) ? found.sort() : found
}

/** Documents of which each belongs to whom its id says, and none has the same unique value as another. */
function documentsOf(shape: Shape): fc.Arbitrary<readonly Document[]> {
  return fc.tuple(...shape.ids.map((_id) => shape.document.map((document): Document => ({ _id, ...document })))).map((all) => {
    const met = new Set<string>()
    return all.filter((document) => {
      const values = shape.unique.flatMap((key) => Object.keys(key).map((path) => BSON.EJSON.stringify({ v: at(document, path) }))).join()
      if (shape.unique.length === 0 || !met.has(values)) return (met.add(values), true)
      return false
    })
  })
}

function at(document: Document, path: string): unknown {
  return path.split('.').reduce<unknown>((value, step) => (value as Document | undefined)?.[step], document)
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
  const db = emptyDatabase(openClient())
  const encrypted = encryptedCollection(vault, db.collection('both'), {
    schema: shape.schema,
    tenant: shape.tenant,
    subject: shape.subject,
  })
  await encrypted.createIndexes()
  return { plain: db.collection('plain'), encrypted }
}
