// What docs/mongoose.md says of the two other plugins, each said by running it; and of both on Mongoose 9. Throws at the first that is not so.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'

import { BSON, MongoClient } from 'mongodb'

import { installed } from './contenders.mjs'

const SECRET = 'a secret that nobody guesses'
const KEYS = { encryptionKey: randomBytes(32).toString('base64'), signingKey: randomBytes(64).toString('base64') }
const FIELDS = ['email', 'name']
// A text: an ObjectId of one version of the driver is none to another.
const ID = { type: String, default: () => randomBytes(12).toString('hex') }
const VALUES = { email: 'alice@example.com', name: 'Alice Archer' }

const plugins = {
  'mongoose-field-encryption': ({ fieldEncryption }, options) => [fieldEncryption, { fields: FIELDS, secret: SECRET, ...options }],
  'mongoose-encryption': (encrypt) => [encrypt, { encryptedFields: FIELDS, ...KEYS }],
}

/** @returns a line for each claim that held */
export async function claims(uri) {
  const held = []
  for (const [plugin, all] of Object.entries({ 'mongoose-field-encryption': ofFieldEncryption, 'mongoose-encryption': ofEncryption })) {
    for (const [claim, holds] of Object.entries(all)) {
      const ground = await openGround(uri, plugin, claim.endsWith('on Mongoose 9') ? 9 : 8)
      try {
        await holds(ground)
        held.push(`${plugin}: ${claim}`)
      } catch (error) {
        throw new Error(`not so: ${plugin}: ${claim}`, { cause: error })
      } finally {
        await ground.close()
      }
    }
  }
  return held
}

const writesPlaintext = {
  updateMany: (Model, _id) => Model.updateMany({ _id }, { $set: { name: 'Bob' } }),
  replaceOne: (Model, _id) => Model.replaceOne({ _id }, { name: 'Bob' }),
  findOneAndReplace: (Model, _id) => Model.findOneAndReplace({ _id }, { name: 'Bob' }),
  bulkWrite: (Model, _id) => Model.bulkWrite([{ updateOne: { filter: { _id }, update: { $set: { name: 'Bob' } } } }]),
  $setOnInsert: (Model) => Model.updateOne({ plan: 'none' }, { $setOnInsert: { name: 'Bob' } }, { upsert: true }),
}
const updates = {
  updateOne: (Model, _id) => Model.updateOne({ _id }, { $set: { name: 'Bob' } }),
  findOneAndUpdate: (Model, _id) => Model.findOneAndUpdate({ _id }, { $set: { name: 'Bob' } }),
}

const ofBoth = {
  'save, create and bulkSave store no plaintext, and find gives it back': async ({ Model, text }) => {
    await new Model(VALUES).save()
    await Model.create(VALUES)
    await Model.bulkSave([new Model(VALUES)])
    assert.ok(isHidden(await text()))
    for (const each of await Model.find()) assert.deepEqual([each.email, each.name], Object.values(VALUES))
  },
  'lean and aggregate give what is stored': async ({ Model }) => {
    await Model.create(VALUES)
    for (const [found] of [await Model.find().lean(), await Model.aggregate([{ $match: {} }])]) assert.notEqual(found.name, VALUES.name)
  },
  'a value is found by its plaintext nowhere': async ({ Model }) => {
    await Model.create(VALUES)
    assert.equal(await Model.countDocuments({ email: VALUES.email }), 0)
  },
  'an earlier state of a document, put back, opens': async ({ Model, raw }) => {
    const { _id } = await Model.create(VALUES)
    const before = await raw.findOne({ _id })
    const changed = await Model.findById(_id)
    changed.name = 'Bob'
    await changed.save()
    await raw.replaceOne({ _id }, before)
    assert.equal((await Model.findById(_id)).name, VALUES.name)
  },
  ...Object.fromEntries(
    Object.entries(writesPlaintext).map(([name, write]) => [
      `${name} stores plaintext`,
      async ({ Model, text }) => {
        const { _id } = await Model.create(VALUES)
        await write(Model, _id)
        assert.ok((await text()).includes('Bob'))
      },
    ]),
  ),
}

