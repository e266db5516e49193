// `npm run bench:mongo`: the encrypted collection beside the plain driver, in turn in one run; writes the part `mongo` of bench/RESULTS.md.
// With names of rows, as `npm run bench:mongo -- insertOne 'find of 10000, 100'`, those alone, and nothing is written.
import { startServer } from '../../tools/mongo-server/server.mjs'
import { quantile } from '../interleave.mjs'
import { machine, writePart } from '../results.mjs'
import { cipherCalls, documents, openGround } from './ground.mjs'
import { cursorMemory } from './memory.mjs'

const COUNT = Number(process.env['STRONGROOM_BENCH_DOCUMENTS'] ?? 10_000)
const SUBJECTS = [1, 100, 10_000]
const [MANY_ROUNDS, ONE_ROUNDS] = [9, 40]
const CHOSEN = process.argv.slice(2)
// Of those that wait: one call is too short to be taken by itself, and the first hundreds run before the engine has compiled what they need.
const ONES = 20
const ONES_BEFORE = 20

const server = await startServer()
if (server.uri === undefined) throw new Error(server.description)
const rows = []
let memory
try {
  for (const subjects of SUBJECTS) rows.push(...(await compare(subjects)))
  if (CHOSEN.length === 0) memory = await cursorMemory(server.uri)
} finally {
  await server.stop()
}
const text = report()
console.log(text)
if (process.env['STRONGROOM_BENCH_DOCUMENTS'] === undefined && CHOSEN.length === 0) writePart('mongo', text)

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
    const from = { ground, vault, people, all, stored, subjects, cipher }
    return [
      ...(await row('insertOne', subjects, ONE_ROUNDS, insertOnes(from), ONES)),
      ...(await row('findOne by e-mail', subjects, ONE_ROUNDS, findOnes(from), ONES)),
      ...(await row(`insertMany of ${COUNT}`, subjects, MANY_ROUNDS, insertManys(from))),
      ...(await row(`find of ${COUNT}`, subjects, MANY_ROUNDS, finds(from))),
    ]
  } finally {
    await ground.close()
  }
}

/**
 * @param contenders - `{ ours, hand, plain, stored, cipher, cold }`, each of which prepares a round and gives back what is timed
 * @param calls - how many one round makes
 */
async function row(what, subjects, rounds, { cold, ...contenders }, calls = 1) {
  if (CHOSEN.length > 0 && !CHOSEN.some((name) => `${what}, ${subjects}`.startsWith(name))) return []
  const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  globalThis.gc()
  for (let round = calls === 1 ? -1 : -ONES_BEFORE; round < rounds; round++) {
    // What is subtracted from each other is measured one behind the other.
    for (const name of shuffled([shuffled(['ours', 'hand']), 'plain', 'stored', 'cipher']).flat()) {
      const work = await contenders[name]()
      // Nobody collects what another left behind.
      if (calls === 1) globalThis.gc()
      const time = await timed(work)
      if (round >= 0) times[name].push({ wall: time.wall / calls, processor: time.processor / calls })
    }
  }
  const middle = Object.fromEntries(
    Object.entries(times).map(([name, values]) => [
      name,
      quantile(
        values.map(({ wall }) => wall),
        0.5,
      ),
    ]),
  )
  const own = (clock) => {
    const parts = times.ours.map((time, i) => (time[clock] - times.hand[i][clock]) / middle.plain)
    return [0.5, 0.25, 0.75].map((part) => quantile(parts, part))
  }
  return [{ what, subjects, ...middle, own: own('wall'), ownProcessor: own('processor'), cold: await cold() }]
}

function shuffled(list) {
  return list
    .map((each) => [Math.random(), each])
    .toSorted(([a], [b]) => a - b)
    .map(([, each]) => each)
}

// Milliseconds: by the clock, and of processor time of this process with all its threads.
async function timed(work) {
  const [start, before] = [performance.now(), process.cpuUsage()]
  await work()
  const [wall, { user, system }] = [performance.now() - start, process.cpuUsage(before)]
  return { wall, processor: (user + system) / 1000 }
}

// Of a vault that has just been opened: the time, and what it asked the key store and the provider for.
async function coldly(ground, name, work) {
  const vault = await ground.open()
  let milliseconds
  const counts = await ground.counted(async () => {
    milliseconds = (await timed(() => work(ground.people(vault, name)))).wall
  })
  return { ms: milliseconds, ...counts }
}

function insertOnes({ ground, people, stored, subjects, cipher }) {
  const plain = ground.db.collection('plain')
  const raw = ground.db.collection('stored')
  const each = (documentsOf, insert) => async () => {
    const some = documentsOf()
    return async () => {
      for (const [i, one] of some.entries()) await insert(one, i)
    }
  }
  const fresh = () => documents(ONES, subjects)
  const asStored = () => fresh().map(({ _id }, i) => ({ ...stored[i], _id }))
  return {
    ours: each(fresh, (one) => people.insertOne(one)),
    hand: each(asStored, (one, i) => {
      cipher.encrypt(i)
      return raw.insertOne(one)
    }),
    plain: each(fresh, (one) => plain.insertOne(one)),
    stored: each(asStored, (one) => raw.insertOne(one)),
    cipher: each(fresh, (_, i) => cipher.encrypt(i)),
    cold: () => coldly(ground, 'encrypted', (other) => other.insertOne(fresh()[0])),
  }
}

