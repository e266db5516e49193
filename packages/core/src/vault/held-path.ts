/** Keys held open for a handle: no longer than the cache bound, and asked for again at each use. */

import { StrongroomError } from '../errors.ts'
import type { Instant } from '../keys/key-cache.ts'
import type { KeyPath, KeysInMemory } from '../keys/keys-in-memory.ts'
import type { Gate, Labelled, OperationName, Whose } from './authorize.ts'

/** A handle should not be about to expire when it is handed out: how much of its life a cached key may have used up. */
export const HANDLE_SHARE = 0.5

export interface HeldPathOptions {
  readonly inMemory: KeysInMemory
  readonly gate: Gate
  readonly whose: Whose
  /** `undefined`: there is no key at that place. */
  readonly path: KeyPath | undefined
  /** When the opening of the path began. */
  readonly opened: Instant
  /** The call that makes such a handle, for the message of one that has expired. */
  readonly madeBy: string
}

export class HeldPath {
  readonly #options: HeldPathOptions
  #disposed = false

  constructor(options: HeldPathOptions) {
    this.#options = options
    const { path } = options
    path?.tenant.pin()
    for (const node of path?.nodes ?? []) node.pin()
  }

  /**
   * The path, for use in the same turn.
   *
   * @throws StrongroomError `handle_expired`, and what the gate throws
   */
  use(operation: OperationName, about: Labelled): KeyPath | undefined {
    const { inMemory, gate, whose, path, opened, madeBy } = this.#options
    gate.authorize(operation, whose, path?.tenant.node.record.region, about)
    // Behind the gate, which may have taken its time.
    if (this.#disposed || !(path === undefined ? inMemory.fresh(opened) : inMemory.usable(path))) {
      throw new StrongroomError(
        'handle_expired',
        `this handle was disposed, outlived the cache bound, or its key changed; call ${madeBy}() again`,
      )
    }
    if (path !== undefined) gate.requireState(operation, path)
    return path
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    const { path } = this.#options
    path?.tenant.unpin()
    for (const node of path?.nodes ?? []) node.unpin()
  }
}

/** The node at the end of a path. */
export function leaf(path: KeyPath): KeyPath['nodes'][number] {
  return path.nodes.at(-1) ?? path.tenant.node
}
