/** What is kept of an address before it goes: such as its country. */

import { invalidArgument } from '@strongroom/core'

import { formatAddress } from '../addresses/format.ts'
import { ADDRESS_BYTES } from '../addresses/parse.ts'
import { Findings } from './findings.ts'
import { Scanner } from './scanner.ts'

/**
 * Says what is kept of an address, before it is dropped: called once for each line that has one where one is expected, and for each request.
 *
 * @param address - as RFC 5952 has it
 * @returns a text of at most 64 characters, `undefined` for nothing. One that holds an address is refused
 */
export type Enrich = (address: string) => string | undefined

const MOST_CHARACTERS = 64

export class Enricher {
  readonly #enrich: Enrich
  readonly #scanner = new Scanner()
  readonly #findings = new Findings()

  constructor(enrich: Enrich) {
    this.#enrich = enrich
  }

  /** What is kept of the first address among the findings from a number on. @returns `undefined` where there is none. @throws as `of` */
  first({ addresses, blocks }: Findings, from: number): string | undefined {
    return addresses === from ? undefined : this.of(formatAddress(blocks, from * ADDRESS_BYTES))
  }

  /**
   * What is kept of an address.
   *
   * @throws StrongroomError `invalid_argument` where something else is returned than a short text without an address, or something is thrown
   */
  of(address: string): string | undefined {
    const value = this.#returned(address)
    if (value === undefined) return undefined
    if (typeof value !== 'string' || value.length > MOST_CHARACTERS || this.#holdsAddress(value))
      throw invalidArgument('enrich', `must return a text of at most ${MOST_CHARACTERS} characters that holds no address, or undefined`)
    return value
  }

  // What it throws may hold the address, and goes no further.
  #returned(address: string): unknown {
    try {
      return this.#enrich(address)
    } catch {
      throw invalidArgument('enrich', 'must not throw: what it throws may hold the address, and is not shown')
    }
  }

  #holdsAddress(value: string): boolean {
    const bytes = Buffer.from(value)
    this.#findings.clear()
    this.#scanner.text(bytes, 0, bytes.length, this.#findings)
    return this.#findings.count > 0
  }
}
