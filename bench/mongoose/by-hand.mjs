// No library: the six values of a document, each sealed with AES-256-GCM under one key for everybody, in a loop around plain Mongoose. No derived keys, no schema, no index.
// Whoever encrypts values one by one can hardly take less.
import { createCipheriv, createDecipheriv, createSecretKey, randomFillSync } from 'node:crypto'

import { definition, NAMES } from './people.mjs'

const [NONCE, TAG] = [12, 16]
const OPTIONS = { authTagLength: TAG }
const AAD = Buffer.from('people/and the id of the record!')
const key = createSecretKey(randomFillSync(Buffer.alloc(32)))
const nonces = Buffer.alloc(NONCE * 1000)
let next = nonces.length

/** A contender whose model has what the rows call. */
export function byHand(mongoose) {
  const { Mixed } = mongoose.Schema.Types
  const schema = () => new mongoose.Schema(definition(Object.fromEntries(NAMES.map((name) => [name, { type: Mixed }]))))
  return { schema, around }
}

function around(Model) {
  return class {
    constructor(document) {
      return new Model(each(document, seal))
    }

    static insertMany(documents) {
      return Model.insertMany(documents.map((document) => each(document, seal)))
    }

    static find() {
      const lean = async () => (await Model.find().lean().exec()).map((document) => each(document, open))
      return { lean: () => ({ exec: lean }), exec: async () => (await lean()).map((document) => Model.hydrate(document)) }
    }
  }
}

function each(document, change) {
  const changed = { ...document }
  for (const name of NAMES) changed[name] = change(document[name])
  return changed
}

function seal(text) {
  if (next === nonces.length) {
    randomFillSync(nonces)
    next = 0
  }
  const nonce = nonces.subarray(next, (next += NONCE))
  const cipher = createCipheriv('aes-256-gcm', key, nonce, OPTIONS)
  cipher.setAAD(AAD)
  const body = cipher.update(text, 'utf8')
  cipher.final()
  return Buffer.concat([nonce, body, cipher.getAuthTag()])
}

function open({ buffer }) {
  const decipher = createDecipheriv('aes-256-gcm', key, buffer.subarray(0, NONCE), OPTIONS)
  decipher.setAAD(AAD)
  decipher.setAuthTag(buffer.subarray(-TAG))
  const text = decipher.update(buffer.subarray(NONCE, -TAG), undefined, 'utf8')
  return text + decipher.final('utf8')
}
