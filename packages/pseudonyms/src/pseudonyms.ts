/** Pseudonyms of one tenant for one purpose. */

import {
  decryptFailed,
  invalidArgument,
  type PeriodSpan,
  type RawKeyHandling,
  readOptions,
  StrongroomError,
  type Sweepable,
  SweepTally,
  type Tenant,
} from '@strongroom/core'

import { type PseudonymResource, type PseudonymRows, resourceOf } from './deletion/rows.ts'
import { identifier, type IdOptions } from './identifiers/identifiers.ts'
import { KEYED_MODES } from './keys/keyed-modes.ts'
import { KeylessLease } from './keys/keyless-lease.ts'
import { OpenKeys, type PseudonymKeys } from './keys/pseudonym-keys.ts'
import { judged, type Reversed } from './keys/reversal.ts'
import { RecentKeys } from './keys/recent-keys.ts'
import { truncate } from './modes/truncate.ts'
import { checkOptions, type PseudonymsOptions } from './options.ts'

/** When something happened. */
export interface AtOptions {
  /** UTC milliseconds: of the event, not of the moment in which its line is read. The clock's own unless given. */
  readonly at?: number
}

/** Options of `reverse`. */
export interface ReverseOptions {
  /** The event's instant: it says which period's key undoes it. */
  readonly at: number
  /** Why, in words, as `onAccess` sees and notes it; 1 to 512 characters. */
  readonly reason: string
}

/** The pseudonyms of a tenant for a purpose. One for each in a process. */
export interface Pseudonyms extends Sweepable {
  /** The period in which an instant lies: that of the clock's own unless given. Reads nothing. @throws StrongroomError `invalid_argument` */
  spanOf(options?: AtOptions): PeriodSpan
  /** The latest instant that is taken, in UTC milliseconds: an hour ahead of the vault's clock. */
  latest(): number
  /** What stands for one address at an instant. @throws StrongroomError as `unlock`, and `invalid_argument` for the address */
  pseudonymise(address: string, options?: AtOptions): Promise<string>
  /**
   * The keys of the period in which an instant lies, for synchronous batches: by far the fastest way. Makes them where there are none.
   *
   * @throws StrongroomError `invalid_argument`, `period_over` (longer ago than `retain`), `shredded`, `suspended`, `not_found` (no such tenant),
   *   `region_refused`, `denied`, and for stores and provider their `…_unavailable`
   */
  unlock(options?: AtOptions): Promise<PseudonymKeys>
  /**
   * The address that a pseudonym stands for, for those who have to deal with abuse. Passes the vault's gate as `pseudonym.reverse`.
   *
   * @throws StrongroomError `unsupported_operation` (`token` and `truncate` cannot be undone), `decrypt_failed` (no pseudonym of this mode, or
   *   nothing was pseudonymised in that period), and as `unlock`
   * @example
   * ```ts
   * import { type Pseudonyms } from '@strongroom/pseudonyms'
   *
   * async function whoWasIt(pseudonyms: Pseudonyms, line: { readonly ip: string; readonly at: number }) {
   *   const { address, period } = await pseudonyms.reverse(line.ip, { at: line.at, reason: 'abuse report 4711' })
   *   return period === 'unlikely' ? undefined : address
   * }
   * ```
   */
  reverse(pseudonym: string, options: ReverseOptions): Promise<Reversed>
  /**
   * What stands for an identifier of a person, of no period: 22 characters under a random key of that subject and this purpose. It lives as long as
   * the subject does; shredding the subject unlinks whatever was collected by it, for good.
   *
   * @param kind - of identifier, such as `user` or `device`; those of two kinds are never equal
   * @throws StrongroomError `invalid_argument`, and as `encrypt` of the subject
   * @example
   * ```ts
   * import { type Pseudonyms } from '@strongroom/pseudonyms'
   *
   * async function analyticsIds(pseudonyms: Pseudonyms) {
   *   return [await pseudonyms.id('user', 'alice'), await pseudonyms.id('device', 'a1b2c3', { subject: 'alice' })]
   * }
   * ```
   */
  id(kind: string, value: string, options?: IdOptions): Promise<string>
  /**
   * Rows with these pseudonyms, for a sweep of their own: those of a period go when its key does. `sweep` of the pseudonyms does not touch them.
   *
   * @throws StrongroomError `invalid_argument`
   */
  resource(rows: PseudonymRows): PseudonymResource
}

