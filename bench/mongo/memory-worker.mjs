// Reads many documents through the cursor, and says how much memory was in use in each half.
import { documents, openGround } from './ground.mjs'

const [uri] = process.argv.slice(2)
const [DOCUMENTS, SUBJECTS, PAGE] = [100_000, 1000, 10_000]

const ground = await openGround(uri)
const people = ground.people(await ground.open(), 'encrypted')
for (let written = 0; written < DOCUMENTS; written += PAGE) await people.insertMany(documents(PAGE, SUBJECTS))
const seen = []
let read = 0
for await (const _ of people.find().batchSize(1000)) {
  read++
  if (read % 5000 !== 0) continue
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  seen.push((heapUsed + external) / 2 ** 20)
}
await ground.close()
const most = (values) => Math.round(Math.max(...values))
const half = seen.length / 2
console.log(
  JSON.stringify({ documents: read, subjects: SUBJECTS, firstHalf: most(seen.slice(0, half)), secondHalf: most(seen.slice(half)) }),
)
