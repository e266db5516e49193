/** The errors of this package. None holds a path, a key or a passphrase. */

import { StrongroomError } from '@strongroom/core'

const SYSTEM_CODE = /^E[A-Z0-9]+$/

/** A `root_key_file_invalid` error; `what` continues "the root key file …". */
export function fileInvalid(what: string, cause?: unknown): StrongroomError {
  return new StrongroomError('root_key_file_invalid', `the root key file ${what}`, { cause })
}

/** A `key_provider_unavailable` error: the machine, not the file, is at fault. */
export function unavailable(what: string, cause?: unknown): StrongroomError {
  return new StrongroomError('key_provider_unavailable', what, { cause })
}

/** The `code` of a Node.js system error (`ENOENT` …), if it is one. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && SYSTEM_CODE.test(error.code)
    ? error.code
    : undefined
}
