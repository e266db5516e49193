/** What stands where a value was whose key is destroyed. */

import { invalidArgument } from '@strongroom/core'

/**
 * Stands for a value that cannot be read any more, because its key was shredded. It cannot be written back, and nothing is found by it.
 *
 * @example
 * ```ts
 * import { SHREDDED } from '@strongroom/mongo-adapter'
 *
 * const shown = (name: unknown): string => (name === SHREDDED ? 'deleted user' : String(name))
 * ```
 */
export class ShreddedMark {
  /** @internal */
  constructor() {
    Object.freeze(this)
  }

  toString(): string {
    return '[shredded]'
  }

  toJSON(): string {
    return '[shredded]'
  }

  /** @throws StrongroomError `invalid_argument`, always */
  toBSON(): never {
    throw invalidArgument('document', 'must not hold the mark of a shredded value: leave its path out')
  }
}

/** The one {@link ShreddedMark}. */
export const SHREDDED: ShreddedMark = new ShreddedMark()
