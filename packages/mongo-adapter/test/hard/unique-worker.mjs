// A process that writes accounts, all of a call at once, and says what became of each. What an error says of itself is sent as text.
import { inspect } from 'node:util'
import { MongoServerError } from 'mongodb'

import { openAccounts } from './accounts.mjs'

let opened

const tasks = {
  async open(where) {
    await opened?.vault.close()
    opened = await openAccounts(where)
  },
  insert: (documents) => all(documents.map((document) => () => opened.accounts.insertOne(document))),
  setEmail: (changes) =>
    all(
      changes.map(
        ({ filter, email }) =>
          () =>
            opened.accounts.updateOne(filter, { $set: { email } }),
      ),
    ),
  async close() {
    await opened?.vault.close()
    process.disconnect()
  },
}

function all(calls) {
  return Promise.all(calls.map((call) => call().then(() => 'written', described)))
}

function described(error) {
  return {
    isServerError: error instanceof MongoServerError,
    code: error.code,
    keyPattern: error.keyPattern,
    keyValue: error.keyValue,
    text: [error.message, error.stack, JSON.stringify(error), inspect(error, { depth: 20, showHidden: true, maxStringLength: null })].join(
      '\n',
    ),
  }
}

process.on('message', ({ task, argument }) => {
  tasks[task](argument).then(
    (result) => process.connected && process.send({ result }),
    (error) => process.send({ failed: inspect(error) }),
  )
})
