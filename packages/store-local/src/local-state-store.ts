/** The state store of one machine. */

import { type DueEntry, invalidArgument, type StateEntry, type StateStore, StrongroomError } from '@strongroom/core'

import type { Environment, Snapshot, Transaction } from './environment.ts'
import {
  COUNTER,
  decodeEntry,
  dueKey,
  dueListOf,
  encodeEntry,
  entriesOf,
  entryKey,
  partOfKey,
  readU64,
  type StoredEntry,
  u64,
} from './state-layout.ts'

const MAX_VALUE = 2 ** 20
const MAX_PAGE = 10_000

/** The state store in an environment, to whose owner it leaves closing it. */
export function localStateStore(environment: Environment): StateStore {
  return {
    async get(namespace, key) {
      const place = entryKey(namespace, key)
      const stored = await environment.read((snapshot) => entryAt(snapshot, place))
      return stored && { value: Uint8Array.from(stored.value), version: String(stored.write) }
    },

    async put(namespace, key, value, { expected, due }) {
      const place = entryKey(namespace, key)
      if (!(value instanceof Uint8Array) || value.length > MAX_VALUE) throw invalidArgument('value', `must be at most ${MAX_VALUE} bytes`)
      checkVersion(expected)
      if (due !== undefined) checkInstant(due, 'due')
      // The caller may change it before the transaction runs.
      const given = Uint8Array.from(value)
      const version = await environment.write((transaction) => {
        const stored = entryAt(transaction, place)
        if (versionOf(stored) !== expected) return undefined
        const write = nextWrite(transaction)
        if (stored?.due !== undefined) transaction.remove(dueKey(namespace, stored.due, key))
        if (due !== undefined) transaction.put(dueKey(namespace, due, key), new Uint8Array(0))
        transaction.put(place, encodeEntry({ write, due, value: given }))
        return String(write)
      })
      if (version === undefined) throw conflict()
      return version
    },

    async delete(namespace, key, { expected }) {
      const place = entryKey(namespace, key)
      checkVersion(expected)
      const deleted = await environment.write((transaction) => {
        const stored = entryAt(transaction, place)
        if (stored === undefined || versionOf(stored) !== expected) return false
        if (stored.due !== undefined) transaction.remove(dueKey(namespace, stored.due, key))
        transaction.remove(place)
        return true
      })
      if (!deleted) throw conflict()
    },

    async due(namespace, before, limit, after) {
      const list = dueListOf(namespace)
      checkInstant(before, 'before')
      checkLimit(limit)
      const start = after === undefined ? list : behind(namespace, after)
      return environment.read((snapshot) =>
        snapshot
          .keys(list, start, limit)
          .filter((key) => readU64(key, list.length) <= before)
          .map((key) => dueEntry(snapshot, namespace, key.subarray(list.length + 8))),
      )
    },

    async scan(namespace, prefix, { after, limit }) {
      const entries = entriesOf(namespace)
      const list = Buffer.concat([entries, partOfKey(prefix, 'prefix')])
      checkLimit(limit)
      const next = after === undefined ? list : Buffer.concat([entries, partOfKey(after, 'after'), Uint8Array.of(0)])
      const start = Buffer.compare(next, list) > 0 ? next : list
      return environment.read((snapshot) =>
        snapshot.keys(list, start, limit).map((key) => stateEntry(snapshot, namespace, key.subarray(entries.length))),
      )
    },
  }
}

// The first place in the list that comes after that of an entry.
function behind(namespace: string, { due, key }: Pick<DueEntry, 'due' | 'key'>): Uint8Array {
  checkInstant(due, 'after')
  return Buffer.concat([dueListOf(namespace), u64(due), partOfKey(key, 'after'), Uint8Array.of(0)])
}

function entryAt(snapshot: Snapshot, place: Uint8Array): StoredEntry | undefined {
  const bytes = snapshot.get(place)
  return bytes && decodeEntry(bytes)
}

// Counted over all entries and never back, so that an entry made anew does not get a version of its predecessor.
function nextWrite(transaction: Transaction): number {
  const last = transaction.get(COUNTER)
  const write = (last === undefined ? 0 : readU64(last, 0)) + 1
  transaction.put(COUNTER, u64(write))
  return write
}

function versionOf(stored: StoredEntry | undefined): string {
  return stored === undefined ? 'absent' : String(stored.write)
}

function stateEntry(snapshot: Snapshot, namespace: string, keyBytes: Uint8Array): StateEntry {
  const { key, value, version } = dueEntry(snapshot, namespace, keyBytes)
  return { key, value, version }
}

function dueEntry(snapshot: Snapshot, namespace: string, keyBytes: Uint8Array): DueEntry {
  const key = Buffer.from(keyBytes).toString()
  const stored = entryAt(snapshot, entryKey(namespace, key))
  if (stored === undefined) throw new Error('the state store lists an entry that it does not hold: it is damaged')
  return { key, value: Uint8Array.from(stored.value), version: String(stored.write), due: stored.due as number }
}

function checkVersion(expected: string): void {
  if (typeof expected !== 'string' || expected === '') throw invalidArgument('expected', "must be a version or 'absent'")
}

function checkInstant(instant: number, argument: string): void {
  if (!Number.isSafeInteger(instant) || instant < 0) {
    throw invalidArgument(argument, 'must be UTC milliseconds, a whole number from 0')
  }
}

function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
    throw invalidArgument('limit', `must be a whole number from 1 to ${MAX_PAGE}`)
  }
}

function conflict(): StrongroomError {
  return new StrongroomError('conflict', 'the entry was written by another; read it again')
}
