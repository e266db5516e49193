/** What is due of one vault: each by itself, so that one that is damaged keeps no other from being ended. */

import { type DueEntry, dueEntries, type StateStore } from '@strongroom/core'

export interface DueRecord<T> {
  readonly key: string
  /** `undefined`: not of a form that was written here. */
  readonly record: T | undefined
}

/** Which entries. */
export interface Due {
  readonly namespace: string
  readonly vaultId: string
  /** UTC milliseconds. */
  readonly before: number
  /** So many that are whole; how many others stand before them is of no account. */
  readonly limit: number
}

/**
 * Reads by pages, oldest first.
 *
 * @param decode - throws for what is damaged
 */
export async function dueRecords<T>(
  store: StateStore,
  { namespace, vaultId, before, limit }: Due,
  decode: (entry: DueEntry) => T,
): Promise<readonly DueRecord<T>[]> {
  const found: DueRecord<T>[] = []
  let whole = 0
  for await (const entry of dueEntries(store, namespace, { vaultId, before, limit })) {
    const record = decoded(entry, decode)
    if (record !== undefined) whole++
    found.push({ key: entry.key, record })
    if (whole === limit) break
  }
  return found
}

function decoded<T>(entry: DueEntry, decode: (entry: DueEntry) => T): T | undefined {
  try {
    return decode(entry)
  } catch {
    return undefined
  }
}
