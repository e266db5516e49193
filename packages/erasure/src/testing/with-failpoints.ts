/** For tests of this package: the places at which a process can be killed. */

import { AT_FAILPOINT, type AtFailpoint } from '../failpoints.ts'
import type { ErasureOptions } from '../options.ts'

/**
 * The same options, with a function that is called at every failpoint, and waited for.
 *
 * @example
 * ```ts
 * import { type Vault } from '@strongroom/core'
 * import { createErasure, type ErasureOptions } from '@strongroom/erasure'
 * import { withFailpoints } from '@strongroom/erasure/testing'
 *
 * function dyingBehindTheShred(vault: Vault, options: ErasureOptions) {
 *   return createErasure(vault, withFailpoints(options, (name) => void (name === 'shred.done' && process.kill(process.pid, 'SIGKILL'))))
 * }
 * ```
 */
export function withFailpoints(options: ErasureOptions, reached: AtFailpoint): ErasureOptions {
  return { ...options, [AT_FAILPOINT]: reached } as ErasureOptions
}
