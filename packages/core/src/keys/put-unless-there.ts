/** Writes of which only the first counts. */

import { hasCode } from '../errors.ts'
import type { KeyStoreRecord } from '../format/records.ts'
import type { KeyContext } from './key-context.ts'

/** Stores a record where there is none yet. @returns whether it did; what is there already stays */
export async function putUnlessThere(context: Pick<KeyContext, 'keyStore'>, record: KeyStoreRecord): Promise<boolean> {
  try {
    await context.keyStore.put(record)
    return true
  } catch (error) {
    if (hasCode(error, 'conflict')) return false
    throw error
  }
}
