// `npm run bench:mongo`: the encrypted collection beside the plain driver, in turn in one run; writes the part `mongo` of bench/RESULTS.md.
import { startServer } from '../../tools/mongo-server/server.mjs'
import { quantile } from '../interleave.mjs'
import { machine, writePart } from '../results.mjs'
import { cipherCalls, documents, openGround } from './ground.mjs'
import { cursorMemory } from './memory.mjs'

const COUNT = Number(process.env['STRONGROOM_BENCH_DOCUMENTS'] ?? 10_000)
const SUBJECTS = [1, 100, 10_000]
const [MANY_ROUNDS, ONE_ROUNDS] = [9, 400]
// Of those that wait: one call is too short to be taken by itself.
const ONES = 20

const server = await startServer()
if (server.uri === undefined) throw new Error(server.description)
const rows = []
let memory
try {
  for (const subjects of SUBJECTS) rows.push(...(await compare(subjects)))
  memory = await cursorMemory(server.uri)
} finally {
  await server.stop()
}
const text = report()
console.log(text)
if (process.env['STRONGROOM_BENCH_DOCUMENTS'] === undefined) writePart('mongo', text)

async function compare(subjects) {
  const ground = await openGround(server.uri)
  try {
    const vault = await ground.open()
    const all = documents(COUNT, subjects)
    const people = ground.people(vault, 'encrypted')
    await people.insertMany(all)
    const stored = await ground.db.collection('encrypted').find().toArray()
    await ground.db.collection('plain').insertMany(all)
    await ground.db.collection('stored').insertMany(stored)
    await people.createIndexes()
    await ground.db.collection('plain').createIndex({ email: 1 })
    await ground.db.collection('stored').createIndex({ 'email.i': 1 })
    const cipher = await cipherCalls(vault, all)
    const some = await cipherCalls(vault, all.slice(0, ONES))
    const from = { ground, vault, people, all, stored, subjects }
    return [
      await row('insertOne', subjects, ONE_ROUNDS / ONES, insertOnes(from), some.encrypt, ONES),
      await row('findOne by e-mail', subjects, ONE_ROUNDS / ONES, findOnes(from), some.decrypt, ONES),
      await row(`insertMany of ${COUNT}`, subjects, MANY_ROUNDS, insertManys(from), cipher.encrypt),
      await row(`find of ${COUNT}`, subjects, MANY_ROUNDS, finds(from), cipher.decrypt),
    ]
  } finally {
    await ground.close()
  }
}

/** @param contenders - `{ ours, plain, stored, cold }`, each of which prepares a round and gives back what is timed */
async function row(what, subjects, rounds, { cold, ...contenders }, cipher, calls = 1) {
  const times = { ours: [], plain: [], stored: [], cipher: [] }
  const all = { ...contenders, cipher: async () => async () => cipher() }
  for (let round = -1; round < rounds; round++) {
    for (const name of Object.keys(all).toSorted(() => Math.random() - 0.5)) {
      const work = await all[name]()
      const time = await timed(work)
      if (round >= 0) times[name].push(time / calls)
    }
  }
  const middle = Object.fromEntries(Object.entries(times).map(([name, values]) => [name, quantile(values, 0.5)]))
  const own = times.ours.map((time, i) => (time - times.stored[i] - times.cipher[i]) / times.plain[i])
  return {
    what,
    subjects,
    ...middle,
    own: quantile(own, 0.5),
    ownQuartiles: [quantile(own, 0.25), quantile(own, 0.75)],
    cold: await cold(),
  }
}

async function timed(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}

// Of a vault that has just been opened: the time, and what it asked the key store and the provider for.
async function coldly(ground, name, work) {
  const vault = await ground.open()
  let milliseconds
  const counts = await ground.counted(async () => {
    milliseconds = await timed(() => work(ground.people(vault, name)))
  })
  return { ms: milliseconds, ...counts }
}

