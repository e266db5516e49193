// A process that saves a document with mongoose-encryption on Mongoose 9: claims.mjs looks at how it ends.
import { randomBytes } from 'node:crypto'

import { installed } from './contenders.mjs'

const require = installed(9)
const mongoose = require('mongoose')
const keys = { encryptionKey: randomBytes(32).toString('base64'), signingKey: randomBytes(64).toString('base64') }
const connection = await mongoose.createConnection(process.env['STRONGROOM_BENCH_URI'], { dbName: 'claims_save_on_9' }).asPromise()
const schema = new mongoose.Schema({ name: String }).plugin(require('mongoose-encryption'), { encryptedFields: ['name'], ...keys })
await connection.model('Person', schema).create({ name: 'Alice Archer' })
await connection.close()