/**
 * Pseudonyms that cannot be undone or linked any more once their period's key is destroyed.
 *
 * @throws StrongroomError `invalid_argument` naming the option
 * @example
 * ```ts
 * import { type Vault } from '@strongroom/core'
 * import { createPseudonyms, days } from '@strongroom/pseudonyms'
 *
 * async function forTheLog(vault: Vault, address: string, at: number) {
 *   const pseudonyms = createPseudonyms(vault.tenant('acme'), { purpose: 'access-log', mode: 'prefix', period: days(1), retain: days(30) })
 *   return pseudonyms.pseudonymise(address, { at })
 * }
 * ```
 */
export function createPseudonyms(tenant: Tenant, options: PseudonymsOptions): Pseudonyms {
  if (typeof tenant !== 'object' || tenant === null || !('rawPeriodKeys' in tenant))
    throw invalidArgument('tenant', 'must be a tenant: vault.tenant(…)')
  const { purpose, mode, period: length, retain } = checkOptions(options)
  const making = mode === 'truncate' ? undefined : KEYED_MODES[mode]
  // What is cut off has no key, and sweeps none: it has a series for its periods only.
  const series = tenant.rawPeriodKeys({ use: (making ?? KEYED_MODES.token).use, name: purpose, length, retain })

  const open = async (at: number): Promise<PseudonymKeys> => {
    const span = series.keptSpanOf(at)
    return new OpenKeys(
      span,
      making === undefined ? new KeylessLease(truncate, series, at) : await series.open(at, handlingOf(making.make, span)),
    )
  }
  // Each time: what is refused is refused where the key is open already as well.
  const recent = new RecentKeys(open, (at) => series.keptSpanOf(at).period)
  const instantOf = (how: AtOptions | undefined): number => readOptions(how, ['at']).at ?? series.now()

  return {
    name: `pseudonyms ${purpose}`,
    spanOf: (how) => series.spanOf(instantOf(how)),
    latest: () => series.latest(),
    async pseudonymise(address, how) {
      return recent.use(instantOf(how), (keys) => keys.pseudonymise(address))
    },
    async unlock(how) {
      return open(instantOf(how))
    },
    async reverse(pseudonym, how) {
      const { at, reason } = readOptions(how, ['at', 'reason'])
      if (typeof pseudonym !== 'string') throw invalidArgument('pseudonym', 'must be a string')
      const undo = making?.undo
      if (undo === undefined) throw new StrongroomError('unsupported_operation', `what mode ${mode} has made cannot be undone`)
      const undone = await series.reverse(at as number, reason as string, (key) => {
        const undoing = undo(key)
        try {
          return undoing.reverse(pseudonym)
        } finally {
          undoing.destroy()
        }
      })
      if (undone?.made === undefined) throw decryptFailed()
      return judged(undone.made, making?.tells === true)
    },
    id: (kind, value, how) => identifier(tenant, purpose, kind, value, how),
    resource: (rows) => resourceOf(rows, retain, () => series.spanOf(Math.max(0, series.now() - retain + length)).from),
    sweep: async (how) => (making === undefined ? new SweepTally(how).report() : series.sweep(how)),
  }
}

function handlingOf<M extends { destroy(): void }>(
  make: (key: Uint8Array, period: number) => M,
  { period }: PeriodSpan,
): RawKeyHandling<M> {
  return { make: (key: Uint8Array): M => make(key, period), end: (made: M): void => made.destroy() }
}
