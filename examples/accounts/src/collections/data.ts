/** The service's data on encrypted collections. */

import type { Vault } from '@strongroom/core'
import type { MongoClient } from 'mongodb'

import { type Accounts, type Data, type Indexed, isReadable, type Tokens } from '../data.ts'
import { type Collections, collectionsOf, INDEXES } from './collections.ts'

const MEMBER = { orgId: 1, email: 1, name: 1, role: 1 } as const

export function dataOn(vault: Vault, client: MongoClient, database: string): Data {
  const collections = collectionsOf(vault, client.db(database))
  const { organisations, accounts, sessions, invitations, recoveries } = collections
  return {
    organisations: {
      async add(organisation) {
        await organisations.insertOne(organisation)
      },
      find: (_id) => organisations.findOne({ _id }),
    },
    accounts: accountsOn(collections),
    sessions: byToken(sessions),
    invitations: byToken(invitations),
    recoveries: byToken(recoveries),
    makeAccount: (invitation, account) =>
      client.withSession((session) =>
        session.withTransaction(async () => {
          const { deletedCount } = await invitations.deleteOne({ _id: invitation }, { session })
          if (deletedCount === 1) await accounts.insertOne(account, { session })
          return deletedCount === 1
        }),
      ),
    resources: Object.values(collections).map((collection) => collection.resource()),
    async makeIndexes() {
      for (const name of Object.keys(INDEXES) as Indexed[]) {
        await collections[name].createIndexes()
        await collections[name].createIndexes(INDEXES[name])
      }
    },
    indexesOf: (name) => collections[name].indexes(),
  }
}

interface Keeping<T> {
  insertOne(document: T): Promise<unknown>
  findOne(filter: { readonly _id: string }): Promise<unknown>
  deleteOne(filter: { readonly _id: string }): Promise<unknown>
}

function byToken<T>(collection: Keeping<T>): Tokens<T> {
  return {
    async add(document) {
      await collection.insertOne(document)
    },
    find: (_id) => collection.findOne({ _id }),
    async remove(_id) {
      await collection.deleteOne({ _id })
    },
  }
}

// Every search of a team is narrowed to the organisation, whose keys open no other's values.
function accountsOn({ accounts }: Collections): Accounts {
  const teamOf = (orgId: string) => accounts.for({ tenant: orgId })
  return {
    findByAddress: (email) => accounts.findOne({ email }),
    find: ({ _id, orgId }) => teamOf(orgId).findOne({ _id }),
    findMember: ({ _id, orgId }) => teamOf(orgId).findOne({ _id }, { projection: MEMBER }),
    async ids(orgId) {
      const all = await teamOf(orgId).find().project({ _id: 1 }).toArray()
      return all.map(({ _id }) => _id)
    },
    async findMembers(orgId, ids) {
      const _id = { $in: [...ids] }
      const members = await teamOf(orgId).find({ _id }).project(MEMBER).toArray()
      return members.filter(isReadable)
    },
    async change({ _id, orgId }, change) {
      await accounts.updateOne({ _id, orgId }, { $set: change })
    },
  }
}
