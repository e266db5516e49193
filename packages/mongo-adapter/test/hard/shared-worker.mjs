// A process that writes to shared documents, one deed after the other, and tells of each what came of it.
import { inspect } from 'node:util'
import { StrongroomError } from '@strongroom/core'

import { codeOf, COUNT, first, openShared, placeOf, SET_VALUES } from './shared-documents.mjs'

let opened
let looked = 0

const KINDS = ['push', 'push', 'flip', 'flip', 'pull', 'many', 'bulk', 'add', 'register', 'register', 'register']

const tasks = {
  async open(where) {
    opened = await openShared(where)
    opened.client.on('commandStarted', ({ commandName }) => {
      if (commandName === 'find') looked++
    })
  },
  async work({ name, seed, deeds }) {
    const random = generator(seed)
    const told = []
    const mine = []
    for (let n = 0; n < deeds; n++) {
      const i = Math.floor(random() * COUNT)
      const kind = KINDS[Math.floor(random() * KINDS.length)]
      const token = `${name}-${n}`
      looked = 0
      told.push({ kind, i, token, ...(await attempted(kind, i, token, mine, random)), looked })
    }
    return told
  },
  async close() {
    await opened?.vault.close()
    process.disconnect()
  },
}

async function attempted(kind, i, token, mine, random) {
  try {
    return await DO[kind](i, token, mine, random)
  } catch (error) {
    if (error instanceof StrongroomError && error.code === 'conflict') return { reached: 'conflict' }
    throw error
  }
}

/** The first to come makes the document; whoever it is, the code finds it. */
const onInsert = (i) => ({ ...placeOf(i), group: i % 4, turn: 0, register: first })
const counts = ({ matchedCount, modifiedCount, upsertedCount }) => ({
  reached: matchedCount + upsertedCount,
  modified: modifiedCount,
  inserted: upsertedCount,
})

const DO = {
  async push(i, token, mine) {
    const change = { $push: { tokens: token }, $inc: { pushes: 1 }, $setOnInsert: onInsert(i) }
    const answer = await opened.shared.updateOne({ code: codeOf(i) }, change, { upsert: true })
    mine.push(token)
    return counts(answer)
  },
  // Only while it is even, and every such push makes it odd: others are often faster.
  async flip(i, token) {
    if (Number(token.split('-')[1]) % 3 === 0) {
      await opened.shared.dangerouslyUnwrap().updateOne({ _id: placeOf(i)._id }, { $inc: { flip: 1 } })
      return { reached: 0 }
    }
    const filter = { code: codeOf(i), flip: { $not: { $mod: [2, 1] } } }
    return counts(await opened.shared.updateOne(filter, { $push: { tokens: token }, $inc: { pushes: 1, flip: 1 } }))
  },
  async pull(i, _, mine, random) {
    if (mine.length === 0) return { reached: 0 }
    const [token] = mine.splice(Math.floor(random() * mine.length), 1)
    const answer = await opened.shared.updateOne({ tokens: token }, { $pull: { tokens: token }, $inc: { pushes: -1 } })
    return { ...counts(answer), token }
  },
  async many(i, token) {
    const answer = await opened.shared.updateMany({ group: i % 4 }, { $push: { tokens: token }, $inc: { pushes: 1 } })
    return { ...counts(answer), i: i % 4 }
  },
  async bulk(i, token) {
    const update = { $push: { tokens: token }, $inc: { pushes: 1 } }
    const answer = await opened.shared.bulkWrite([{ updateOne: { filter: placeOf(i), update } }])
    return { reached: answer.matchedCount }
  },
  async add(i, _, mine, random) {
    const token = SET_VALUES[Math.floor(random() * SET_VALUES.length)]
    return { ...counts(await opened.shared.updateOne({ code: codeOf(i) }, { $addToSet: { set: token } })), token }
  },
  async register(i, token) {
    const read = await opened.shared.findOne({ code: codeOf(i) })
    if (read === null) return { reached: 0 }
    const { turn } = read
    looked = 0
    const taken = await opened.shared.findOneAndUpdate({ code: codeOf(i), turn }, { $set: { register: token }, $inc: { turn: 1 } })
    return taken === null ? { reached: 0 } : { reached: 1, turn, before: taken.register }
  },
}

function generator(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

process.on('message', ({ task, argument }) => {
  tasks[task](argument).then(
    (result) => process.connected && process.send({ result }),
    (error) => process.send({ failed: inspect(error) }),
  )
})
