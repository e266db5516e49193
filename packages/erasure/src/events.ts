/** What happens to erasures, for logs, metrics and mail. Names nobody: who asked keeps the id. */

/** Which erasure an event is about. */
export interface EventErasure {
  readonly id: string
}

export type ErasureEvent =
  | ({ readonly type: 'suspended' | 'cancelled' | 'shredded' | 'erased' | 'closed' } & EventErasure)
  /** The place is in use again under a new key, and the record older than that: nothing was destroyed. */
  | ({ readonly type: 'superseded' } & EventErasure)
  /** The record of an earlier request did not open: this one has taken its place. */
  | ({ readonly type: 'replaced' } & EventErasure)
  /** `about`: `keys`, or a resource's name. It is tried again. */
  | ({ readonly type: 'failed'; readonly about: string; readonly code: string; readonly remaining?: number | undefined } & EventErasure)
  | { readonly type: 'held' | 'released' | 'discarded'; readonly references: readonly string[] }

/** Called behind what it tells of. What it throws is dropped: nothing that has happened is undone by it. */
export type OnEvent = (event: ErasureEvent) => void
