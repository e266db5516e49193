/** What the commands need of what `createErasure` returns: its shape, since not every vault has that package. */

import type { ClosureBlocker, Item, ReasonName, Subject, Sweepable, Tenant } from '@strongroom/core'

/** The erasures of a vault: `createErasure(vault, …)` of `@strongroom/erasure`. */
export interface ErasureService extends Sweepable {
  request(place: Tenant | Subject | Item, options: { readonly reason: ReasonName; readonly grace?: number }): Promise<RequestedErasure>
  get(id: string): Promise<(RequestedErasure & { cancel(): Promise<void> }) | undefined>
  list(): AsyncIterable<ListedErasure>
  discardDamaged(id: string): Promise<void>
  hold(place: Tenant | Subject | Item, options: { readonly reason: string }): Promise<PutHold>
  release(held: Tenant | Subject | Item | Pick<ListedHold, 'references'>, options: { readonly reason: string }): Promise<void>
  holds(): AsyncIterable<ListedHold>
  certificate(id: string): Promise<string | undefined>
  replay(options: { readonly signal: AbortSignal }): Promise<ReplayedErasures>
}

/** A request, as the commands show it. */
export interface RequestedErasure {
  readonly id: string
  readonly state: string
  /** UTC milliseconds; `undefined` once it is closed. */
  readonly due: number | undefined
}

/** One that has not come to its end, as the commands show it. Instants are UTC milliseconds. */
export interface ListedErasure extends RequestedErasure {
  readonly names?:
    | {
        readonly tenant: string
        readonly subject?: string | undefined
        readonly item?: string | undefined
        readonly self?: true | undefined
      }
    | undefined
  readonly region: string
  readonly reason: ReasonName
  readonly requested: number
  readonly waitsFor: string
  readonly until?: number | undefined
  readonly blockedBy: readonly ClosureBlocker[]
  readonly failure?: { readonly code: string; readonly since: number } | undefined
  readonly resources: readonly {
    readonly name: string
    readonly failure?: { readonly code: string; readonly since: number; readonly remaining?: number | undefined } | undefined
  }[]
}

/** What a hold has met: ids of requests, and of records that do not open. */
export interface PutHold {
  readonly mayBeTooLate: readonly string[]
  readonly unreadable: readonly string[]
}

/** A hold, as the commands show it. Instants are UTC milliseconds. */
export interface ListedHold {
  /** From the tenant's down. */
  readonly references: readonly string[]
  readonly reason: string
  readonly since: number
  readonly released?: { readonly at: number; readonly reason: string } | undefined
}

/** What was removed again after a restore, as the commands show it. */
export interface ReplayedErasures {
  readonly resources: readonly {
    readonly name: string
    readonly looked: number
    readonly removed: number
    readonly suspended: number
    readonly retired: number
    readonly failure?: string | undefined
  }[]
  readonly withoutReplay: readonly string[]
}
