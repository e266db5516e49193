/** AES on single blocks (FIPS 197), through one object that stays open: a call costs the most, so blocks are to come by the thousand. */

import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM } from 'node:crypto'

import { invalidArgument, StrongroomError } from '@strongroom/core'

type OpenCipher = Pick<CipherGCM, 'update' | 'final'>
type OpenDecipher = Pick<DecipherGCM, 'update' | 'final'>

const CIPHERS: Readonly<Record<number, string>> = { 16: 'aes-128-ecb', 32: 'aes-256-ecb' }

/** The block cipher under one key. Blocks are independent of each other; each call takes any number of them. */
export class AesBlocks {
  #encrypts: OpenCipher | undefined
  #decrypts: OpenDecipher | undefined

  /** @param key - 16 or 32 bytes; no view of it is kept */
  constructor(key: Uint8Array) {
    const cipher = CIPHERS[key.length]
    if (cipher === undefined) throw invalidArgument('key', 'must be 16 or 32 bytes')
    this.#encrypts = createCipheriv(cipher, key, null).setAutoPadding(false)
    this.#decrypts = createDecipheriv(cipher, key, null).setAutoPadding(false)
  }

  encrypt(blocks: Uint8Array): Uint8Array {
    return plain(required(this.#encrypts).update(blocks))
  }

  decrypt(blocks: Uint8Array): Uint8Array {
    return plain(required(this.#decrypts).update(blocks))
  }

  /** Ends both: OpenSSL wipes a key's schedule as it frees it. */
  destroy(): void {
    this.#encrypts?.final()
    this.#decrypts?.final()
    this.#encrypts = undefined
    this.#decrypts = undefined
  }
}

// What comes out of a mode is of one type, whichever it is.
function plain({ buffer, byteOffset, length }: Buffer): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length)
}

function required<T>(open: T | undefined): T {
  if (open === undefined) throw destroyed()
  return open
}

/** For a mode whose key was dropped. */
export function destroyed(): StrongroomError {
  return new StrongroomError('handle_expired', 'the key of this mode was destroyed; open it again')
}
