// What the tests of pseudonyms stand on: a vault on memory stores, a clock that stands still, and pseudonyms of its tenants.
import type { VaultOptions } from '@strongroom/core'
import { createPseudonyms, days, type Pseudonyms, type PseudonymsOptions } from '@strongroom/pseudonyms'

import { type Ground, openGround, START } from '../../core/test/vault/support.ts'

export { BOUND, hex, nodesOf, outcome, refusalOf, START, swept } from '../../core/test/vault/support.ts'

export type World = Awaited<ReturnType<typeof openGround>>

export const DAY: number = days(1)
/** The number of the day on which the clock stands. */
export const TODAY: number = START / DAY

export function world(changes: Partial<VaultOptions> = {}): Promise<World> {
  return openGround(changes)
}

export function pseudonymsOf({ vault }: Pick<World, 'vault'>, options: Partial<PseudonymsOptions> = {}, tenant = 'acme'): Pseudonyms {
  return createPseudonyms(vault.tenant(tenant), { purpose: 'access-log', ...options })
}

/** The notes of keys that are to end. */
export function notesOf({ stateStore }: Pick<Ground, 'stateStore'>): readonly string[] {
  return stateStore
    .snapshot()
    .filter(({ namespace }) => namespace === 'strongroom/period-keys')
    .map(({ key }) => key)
}
