// `npm run bench:mongo`: the encrypted collection beside the plain driver, in turn in one run; writes the part `mongo` of bench/RESULTS.md.
// With names of rows, as `npm run bench:mongo -- insertOne 'find of 10000, 100'`, those alone, and nothing is written.
import { startServer } from '../../tools/mongo-server/server.mjs'
import { quantile } from '../interleave.mjs'
import { machine, writePart } from '../results.mjs'
import { byHand, documents, openGround, ordersOf } from './ground.mjs'
import { cursorMemory } from './memory.mjs'
import { bulkWrites, updateOnes } from './writes.mjs'

const COUNT = Number(process.env['STRONGROOM_BENCH_DOCUMENTS'] ?? 10_000)
const SUBJECTS = [1, 100, 10_000]
const BULK = Math.min(1000, COUNT)
const [MANY_ROUNDS, ONE_ROUNDS] = [15, 100]
// Of what the server looks through its documents for.
const [UPDATE_ROUNDS, JOIN_ROUNDS] = [30, 7]
const JOINED = Math.min(COUNT, 1000)
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
    const shop = ground.shop(vault)
    const orders = ordersOf(all)
    await shop.encrypted_orders.insertMany(orders)
    await ground.db.collection('plain_orders').insertMany(orders)
    await ground.db.collection('stored_orders').insertMany(await ground.db.collection('encrypted_orders').find().toArray())
    for (const name of ['encrypted', 'plain', 'stored']) await ground.db.collection(`${name}_orders`).createIndex({ of: 1 })
    const hand = await byHand(vault, all)
    const from = { ground, vault, people, all, stored, subjects, hand }
    const cold = (work) => coldly(ground, 'encrypted', work)
    return [
      ...(await row('insertOne', subjects, ONE_ROUNDS, insertOnes(from), ONES)),
      ...(await row('findOne by e-mail', subjects, ONE_ROUNDS, findOnes(from), ONES)),
      ...(await row(`insertMany of ${COUNT}`, subjects, MANY_ROUNDS, insertManys(from))),
      ...(await row(`find of ${COUNT}`, subjects, MANY_ROUNDS, finds(from))),
      ...(await row('updateOne', subjects, UPDATE_ROUNDS, updateOnes(from, true, ONES, cold), ONES)),
      ...(await row('updateOne, owner looked up', subjects, UPDATE_ROUNDS, updateOnes(from, false, ONES, cold), ONES)),
      ...(await row(`bulkWrite of ${BULK} updates`, subjects, JOIN_ROUNDS, bulkWrites(from, BULK, cold))),
      ...(await row(`$lookup of ${JOINED}`, subjects, JOIN_ROUNDS, lookups(from))),
    ]
  } finally {
    await ground.close()
  }
}

/**
 * @param contenders - `{ ours, hand, plain, stored, cipher, cold }`, and `keys` where there are many, each of which prepares a round and gives back what is timed
 * @param calls - how many one round makes
 */
async function row(what, subjects, rounds, { cold, ...contenders }, calls = 1) {
  if (CHOSEN.length > 0 && !CHOSEN.some((name) => `${what}, ${subjects}`.startsWith(name))) return []
  const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  globalThis.gc()
  for (let round = calls === 1 ? -1 : -ONES_BEFORE; round < rounds; round++) {
    // What is subtracted from each other is measured one behind the other.
    for (const name of shuffled([
      shuffled(['ours', 'hand']),
      'plain',
      'stored',
      'cipher',
      ...('keys' in contenders ? ['keys'] : []),
    ]).flat()) {
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
  return [{ what, subjects, rounds, ...middle, own: own('wall'), ownProcessor: own('processor'), cold: await cold() }]
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
    milliseconds = (await timed(() => work(ground.people(vault, name), vault))).wall
  })
  return { ms: milliseconds, ...counts }
}

