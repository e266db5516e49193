/**
 * The field of AES, GF(2^8) modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197, section 4), in slices: word i of eight holds bit i of 32 elements, one in
 * each of its bits. No table is looked up and nothing is compared, so the time that it takes says nothing of what is in the words.
 */

/** out = a · b. Each is eight words from an offset on; `out` may be one of them. */
function multiply(out: Int32Array, to: number, a: Int32Array, at: number, b: Int32Array, bt: number): void {
  const a0 = a[at] as number
  const a1 = a[at + 1] as number
  const a2 = a[at + 2] as number
  const a3 = a[at + 3] as number
  const a4 = a[at + 4] as number
  const a5 = a[at + 5] as number
  const a6 = a[at + 6] as number
  const a7 = a[at + 7] as number
  const b0 = b[bt] as number
  const b1 = b[bt + 1] as number
  const b2 = b[bt + 2] as number
  const b3 = b[bt + 3] as number
  const b4 = b[bt + 4] as number
  const b5 = b[bt + 5] as number
  const b6 = b[bt + 6] as number
  const b7 = b[bt + 7] as number
  let c0 = a0 & b0
  let c1 = (a0 & b1) ^ (a1 & b0)
  let c2 = (a0 & b2) ^ (a1 & b1) ^ (a2 & b0)
  let c3 = (a0 & b3) ^ (a1 & b2) ^ (a2 & b1) ^ (a3 & b0)
  let c4 = (a0 & b4) ^ (a1 & b3) ^ (a2 & b2) ^ (a3 & b1) ^ (a4 & b0)
  let c5 = (a0 & b5) ^ (a1 & b4) ^ (a2 & b3) ^ (a3 & b2) ^ (a4 & b1) ^ (a5 & b0)
  let c6 = (a0 & b6) ^ (a1 & b5) ^ (a2 & b4) ^ (a3 & b3) ^ (a4 & b2) ^ (a5 & b1) ^ (a6 & b0)
  let c7 = (a0 & b7) ^ (a1 & b6) ^ (a2 & b5) ^ (a3 & b4) ^ (a4 & b3) ^ (a5 & b2) ^ (a6 & b1) ^ (a7 & b0)
  let c8 = (a1 & b7) ^ (a2 & b6) ^ (a3 & b5) ^ (a4 & b4) ^ (a5 & b3) ^ (a6 & b2) ^ (a7 & b1)
  let c9 = (a2 & b7) ^ (a3 & b6) ^ (a4 & b5) ^ (a5 & b4) ^ (a6 & b3) ^ (a7 & b2)
  let c10 = (a3 & b7) ^ (a4 & b6) ^ (a5 & b5) ^ (a6 & b4) ^ (a7 & b3)
  const c11 = (a4 & b7) ^ (a5 & b6) ^ (a6 & b5) ^ (a7 & b4)
  const c12 = (a5 & b7) ^ (a6 & b6) ^ (a7 & b5)
  const c13 = (a6 & b7) ^ (a7 & b6)
  const c14 = a7 & b7
  // x^8 = x^4 + x^3 + x + 1, from the highest power down.
  c6 ^= c14
  c7 ^= c14
  c9 ^= c14
  c10 ^= c14
  c5 ^= c13
  c6 ^= c13
  c8 ^= c13
  c9 ^= c13
  c4 ^= c12
  c5 ^= c12
  c7 ^= c12
  c8 ^= c12
  c3 ^= c11
  c4 ^= c11
  c6 ^= c11
  c7 ^= c11
  c2 ^= c10
  c3 ^= c10
  c5 ^= c10
  c6 ^= c10
  c1 ^= c9
  c2 ^= c9
  c4 ^= c9
  c5 ^= c9
  c0 ^= c8
  c1 ^= c8
  c3 ^= c8
  c4 ^= c8
  out[to] = c0
  out[to + 1] = c1
  out[to + 2] = c2
  out[to + 3] = c3
  out[to + 4] = c4
  out[to + 5] = c5
  out[to + 6] = c6
  out[to + 7] = c7
}

