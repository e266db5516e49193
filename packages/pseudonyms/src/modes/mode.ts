/** What a mode is: a way to make, of addresses, texts that stand for them. */

/** The modes: four of the IPCrypt draft (draft-denis-ipcrypt), a short token, and cutting off as much as is common elsewhere. */
export type ModeName = 'deterministic' | 'prefix' | 'nd' | 'ndx' | 'token' | 'truncate'

/** A mode with its key. */
export interface AddressMode {
  readonly name: ModeName
  /**
   * The texts that stand for addresses, in their order.
   *
   * @param addresses - n blocks of 16 bytes, as `parseAddress` gives them
   */
  pseudonymise(addresses: Uint8Array): string[]
}
