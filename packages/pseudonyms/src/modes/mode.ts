/** What a mode is: a way to make, of addresses, what stands for them. */

/** The modes: four of the IPCrypt draft (draft-denis-ipcrypt), a short token, and cutting off as much as is common elsewhere. */
export const MODES = ['deterministic', 'prefix', 'nd', 'ndx', 'token', 'truncate'] as const

/** One of the modes. */
export type ModeName = (typeof MODES)[number]

/** A mode, with its key where it has one. */
export interface AddressMode {
  readonly name: ModeName
  /** Bytes of one pseudonym: 16, 24 or 32. */
  readonly size: number
  /**
   * What stands for addresses, in their order: `size` bytes for each.
   *
   * @param addresses - n blocks of 16 bytes, as `parseAddress` gives them
   * @throws StrongroomError `invalid_argument` (no whole number of blocks), `handle_expired` (destroyed)
   */
  pseudonymiseBytes(addresses: Uint8Array): Uint8Array
  /** The same as text: an address where `size` is 16 and the mode no token, else hexadecimal, or base64url for a token. */
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
