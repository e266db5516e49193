/** Keys of the vault itself that live for a period: for what nobody's own key can seal, and nobody must be able to open later. */

import { invalidArgument } from '../errors.ts'
import type { PeriodUse } from '../format/derivations.ts'
import { readOptions } from '../read-options.ts'
import { periodEnd, periodOf, seriesStep, VAULT_SERIES } from './period-series.ts'
import type { Place } from './place.ts'
import { type Item, ItemHandle } from './subject.ts'

/** Options of `vault.periodKey`. */
export interface PeriodKeyOptions {
  /**
   * What the key is for. `connect`: the state of an authorisation that is under way, one key for each hour (UTC), kept for another; `revocation`:
   * what it takes to revoke a token whose own key is gone, one for each day.
   */
  readonly use: PeriodUse
  /** An instant of the period, UTC milliseconds. */
  readonly at: number
}

/**
 * The key of one use and period: an item of the vault's own. Before `encrypt` makes it, its end is noted; `sweep` of the vault destroys it then,
 * `shred` at once.
 */
export interface PeriodKey extends Pick<Item, 'encrypt' | 'decrypt' | 'state' | 'shred' | 'references'> {
  /** When the period ends. UTC milliseconds. */
  readonly until: number
}

/** @param vault - the place of the vault's own node */
export function periodKey(vault: Place, options: PeriodKeyOptions): PeriodKey {
  const { use, at } = readOptions(options, ['use', 'at'])
  if (use === undefined || !Object.hasOwn(VAULT_SERIES, use))
    throw invalidArgument('use', `must be one of ${Object.keys(VAULT_SERIES).join(', ')}`)
  if (at === undefined || !Number.isSafeInteger(at) || at < 0) throw invalidArgument('at', 'must be an instant in UTC milliseconds')
  const series = VAULT_SERIES[use]
  const period = periodOf(series, at)
  const item = new ItemHandle(vault.below(seriesStep(series, period)))
  return {
    until: periodEnd(series, at),
    async encrypt(field, value, how) {
      await vault.keys.notes.note(series, period)
      return item.encrypt(field, value, how)
    },
    decrypt: (field, stored, how) => item.decrypt(field, stored, how),
    state: () => item.state(),
    shred: (how) => item.shred(how),
    references: () => item.references(),
  }
}
