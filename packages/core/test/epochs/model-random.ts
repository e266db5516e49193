// Random bytes from a seed, so that a failure is replayed to the byte: references, and with them the order in which stores give out
// their records, come from random keys.
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

const BLOCK = 4096

/** Until the returned function is called, `randomFillSync` of this process gives what the seed says. */
export function seedRandom(seed: number): () => void {
  const original = crypto.randomFillSync
  let counter = 0
  let left = Buffer.alloc(0)
  const seeded = (bytes: Uint8Array): Uint8Array => {
    // Blocks of nonces are drawn at instants of the real clock. They decide nothing, and would shift what comes after them.
    if (bytes.length >= BLOCK) return original(bytes)
    while (left.length < bytes.length) left = Buffer.concat([left, crypto.createHash('sha256').update(`${seed}/${counter++}`).digest()])
    bytes.set(left.subarray(0, bytes.length))
    left = left.subarray(bytes.length)
    return bytes
  }
  set(seeded as typeof crypto.randomFillSync)
  return () => set(original)
}

function set(randomFillSync: typeof crypto.randomFillSync): void {
  crypto.randomFillSync = randomFillSync
  syncBuiltinESMExports()
}
