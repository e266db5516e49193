/** Argon2id (RFC 9106) from libsodium, one lane, within bounds that a file cannot talk us out of. */

import { unavailable } from './errors.ts'
import { KEY_BYTES } from './header.ts'

/** What a guess at the passphrase costs. */
export interface Argon2Parameters {
  /** KiB. */
  readonly memory: number
  readonly passes: number
}

/** RFC 9106, section 4, second recommended option: 64 MiB, 3 passes. Less is refused, in options and in files. */
export const ARGON2_FLOOR: Argon2Parameters = { memory: 65_536, passes: 3 }
/** More would let an altered file stop the process that opens it: 1 GiB is also the most that WebAssembly gives libsodium. */
export const ARGON2_CEILING: Argon2Parameters = { memory: 1_048_576, passes: 16 }

export function withinBounds({ memory, passes }: Argon2Parameters): boolean {
  return (
    memory >= ARGON2_FLOOR.memory && memory <= ARGON2_CEILING.memory && passes >= ARGON2_FLOOR.passes && passes <= ARGON2_CEILING.passes
  )
}

/**
 * 32 bytes from a passphrase. Blocks the thread for as long as it takes (0.4 s at the floor, on one machine); its memory stays
 * with the process.
 *
 * @throws StrongroomError `key_provider_unavailable` if there is not that much memory
 */
export async function argon2id(passphrase: Uint8Array, salt: Uint8Array, { memory, passes }: Argon2Parameters): Promise<Uint8Array> {
  // Loaded here, not at import: who uses a raw key does not pay for it.
  const { default: sodium } = await import('libsodium-wrappers-sumo')
  await sodium.ready
  try {
    return sodium.crypto_pwhash(KEY_BYTES, passphrase, salt, passes, memory * 1024, sodium.crypto_pwhash_ALG_ARGON2ID13)
  } catch (error) {
    throw unavailable(`Argon2id did not get its ${memory} KiB of memory`, error)
  }
}
