/** Opened keys, bounded in number and age (docs: "Loading keys, and how soon a shred is everywhere"). */

import type { Clock } from '../clock.ts'

/** When something was read, on both clocks, taken *before* the read began. */
export interface Instant {
  readonly wall: number
  readonly monotonic: number
}

/** An opened key that ages. */
export interface Aging {
  readonly loaded: Instant
  /** False once it was invalidated, evicted or wiped. */
  readonly alive: boolean
  /** Wipes the key bytes and makes `alive` false. */
  destroy(): void
}

export function instant(clock: Clock): Instant {
  return { wall: clock.now(), monotonic: clock.monotonic() }
}

/** Whether something read at an instant may still be used. A wall clock that went back says nothing good: read again. */
export function isFresh(loaded: Instant, now: Instant, maxAge: number): boolean {
  const wall = now.wall - loaded.wall
  return now.monotonic - loaded.monotonic < maxAge && wall >= 0 && wall < maxAge
}

// Expired entries leave within a quarter of their life more; they are refused at use in any case.
const SWEEPS_PER_LIFE = 4

/**
 * A least-recently-used cache whose entries also die of age, without traffic. An entry that was replaced lives on until
 * its own end, because handles may hold it.
 */
export class KeyCache<T extends Aging> {
  readonly #maxAge: number
  readonly #maxEntries: number
  readonly #clock: Clock
  readonly #current = new Map<string, T>()
  readonly #replaced = new Set<T>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: { readonly maxAge: number; readonly maxEntries: number; readonly clock: Clock }) {
    this.#maxAge = options.maxAge
    this.#maxEntries = options.maxEntries
    this.#clock = options.clock
  }

  /** The entry, if it may still be used and has not used up more than this share of its life (1: all of it). */
  get(key: string, share = 1): T | undefined {
    const entry = this.#current.get(key)
    if (entry === undefined || !this.usable(entry, instant(this.#clock), share)) return undefined
    this.#current.delete(key)
    this.#current.set(key, entry)
    return entry
  }

  usable(entry: T, now: Instant, share = 1): boolean {
    return entry.alive && isFresh(entry.loaded, now, this.#maxAge * share)
  }

  set(key: string, entry: T): void {
    const before = this.#current.get(key)
    this.#current.delete(key)
    if (before?.alive === true) this.#replaced.add(before)
    this.#current.set(key, entry)
    if (this.#current.size + this.#replaced.size > this.#maxEntries) this.#evict()
    this.#schedule()
  }

  /** Drops an entry now: its key was changed here, or a change elsewhere was heard of. */
  invalidate(key: string): void {
    this.#current.get(key)?.destroy()
    this.#current.delete(key)
    // A handle may hold what was replaced; there are few, and they cannot be told apart cheaply.
    this.#dropReplaced()
  }

  clear(): void {
    for (const entry of this.#current.values()) entry.destroy()
    this.#current.clear()
    this.#dropReplaced()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #dropReplaced(): void {
    for (const entry of this.#replaced) entry.destroy()
    this.#replaced.clear()
  }

  // What was replaced goes first: only a handle can still reach it.
  #evict(): void {
    const replaced = this.#replaced.values().next()
    if (replaced.done !== true) {
      this.#replaced.delete(replaced.value)
      replaced.value.destroy()
      return
    }
    const leastUsed = this.#current.entries().next()
    if (leastUsed.done === true) return
    this.#current.delete(leastUsed.value[0])
    leastUsed.value[1].destroy()
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#current.size + this.#replaced.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#sweep()
      this.#schedule()
    }, Math.ceil(this.#maxAge / SWEEPS_PER_LIFE))
    // A cache alone keeps no process running.
    const timer: unknown = this.#timer
    if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function') timer.unref()
  }

  #sweep(): void {
    const now = instant(this.#clock)
    for (const [key, entry] of this.#current) {
      if (this.usable(entry, now)) continue
      this.#current.delete(key)
      entry.destroy()
    }
    for (const entry of this.#replaced) {
      if (this.usable(entry, now)) continue
      this.#replaced.delete(entry)
      entry.destroy()
    }
  }
}
