/** The indexes: made by the operator, and looked for by the service, which does not work without them. */

import { type IndexDescription, MongoServerError } from 'mongodb'

import { StartError } from './errors.ts'
import type { Store } from './store.ts'

const NAMESPACE_NOT_FOUND = 26

const OF_PLAIN_PATHS = {
  accounts: [{ key: { orgId: 1 } }],
  sessions: [{ key: { orgId: 1, accountId: 1 } }, { key: { removeAt: 1 }, expireAfterSeconds: 0 }],
  invitations: [{ key: { orgId: 1 } }, { key: { removeAt: 1 }, expireAfterSeconds: 0 }],
  recoveries: [{ key: { orgId: 1 } }, { key: { removeAt: 1 }, expireAfterSeconds: 0 }],
} as const satisfies Readonly<Record<string, readonly IndexDescription[]>>

type Indexed = keyof typeof OF_PLAIN_PATHS
const INDEXED = Object.keys(OF_PLAIN_PATHS) as Indexed[]

// As the collection shows them, by declared paths.
const NEEDED: Readonly<Record<Indexed, readonly IndexDescription[]>> = {
  ...OF_PLAIN_PATHS,
  accounts: [{ key: { email: 1 }, unique: true }, ...OF_PLAIN_PATHS.accounts],
}

/** Keeps those that are there. */
export async function makeIndexes(store: Store): Promise<void> {
  for (const name of INDEXED) {
    await store[name].createIndexes()
    await store[name].createIndexes(OF_PLAIN_PATHS[name])
  }
}

/** @throws StartError naming the first that is missing: without the unique one an address could have two accounts */
export async function requireIndexes(store: Store): Promise<void> {
  for (const name of INDEXED) {
    const there = await store[name].indexes().catch(noneWithoutCollection)
    for (const needed of NEEDED[name]) {
      const found = there.some((index) => identity(index) === identity(needed))
      if (!found) throw new StartError(`${name} has no ${identity(needed)}: run set-up`)
    }
  }
}

function noneWithoutCollection(error: unknown): IndexDescription[] {
  if (error instanceof MongoServerError && error.code === NAMESPACE_NOT_FOUND) return []
  throw error
}

function identity({ key, unique = false, expireAfterSeconds }: IndexDescription): string {
  const kind = `${unique ? 'unique ' : ''}${expireAfterSeconds === undefined ? '' : 'expiring '}index`
  return `${kind} of ${Object.keys(key).join(', ')}`
}