const ofFieldEncryption = {
  ...ofBoth,
  'insertMany stores no plaintext, and encrypts the objects that it is given': async ({ Model, text }) => {
    const given = { ...VALUES }
    await Model.insertMany([given])
    assert.ok(isHidden(await text()))
    assert.notEqual(given.name, VALUES.name)
  },
  'insertMany throws on Mongoose 9': async ({ Model }) => {
    await assert.rejects(Model.insertMany([VALUES]), { name: 'TypeError', message: 'docs is not iterable' })
  },
  ...Object.fromEntries(
    Object.entries(updates).map(([name, update]) => [
      `${name} stores no plaintext`,
      async ({ Model, text }) => {
        const { _id } = await Model.create(VALUES)
        await update(Model, _id)
        assert.ok(!(await text()).includes('Bob'))
        assert.equal((await Model.findById(_id)).name, 'Bob')
      },
    ]),
  ),
  'a saved document holds ciphertext in memory': async ({ Model }) => assert.notEqual((await Model.create(VALUES)).name, VALUES.name),
  'a value opens in another document and at another path': async ({ Model, raw }) => {
    const alice = await Model.create(VALUES)
    const mallory = await Model.create({ email: 'm@example.com', name: 'Mallory' })
    const { email } = await raw.findOne({ _id: alice._id })
    await raw.updateOne({ _id: mallory._id }, { $set: { name: email } })
    assert.equal((await Model.findById(mallory._id)).name, VALUES.email)
  },
  'a bit of the first block can be turned without anybody noticing': async ({ Model, raw }) => {
    const { _id } = await Model.create(VALUES)
    const { name } = await raw.findOne({ _id })
    const first = (Number.parseInt(name.slice(0, 2), 16) ^ 1).toString(16).padStart(2, '0')
    await raw.updateOne({ _id }, { $set: { name: first + name.slice(2) } })
    assert.equal((await Model.findById(_id)).name, '@lice Archer')
  },
  'with a fixed nonce, equal values are equal, can be searched for, and unique works': async ({ modelWith }) => {
    const Model = await modelWith({ saltGenerator: () => '1234567890123456' }, true)
    await Model.create(VALUES)
    const sought = new Model(VALUES)
    sought.encryptFieldsSync()
    assert.equal(await Model.countDocuments({ email: sought.email }), 1)
    await assert.rejects(Model.create(VALUES), { code: 11000 })
  },
  'with its own nonces, unique lets the same value in twice': async ({ modelWith }) => {
    const Model = await modelWith({}, true)
    await Model.create(VALUES)
    await Model.create(VALUES)
  },
}

const ofEncryption = {
  ...ofBoth,
  'insertMany stores plaintext': async ({ Model, text }) => {
    await Model.insertMany([VALUES])
    assert.ok((await text()).includes(VALUES.name))
  },
  ...Object.fromEntries(
    Object.entries(updates).map(([name, update]) => [
      `${name} stores plaintext beside the ciphertext, which is what find gives`,
      async ({ Model, text }) => {
        const { _id } = await Model.create(VALUES)
        await update(Model, _id)
        assert.ok((await text()).includes('Bob'))
        assert.equal((await Model.findById(_id)).name, VALUES.name)
      },
    ]),
  ),
  'the ciphertext of a document does not open in another, with or without its code': async ({ Model, raw }) => {
    const alice = await Model.create(VALUES)
    const mallory = await Model.create({ email: 'm@example.com', name: 'Mallory' })
    const { _ct, _ac } = await raw.findOne({ _id: alice._id })
    for (const swapped of [{ _ct }, { _ct, _ac }]) {
      await raw.updateOne({ _id: mallory._id }, { $set: swapped })
      await assert.rejects(Model.findById(mallory._id), { message: 'Authentication failed' })
    }
  },
  'a document without a code does not open': async ({ Model, raw }) => {
    const { _id } = await Model.create(VALUES)
    await raw.updateOne({ _id }, { $unset: { _ac: 1 } })
    await assert.rejects(Model.findById(_id), { message: 'Authentication code missing' })
  },
  'unique on an encrypted path refuses the second document, whatever it holds': async ({ modelWith }) => {
    const Model = await modelWith({}, true)
    await Model.create(VALUES)
    await assert.rejects(Model.create({ email: 'm@example.com', name: 'Mallory' }), { code: 11000 })
  },
  'a save ends the process on Mongoose 9': ({ uri }) => {
    const options = { encoding: 'utf8', env: { ...process.env, STRONGROOM_BENCH_URI: uri } }
    const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL('save-on-9.mjs', import.meta.url))], options)
    assert.notEqual(status, 0)
    assert.match(stderr, /TypeError: cb is not a function/u)
  },
}

function isHidden(text) {
  return Object.values(VALUES).every((value) => !text.includes(value))
}

async function openGround(uri, plugin, version) {
  const require = installed(version)
  const mongoose = new (require('mongoose').Mongoose)()
  const dbName = `claims_${randomBytes(4).toString('hex')}`
  const [client, connection] = [new MongoClient(uri), await mongoose.createConnection(uri, { dbName }).asPromise()]
  const raw = client.db(dbName).collection('people')
  const modelWith = async (options, unique) => {
    const schema = new mongoose.Schema({ _id: ID, plan: String, email: { type: String, unique }, name: String })
    const model = connection.model('Person', schema.plugin(...plugins[plugin](require(plugin), options)), 'people', {
      overwriteModels: true,
    })
    await model.init()
    return model
  }
  return {
    uri,
    raw,
    modelWith,
    Model: await modelWith({}, false),
    text: async () => Buffer.concat((await raw.find().toArray()).map((each) => BSON.serialize(each))).toString('latin1'),
    async close() {
      await client.db(dbName).dropDatabase()
      await connection.close()
      await client.close()
    },
  }
}
