/** What tells a copy from a store in use: a small file that `backupLocalStore` leaves in it, and that no store in use has. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NAME = 'copy.json'

/** Which of the two stores a copy is of. */
export type CopiedStore = 'keys' | 'state'

/** Written last: where it is, the copy is whole. */
export function writeCopyNote(folder: string, store: CopiedStore, startedAt: number): void {
  writeFileSync(join(folder, NAME), `${JSON.stringify({ store, startedAt })}\n`, { mode: 0o600, flag: 'wx', flush: true })
}

/** When the copying began, in UTC milliseconds; `undefined` where the folder is no copy of that store. */
export function readCopyNote(folder: string, of: CopiedStore): number | undefined {
  try {
    const { store, startedAt } = JSON.parse(readFileSync(join(folder, NAME), 'utf8')) as {
      readonly store?: unknown
      readonly startedAt?: unknown
    }
    return store === of && typeof startedAt === 'number' && Number.isSafeInteger(startedAt) && startedAt > 0 ? startedAt : undefined
  } catch {
    return undefined
  }
}

/** A copy that is put in place and opened is a store in use from then on. */
export function removeCopyNote(folder: string): void {
  rmSync(join(folder, NAME), { force: true })
}
