/** Of a mode without a key: it ends as those that have one do, so that no log goes on longer for being cut off only. */

import type { RawPeriodKeys } from '@strongroom/core'

import { destroyed } from '../modes/aes.ts'
import type { AddressMode } from '../modes/mode.ts'
import type { ModeLease } from './pseudonym-keys.ts'

export class KeylessLease implements ModeLease {
  readonly #mode: AddressMode
  readonly #series: Pick<RawPeriodKeys, 'keptSpanOf'>
  readonly #at: number
  #disposed = false

  /** @param at - an instant of its period */
  constructor(mode: AddressMode, series: Pick<RawPeriodKeys, 'keptSpanOf'>, at: number) {
    this.#mode = mode
    this.#series = series
    this.#at = at
  }

  use(): AddressMode {
    if (this.#disposed) throw destroyed()
    this.#series.keptSpanOf(this.#at)
    return this.#mode
  }

  dispose(): void {
    this.#disposed = true
  }
}
