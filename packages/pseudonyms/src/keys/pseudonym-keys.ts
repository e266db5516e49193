/** The keys of one period, open for synchronous batches. */

import { invalidArgument, type PeriodSpan } from '@strongroom/core'

import { ADDRESS_BYTES, readAddress } from '../addresses/parse.ts'
import { parseEndpoint } from '../addresses/endpoint.ts'
import type { AddressMode } from '../modes/mode.ts'

/**
 * One period's keys, open for at most the cache bound of the vault. Made by `unlock`.
 *
 * @example
 * ```ts
 * import { type Pseudonyms } from '@strongroom/pseudonyms'
 *
 * async function all(pseudonyms: Pseudonyms, addresses: readonly string[], at: number) {
 *   const keys = await pseudonyms.unlock({ at })
 *   try {
 *     return keys.pseudonymiseMany(addresses)
 *   } finally {
 *     keys.dispose()
 *   }
 * }
 * ```
 */
export interface PseudonymKeys {
  /** The number of the period: how many have begun since 1970 before it. */
  readonly period: number
  /** The period's first instant, UTC milliseconds. */
  readonly from: number
  /** The first instant behind it: what happened from then on needs other keys. */
  readonly to: number
  /** From then on everything is refused with `period_over`. */
  readonly until: number
  /**
   * What stands for an address. A port, brackets and a zone around it are dropped; a mapped address is the IPv4 address in it.
   *
   * @throws StrongroomError `invalid_argument` (no address, or one that is read in more than one way), `handle_expired`, `period_over`, `suspended`, `denied`
   */
  pseudonymise(address: string): string
  /** The same for many bare addresses, in their order. @throws StrongroomError as `pseudonymise`, for the first that is refused */
  pseudonymiseMany(addresses: readonly string[]): string[]
  /** The same for addresses of 16 bytes each, as `parseAddress` gives them. @throws StrongroomError as `pseudonymise` */
  pseudonymiseBlocks(addresses: Uint8Array): string[]
  /** The same as bytes, for binary columns: 16 each, 24 of `nd`, 32 of `ndx`. @throws StrongroomError as `pseudonymise` */
  pseudonymiseBytes(addresses: Uint8Array): Uint8Array
  /** Every call after this throws `handle_expired`. */
  dispose(): void
  [Symbol.dispose](): void
}

/** A mode for as long as it may be used. */
export interface ModeLease {
  use(): AddressMode
  dispose(): void
}

export class OpenKeys implements PseudonymKeys {
  readonly period: number
  readonly from: number
  readonly to: number
  readonly until: number
  readonly #lease: ModeLease

  constructor({ period, from, to, until }: PeriodSpan, lease: ModeLease) {
    this.period = period
    this.from = from
    this.to = to
    this.until = until
    this.#lease = lease
  }

  pseudonymise(address: string): string {
    const endpoint = typeof address === 'string' ? parseEndpoint(address) : undefined
    if (endpoint === undefined) throw noAddress('address')
    return this.#lease.use().pseudonymise(endpoint.address)[0] as string
  }

  pseudonymiseMany(addresses: readonly string[]): string[] {
    if (!Array.isArray(addresses)) throw invalidArgument('addresses', 'must be a list of addresses')
    const blocks = new Uint8Array(addresses.length * ADDRESS_BYTES)
    for (let i = 0; i < addresses.length; i++)
      if (!readAddress(addresses[i] as string, blocks, i * ADDRESS_BYTES)) throw noAddress(`addresses[${i}]`)
    return this.pseudonymiseBlocks(blocks)
  }

  pseudonymiseBlocks(addresses: Uint8Array): string[] {
    return this.#lease.use().pseudonymise(addresses)
  }

  pseudonymiseBytes(addresses: Uint8Array): Uint8Array {
    return this.#lease.use().pseudonymiseBytes(addresses)
  }

  dispose(): void {
    this.#lease.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

function noAddress(argument: string): Error {
  return invalidArgument(argument, 'must be one IPv4 or IPv6 address, in a form that all read alike: no leading zeros, no parts left out')
}
