// Erasing one person with so many documents in an encrypted collection: keys, and resources, by themselves; and the memory of the latter.
import { createHash } from 'node:crypto'

import { hours } from '@strongroom/core'
import { encrypted, encryptedCollection } from '@strongroom/mongo-adapter'
import { MongoClient } from 'mongodb'
import { z } from 'zod'

import { openGround } from './ground.mjs'

const BATCH = 5000
const [uri, count] = [process.argv[2], Number(process.argv[3])]

const client = new MongoClient(uri)
const db = client.db(`bench_erasure_${createHash('sha256').update(String(Date.now())).digest('hex').slice(0, 8)}`)
const Note = z.object({ _id: z.string(), orgId: z.string(), userId: z.string(), text: encrypted(z.string()) })
let notes
const ground = await openGround((vault) => {
  notes = encryptedCollection(vault, db.collection('notes'), { schema: Note, tenant: 'orgId', subject: 'userId', context: 'notes' })
  return [notes.resource({ erase: 'documents' })]
})
await db.collection('notes').createIndex({ orgId: 1, userId: 1 })
for (let i = 0; i < count; i += BATCH) {
  const some = Array.from({ length: Math.min(BATCH, count - i) }, (_, j) => ({
    _id: `${i + j}`,
    orgId: 'acme',
    userId: 'alice',
    text: 'x'.repeat(64),
  }))
  await notes.insertMany(some)
}
globalThis.gc()
const before = process.memoryUsage().heapUsed
let most = 0
const watching = setInterval(() => (most = Math.max(most, process.memoryUsage().heapUsed)), 20)
await ground.erasure.request(ground.tenant.subject('alice'), { reason: 'accountDeleted', grace: 0 })
const keys = ground.passed.get('shred.done') - ground.passed.get('shred.counted')
ground.pass(hours(1))
const start = performance.now()
const { done } = await ground.erasure.sweep()
const resources = performance.now() - start
clearInterval(watching)
if (done !== 1 || (await db.collection('notes').countDocuments()) !== 0) throw new Error('not all was erased')
await db.dropDatabase()
await client.close()
await ground.close()
console.log(JSON.stringify({ count, keys, resources, grown: Math.max(0, most - before) / 2 ** 20 }))
