/** A connection that is to go, by its names or by its references alone. */

import type { KnownItem, Vault } from '@strongroom/core'

import { type ConnectionPlace, itemOf } from '../connection/place.ts'
import type { EventPlace } from '../events.ts'
import { itemReferences, referenceOf, type StoredConnection } from '../records/connection-store.ts'
import type { ConnectionRecord } from '../records/record.ts'

export interface Leaving {
  /** The key of its entry. */
  readonly key: string
  readonly about: EventPlace
  /** The item of the key tree that holds its secrets. */
  itemOf(record: ConnectionRecord): KnownItem
}

export function leavingByName(place: ConnectionPlace): Leaving {
  const { key, about } = place
  return { key, about, itemOf: (record) => itemOf(place, record) }
}

export function leavingByReference(vault: Vault, { key, record }: StoredConnection): Leaving {
  return {
    key,
    about: { reference: referenceOf(key), provider: record.provider },
    itemOf: (now) => vault.item(itemReferences({ key, record: now })),
  }
}
