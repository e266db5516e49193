// Letters of people who have many, on a vault whose stores are on a server: for tests of several processes that work on one person's.
import { openVault } from '@strongroom/core'
import { encrypted, encryptedCollection } from '@strongroom/mongo-adapter'
import { z } from 'zod'

import { vaultOptions } from './accounts.mjs'

export const Letter = z.object({
  _id: z.number(),
  orgId: z.string(),
  who: z.string(),
  title: encrypted(z.string(), { index: { scope: 'tenant' } }),
  text: encrypted(z.string()).optional(),
  pages: z.array(encrypted(z.string(), { index: { scope: 'tenant' } })),
})

/** @param overhear - is given the client before it connects */
export async function openLetters(where, overhear = () => undefined) {
  const { client, ...options } = await vaultOptions(where)
  overhear(client)
  const vault = await openVault(options)
  const stored = client.db(where.database).collection('letters')
  const letters = encryptedCollection(vault, stored, { schema: Letter, tenant: 'orgId', subject: 'who' })
  return { vault, stored, client, letters }
}