function insertOnes({ ground, people, stored, subjects }) {
  const plain = ground.db.collection('plain')
  const raw = ground.db.collection('stored')
  const each = (documentsOf, insert) => async () => {
    const some = documentsOf()
    return async () => {
      for (const one of some) await insert(one)
    }
  }
  const fresh = () => documents(ONES, subjects)
  return {
    ours: each(fresh, (one) => people.insertOne(one)),
    plain: each(fresh, (one) => plain.insertOne(one)),
    stored: each(
      () => fresh().map(({ _id }, i) => ({ ...stored[i], _id })),
      (one) => raw.insertOne(one),
    ),
    cold: () => coldly(ground, 'encrypted', (other) => other.insertOne(fresh()[0])),
  }
}

function findOnes({ ground, people, all, stored }) {
  const plain = ground.db.collection('plain')
  const raw = ground.db.collection('stored')
  const of = (find) => async () => async () => {
    for (let i = 0; i < ONES; i++) await find(i)
  }
  return {
    ours: of((i) => people.findOne({ orgId: 'acme', email: all[i].email })),
    plain: of((i) => plain.findOne({ orgId: 'acme', email: all[i].email })),
    stored: of((i) => raw.findOne({ orgId: 'acme', 'email.i': stored[i].email.i })),
    cold: () => coldly(ground, 'encrypted', (other) => other.findOne({ orgId: 'acme', email: all[0].email })),
  }
}

function insertManys({ ground, vault, stored, subjects }) {
  // Each into a collection that is empty before each round.
  const into = (name, collection, documentsOf) => async () => {
    const some = documentsOf()
    await ground.db.collection(name).deleteMany({})
    return async () => {
      await collection.insertMany(some)
    }
  }
  const fresh = () => documents(COUNT, subjects)
  return {
    ours: into('into_ours', ground.people(vault, 'into_ours'), fresh),
    plain: into('into_plain', ground.db.collection('into_plain'), fresh),
    stored: into('into_stored', ground.db.collection('into_stored'), () => stored.map((one) => ({ ...one }))),
    cold: () => coldly(ground, 'into_cold', (other) => other.insertMany(fresh())),
  }
}

function finds({ ground, people, all }) {
  const ids = new Set(all.map(({ _id }) => _id))
  const filter = { _id: { $in: [...ids] } }
  const of = (collection) => async () => async () => {
    const found = await collection.find(filter).toArray()
    if (found.length !== COUNT) throw new Error(`${found.length} documents were found`)
  }
  return {
    ours: of(people),
    plain: of(ground.db.collection('plain')),
    stored: of(ground.db.collection('stored')),
    cold: () => coldly(ground, 'encrypted', (other) => other.find(filter).toArray()),
  }
}

function report() {
  return [
    '# MongoDB',
    '',
    `Written by \`npm run bench:mongo\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}; server: ${server.description}, on the same machine.`,
    '',
    'Documents with six encrypted strings of 16 to 64 bytes, one of them with a blind index. In turn in each round: the encrypted collection, the driver with the same',
    'documents in plaintext, the driver with what the encrypted collection stores, and the calls of the cipher alone, with keys that are open. Milliseconds a call, medians.',
    '"Own" is what is left of the encrypted collection: without the driver on what is stored and without the cipher, as a part of the time of the plain driver (median, quartiles).',
    '"Cold": the first call of a vault that has just been opened, with the queries to the key store and the calls of the key provider that it made.',
    '',
    '| | people | encrypted | plain | plain, what is stored | cipher | to plain | own | cold | queries, cold | provider calls, cold |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map(({ what, subjects, ours, plain, stored, cipher, own, ownQuartiles: [lower, upper], cold }) => {
      const cells = [
        ms(ours),
        ms(plain),
        ms(stored),
        ms(cipher),
        (ours / plain).toFixed(2),
        `${own.toFixed(2)} (${lower.toFixed(2)}–${upper.toFixed(2)})`,
      ]
      return `| ${what} | ${subjects} | ${cells.join(' | ')} | ${ms(cold.ms)} | ${cold.queries} | ${cold.provider} |`
    }),
    '',
    `Reading ${memory.documents} documents of ${memory.subjects} people through the cursor: at most ${memory.firstHalf} MiB in use by JavaScript and its buffers after a collection in the first half, ${memory.secondHalf} MiB in the second.`,
    '',
  ].join('\n')
}

function ms(value) {
  return value < 10 ? value.toFixed(2) : value.toFixed(0)
}