function insertOnes({ ground, people, stored, subjects, hand }) {
  const plain = ground.db.collection('plain')
  const raw = ground.db.collection('stored')
  const each = (documentsOf, insert) => async () => {
    const some = documentsOf()
    return async () => {
      for (const one of some) await insert(one)
    }
  }
  const fresh = () => documents(ONES, subjects)
  const asStored = () => fresh().map(({ _id }, i) => ({ ...stored[i], _id }))
  return {
    ours: each(fresh, (one) => people.insertOne(one)),
    hand: each(fresh, (one) => raw.insertOne(hand.sealed(one))),
    plain: each(fresh, (one) => plain.insertOne(one)),
    stored: each(asStored, (one) => raw.insertOne(one)),
    cipher: each(fresh, (one) => hand.encrypt(one)),
    cold: () => coldly(ground, 'encrypted', (other) => other.insertOne(fresh()[0])),
  }
}

function findOnes({ ground, people, all, stored, hand }) {
  const plain = ground.db.collection('plain')
  const raw = ground.db.collection('stored')
  const of = (find) => async () => async () => {
    for (let i = 0; i < ONES; i++) await find(i)
  }
  const findStored = (indexValue) => raw.findOne({ orgId: 'acme', 'email.i': indexValue })
  return {
    ours: of((i) => people.findOne({ orgId: 'acme', email: all[i].email })),
    hand: of(async (i) => hand.opened(await findStored(hand.search(all[i].email)))),
    plain: of((i) => plain.findOne({ orgId: 'acme', email: all[i].email })),
    stored: of((i) => findStored(stored[i].email.i)),
    cipher: of((i) => {
      hand.search(all[i].email)
      hand.decrypt(stored[i])
    }),
    cold: () => coldly(ground, 'encrypted', (other) => other.findOne({ orgId: 'acme', email: all[0].email })),
  }
}

/** What the core library takes to open the keys of all people of some documents, which are in memory, and to let them go. */
function openings({ ground, vault, all }) {
  const people = [...new Set(all.map(({ userId }) => userId))]
  return async () => async () => {
    for (const keys of await ground.tenant(vault).unlockMany(people)) keys.dispose()
  }
}

function insertManys({ ground, vault, all, stored, subjects, hand }) {
  // Each into a collection that is empty before each round.
  const into = (name, documentsOf, insert) => async () => {
    const some = documentsOf()
    await ground.db.collection(name).drop()
    await ground.db.createCollection(name)
    return () => insert(some)
  }
  const raw = (name) => ground.db.collection(name)
  const fresh = () => documents(COUNT, subjects)
  const people = ground.people(vault, 'into_ours')
  return {
    ours: into('into_ours', fresh, (some) => people.insertMany(some)),
    hand: into('into_hand', fresh, (some) => raw('into_hand').insertMany(some.map((one) => hand.sealed(one)))),
    plain: into('into_plain', fresh, (some) => raw('into_plain').insertMany(some)),
    stored: into(
      'into_stored',
      () => stored.map((one) => ({ ...one })),
      (some) => raw('into_stored').insertMany(some),
    ),
    cipher: async () => {
      const some = fresh()
      return async () => {
        for (const one of some) hand.encrypt(one)
      }
    },
    keys: openings({ ground, vault, all }),
    cold: () => coldly(ground, 'into_cold', (other) => other.insertMany(fresh())),
  }
}

function finds({ ground, vault, people, all, stored, hand }) {
  const ids = new Set(all.map(({ _id }) => _id))
  const filter = { _id: { $in: [...ids] } }
  const of = (collection, behind = (found) => found) => {
    return async () => async () => {
      const found = behind(await collection.find(filter).toArray())
      if (found.length !== COUNT) throw new Error(`${found.length} documents were found`)
    }
  }
  const raw = ground.db.collection('stored')
  return {
    ours: of(people),
    hand: of(raw, (found) => found.map((one) => hand.opened(one))),
    plain: of(ground.db.collection('plain')),
    stored: of(raw),
    cipher: async () => async () => {
      for (const one of stored) hand.decrypt(one)
    },
    keys: openings({ ground, vault, all }),
    cold: () => coldly(ground, 'encrypted', (other) => other.find(filter).toArray()),
  }
}

