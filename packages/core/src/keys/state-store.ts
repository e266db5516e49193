/** An opaque token of one write. Never the same for two writes of a key, not even after a delete. */
export type StateVersion = string

/** One entry of a {@link StateStore}. */
export interface StateEntry {
  readonly key: string
  readonly value: Uint8Array
  readonly version: StateVersion
}

/** An entry with the instant (UTC milliseconds) at which it is due. */
export interface DueEntry extends StateEntry {
  readonly due: number
}

/**
 * Where everything durable lives that is not a key: the ledger of shreds, leases, erasures, outboxes. Keep its backups
 * apart from the key store's: each repairs what a restore of the other would bring back.
 *
 * Contract, checked by `stateStoreContract` in `@strongroom/core/testing`:
 * - Namespaces and keys are non-empty strings of at most 256 and 512 UTF-8 bytes; values are at most 1 MiB.
 * - Reads see every write that has resolved before, in any process; a resolved write survives a power cut.
 * - Of any number of conditional writers in any number of processes, exactly one succeeds.
 * - Any failure but `conflict` throws; core reports it as `state_store_unavailable`.
 */
export interface StateStore {
  /** The entry's value and version, or `undefined`. */
  get(namespace: string, key: string): Promise<{ readonly value: Uint8Array; readonly version: StateVersion } | undefined>

  /**
   * Writes if the stored version is the expected one (`'absent'`: if there is no entry). `due` replaces the entry's
   * due instant; without it the entry has none.
   *
   * @throws StrongroomError `conflict` otherwise.
   */
  put(
    namespace: string,
    key: string,
    value: Uint8Array,
    options: { readonly expected: StateVersion | 'absent'; readonly due?: number },
  ): Promise<StateVersion>

  /** @throws StrongroomError `conflict` if the stored version is not the expected one. */
  delete(namespace: string, key: string, options: { readonly expected: StateVersion }): Promise<void>

  /**
   * A page of the entries due at or before an instant, oldest first (then in the byte order of their UTF-8 keys), behind the entry `after`, at most
   * `limit` (1 … 10,000). Claims nothing.
   */
  due(namespace: string, before: number, limit: number, after?: Pick<DueEntry, 'due' | 'key'>): Promise<readonly DueEntry[]>

  /** A page of the entries whose key starts with `prefix`, in the byte order of their UTF-8 keys, after the key `after`. */
  scan(namespace: string, prefix: string, options: { readonly after?: string; readonly limit: number }): Promise<readonly StateEntry[]>

  /** Optional, as for `KeyStore`: makes what the store needs. `initVault` calls it, and so does `repairLedger`, which may find another store. */
  prepare?(): Promise<void>
}
