// Documents of several people in two tenants that many processes write to by what is in them: each has a code that is unique, and nothing else that finds it.
import { openVault } from '@strongroom/core'
import { encrypted, encryptedCollection } from '@strongroom/mongo-adapter'
import { MongoClient } from 'mongodb'
import { z } from 'zod'

import { vaultOptions } from './accounts.mjs'

export const COUNT = 20
export const SET_VALUES = ['red', 'green', 'blue']

const Shared = z.object({
  _id: z.string(),
  orgId: z.string(),
  owner: z.string(),
  group: z.number(),
  code: encrypted(z.string(), { index: { scope: 'application', unique: true } }),
  tokens: z.array(encrypted(z.string(), { index: { scope: 'application' } })).optional(),
  pushes: z.number().optional(),
  flip: z.number().optional(),
  turn: z.number(),
  register: encrypted(z.string()),
  set: z.array(encrypted(z.string(), { index: { scope: 'tenant' } })).optional(),
})

/** Where the document with a number is, and whose. */
export const placeOf = (i) => ({ _id: `d${i}`, orgId: ['acme', 'rival'][i % 2], owner: `p${i % 5}` })
export const codeOf = (i) => `code-${i}`
export const first = 'nobody'

export async function openShared(where) {
  const { close, client: _, ...options } = await vaultOptions(where)
  // Of its own, so that what is asked of it is about documents alone.
  const client = await new MongoClient(where.uri, { monitorCommands: true }).connect()
  const closeAll = async () => {
    await client.close()
    await close()
  }
  const vault = await openVault({ ...options, close: closeAll })
  const stored = client.db(where.database).collection('shared')
  const shared = encryptedCollection(vault, stored, { schema: Shared, tenant: 'orgId', subject: 'owner' })
  return { vault, client, shared }
}
