/** Keys held open for a handle: no longer than the cache bound, and asked for again at each use. */

import { StrongroomError } from '../errors.ts'
import type { Instant } from '../keys/key-cache.ts'
import type { KeyPath, KeysInMemory } from '../keys/keys-in-memory.ts'
import type { Gate, Labelled, OperationName, Whose } from './authorize.ts'

/** A handle should not be about to expire when it is handed out: how much of its life a cached key may have used up. */
export const HANDLE_SHARE = 0.5

/** How paths are held: the same for all that one call opens. */
export interface Holding {
  readonly inMemory: KeysInMemory
  readonly gate: Gate
  /** When the opening began. */
  readonly opened: Instant
  /** The call that makes such a handle, for the message of one that has expired. */
  readonly madeBy: string
}

export class HeldPath {
  readonly #holding: Holding
  readonly #whose: Whose
  readonly #path: KeyPath | undefined
  #disposed = false

  /** @param path - `undefined`: there is no key at that place */
  constructor(holding: Holding, whose: Whose, path: KeyPath | undefined) {
    this.#holding = holding
    this.#whose = whose
    this.#path = path
    if (path === undefined) return
    path.tenant.pin()
    for (const node of path.nodes) node.pin()
  }

  /**
   * The path, for use in the same turn.
   *
   * @throws StrongroomError `handle_expired`, and what the gate throws
   */
  use(operation: OperationName, about: Labelled): KeyPath | undefined {
    const { gate } = this.#holding
    gate.authorize(operation, this.#whose, this.#path?.tenant.node.record.region, about)
    // Behind the gate, which may have taken its time.
    const path = this.path()
    if (path !== undefined) gate.requireState(operation, path)
    return path
  }

  /** The path, for what tells nobody anything that is secret: the gate is not asked. @throws StrongroomError `handle_expired` */
  path(): KeyPath | undefined {
    const { inMemory, opened, madeBy } = this.#holding
    const path = this.#path
    if (this.#disposed || !(path === undefined ? inMemory.fresh(opened) : inMemory.usable(path))) {
      throw new StrongroomError(
        'handle_expired',
        `this handle was disposed, outlived the cache bound, or its key changed; call ${madeBy}() again`,
      )
    }
    return path
  }

  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    const path = this.#path
    if (path === undefined) return
    path.tenant.unpin()
    for (const node of path.nodes) node.unpin()
  }
}

/** The node at the end of a path. */
export function leaf(path: KeyPath): KeyPath['nodes'][number] {
  return path.nodes.at(-1) ?? path.tenant.node
}
