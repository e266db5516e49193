/** Leases of keys that end before they are used: by their age, or because a process stood still, or keys have changed. */

import { StrongroomError } from '@strongroom/core'

/** How often one is taken anew: so many that end at once mean that the vault can keep none. */
export const MOST_TRIES = 5

export function isExpired(error: unknown): boolean {
  return error instanceof StrongroomError && error.code === 'handle_expired'
}
