import type { KeyStoreRecord, NodeRecord, WrappingKeyRecord } from '../format/records.ts'

/** The primary key of a record. */
export type KeyStoreKey =
  | { readonly type: 'node'; readonly ref: Uint8Array }
  | { readonly type: 'wrapping-key'; readonly id: Uint8Array }
  | { readonly type: 'region'; readonly region: string }
  | { readonly type: 'vault' }

/** What to list. With no `tenantRef`, all of that type. */
export interface KeyStoreQuery {
  readonly type: 'node' | 'wrapping-key'
  readonly tenantRef?: Uint8Array
  /** Nodes only: the children of one node (empty: tenants and the vault's node). */
  readonly parentRef?: Uint8Array
  /** Primary key of the last record of the page before. */
  readonly after?: Uint8Array
  /** 1 … 10,000 records. */
  readonly limit: number
}

/**
 * Where wrapped keys live. It needs no secrecy for keys, but integrity and durability: who can write it can destroy.
 *
 * Contract, checked by `keyStoreContract` in `@strongroom/core/testing`:
 * - Reads see every write that has resolved before, in any process (linearisable: primary, majority).
 * - A resolved write survives a crash and a power cut.
 * - Records come back with the same bytes and numbers, and no field added. Byte fields are `Uint8Array` (or a subclass).
 * - Never part of a caller's transaction.
 * - Any other failure throws; core reports it as `key_store_unavailable`.
 */
export interface KeyStore {
  /** Reads records by primary key in one round trip, in the order asked for; `undefined` where there is none. At most 10,000. */
  get(keys: readonly KeyStoreKey[]): Promise<readonly (KeyStoreRecord | undefined)[]>

  /**
   * Stores a record if, and only if, the stored one has `revision` one less (a revision of 1: if there is none).
   * Of any number of writers in any number of processes, exactly one succeeds.
   *
   * @throws StrongroomError `conflict` if the stored revision is another.
   */
  put(record: KeyStoreRecord): Promise<void>

  /** One page in the byte order of primary keys. No snapshot is held between pages. */
  scan(query: KeyStoreQuery): Promise<readonly (NodeRecord | WrappingKeyRecord)[]>

  /**
   * Optional, for storage that is of no use before it was set up: makes what the store needs, its indexes say. `initVault` calls it before
   * anything else. It keeps what is stored, and may be called again, by several processes at once.
   */
  prepare?(): Promise<void>

  /**
   * Optional. Calls `onChange` with the primary keys of records that another process has changed, and with `undefined`
   * when changes may have been missed (the cache is then emptied). It only makes news faster: the cache bound holds
   * without it. Returns how to stop.
   */
  watch?(onChange: (keys: readonly KeyStoreKey[] | undefined) => void): () => void
}
