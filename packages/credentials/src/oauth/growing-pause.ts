/** How long nobody asks after failures in a row: longer each time, and not the same for everyone. */

import { randomBytes } from '@strongroom/core'

/**
 * @param failures - in a row, from 1
 * @param first - milliseconds after the first, doubled each time
 * @param most - milliseconds at most
 * @returns between half of it and all of it: those who failed together do not come back together
 */
export function growingPause(failures: number, first: number, most: number): number {
  const whole = Math.min(most, first * 2 ** Math.min(failures - 1, 30))
  const [high = 0, low = 0] = randomBytes(2)
  return Math.round((whole / 2) * (1 + (high * 256 + low) / 65_535))
}
