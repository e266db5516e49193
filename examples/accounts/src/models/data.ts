/** The service's data on models of Mongoose. */

import type { Vault } from '@strongroom/core'
import { encryptedCollectionOf } from '@strongroom/mongo-adapter/mongoose'
import type { MongoClient } from 'mongodb'
import { Mongoose } from 'mongoose'

import { type Accounts, type Data, type Indexed, isReadable } from '../data.ts'
import { type Models, modelsOf } from './models.ts'

const MEMBER = 'orgId email name role'
const INDEXED: readonly Indexed[] = ['accounts', 'sessions', 'invitations', 'recoveries']

/** Keys and data are reached by one client. */
export async function dataOn(vault: Vault, client: MongoClient, database: string): Promise<Data> {
  await client.connect()
  // Indexes are made by the operator.
  const mongoose = new Mongoose({ autoCreate: false, autoIndex: false })
  const connection = mongoose.createConnection().setClient(client).useDb(database)
  const models = modelsOf(vault, connection)
  const { organisations: Organisation, accounts: Account, sessions: Session, invitations: Invitation, recoveries: Recovery } = models
  return {
    organisations: {
      async add(organisation) {
        await Organisation.create(organisation)
      },
      find: (id) => Organisation.findById(id).lean(),
    },
    accounts: accountsOn(models),
    sessions: {
      async add(session) {
        await Session.create(session)
      },
      find: (id) => Session.findById(id).lean(),
      async remove(id) {
        await Session.deleteOne({ _id: id })
      },
    },
    invitations: {
      async add(invitation) {
        await Invitation.create(invitation)
      },
      find: (id) => Invitation.findById(id).lean(),
    },
    recoveries: {
      async add(recovery) {
        await Recovery.create(recovery)
      },
      find: (id) => Recovery.findById(id).lean(),
      async remove(id) {
        await Recovery.deleteOne({ _id: id })
      },
    },
    makeAccount: (invitation, account) =>
      connection.transaction(async (session) => {
        const used = await Invitation.findOneAndDelete({ _id: invitation }, { session })
        if (used !== null) await Account.create([account], { session })
        return used !== null
      }),
    resources: Object.values(models).map((model) => encryptedCollectionOf(model).resource()),
    async makeIndexes() {
      for (const name of INDEXED) await models[name].createIndexes()
    },
    indexesOf: (name) => models[name].listIndexes(),
  }
}

function accountsOn({ accounts: Account }: Models): Accounts {
  return {
    findByAddress: (email) => Account.findOne({ email }).lean(),
    find: (key) => Account.findOne(key).lean(),
    findMember: (key) => Account.findOne(key).select(MEMBER).lean(),
    async ids(orgId) {
      const all = await Account.find({ orgId }).select('_id').lean()
      return all.map(({ _id }) => _id)
    },
    async findMembers(orgId, ids) {
      const members = await Account.find({ orgId, _id: { $in: ids } })
        .select(MEMBER)
        .lean()
      return members.filter(isReadable)
    },
    async change(key, change) {
      const account = await Account.findOne(key)
      await account?.set(change).save()
    },
  }
}
