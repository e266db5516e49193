/** Random bytes from the backend's CSPRNG. */

import { backend } from '#backend'

import { type Clock, systemClock } from '../clock.ts'
import { invalidArgument } from '../errors.ts'

const BLOCK = 4096
// A block is used for this long by the wall clock. A machine that was copied or put to sleep wakes up later, or elsewhere in time.
const MOST_AGE_MS = 1000

/**
 * Fresh random bytes of the platform's CSPRNG, drawn for this call. For keys and ids.
 *
 * @param length - in bytes
 * @example
 * ```ts
 * import { randomBytes } from '@strongroom/core'
 *
 * const key = randomBytes(32)
 * ```
 */
export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  backend.randomFill(bytes)
  return bytes
}

/**
 * Random bytes drawn in blocks, for nonces. No byte is given out twice: the pointer moves before the bytes are used, given
 * bytes are wiped, and the block is dropped after a second, when the clock jumps and in another process: this memory may have been
 * copied (fork, snapshot of a machine). Two copies of a machine that go on within the same second are not told apart.
 */
export class RandomPool {
  readonly #block = new Uint8Array(BLOCK)
  readonly #clock: Pick<Clock, 'now'>
  readonly #processId: () => number
  #next = BLOCK
  #drawn = 0
  #pid = 0

  constructor(clock: Pick<Clock, 'now'> = systemClock, processId: () => number = currentProcess) {
    this.#clock = clock
    this.#processId = processId
  }

  /** Writes `length` random bytes (at most 4,096) into `out` at `offset`. */
  fill(out: Uint8Array, offset: number, length: number): void {
    if (length > BLOCK) throw invalidArgument('length', `must be at most ${BLOCK}`)
    const age = this.#clock.now() - this.#drawn
    if (this.#next + length > BLOCK || age < 0 || age >= MOST_AGE_MS || this.#pid !== this.#processId()) {
      backend.randomFill(this.#block)
      this.#next = 0
      this.#drawn = this.#clock.now()
      this.#pid = this.#processId()
    }
    const start = this.#next
    this.#next = start + length
    for (let i = 0; i < length; i++) out[offset + i] = this.#block[start + i] as number
    this.#block.fill(0, start, start + length)
  }
}

function currentProcess(): number {
  return typeof process === 'object' ? process.pid : 0
}