/** out = a², which is linear: each bit of the square is a sum of bits. */
function square(out: Int32Array, to: number, a: Int32Array, at: number): void {
  const a0 = a[at] as number
  const a1 = a[at + 1] as number
  const a2 = a[at + 2] as number
  const a3 = a[at + 3] as number
  const a4 = a[at + 4] as number
  const a5 = a[at + 5] as number
  const a6 = a[at + 6] as number
  const a7 = a[at + 7] as number
  out[to] = a0 ^ a4 ^ a6
  out[to + 1] = a4 ^ a6 ^ a7
  out[to + 2] = a1 ^ a5
  out[to + 3] = a4 ^ a5 ^ a6 ^ a7
  out[to + 4] = a2 ^ a4 ^ a7
  out[to + 5] = a5 ^ a6
  out[to + 6] = a3 ^ a5
  out[to + 7] = a6 ^ a7
}

// Nobody's between two calls of a mode: `wipePowers`.
const powers = new Int32Array(5 * 8)

/** For when the last inverse was made: what is left of it says what it was of. */
export function wipePowers(): void {
  powers.fill(0)
}

/** In place: the inverse, and zero of zero. It is the 254th power. */
export function invert(words: Int32Array, at: number): void {
  const [x2, x3, x12, x15, x] = [0, 8, 16, 24, 32]
  square(powers, x2, words, at)
  multiply(powers, x3, powers, x2, words, at)
  square(powers, x12, powers, x3)
  square(powers, x12, powers, x12)
  multiply(powers, x15, powers, x12, powers, x3)
  square(powers, x, powers, x15)
  for (let i = 0; i < 3; i++) square(powers, x, powers, x)
  // 240 and 12 and 2.
  multiply(powers, x, powers, x, powers, x12)
  multiply(words, at, powers, x, powers, x2)
}

/** In place: the linear map of SubBytes, bit i being the sum of i, i + 4, i + 5, i + 6 and i + 7, and 0x63 (FIPS 197, section 5.1.1). */
export function mapForward(words: Int32Array, at: number): void {
  const b0 = words[at] as number
  const b1 = words[at + 1] as number
  const b2 = words[at + 2] as number
  const b3 = words[at + 3] as number
  const b4 = words[at + 4] as number
  const b5 = words[at + 5] as number
  const b6 = words[at + 6] as number
  const b7 = words[at + 7] as number
  words[at] = ~(b0 ^ b4 ^ b5 ^ b6 ^ b7)
  words[at + 1] = ~(b1 ^ b5 ^ b6 ^ b7 ^ b0)
  words[at + 2] = b2 ^ b6 ^ b7 ^ b0 ^ b1
  words[at + 3] = b3 ^ b7 ^ b0 ^ b1 ^ b2
  words[at + 4] = b4 ^ b0 ^ b1 ^ b2 ^ b3
  words[at + 5] = ~(b5 ^ b1 ^ b2 ^ b3 ^ b4)
  words[at + 6] = ~(b6 ^ b2 ^ b3 ^ b4 ^ b5)
  words[at + 7] = b7 ^ b3 ^ b4 ^ b5 ^ b6
}

/** In place: what undoes it, bit i being the sum of i + 2, i + 5 and i + 7, and 0x05. */
export function mapBack(words: Int32Array, at: number): void {
  const b0 = words[at] as number
  const b1 = words[at + 1] as number
  const b2 = words[at + 2] as number
  const b3 = words[at + 3] as number
  const b4 = words[at + 4] as number
  const b5 = words[at + 5] as number
  const b6 = words[at + 6] as number
  const b7 = words[at + 7] as number
  words[at] = ~(b2 ^ b5 ^ b7)
  words[at + 1] = b3 ^ b6 ^ b0
  words[at + 2] = ~(b4 ^ b7 ^ b1)
  words[at + 3] = b5 ^ b0 ^ b2
  words[at + 4] = b6 ^ b1 ^ b3
  words[at + 5] = b7 ^ b2 ^ b4
  words[at + 6] = b0 ^ b3 ^ b5
  words[at + 7] = b1 ^ b4 ^ b6
}
