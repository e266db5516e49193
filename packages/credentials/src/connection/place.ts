/** One connection, by whose it is and what it is called: what all that is done with it starts from. */

import { invalidArgument, type Item, type Subject } from '@strongroom/core'

import type { EventPlace } from '../events.ts'
import type { CheckedProvider } from '../providers/provider.ts'
import type { ConnectionRecord } from '../records/record.ts'

export interface ConnectionPlace {
  readonly owner: Subject
  readonly name: string
  readonly provider: CheckedProvider
  /** The key of its entry. */
  readonly key: string
  readonly about: EventPlace
}

/**
 * That the tokens of one provider go to no other, whatever a caller, or the record, says.
 *
 * @throws StrongroomError `invalid_argument`
 */
export function requireOf({ provider }: Pick<ConnectionPlace, 'provider'>, record: Pick<ConnectionRecord, 'provider' | 'kind'>): void {
  if (record.provider !== provider.name || record.kind !== provider.kind)
    throw invalidArgument('provider', 'must be the one, and of the kind, that this connection was made with')
}

/** The item of the key tree that holds a connection's secrets. */
export function itemOf({ owner }: Pick<ConnectionPlace, 'owner'>, { item }: Pick<ConnectionRecord, 'item'>): Item {
  return owner.item(`strongroom/connections/${item}`)
}
