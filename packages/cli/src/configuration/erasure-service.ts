/** What the commands need of what `createErasure` returns: its shape, since not every vault has that package. */

import type { ClosureBlocker, Item, ReasonName, Subject, Sweepable, Tenant } from '@strongroom/core'

/** The erasures of a vault: `createErasure(vault, …)` of `@strongroom/erasure`. */
export interface ErasureService extends Sweepable {
  request(place: Tenant | Subject | Item, options: { readonly reason: ReasonName; readonly grace?: number }): Promise<RequestedErasure>
  list(): AsyncIterable<ListedErasure>
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
