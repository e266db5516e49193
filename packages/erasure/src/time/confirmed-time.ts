/**
 * The time that erasures go by. A clock that jumps forward, and the one wrong machine beside right ones, must destroy nothing: so an instant has
 * come only when whoever sweeps has said so for a quarter of the policy's `sweep`, and nobody who swept in between has said otherwise. It never
 * goes back.
 */

import { type Field, field, type Vault } from '@strongroom/core'
import { z } from 'zod'

import { instant } from '../records/forms.ts'
import { isConflict, type SealedEntry, SealedEntries } from '../records/sealed-entries.ts'

/** Instants are UTC milliseconds. */
interface Sighting {
  /** Has come. */
  readonly confirmed: number
  /** What a sweep's clock has said, and none since has been behind. */
  readonly seen: number
}

const SIGHTING: Field<Sighting> = field('strongroom/erasure-time', 'sighting', z.strictObject({ confirmed: instant, seen: instant }))

/** What a sweep has to know. */
export interface ErasureTime {
  readonly confirmed: number
  /** This clock is behind what another has said by more than sweeps are apart: one of the two is wrong, and nothing is due until they agree. */
  readonly isDoubtful: boolean
}

export class ConfirmedTime {
  readonly #vault: Vault
  readonly #entries: SealedEntries<Sighting>
  /** Milliseconds for which an instant has to be upheld. */
  readonly #apart: number

  /** @param sweep - of the policy, milliseconds */
  constructor(vault: Vault, sweep: number) {
    this.#vault = vault
    this.#entries = new SealedEntries(vault, 'strongroom/erasure-time', SIGHTING)
    this.#apart = Math.ceil(sweep / 4)
  }

  /** The last instant that is known to have come; 0 before anybody has swept. */
  async confirmed(): Promise<number> {
    return (await this.#entries.get(this.#vault.id))?.value.confirmed ?? 0
  }

  /** The clock of whoever asks, but never behind what has come. */
  async now(): Promise<number> {
    return Math.max(this.#vault.clock.now(), await this.confirmed())
  }

  /** Each sweep begins with it. */
  async observe(): Promise<ErasureTime> {
    for (;;) {
      const now = Math.max(0, this.#vault.clock.now())
      const last = await this.#entries.get(this.#vault.id)
      const next = this.#next(last?.value, now)
      const isDoubtful = last !== undefined && now + this.#apart < last.value.seen
      if (next === undefined || (await this.#put(next, last))) return { confirmed: (next ?? last?.value)?.confirmed ?? 0, isDoubtful }
    }
  }

  // `undefined` where nothing changes.
  #next(last: Sighting | undefined, now: number): Sighting | undefined {
    if (last === undefined) return { confirmed: 0, seen: now }
    const { confirmed, seen } = last
    if (now < seen) return seen === confirmed ? undefined : { confirmed, seen: Math.max(now, confirmed) }
    // Never this clock's own word at once: what it says now, a later sweep has to uphold.
    return now < seen + this.#apart ? undefined : { confirmed: seen, seen: now }
  }

  async #put(next: Sighting, last: SealedEntry<Sighting> | undefined): Promise<boolean> {
    try {
      await this.#entries.put(this.#vault.id, next, last?.version ?? 'absent')
      return true
    } catch (error) {
      if (!isConflict(error)) throw error
      return false
    }
  }
}
