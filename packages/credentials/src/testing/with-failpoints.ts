/** For tests of this package: the places at which a process can be killed. */

import { AT_FAILPOINT, type AtFailpoint } from '../failpoints.ts'
import type { CredentialsOptions } from '../options.ts'

/**
 * The same options, with a function that is called at every failpoint, and waited for.
 *
 * @example
 * ```ts
 * import { type Vault } from '@strongroom/core'
 * import { createCredentials, type CredentialsOptions } from '@strongroom/credentials'
 * import { withFailpoints } from '@strongroom/credentials/testing'
 *
 * function dyingBehindTheAnswer(vault: Vault, options: CredentialsOptions) {
 *   return createCredentials(vault, withFailpoints(options, (name) => void (name === 'refresh.answered' && process.kill(process.pid, 'SIGKILL'))))
 * }
 * ```
 */
export function withFailpoints(options: CredentialsOptions, reached: AtFailpoint): CredentialsOptions {
  return { ...options, [AT_FAILPOINT]: reached } as CredentialsOptions
}