function findOnes({ ground, people, all, stored, cipher }) {
  const plain = ground.db.collection('plain')
  const raw = ground.db.collection('stored')
  const of = (find) => async () => async () => {
    for (let i = 0; i < ONES; i++) await find(i)
  }
  const findStored = (i) => raw.findOne({ orgId: 'acme', 'email.i': stored[i].email.i })
  return {
    ours: of((i) => people.findOne({ orgId: 'acme', email: all[i].email })),
    hand: of(async (i) => {
      cipher.search(i)
      await findStored(i)
      cipher.decrypt(i)
    }),
    plain: of((i) => plain.findOne({ orgId: 'acme', email: all[i].email })),
    stored: of(findStored),
    cipher: of((i) => {
      cipher.search(i)
      cipher.decrypt(i)
    }),
    cold: () => coldly(ground, 'encrypted', (other) => other.findOne({ orgId: 'acme', email: all[0].email })),
  }
}

function insertManys({ ground, vault, stored, subjects, cipher }) {
  // Each into a collection that is empty before each round.
  const into = (name, collection, documentsOf, before = () => undefined) => {
    return async () => {
      const some = documentsOf()
      await ground.db.collection(name).deleteMany({})
      return async () => {
        before()
        await collection.insertMany(some)
      }
    }
  }
  const fresh = () => documents(COUNT, subjects)
  const asStored = () => stored.map((one) => ({ ...one }))
  const encryptAll = () => {
    for (let i = 0; i < COUNT; i++) cipher.encrypt(i)
  }
  return {
    ours: into('into_ours', ground.people(vault, 'into_ours'), fresh),
    hand: into('into_hand', ground.db.collection('into_hand'), asStored, encryptAll),
    plain: into('into_plain', ground.db.collection('into_plain'), fresh),
    stored: into('into_stored', ground.db.collection('into_stored'), asStored),
    cipher: async () => encryptAll,
    cold: () => coldly(ground, 'into_cold', (other) => other.insertMany(fresh())),
  }
}

function finds({ ground, people, all, cipher }) {
  const ids = new Set(all.map(({ _id }) => _id))
  const filter = { _id: { $in: [...ids] } }
  const of = (collection, behind = () => undefined) => {
    return async () => async () => {
      const found = await collection.find(filter).toArray()
      if (found.length !== COUNT) throw new Error(`${found.length} documents were found`)
      behind()
    }
  }
  const decryptAll = () => {
    for (let i = 0; i < COUNT; i++) cipher.decrypt(i)
  }
  return {
    ours: of(people),
    hand: of(ground.db.collection('stored'), decryptAll),
    plain: of(ground.db.collection('plain')),
    stored: of(ground.db.collection('stored')),
    cipher: async () => decryptAll,
    cold: () => coldly(ground, 'encrypted', (other) => other.find(filter).toArray()),
  }
}

function report() {
  return [
    '# MongoDB',
    '',
    `Written by \`npm run bench:mongo\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}; server: ${server.description}, on the same machine.`,
    '',
    'Documents with six encrypted strings of 16 to 64 bytes, one of them with a blind index. In turn in each round: the encrypted collection; the driver with the same',
    'documents in plaintext; the driver with what the encrypted collection stores; the calls of the cipher alone, with keys that are open; and "by hand", which is the last two',
    'in one program: before each insert the calls of the cipher for what is inserted, behind each find those for what is found, and before a search its index value.',
    'Milliseconds a call, medians. Documents and what is stored are made beforehand; garbage is collected before each call that is of many documents; of those of one document, 20 in',
    'each round, the first 400 do not count.',
    '"Own" is what the encrypted collection takes longer than by hand, as a part of the time of the plain driver (median, quartiles): by the clock, and of processor time of',
    'the process, which has less of what others do on the machine in it. By hand has the calls of the cipher where they belong, because they take longer between two waits for the',
    'server than one behind the other in a loop. All else is own: finding and holding the keys of each person, reading and checking the documents, what stands in them for values,',
    'and comparing what was found with what was searched for, its second index value included. No keys are made or derived there: all are in memory.',
    '"Cold": the first call of a vault that has just been opened, with the queries to the key store and the calls of the key provider that it made.',
    '',
    '| | people | encrypted | plain | plain, what is stored | cipher | by hand | to plain | own | own, processor | cold | queries, cold | provider calls, cold |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map(({ what, subjects, ours, plain, stored, cipher, hand, own, ownProcessor, cold }) => {
      const times = [ours, plain, stored, cipher, hand].map(ms)
      const cells = [...times, (ours / plain).toFixed(2), withQuartiles(own), withQuartiles(ownProcessor)]
      return `| ${what} | ${subjects} | ${cells.join(' | ')} | ${ms(cold.ms)} | ${cold.queries} | ${cold.provider} |`
    }),
    '',
    memory === undefined
      ? 'Some rows only.'
      : `Reading ${memory.documents} documents of ${memory.subjects} people through the cursor: at most ${memory.firstHalf} MiB in use by JavaScript and its buffers after a collection in the first half, ${memory.secondHalf} MiB in the second.`,
    '',
  ].join('\n')
}

function withQuartiles([middle, lower, upper]) {
  return `${middle.toFixed(2)} (${lower.toFixed(2)}–${upper.toFixed(2)})`
}

function ms(value) {
  return value < 10 ? value.toFixed(2) : value.toFixed(0)
}
