// Who is measured, each as its own documentation says; with which Mongoose, and what makes a model of it encrypted.
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'

import { initVault, openVault } from '@strongroom/core'
import { memoryKeyProvider } from '@strongroom/core/testing'
import { mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import { encryptedFields } from '@strongroom/mongo-adapter/mongoose'
import { MongoClient } from 'mongodb'

import { byHand } from './by-hand.mjs'
import { definition, NAMES, people, TENANT } from './people.mjs'

/** What is in `bench/mongoose/peers` for a version of Mongoose. */
export function installed(version) {
  return createRequire(new URL(`peers/on-${version}/package.json`, import.meta.url))
}

/**
 * Processes by name: how they come to `{ mongoose, contenders, close() }`. A contender has `{ subjects, schema() }`, and `{ writes, prefix(round) }` where it
 * only writes, documents of people who have none yet; `around(model)` gives what the rows use in place of a model.
 */
export const processes = {
  Strongroom: ours,
  'mongoose-field-encryption': (_, count) => peer(count, mongooseFieldEncryption),
  'mongoose-encryption': (_, count) => peer(count, mongooseEncryption),
}

// Keys are kept on the server that the data is on.
async function ours(uri, count) {
  const { default: mongoose } = await import('mongoose')
  const client = new MongoClient(uri)
  const database = `bench_${randomBytes(4).toString('hex')}`
  const options = {
    keyProviders: { eu: memoryKeyProvider() },
    defaultRegion: 'eu',
    keyStore: mongoKeyStore({ db: client.db(`${database}_keys`) }),
    stateStore: mongoStateStore({ db: client.db(`${database}_state`) }),
    maxCachedKeys: 50_000,
  }
  await initVault({ ...options, cacheBound: 3_600_000 })
  const vault = await openVault(options)
  await vault.tenants.create(TENANT)
  for (const keys of await vault.tenant(TENANT).unlockMany(people(count))) keys.dispose()
  const index = { scope: 'tenant', normalize: 'email' }
  const marks = Object.fromEntries(NAMES.map((name) => [name, { encrypted: name === 'email' ? { index } : true }]))
  const schema = () =>
    new mongoose.Schema(definition(marks)).plugin(encryptedFields, { vault, tenant: 'orgId', subject: 'userId', context: 'people' })
  return {
    mongoose,
    contenders: {
      Strongroom: { subjects: count, schema },
      'Strongroom, 100 people': { subjects: 100, schema },
      'by hand': { subjects: count, ...byHand(mongoose) },
      'Strongroom, keys to be made': { subjects: Infinity, schema, writes: true, prefix: (round) => `new-${round}` },
    },
    async close() {
      await vault.close()
      for (const each of ['keys', 'state']) await client.db(`${database}_${each}`).dropDatabase()
      await client.close()
    },
  }
}

// One key for everybody: whose a document is makes no difference to them.
function peer(count, { name, plugin }) {
  const require = installed(8)
  const mongoose = require('mongoose')
  const schema = () => plugin(require(name), (marks) => new mongoose.Schema(definition(marks)))
  return { mongoose, contenders: { [name]: { subjects: count, schema } }, close: async () => undefined }
}

const mongooseFieldEncryption = {
  name: 'mongoose-field-encryption',
  plugin: ({ fieldEncryption }, schema) => schema().plugin(fieldEncryption, { fields: NAMES, secret: randomBytes(32).toString('hex') }),
}

const mongooseEncryption = {
  name: 'mongoose-encryption',
  // Values that it encrypts are in no path of their own: there is nothing to index.
  plugin: (encrypt, schema) =>
    schema({ email: { index: false } }).plugin(encrypt, {
      encryptedFields: NAMES,
      encryptionKey: randomBytes(32).toString('base64'),
      signingKey: randomBytes(64).toString('base64'),
    }),
}
