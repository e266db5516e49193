/** Opened keys, bounded in number and age (docs: "Loading keys, and how soon a shred is everywhere"). */

import type { Clock } from '../clock.ts'

/** When something was read, on both clocks, taken *before* the read began. */
export interface Instant {
  readonly wall: number
  readonly monotonic: number
}

/**
 * An opened key that ages. Who uses one after an `await` pins it; else another load may evict it meanwhile. A pin does not
 * lengthen its life, and does not keep an invalidated key.
 */
export abstract class Aging {
  readonly loaded: Instant
  #alive = true
  #pins = 0
  #listeners: Set<() => void> | undefined

  constructor(loaded: Instant) {
    this.loaded = loaded
  }

  /** False once it was invalidated, has aged out or was evicted. */
  get alive(): boolean {
    return this.#alive
  }

  get pinned(): boolean {
    return this.#pins > 0
  }

  pin(): void {
    this.#pins++
  }

  unpin(): void {
    this.#pins--
  }

  /** Calls back when the key is wiped: for what was made of it. @returns what ends the listening */
  whenDestroyed(listener: () => void): () => void {
    this.#listeners ??= new Set()
    this.#listeners.add(listener)
    return () => void this.#listeners?.delete(listener)
  }

  /** Wipes the key bytes and makes `alive` false. */
  destroy(): void {
    this.#alive = false
    this.wipe()
    for (const listener of this.#listeners ?? []) listener()
    this.#listeners = undefined
  }

  protected abstract wipe(): void
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
 * A least-recently-used cache whose entries also die of age, without traffic. What was replaced or evicted is wiped once nobody
 * has it pinned, and at the end of its life in any case.
 */
export class KeyCache<T extends Aging> {
  readonly #maxAge: number
  readonly #maxEntries: number
  readonly #clock: Clock
  readonly #current = new Map<string, T>()
  readonly #leaving = new Map<T, string>()
  #sweepTimer: ReturnType<typeof setTimeout> | undefined
  #leavingSoon = false

  constructor(options: { readonly maxAge: number; readonly maxEntries: number; readonly clock: Clock }) {
    this.#maxAge = options.maxAge
    this.#maxEntries = options.maxEntries
    this.#clock = options.clock
  }

  /** The entry, if it may still be used and has not used up more than this share of its life (1: all of it). */
  get(key: string, share = 1, now: Instant = instant(this.#clock)): T | undefined {
    const entry = this.#current.get(key)
    if (entry === undefined || !this.usable(entry, now, share)) return undefined
    this.#touch(key, entry)
    return entry
  }

  // Nothing is evicted before the cache is full: in which order what was used before it was half full will go, is of no account.
  #touch(key: string, entry: T): void {
    if (this.#current.size <= this.#maxEntries / 2) return
    this.#current.delete(key)
    this.#current.set(key, entry)
  }

  usable(entry: T, now: Instant, share = 1): boolean {
    return entry.alive && isFresh(entry.loaded, now, this.#maxAge * share)
  }

  set(key: string, entry: T): void {
    this.#leave(key)
    this.#current.set(key, entry)
    const [leastUsed] = this.#current.keys()
    if (this.#current.size > this.#maxEntries && leastUsed !== undefined) this.#leave(leastUsed)
    this.#scheduleSweep()
  }

  /** Wipes an entry now: its key was changed here, or a change elsewhere was heard of. */
  invalidate(key: string): void {
    this.#current.get(key)?.destroy()
    this.#current.delete(key)
    // A handle may hold an older reading of the same key.
    this.#wipeLeaving((_, of) => of === key)
  }

  clear(): void {
    for (const entry of this.#current.values()) entry.destroy()
    this.#current.clear()
    this.#wipeLeaving(() => true)
    clearTimeout(this.#sweepTimer)
    this.#sweepTimer = undefined
  }

  // Not wiped in this turn: whoever has just been given the entry has yet to pin it.
  #leave(key: string): void {
    const entry = this.#current.get(key)
    if (entry === undefined) return
    this.#current.delete(key)
    this.#leaving.set(entry, key)
    if (this.#leavingSoon) return
    this.#leavingSoon = true
    background(() => {
      this.#leavingSoon = false
      this.#wipeLeaving((leaving) => !leaving.pinned)
    }, 0)
  }

  #wipeLeaving(which: (entry: T, key: string) => boolean): void {
    for (const [entry, key] of this.#leaving) {
      if (!which(entry, key)) continue
      this.#leaving.delete(entry)
      entry.destroy()
    }
  }

  #scheduleSweep(): void {
    if (this.#sweepTimer !== undefined || this.#current.size + this.#leaving.size === 0) return
    this.#sweepTimer = background(
      () => {
        this.#sweepTimer = undefined
        this.#sweep()
        this.#scheduleSweep()
      },
      Math.ceil(this.#maxAge / SWEEPS_PER_LIFE),
    )
  }

  #sweep(): void {
    const now = instant(this.#clock)
    for (const [key, entry] of this.#current) {
      if (this.usable(entry, now)) continue
      this.#current.delete(key)
      entry.destroy()
    }
    this.#wipeLeaving((entry) => !entry.pinned || !this.usable(entry, now))
  }
}

// A timer that keeps no process running.
function background(work: () => void, delay: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(work, delay)
  const handle: unknown = timer
  if (typeof handle === 'object' && handle !== null && 'unref' in handle && typeof handle.unref === 'function') handle.unref()
  return timer
}
