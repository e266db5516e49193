/**
 * KIASU-BC (Jean, Nikolić and Peyrin, "Tweaks and Keys for Block Ciphers: the TWEAKEY Framework", 2014; draft-denis-ipcrypt, section 9.9):
 * AES-128 whose every round key has a tweak added, which no platform's AES can do. Up to 32 blocks at once, each with its own tweak, in bit
 * slices: bit j of word 8·i + b is bit b of byte i of block j.
 */

import { invert } from './sliced-field.ts'

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
      const [block, byte] = [Math.trunc(i / BLOCK), i % BLOCK]
      let value = 0
      for (let bit = 0; bit < 8; bit++) value |= (((this.#state[8 * byte + bit] as number) >>> block) & 1) << bit
      blocks[i] = value
    }
    this.#state.fill(0)
    this.#moved.fill(0)
  }
}

function slice(words: Int32Array, bytes: Uint8Array, length: number, placeOf: (byte: number) => number): void {
  words.fill(0)
  for (let i = 0; i < bytes.length; i++) {
    const [block, at] = [Math.trunc(i / length), 8 * placeOf(i % length)]
    const value = bytes[i] as number
    for (let bit = 0; bit < 8; bit++) words[at + bit] = (words[at + bit] as number) | (((value >>> bit) & 1) << block)
  }
}

/** SubBytes (FIPS 197, section 5.1.1) of every eight words: the inverse, then a linear map, then 0x63. */
function substitute(words: Int32Array): void {
  for (let at = 0; at < words.length; at += 8) {
    invert(words, at)
    const b = words.slice(at, at + 8)
    for (let i = 0; i < 8; i++) {
      const sum = bitOf(b, i) ^ bitOf(b, i + 4) ^ bitOf(b, i + 5) ^ bitOf(b, i + 6) ^ bitOf(b, i + 7)
      words[at + i] = sum ^ constant(0x63, i)
    }
  }
}

/** InvSubBytes (section 5.3.2). */
function unsubstitute(words: Int32Array): void {
  for (let at = 0; at < words.length; at += 8) {
    const b = words.slice(at, at + 8)
    for (let i = 0; i < 8; i++) words[at + i] = bitOf(b, i + 2) ^ bitOf(b, i + 5) ^ bitOf(b, i + 7) ^ constant(0x05, i)
    invert(words, at)
  }
}

function bitOf(words: Int32Array, i: number): number {
  return words[i & 7] as number
}

function constant(value: number, bit: number): number {
  return ((value >> bit) & 1) === 1 ? ALL : 0
}

/** MixColumns (section 5.1.3): of each column a0 … a3, in place i: 2·(ai + ai+1) + ai+1 + ai+2 + ai+3. */
function mixColumns(words: Int32Array): void {
  for (let column = 0; column < BITS; column += 32) {
    const a = words.slice(column, column + 32)
    for (let row = 0; row < 4; row++) {
      const byteAt = (i: number): number => ((row + i) & 3) * 8
      const [own, next, second, third] = [byteAt(0), byteAt(1), byteAt(2), byteAt(3)]
      const top = (a[own + 7] as number) ^ (a[next + 7] as number)
      for (let bit = 0; bit < 8; bit++) {
        const below = bit === 0 ? 0 : (a[own + bit - 1] as number) ^ (a[next + bit - 1] as number)
        const carried = constant(0x1b, bit) & top
        words[column + 8 * row + bit] =
          below ^ carried ^ (a[next + bit] as number) ^ (a[second + bit] as number) ^ (a[third + bit] as number)
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
  return keys
}
