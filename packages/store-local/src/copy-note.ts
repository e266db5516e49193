/** What tells a copy from a store in use: a small file that `backupLocalStore` leaves in it, and that no store in use has. */

import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { invalidArgument } from '@strongroom/core'

import { type StoreName, systemCode } from './errors.ts'

const NAME = 'copy.json'

/** Written last: where it is, the copy is whole. */
export function writeCopyNote(folder: string, store: StoreName, startedAt: number): void {
  writeFileSync(join(folder, NAME), `${JSON.stringify({ store, startedAt })}\n`, { mode: 0o600, flag: 'wx', flush: true })
}

/** When the copying began, in UTC milliseconds; `undefined` where the folder is no copy of that store. Throws what the system throws if that cannot be known. */
export function readCopyNote(folder: string, of: StoreName): number | undefined {
  const text = readNote(folder)
  if (text === undefined) return undefined
  try {
    const { store, startedAt } = JSON.parse(text) as { readonly store?: unknown; readonly startedAt?: unknown }
    return store === of && typeof startedAt === 'number' && Number.isSafeInteger(startedAt) && startedAt > 0 ? startedAt : undefined
  } catch {
    return undefined
  }
}

function readNote(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, NAME), 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}

/**
 * A copy that was opened for use would no longer be one, and a store in use that has the note would vouch for itself when an epoch is closed. So
 * it is for a person to take the note away.
 *
 * @throws StrongroomError `invalid_argument`
 */
export function refuseCopy(folder: string): void {
  if (statSync(join(folder, NAME), { throwIfNoEntry: false }) === undefined) return
  const store = basename(folder)
  throw invalidArgument(
    'directory',
    `must be that of stores in use, and its ${store}/ is a copy that backupLocalStore has made: to put that in use, remove ${store}/${NAME}`,
  )
}
