/** Erasures of a vault: from a request to the certificate that it is done. */

import {
  invalidArgument,
  readOptions,
  type ResourceOptions,
  type Sweepable,
  type SweepOptions,
  type SweepReport,
  type Vault,
} from '@strongroom/core'

import type { ErasureEvent } from './events.ts'
import { type Hold, Holds } from './holds/holds.ts'
import { list, type PendingErasure } from './list.ts'
import { checkErasureOptions, type ErasureOptions } from './options.ts'
import type { ErasureParts } from './parts.ts'
import { type Erasable, VaultPlace } from './places/place.ts'
import { EndedErasures } from './records/ended-erasures.ts'
import { readId } from './records/keys.ts'
import { OpenErasures } from './records/open-erasures.ts'
import { type ReplayReport, replayErasures } from './replay/replay.ts'
import { discardDamaged } from './requests/discard.ts'
import { type ErasureRequest, readRequest, requestOf } from './requests/handle.ts'
import { request, type RequestOptions } from './requests/request.ts'
import { sweep } from './sweep/sweep.ts'
import { ConfirmedTime } from './time/confirmed-time.ts'
import { hold, type HoldOptions, type HoldResult, release } from './holds/hold.ts'

/** The erasures of a vault. One for each process. */
export interface Erasure extends Sweepable {
  /**
   * Asks that a tenant, a person, what is the tenant's own, or an item goes. It is durable, and nothing of the place encrypts or decrypts any more
   * within the cache bound, when this resolves; with `grace: 0` its keys are destroyed as well. The rest `sweep` does. Asked again while it is
   * under way, the answer is the same request; with less grace than the first was given it is due so much earlier.
   *
   * @throws StrongroomError `invalid_argument`, `not_found` (no such tenant), `shredded` (beneath a tenant that is), `revocation_required`, and as `suspend`
   *   and `shred`; it may be noted then, and goes on: repeat it
   * @example
   * ```ts
   * import { type Vault } from '@strongroom/core'
   * import { type Erasure } from '@strongroom/erasure'
   *
   * async function deleteAccount(vault: Vault, erasure: Erasure, user: string) {
   *   const { id, due } = await erasure.request(vault.tenant('acme').subject(user), { reason: 'accountDeleted' })
   *   console.log(`${id}: can be taken back until ${new Date(due ?? 0).toISOString()}`)
   * }
   * ```
   */
  request(place: Erasable, options: RequestOptions): Promise<ErasureRequest>
  /** The request about a place that is under way, or `undefined`. @throws StrongroomError as `request` */
  find(place: Erasable): Promise<ErasureRequest | undefined>
  /** A request by its id, as long as it was not taken back; or `undefined`. @throws StrongroomError `invalid_argument` */
  get(id: string): Promise<ErasureRequest | undefined>
  /** All that have not come to their end: why, and until when. Reads by pages. @throws StrongroomError `decrypt_failed` (altered), and what stores throw */
  list(): AsyncIterable<PendingErasure>
  /**
   * While a hold stands on a place, above it or anywhere beneath it, no request destroys anything of it, and every shred of it is refused with
   * `held`, in every process, but for one that has just come to write the ledger. It stays suspended where it was.
   *
   * @returns of which requests the destruction had begun: for these it may come too late; and which could not be read
   * @throws StrongroomError `invalid_argument`, `already_exists`, `not_found` (no such tenant), `shredded`
   */
  hold(place: Erasable, options: HoldOptions): Promise<HoldResult>
  /**
   * Ends a hold: what is due by then is destroyed by the next sweep.
   *
   * @param held - the place, or the hold as `holds()` gives it: beneath a tenant whose keys are gone it is found by that alone
   * @throws StrongroomError `invalid_argument`, `not_found`, `shredded` (by its place, beneath such a tenant)
   */
  release(held: Erasable | Pick<Hold, 'references'>, options: HoldOptions): Promise<void>
  /** Holds that stand, then those that were released. Reads by pages. @throws StrongroomError `decrypt_failed` (altered), behind all others */
  holds(): AsyncIterable<Hold>
  /**
   * After a restore, before the service goes back: removes from all resources what is there again of people, items and tenants whose keys are
   * destroyed. May be repeated.
   *
   * @throws StrongroomError `invalid_argument`, `ledger_invalid`; the signal's reason. What a resource throws is its `failure`
   */
  replay(options?: ResourceOptions): Promise<ReplayReport>
  /**
   * Takes away the record of a request that does not open, and keeps its place from another. What was suspended stays so. Where it is known whose it
   * is, ask for the same erasure again instead: that replaces it.
   *
   * @param id - the references of the place, joined by dots, as the error has it
   * @throws StrongroomError `invalid_argument` (it is none, or the record opens), `schema_mismatch` (a newer version of this package has written it),
   *   `not_found`, `conflict`
   */
  discardDamaged(id: string): Promise<void>
  /** The closure certificate of one that is closed, or `undefined`. @throws StrongroomError `invalid_argument` */
  certificate(id: string): Promise<string | undefined>
}

/**
 * The erasures of a vault.
 *
 * @throws StrongroomError `invalid_argument` naming the option
 * @example
 * ```ts
 * import { days, hours, type Resource, type Vault } from '@strongroom/core'
 * import { createErasure, definePolicy } from '@strongroom/erasure'
 *
 * const policy = definePolicy({ deadline: days(60), grace: days(30), sweep: hours(12), epoch: days(7), providerDelay: 0, copies: days(14) })
 * const erasureOf = (vault: Vault, resources: readonly Resource[]) => createErasure(vault, { policy, resources })
 * ```
 */
export function createErasure(vault: Vault, options: ErasureOptions): Erasure {
  const checked = checkErasureOptions(vault, options)
  const tell = (event: ErasureEvent): void => {
    // Said behind what has happened: there is nothing to undo, and nobody to tell.
    try {
      const answer: unknown = checked.onEvent(event)
      if (answer instanceof Promise) answer.catch(() => undefined)
    } catch {
      return
    }
  }
  const parts: ErasureParts = {
    vault,
    options: checked,
    time: new ConfirmedTime(vault, checked.policy.sweep),
    open: new OpenErasures(vault),
    ended: new EndedErasures(vault),
    holds: new Holds(vault),
    tell,
  }
  return {
    name: 'erasure',
    async request(place, how) {
      return request(parts, place, how)
    },
    async find(place) {
      const erasure = await parts.open.find((await VaultPlace.of(vault, place)).references)
      return erasure === undefined ? undefined : requestOf(parts, erasure)
    },
    async get(id) {
      return readRequest(parts, id)
    },
    list: () => list(parts),
    hold: (place, how) => hold(parts, place, how),
    release: (held, how) => release(parts, held, how),
    holds: () => parts.holds.list(),
    discardDamaged: (id) => discardDamaged(parts, id),
    async certificate(id) {
      const key = readId(id)
      if (key === undefined) throw invalidArgument('id', 'must be that of a request')
      return parts.ended.certificate(key)
    },
    async replay(how) {
      const { signal } = readOptions(how, ['signal'])
      if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidArgument('signal', 'must be an AbortSignal')
      return replayErasures(vault, [...checked.resources.values()], signal)
    },
    async sweep(how?: SweepOptions): Promise<SweepReport> {
      return sweep(parts, how)
    },
  }
}
