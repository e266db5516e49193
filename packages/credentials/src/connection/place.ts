/** One connection, by whose it is and what it is called: what all that is done with it starts from. */

import type { Item, Subject } from '@strongroom/core'

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

/** What the item is called that holds a connection's secrets. */
export function itemName({ item }: Pick<ConnectionRecord, 'item'>): string {
  return `strongroom/connections/${item}`
}

/** The item of the key tree that holds a connection's secrets. */
export function itemOf({ owner }: Pick<ConnectionPlace, 'owner'>, record: Pick<ConnectionRecord, 'item'>): Item {
  return owner.item(itemName(record))
}
