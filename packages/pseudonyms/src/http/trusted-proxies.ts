/** Which peers are the operator's own proxies: stated, never guessed. */

import { invalidArgument } from '@strongroom/core'

import { ADDRESS_BYTES, isV4, parseAddress } from '../addresses/parse.ts'

const V4_OFFSET = 96
const NETWORK = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/iu

interface Network {
  readonly bytes: Uint8Array
  readonly bits: number
}

/** Addresses and networks, `10.0.0.0/8`. */
export class TrustedProxies {
  readonly #networks: readonly Network[]

  /** @throws StrongroomError `invalid_argument` naming the option */
  constructor(networks: readonly string[]) {
    if (!Array.isArray(networks)) throw invalidArgument('trustedProxies', 'must be a list of addresses and networks')
    this.#networks = networks.map((network, i) => read(network, `trustedProxies[${i}]`))
  }

  get isEmpty(): boolean {
    return this.#networks.length === 0
  }

  has(address: Uint8Array): boolean {
    return this.#networks.some(({ bytes, bits }) => isWithin(address, bytes, bits))
  }
}

function read(network: unknown, argument: string): Network {
  const [, text = '', length] = typeof network === 'string' ? (NETWORK.exec(network) ?? []) : []
  const bytes = parseAddress(text)
  if (bytes === undefined) throw invalidArgument(argument, 'must be an address, or a network such as 10.0.0.0/8')
  const isOfV4 = isV4(bytes) && !text.includes(':')
  const most = isOfV4 ? 32 : ADDRESS_BYTES * 8
  const bits = length === undefined ? most : Number(length)
  if (bits > most) throw invalidArgument(argument, `must have a length of at most ${most} bits`)
  return { bytes, bits: isOfV4 ? bits + V4_OFFSET : bits }
}

function isWithin(address: Uint8Array, network: Uint8Array, bits: number): boolean {
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (address[i] !== network[i]) return false
  const mask = 0xff00 >> (bits & 7)
  return (bits & 7) === 0 || (((address[whole] as number) ^ (network[whole] as number)) & mask & 0xff) === 0
}
