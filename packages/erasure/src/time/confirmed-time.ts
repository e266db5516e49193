/**
 * The time that erasures go by. A clock that jumps forward, and the one wrong machine beside right ones, must destroy nothing: so an instant has
 * come only when whoever sweeps has said so for a quarter of the policy's `sweep`, and nobody who swept in between has said otherwise. It never
 * goes back.
 */

import { type Field, field, type StateVersion, type Vault } from '@strongroom/core'
import { z } from 'zod'

import { instant } from '../records/forms.ts'
import { isConflict, SealedEntries, unlessDamaged } from '../records/sealed-entries.ts'

/** Instants are UTC milliseconds. */
interface Sighting {
  /** Has come. */
  readonly confirmed: number
  /** What a sweep's clock has said, and none since has been behind. */
  readonly seen: number
}

const NAMESPACE = 'strongroom/erasure-time'
const SIGHTING: Field<Sighting> = field(NAMESPACE, 'sighting', z.strictObject({ confirmed: instant, seen: instant }))

/** What a sweep has to know. */
export interface ErasureTime {
  readonly confirmed: number
  /** This clock is behind what another has said by more than sweeps are apart: one of the two is wrong, and nothing is due until they agree. */
  readonly isDoubtful: boolean
  /** What had come before, where this sweep has gone on with the time. */
  readonly before?: number | undefined
  /** Where the note of the time is, when it did not open: it was begun anew. */
  readonly damaged?: string | undefined
}

export class ConfirmedTime {
  readonly #vault: Vault
  readonly #entries: SealedEntries<Sighting>
  /** Milliseconds for which an instant has to be upheld. */
  readonly #apart: number

  /** @param sweep - of the policy, milliseconds */
  constructor(vault: Vault, sweep: number) {
    this.#vault = vault
    this.#entries = new SealedEntries(vault, NAMESPACE, SIGHTING)
    this.#apart = Math.ceil(sweep / 4)
  }

  /** The last instant that is known to have come; 0 before anybody has swept. */
  async confirmed(): Promise<number> {
    return (await this.#last()).sighting?.confirmed ?? 0
  }

  /** The clock of whoever asks, but never behind what has come. */
  async now(): Promise<number> {
    return (await this.both()).now
  }

  async both(): Promise<{ readonly confirmed: number; readonly now: number }> {
    const confirmed = await this.confirmed()
    return { confirmed, now: Math.max(this.#vault.clock.now(), confirmed) }
  }

  /** Each sweep begins with it. */
  async observe(): Promise<ErasureTime> {
    for (;;) {
      const now = Math.max(0, this.#vault.clock.now())
      const { sighting: last, version } = await this.#last()
      const next = this.#next(last, now)
      const isDoubtful = last !== undefined && now + this.#apart < last.seen
      const damaged = last === undefined && version !== 'absent' ? `${NAMESPACE}/${this.#vault.id}` : undefined
      if (next !== undefined && !(await this.#put(next, version))) continue
      const { confirmed } = next ?? last ?? { confirmed: 0 }
      const before = last !== undefined && last.confirmed < confirmed ? last.confirmed : undefined
      return { confirmed, isDoubtful, before, damaged }
    }
  }

  // One that is damaged counts as none: it is written anew, and all that comes of it is that what is due waits until two sweeps agree again.
  async #last(): Promise<{ readonly sighting?: Sighting; readonly version: StateVersion | 'absent' }> {
    const entry = await this.#vault.stateStore.get(NAMESPACE, this.#vault.id)
    if (entry === undefined) return { version: 'absent' }
    const { version } = entry
    const opened = await this.#entries.open({ key: this.#vault.id, ...entry }).catch(unlessDamaged)
    return opened === undefined ? { version } : { sighting: opened.value, version }
  }

  // `undefined` where nothing changes.
  #next(last: Sighting | undefined, now: number): Sighting | undefined {
    if (last === undefined) return { confirmed: 0, seen: now }
    const { confirmed, seen } = last
    if (now < seen) return seen === confirmed ? undefined : { confirmed, seen: Math.max(now, confirmed) }
    // Never this clock's own word at once: what it says now, a later sweep has to uphold.
    return now < seen + this.#apart ? undefined : { confirmed: seen, seen: now }
  }

  async #put(next: Sighting, expected: StateVersion | 'absent'): Promise<boolean> {
    try {
      await this.#entries.put(this.#vault.id, next, expected)
      return true
    } catch (error) {
      if (!isConflict(error)) throw error
      return false
    }
  }
}
