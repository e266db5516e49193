// A process of `npm run bench:mongoose`: one library beside plain Mongoose of the same version, in turn in each round. Prints ratios as JSON.
import { randomBytes } from 'node:crypto'

import { MongoClient } from 'mongodb'

import { quantile } from '../interleave.mjs'
import { processes } from './contenders.mjs'
import { definition, documents } from './people.mjs'
import { NotTheSame, rows } from './rows.mjs'

const [name, uri, countText, roundsText] = process.argv.slice(2)
const [COUNT, ROUNDS] = [Number(countText), Number(roundsText)]

const { mongoose, contenders, close } = await processes[name](uri, COUNT)
const database = `bench_${randomBytes(4).toString('hex')}`
const [client, connection] = [new MongoClient(uri), await mongoose.createConnection(uri, { dbName: database }).asPromise()]
const db = client.db(database)
const sides = { plain: { subjects: COUNT, schema: () => new mongoose.Schema(definition()) }, ...contenders }
const models = {}
for (const [each, { schema, around = (model) => model }] of Object.entries(sides)) {
  models[each] = {}
  for (const part of ['saved', 'inserted']) models[each][part] = await target(`${each}_${part}`, schema(), around)
}
try {
  const measured = {}
  for (const [what, row] of Object.entries(rows)) measured[what] = await measure(row)
  console.log(JSON.stringify({ mongoose: mongoose.version, rows: measured }))
} finally {
  await db.dropDatabase()
  await connection.close()
  await client.close()
  await close()
}

async function target(collection, schema, around) {
  const model = connection.model(collection, schema, collection)
  await model.init()
  const [raw, all] = [db.collection(collection), []]
  const empty = async () => {
    await raw.deleteMany({})
    all.length = 0
  }
  return { model: around(model), raw, all, empty }
}

/** @returns by contender its ratio to plain, `{ ratio, lower, upper, ms, plain }` in milliseconds of a round, or `{ says }` why there is none */
async function measure(row) {
  const part = row.part(COUNT)
  const rounds = row.rounds(ROUNDS)
  const times = Object.fromEntries(Object.keys(sides).map((each) => [each, []]))
  const says = {}
  // The first round counts for nobody: it makes keys, and the engine compiles what it needs.
  for (let round = -1; round < rounds; round++) {
    for (const each of shuffled(Object.keys(sides))) {
      if (says[each] !== undefined || (sides[each].writes && !row.writes)) continue
      const to = models[each][row.collection]
      const given = documents(part, sides[each].subjects, Math.max(round, 0) * part, sides[each].prefix?.(round))
      try {
        const { work, check } = await row.prepare(to, given)
        globalThis.gc()
        const start = performance.now()
        const outcome = await work()
        if (round >= 0) times[each].push(performance.now() - start)
        if (each !== 'plain' && (round === -1 || round === rounds - 1)) await check(outcome)
        if (round === -1 && row.writes) await to.empty()
      } catch (error) {
        says[each] = error instanceof NotTheSame ? error.message : `${error.name}: ${error.message}`
      }
    }
  }
  const middle = (values) => quantile(values, 0.5)
  return Object.fromEntries(
    Object.keys(contenders).flatMap((each) => {
      if (sides[each].writes && !row.writes) return []
      if (says[each] !== undefined) return [[each, { says: says[each] }]]
      const ratios = times[each].map((time, i) => time / times.plain[i])
      const figures = { ratio: middle(ratios), lower: quantile(ratios, 0.25), upper: quantile(ratios, 0.75) }
      return [[each, { ...figures, ms: middle(times[each]), plain: middle(times.plain) }]]
    }),
  )
}

function shuffled(list) {
  return list
    .map((each) => [Math.random(), each])
    .toSorted(([a], [b]) => a - b)
    .map(([, each]) => each)
}
