/** The reference key store: in memory, for one process, lost with it. */

import { invalidArgument, StrongroomError } from '../errors.ts'
import { hex, isBytes, utf8 } from '../format/bytes.ts'
import type { KeyStoreRecord, NodeRecord, WrappingKeyRecord } from '../format/records.ts'
import type { KeyStore, KeyStoreKey, KeyStoreQuery } from '../keys/key-store.ts'

const MAX_PAGE = 10_000

/** A copy of all records, in the order of their keys: what a backup of the key store would hold. */
export type KeyStoreSnapshot = readonly KeyStoreRecord[]

/** A key store for tests: counts calls, takes and restores backups, and lets a test play the attacker. */
export interface MemoryKeyStore extends KeyStore {
  /** How often each method was called, failed calls included. A test may set them back to 0. */
  readonly calls: { get: number; put: number; scan: number }
  /** Copies everything, as a backup does. */
  snapshot(): KeyStoreSnapshot
  /** Puts a copy back; whatever was written since is gone. */
  restore(snapshot: KeyStoreSnapshot): void
  /**
   * Changes a record behind core's back, with no look at revisions. `change` gets a copy of the record, or `undefined`
   * where there is none; what it returns is stored under `key`, and `undefined` removes the record.
   */
  edit(key: KeyStoreKey, change: (record: KeyStoreRecord | undefined) => KeyStoreRecord | undefined): void
}

/**
 * Makes an empty key store in memory.
 *
 * @example
 * ```ts
 * import { memoryKeyStore } from '@strongroom/core/testing'
 *
 * const keyStore = memoryKeyStore()
 * const backup = keyStore.snapshot()
 * // … shred something …
 * keyStore.restore(backup)
 * ```
 */
export function memoryKeyStore(): MemoryKeyStore {
  const records = new Map<string, KeyStoreRecord>()
  const calls = { get: 0, put: 0, scan: 0 }

  return {
    calls,

    async get(keys) {
      calls.get++
      if (keys.length > MAX_PAGE) throw invalidArgument('keys', `must be at most ${MAX_PAGE}`)
      return keys.map((key) => structuredClone(records.get(nameOf(key))))
    },

    async put(record) {
      calls.put++
      const name = nameOf(record)
      if (!Number.isSafeInteger(record.revision) || record.revision < 1) {
        throw invalidArgument('revision', 'must be a whole number from 1')
      }
      const stored = records.get(name)?.revision ?? 0
      if (stored !== record.revision - 1) throw new StrongroomError('conflict', 'the record was written by another')
      records.set(name, structuredClone(record))
    },

    async scan(query) {
      calls.scan++
      checkQuery(query)
      const after = query.after === undefined ? undefined : `${query.type}:${hex(query.after)}`
      return inOrder(records)
        .filter(([name, record]) => matches(record, query) && (after === undefined || name > after))
        .slice(0, query.limit)
        .map(([, record]) => structuredClone(record) as NodeRecord | WrappingKeyRecord)
    },

    snapshot: () => inOrder(records).map(([, record]) => structuredClone(record)),

    restore(snapshot) {
      records.clear()
      for (const record of snapshot) records.set(nameOf(record), structuredClone(record))
    },

    edit(key, change) {
      const name = nameOf(key)
      const changed = change(structuredClone(records.get(name)))
      if (changed === undefined) records.delete(name)
      else records.set(name, structuredClone(changed))
    },
  }
}

// Hex keeps the byte order of references.
function nameOf(key: KeyStoreKey | KeyStoreRecord): string {
  if (key.type === 'node') return `node:${hex(reference(key.ref, 'ref'))}`
  if (key.type === 'wrapping-key') return `wrapping-key:${hex(reference(key.id, 'id'))}`
  if (key.type === 'vault') return 'vault'
  const length = utf8(key.region, 'region').length
  if (length === 0 || length > 256) throw invalidArgument('region', 'must have 1 to 256 UTF-8 bytes')
  return `region:${key.region}`
}

function inOrder(records: ReadonlyMap<string, KeyStoreRecord>): (readonly [string, KeyStoreRecord])[] {
  return [...records].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function matches(record: KeyStoreRecord, query: KeyStoreQuery): boolean {
  if (record.type !== query.type || (record.type !== 'node' && record.type !== 'wrapping-key')) return false
  if (query.tenantRef !== undefined && hex(record.tenantRef) !== hex(query.tenantRef)) return false
  return query.parentRef === undefined || (record.type === 'node' && hex(record.parentRef) === hex(query.parentRef))
}

function checkQuery(query: KeyStoreQuery): void {
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > MAX_PAGE) {
    throw invalidArgument('limit', `must be a whole number from 1 to ${MAX_PAGE}`)
  }
  if (query.after !== undefined) reference(query.after, 'after')
  if (query.tenantRef !== undefined) reference(query.tenantRef, 'tenantRef')
  if (query.parentRef === undefined) return
  if (query.type !== 'node') throw invalidArgument('parentRef', 'is for nodes only')
  if (query.parentRef.length > 0) reference(query.parentRef, 'parentRef')
}

function reference(bytes: Uint8Array, argument: string): Uint8Array {
  if (!isBytes(bytes) || bytes.length !== 16) throw invalidArgument(argument, 'must be 16 bytes')
  return bytes
}