// Each document with its order, both of which hold encrypted values.
function lookups({ ground, vault, all, hand }) {
  const pipeline = (name) => [
    { $match: { _id: { $in: all.slice(0, JOINED).map(({ _id }) => _id) } } },
    { $lookup: { from: `${name}_orders`, localField: '_id', foreignField: 'of', as: 'orders' } },
  ]
  const of = (collection, name, behind = (found) => found) => {
    return async () => async () => {
      const found = behind(await collection.aggregate(pipeline(name)).toArray())
      if (found.length !== JOINED || found.some(({ orders }) => orders.length !== 1)) throw new Error('not all were joined')
    }
  }
  const raw = ground.db.collection('stored')
  const opened = (one) => ({ ...hand.opened(one), orders: one.orders.map((order) => hand.openedOrder(order)) })
  return {
    ours: of(ground.shop(vault).encrypted, 'encrypted'),
    hand: of(raw, 'stored', (found) => found.map(opened)),
    plain: of(ground.db.collection('plain'), 'plain'),
    stored: of(raw, 'stored'),
    cipher: async () => {
      const found = await raw.aggregate(pipeline('stored')).toArray()
      return async () => {
        for (const one of found) {
          hand.decrypt(one)
          for (const order of one.orders) hand.openedOrder(order)
        }
      }
    },
    cold: () => coldly(ground, 'encrypted', (_, other) => ground.shop(other).encrypted.aggregate(pipeline('encrypted')).toArray()),
  }
}

function report() {
  return [
    '# MongoDB',
    '',
    `Written by \`npm run bench:mongo\`, ${new Date().toISOString().slice(0, 10)}. ${machine()}; server: ${server.description}, on the same machine.`,
    '',
    'Documents with six encrypted strings of 16 to 64 bytes, one of them with a blind index. In turn in each round: the encrypted collection; the driver with the same',
    'documents in plaintext; the driver with what the encrypted collection stores; the calls of the cipher alone, with keys that are open; and "by hand": what one writes who has',
    'open keys and the driver and no adapter, a loop that encrypts into new documents or decrypts what was found.',
    `Milliseconds a call, medians of the rounds; a round of what is of one document has ${ONES} calls. Documents are made beforehand; garbage is collected before each call that is of many documents; of those`,
    `of one document the first ${ONES * ONES_BEFORE} do not count.`,
    '"Own" is what the encrypted collection takes longer than by hand, as a part of the time of the plain driver (median, quartiles): by the clock, and of processor time of',
    'the process, which has less of what others do on the machine in it. It is finding and holding the keys of each person, reading and checking documents, options and filters by the',
    'schema, and comparing what was found with what was searched for. By hand does none of that. No keys are made or derived there: all are in memory.',
    '"Keys": `unlockMany()` of all people of the documents, whose keys are in memory, and letting them go again: the part that the core library has in "own", once, where a call has many documents.',
    '"Cold": the first call of a vault that has just been opened, with the queries to the key store and the calls of the key provider that it made.',
    '',
    '| | people | rounds | encrypted | plain | plain, what is stored | cipher | by hand | keys | to plain | own | own, processor | cold | queries, cold | provider calls, cold |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows.map(({ what, subjects, rounds, ours, plain, stored, cipher, hand, keys, own, ownProcessor, cold }) => {
      const times = [...[ours, plain, stored, cipher, hand].map(ms), keys === undefined ? '' : ms(keys)]
      const cells = [...times, (ours / plain).toFixed(2), withQuartiles(own), withQuartiles(ownProcessor)]
      return `| ${what} | ${subjects} | ${rounds} | ${cells.join(' | ')} | ${ms(cold.ms)} | ${cold.queries} | ${cold.provider} |`
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
