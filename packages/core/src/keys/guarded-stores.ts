/** The two stores as core sees them: only typed errors come out, and records are whole. */

import { decryptFailed, StrongroomError, type StrongroomErrorCode } from '../errors.ts'
import { equalBytes } from '../crypto/hash.ts'
import { checkRecord } from '../format/check-record.ts'
import type { KeyStoreRecord, NodeRecord, WrappingKeyRecord } from '../format/records.ts'
import type { KeyStore, KeyStoreKey, KeyStoreQuery } from './key-store.ts'
import type { StateStore } from './state-store.ts'

/** Wraps a key store: foreign failures become `key_store_unavailable`, damaged or misplaced records `decrypt_failed`. */
export function guardKeyStore(store: KeyStore): KeyStore {
  const guard = guardian('key_store_unavailable', 'the key store did not answer; nothing was changed that it did not confirm')
  return {
    async get(keys) {
      const records = await guard(() => store.get(keys))
      if (!Array.isArray(records) || records.length !== keys.length) throw decryptFailed()
      return records.map((record, i) => (record === undefined ? undefined : inPlace(keys[i] as KeyStoreKey, checkRecord(record))))
    },
    put: (record) => guard(() => store.put(checkRecord(record))),
    async scan(query) {
      const records = await guard(() => store.scan(query))
      if (!Array.isArray(records) || records.length > query.limit) throw decryptFailed()
      return records.map((record) => inScope(query, checkRecord(record)))
    },
    ...(store.prepare === undefined ? {} : { prepare: () => guard(() => (store.prepare as () => Promise<void>)()) }),
    ...(store.watch === undefined ? {} : { watch: (onChange) => (store.watch as NonNullable<KeyStore['watch']>)(onChange) }),
  }
}

/** Wraps a state store: foreign failures become `state_store_unavailable`. */
export function guardStateStore(store: StateStore): StateStore {
  const guard = guardian('state_store_unavailable', 'the state store did not answer; nothing was changed that it did not confirm')
  return {
    get: (namespace, key) => guard(() => store.get(namespace, key)),
    put: (namespace, key, value, options) => guard(() => store.put(namespace, key, value, options)),
    delete: (namespace, key, options) => guard(() => store.delete(namespace, key, options)),
    due: (namespace, before, limit, after) => guard(() => store.due(namespace, before, limit, after)),
    scan: (namespace, prefix, options) => guard(() => store.scan(namespace, prefix, options)),
    ...(store.prepare === undefined ? {} : { prepare: () => guard(() => (store.prepare as () => Promise<void>)()) }),
  }
}

function guardian(code: StrongroomErrorCode, message: string) {
  return async function guard<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      throw error instanceof StrongroomError ? error : new StrongroomError(code, message, { cause: error })
    }
  }
}

// The same for a list: what is not of this tenant, parent and type has no place in it.
function inScope<T extends NodeRecord | WrappingKeyRecord>({ type, tenantRef, parentRef }: KeyStoreQuery, record: T): T {
  const right =
    record.type === type &&
    (tenantRef === undefined || equalBytes(record.tenantRef, tenantRef)) &&
    (parentRef === undefined || (record.type === 'node' && equalBytes(record.parentRef, parentRef)))
  if (!right) throw decryptFailed()
  return record
}

// A store that answers with another record than was asked for has been tampered with, or is broken.
function inPlace(key: KeyStoreKey, record: KeyStoreRecord): KeyStoreRecord {
  const right =
    (key.type === 'vault' && record.type === 'vault') ||
    (key.type === 'region' && record.type === 'region' && record.region === key.region) ||
    (key.type === 'node' && record.type === 'node' && equalBytes(record.ref, key.ref)) ||
    (key.type === 'wrapping-key' && record.type === 'wrapping-key' && equalBytes(record.id, key.id))
  if (!right) throw decryptFailed()
  return record
}
