/**
 * KIASU-BC (Jean, Nikolić and Peyrin, "Tweaks and Keys for Block Ciphers: the TWEAKEY Framework", 2014; draft-denis-ipcrypt, section 9.9):
 * AES-128 whose every round key has a tweak added, which no platform's AES can do. Up to 32 blocks at once, each with its own tweak, in bit
 * slices: bit j of word 8·i + b is bit b of byte i of block j.
 */

import { invert, mapBack, mapForward, wipePowers } from './sliced-field.ts'

const BLOCK = 16
const ROUNDS = 10
const BITS = 8 * BLOCK
/** Bytes of a tweak. */
export const KIASU_TWEAK = 8
/** The most blocks that one call takes: a word has so many bits. */
export const KIASU_BLOCKS = 32

const ALL = -1

export class Kiasu {
  // Of each round key the bits, each in all slices.
  readonly #keys: Int32Array
  readonly #state = new Int32Array(BITS)
  readonly #moved = new Int32Array(BITS)
  readonly #tweak = new Int32Array(BITS)

  /** @param key - 16 bytes */
  constructor(key: Uint8Array) {
    this.#keys = expand(key)
  }

  /**
   * Encrypts blocks in place.
   *
   * @param blocks - up to 32 blocks of 16 bytes
   * @param tweaks - 8 bytes for each
   */
  encrypt(blocks: Uint8Array, tweaks: Uint8Array): void {
    this.#load(blocks, tweaks)
    this.#addKey(0)
    for (let round = 1; round <= ROUNDS; round++) {
      substitute(this.#state)
      this.#shiftRows(1)
      if (round < ROUNDS) mixColumns(this.#state)
      this.#addKey(round)
    }
    this.#store(blocks)
  }

  /** Decrypts what `encrypt` made, in place. */
  decrypt(blocks: Uint8Array, tweaks: Uint8Array): void {
    this.#load(blocks, tweaks)
    for (let round = ROUNDS; round >= 1; round--) {
      this.#addKey(round)
      if (round < ROUNDS) unmixColumns(this.#state)
      this.#shiftRows(3)
      unsubstitute(this.#state)
    }
    this.#addKey(0)
    this.#store(blocks)
  }

  destroy(): void {
    for (const words of [this.#keys, this.#state, this.#moved, this.#tweak]) words.fill(0)
  }

  #addKey(round: number): void {
    for (let i = 0; i < BITS; i++)
      this.#state[i] = (this.#state[i] as number) ^ (this.#keys[round * BITS + i] as number) ^ (this.#tweak[i] as number)
  }

  // Row r moves by r columns, so many times.
  #shiftRows(times: number): void {
    this.#moved.set(this.#state)
    for (let byte = 0; byte < BLOCK; byte++) {
      const from = (byte + 4 * (byte % 4) * times) % BLOCK
      for (let bit = 0; bit < 8; bit++) this.#state[8 * byte + bit] = this.#moved[8 * from + bit] as number
    }
  }

  #load(blocks: Uint8Array, tweaks: Uint8Array): void {
    slice(this.#state, blocks, BLOCK, (byte) => byte)
    // Two bytes of the tweak at the head of each column (section 9.9.2).
    slice(this.#tweak, tweaks, KIASU_TWEAK, (byte) => 4 * (byte >> 1) + (byte & 1))
  }

  #store(blocks: Uint8Array): void {
    for (let i = 0; i < blocks.length; i++) {
      const block = i >> 4
      const byte = i & 15
      let value = 0
      for (let bit = 0; bit < 8; bit++) value |= (((this.#state[8 * byte + bit] as number) >>> block) & 1) << bit
      blocks[i] = value
    }
    this.#state.fill(0)
    this.#moved.fill(0)
    wipeScratch()
  }
}

function slice(words: Int32Array, bytes: Uint8Array, length: number, placeOf: (byte: number) => number): void {
  words.fill(0)
  for (let i = 0, block = 0; i < bytes.length; block++) {
    for (let byte = 0; byte < length; byte++) {
      const value = bytes[i++] as number
      const at = 8 * placeOf(byte)
      for (let bit = 0; bit < 8; bit++) words[at + bit] = (words[at + bit] as number) | (((value >>> bit) & 1) << block)
    }
  }
}

/** SubBytes (FIPS 197, section 5.1.1) of every eight words: the inverse, then a linear map and 0x63. */
function substitute(words: Int32Array): void {
  for (let at = 0; at < words.length; at += 8) {
    invert(words, at)
    mapForward(words, at)
  }
}

/** InvSubBytes (section 5.3.2). */
function unsubstitute(words: Int32Array): void {
  for (let at = 0; at < words.length; at += 8) {
    mapBack(words, at)
    invert(words, at)
  }
}

function constant(value: number, bit: number): number {
  return ((value >> bit) & 1) === 1 ? ALL : 0
}

// A column as it was.
const before = new Int32Array(32)

// What all calls share, and none leaves anything in.
function wipeScratch(): void {
  before.fill(0)
  wipePowers()
}

/** MixColumns (section 5.1.3): of each column a0 … a3, in place i: 2·(ai + ai+1) + ai+1 + ai+2 + ai+3. */
function mixColumns(words: Int32Array): void {
  for (let column = 0; column < BITS; column += 32) {
    for (let i = 0; i < 32; i++) before[i] = words[column + i] as number
    for (let row = 0; row < 4; row++) {
      const own = row * 8
      const next = ((row + 1) & 3) * 8
      const second = ((row + 2) & 3) * 8
      const third = ((row + 3) & 3) * 8
      const top = (before[own + 7] as number) ^ (before[next + 7] as number)
      for (let bit = 0; bit < 8; bit++) {
        const below = bit === 0 ? 0 : (before[own + bit - 1] as number) ^ (before[next + bit - 1] as number)
        const carried = constant(0x1b, bit) & top
        words[column + 8 * row + bit] =
          below ^ carried ^ (before[next + bit] as number) ^ (before[second + bit] as number) ^ (before[third + bit] as number)
      }
    }
  }
}

/** InvMixColumns (section 5.3.3): the fourth power of MixColumns changes nothing, so its third undoes it. */
function unmixColumns(words: Int32Array): void {
  for (let i = 0; i < 3; i++) mixColumns(words)
}

// The key schedule of AES-128 (section 5.2), its SubWord in slices too: the four bytes of a word as four elements.
function expand(key: Uint8Array): Int32Array {
  const bytes = new Uint8Array(BLOCK * (ROUNDS + 1))
  bytes.set(key)
  const word = new Int32Array(8)
  let round = 1
  for (let at = BLOCK; at < bytes.length; at += 4) {
    const last = bytes.slice(at - 4, at)
    if (at % BLOCK === 0) {
      slice(word, Uint8Array.of(last[1] as number, last[2] as number, last[3] as number, last[0] as number), 1, () => 0)
      substitute(word)
      for (let i = 0; i < 4; i++) {
        last[i] = 0
        for (let bit = 0; bit < 8; bit++) last[i] = (last[i] as number) | ((((word[bit] as number) >>> i) & 1) << bit)
      }
      last[0] = (last[0] as number) ^ round
      round = ((round << 1) ^ ((round >> 7) * 0x11b)) & 0xff
    }
    for (let i = 0; i < 4; i++) bytes[at + i] = (bytes[at + i - BLOCK] as number) ^ (last[i] as number)
    last.fill(0)
  }
  const keys = new Int32Array(8 * bytes.length)
  for (let i = 0; i < bytes.length; i++) for (let bit = 0; bit < 8; bit++) keys[8 * i + bit] = -(((bytes[i] as number) >> bit) & 1)
  bytes.fill(0)
  word.fill(0)
  wipeScratch()
  return keys
}
