/** Keys whose bytes leave core, for constructions that it does not have: for as long as a lease lives, and in a callback only. */

import { wipe } from '../crypto/hash.ts'
import { hasCode, invalidArgument } from '../errors.ts'
import { utf8 } from '../format/bytes.ts'
import type { RawKeyUse } from '../format/derivations.ts'
import type { KeyPath } from '../keys/keys-in-memory.ts'
import { stateError } from '../keys/seal-value.ts'
import type { Labelled, OperationName } from './authorize.ts'
import { HANDLE_SHARE, HeldPath, type Holding, leaf } from './held-path.ts'
import type { Place } from './place.ts'

/**
 * What is made of a key's bytes. Whoever implements it holds a key outside core: nothing of it may outlive `end`, and no error or log may
 * show it.
 */
export interface RawKeyHandling<T> {
  /** @param key - 32 bytes, wiped once this returns: make of them what is needed, and keep no view of them */
  readonly make: (key: Uint8Array) => T
  /** Destroys what `make` has made, and does not throw. Called once: when the lease is disposed of, or its key is wiped, evicted or too old. */
  readonly end: (made: T) => void
}

/** What was made of a key, for at most the cache bound. */
export interface RawKeyLease<T> {
  /**
   * What `make` has made, for use in this turn.
   *
   * @throws StrongroomError `handle_expired`, `suspended`, `denied`, `vault_closed`; of a period's key also `period_over`
   */
  use(): T
  /** Ends what was made. Every `use` after this throws `handle_expired`. */
  dispose(): void
  [Symbol.dispose](): void
}

/** Which key, and for what operation. */
export interface RawKeyAsked {
  readonly use: RawKeyUse
  /** What passes the gate when the key is opened, and again at each use. */
  readonly open: OperationName
  readonly value: OperationName
  readonly about: Labelled
  readonly mint: boolean
  /** The call that makes the lease, for the message of one that has expired. */
  readonly madeBy: string
}

const MOST_NAME_BYTES = 64

/** The bytes of what a key is for. @throws StrongroomError `invalid_argument` */
export function rawKeyName(name: unknown): Uint8Array {
  const bytes = typeof name === 'string' && name.length <= MOST_NAME_BYTES ? utf8(name, 'name') : undefined
  if (bytes === undefined || bytes.length === 0 || bytes.length > MOST_NAME_BYTES)
    throw invalidArgument('name', `must be a string of 1 to ${MOST_NAME_BYTES} bytes`)
  return bytes
}

/**
 * Uses the key of a place once, behind the gate.
 *
 * @param work - gets 32 bytes, wiped once it returns
 * @returns `undefined` where there is no key and none is to be made
 */
export function useRawKey<T>(
  place: Place,
  {
    use,
    operation,
    about,
    mint,
  }: { readonly use: RawKeyUse; readonly operation: OperationName; readonly about: Labelled; readonly mint: boolean },
  work: (key: Uint8Array) => T,
): Promise<{ readonly made: T } | undefined> {
  return place.use({ operation, about, mint }, (path) => (path === undefined ? undefined : { made: withBytes(path, use, work) }))
}

/** Opens the key of a place, behind the gate. @returns `undefined` where there is none and none is to be made */
export function openRawKey<T>(place: Place, asked: RawKeyAsked, handling: RawKeyHandling<T>): Promise<RawKeyLease<T> | undefined> {
  const { gate, whose, keys } = place
  const { inMemory } = keys.tree
  const { open: operation, about, mint, madeBy } = asked
  const holding: Holding = { inMemory, gate, opened: inMemory.now(), madeBy }
  return place.use({ operation, about, mint, share: HANDLE_SHARE }, (path) =>
    path === undefined ? undefined : new Lease(new HeldPath(holding, whose, path), path, asked, handling),
  )
}

class Lease<T> implements RawKeyLease<T> {
  readonly #held: HeldPath
  readonly #asked: RawKeyAsked
  readonly #handling: RawKeyHandling<T>
  readonly #unlisten: readonly (() => void)[]
  #made: { readonly value: T } | undefined

  constructor(held: HeldPath, path: KeyPath, asked: RawKeyAsked, handling: RawKeyHandling<T>) {
    this.#held = held
    this.#asked = asked
    this.#handling = handling
    const ended = (): void => this.dispose()
    this.#unlisten = [path.tenant, ...path.nodes].map((key) => key.whenDestroyed(ended))
    try {
      this.#made = { value: withBytes(path, asked.use, handling.make) }
    } catch (error) {
      this.dispose()
      throw error
    }
  }

  use(): T {
    const { value, about } = this.#asked
    try {
      this.#held.use(value, about)
    } catch (error) {
      if (!hasCode(error, 'denied')) this.dispose()
      throw error
    }
    // What is held was made.
    return (this.#made as { readonly value: T }).value
  }

  dispose(): void {
    this.#held.dispose()
    for (const unlisten of this.#unlisten) unlisten()
    const made = this.#made
    this.#made = undefined
    if (made !== undefined) this.#handling.end(made.value)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

function withBytes<T>(path: KeyPath, use: RawKeyUse, work: (key: Uint8Array) => T): T {
  const { active, state } = leaf(path)
  if (active === undefined) throw stateError(state)
  const key = active.serviceKey(use)
  try {
    return work(key)
  } finally {
    wipe(key)
  }
}
