/** Stopping, killing or looking at a process at a named place of a protocol. */

import { AT_FAILPOINT, type AtFailpoint } from '../keys/failpoints.ts'
import type { VaultOptions } from '../vault/options.ts'

export { FAILPOINTS, type AtFailpoint, type Failpoint } from '../keys/failpoints.ts'

/**
 * The same options, with a function that a vault opened with them calls at every failpoint, and waits for.
 *
 * @example
 * ```ts
 * import { openVault, type VaultOptions } from '@strongroom/core'
 * import { withFailpoints } from '@strongroom/core/testing'
 *
 * const openDoomed = (options: VaultOptions) =>
 *   openVault(withFailpoints(options, (name) => void (name === 'shred.entered' && process.kill(process.pid, 'SIGKILL'))))
 * ```
 */
export function withFailpoints(options: VaultOptions, reached: AtFailpoint): VaultOptions {
  return { ...options, [AT_FAILPOINT]: reached } as VaultOptions
}
