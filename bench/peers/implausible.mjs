// Making text is making bytes, and something more: a table in which it is faster tells of the machine, not of the libraries.

const PAIRS = [
  ['bytes', 'text'],
  ['bytesAwaited', 'textAwaited'],
]
// Medians of the same thing differ by so much on a machine that is quiet.
const NOISE = 1.1

/**
 * @param rows - `{ size, encrypt, decrypt }` each, the last two as `interleave` gives them
 * @returns where bytes are slower than text beyond noise: in three rounds of four, or as they would be printed
 */
export function implausible(rows) {
  const found = []
  for (const { size, count, ...directions } of rows) {
    for (const what of ['encrypt', 'decrypt']) {
      for (const [bytes, text] of PAIRS) {
        const { [bytes]: one, [text]: other } = directions[what]
        if (one === undefined || (other.lower <= 1 && one.ns <= NOISE * other.ns)) continue
        const where = `${what}, ${size} B${count ? `, ${count} people` : ''}`
        found.push(`${where}: ${bytes} ${(one.ns / 1000).toFixed(2)} µs, ${text} ${(other.ns / 1000).toFixed(2)} µs`)
      }
    }
  }
  return found
}
