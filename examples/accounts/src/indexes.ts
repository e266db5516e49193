/** The indexes: the operator makes them, and the service, which does not work without them, looks for them. */

import { type IndexDescription, MongoServerError } from 'mongodb'

import type { Indexed } from './data.ts'
import { StartError } from './errors.ts'
import type { Store } from './store.ts'

const NAMESPACE_NOT_FOUND = 26

// By declared paths.
const NEEDED = {
  accounts: [{ key: { email: 1 }, unique: true }, { key: { orgId: 1 } }],
  sessions: [{ key: { orgId: 1, accountId: 1 } }, { key: { removeAt: 1 }, expireAfterSeconds: 0 }],
  invitations: [{ key: { orgId: 1 } }, { key: { removeAt: 1 }, expireAfterSeconds: 0 }],
  recoveries: [{ key: { orgId: 1 } }, { key: { removeAt: 1 }, expireAfterSeconds: 0 }],
} as const satisfies Readonly<Record<Indexed, readonly IndexDescription[]>>

/** @throws StartError naming the first that is missing: without the unique one an address could have two accounts */
export async function requireIndexes(store: Store): Promise<void> {
  for (const name of Object.keys(NEEDED) as Indexed[]) {
    const there = await store.indexesOf(name).catch(noneWithoutCollection)
    for (const needed of NEEDED[name]) {
      const found = there.some((index) => identity(index) === identity(needed))
      if (!found) throw new StartError(`${name} has no ${identity(needed)}: run set-up`)
    }
  }
}

function noneWithoutCollection(error: unknown): readonly IndexDescription[] {
  if (error instanceof MongoServerError && error.code === NAMESPACE_NOT_FOUND) return []
  throw error
}

function identity({ key, unique = false, expireAfterSeconds }: IndexDescription): string {
  const kind = `${unique ? 'unique ' : ''}${expireAfterSeconds === undefined ? '' : 'expiring '}index`
  return `${kind} of ${Object.keys(key).join(', ')}`
}
