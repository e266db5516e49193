/** What a mode is: a way to make, of addresses, texts that stand for them. */

/** The modes: four of the IPCrypt draft (draft-denis-ipcrypt), a short token, and cutting off as much as is common elsewhere. */
export type ModeName = 'deterministic' | 'prefix' | 'nd' | 'ndx' | 'token' | 'truncate'

/** A mode, with its key where it has one. */
export interface AddressMode {
  readonly name: ModeName
  /**
   * The texts that stand for addresses, in their order.
   *
   * @param addresses - n blocks of 16 bytes, as `parseAddress` gives them
   * @throws StrongroomError `invalid_argument` (no whole number of blocks), `handle_expired` (destroyed)
   */
  pseudonymise(addresses: Uint8Array): string[]
}

/** A mode with a key, to be destroyed. */
export interface KeyedMode extends AddressMode {
  /** Drops the key. Every call after this is refused. */
  destroy(): void
}

/** A mode that whoever has the key can undo. */
export interface ReversibleMode extends KeyedMode {
  /**
   * The 16 bytes of the address that a text stands for: under the wrong key, of some other address.
   *
   * @returns `undefined` where the text is none of this mode
   */
  reverse(text: string): Uint8Array | undefined
}
