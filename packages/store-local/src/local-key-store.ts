/** The key store of one machine. */

import {
  decryptFailed,
  invalidArgument,
  type KeyStore,
  type KeyStoreRecord,
  type NodeRecord,
  StrongroomError,
  type WrappingKeyRecord,
} from '@strongroom/core'

import type { Environment, Snapshot, Transaction } from './environment.ts'
import { listEntriesOf, listOf, placeOf, reference } from './key-layout.ts'
import { decodeRecord, encodeRecord } from './record-encoding.ts'

const MAX_PAGE = 10_000

/** The key store in an environment, to whose owner it leaves closing it. */
export function localKeyStore(environment: Pick<Environment, 'read' | 'write'>): KeyStore {
  return {
    async get(keys) {
      if (keys.length > MAX_PAGE) throw invalidArgument('keys', `must be at most ${MAX_PAGE}`)
      const places = keys.map(placeOf)
      return environment.read((snapshot) => places.map((place) => recordAt(snapshot, place)))
    },

    async put(record) {
      if (!Number.isSafeInteger(record.revision) || record.revision < 1) {
        throw invalidArgument('revision', 'must be a whole number from 1')
      }
      // All of it before the transaction, which may begin only after the caller has changed the record.
      const prepared = { revision: record.revision, place: placeOf(record), bytes: encodeRecord(record), entries: listEntriesOf(record) }
      const written = await environment.write((transaction) => putIfNext(transaction, prepared))
      if (!written) throw new StrongroomError('conflict', 'the record was written by another; read it again')
    },

    async scan(query) {
      if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > MAX_PAGE) {
        throw invalidArgument('limit', `must be a whole number from 1 to ${MAX_PAGE}`)
      }
      const list = listOf(query)
      const start = query.after === undefined ? list : Buffer.concat([list, reference(query.after, 'after'), Uint8Array.of(0)])
      return environment.read((snapshot) =>
        snapshot.keys(list, start, query.limit).map((key) => listed(snapshot, query.type, key.subarray(list.length))),
      )
    },
  }
}

interface Prepared {
  readonly revision: number
  readonly place: Uint8Array
  readonly bytes: Uint8Array
  readonly entries: readonly Uint8Array[]
}

function putIfNext(transaction: Transaction, { revision, place, bytes, entries }: Prepared): boolean {
  const stored = recordAt(transaction, place)
  if ((stored?.revision ?? 0) !== revision - 1) return false
  const outdated = stored === undefined ? [] : listEntriesOf(stored)
  transaction.put(place, bytes)
  for (const entry of outdated) transaction.remove(entry)
  for (const entry of entries) transaction.put(entry, new Uint8Array(0))
  return true
}

function recordAt(snapshot: Snapshot, place: Uint8Array): KeyStoreRecord | undefined {
  const bytes = snapshot.get(place)
  if (bytes === undefined) return undefined
  try {
    return decodeRecord(bytes)
  } catch {
    // The store answers; what it holds is damaged. That is the fault of this record alone.
    throw decryptFailed()
  }
}

function listed(snapshot: Snapshot, type: 'node' | 'wrapping-key', primary: Uint8Array): NodeRecord | WrappingKeyRecord {
  const record = recordAt(snapshot, placeOf(type === 'node' ? { type, ref: primary } : { type, id: primary }))
  if (record?.type !== type) throw new Error('the key store lists a record that it does not hold: it is damaged')
  return record
}
