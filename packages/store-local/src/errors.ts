/** The errors of this package: they name a folder and the code that the system gave, never what is stored. */

import { getSystemErrorName } from 'node:util'

import { StrongroomError } from '@strongroom/core'

/** Which of the two stores. */
export type StoreName = 'keys' | 'state'

const CODES = { keys: 'key_store_unavailable', state: 'state_store_unavailable' } as const

/** An error of the machine, not of the caller; `what` says what could not be done, and names the folder. */
export function storeUnavailable(store: StoreName, what: string, cause: unknown): StrongroomError {
  const code = systemCode(cause)
  return new StrongroomError(CODES[store], code === undefined ? what : `${what} (${code})`, { cause })
}

/** The name that the system or LMDB has for what went wrong (`EACCES`, `ENOSPC`, `MDB_CORRUPTED` …), if it is theirs. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  const { code, message } = error
  if (typeof code === 'string') return /^E[A-Z0-9]+$/.test(code) ? code : undefined
  if (typeof code !== 'number') return undefined
  // lmdb-js gives numbers: LMDB's own are negative and begin its message, the others are the system's.
  return code < 0 ? /^MDB_[A-Z_]+/.exec(message)?.[0] : getSystemErrorName(-code)
}
