/** From what its owner has, a passphrase or a raw key, to the key that seals the file. */

import { hkdfSha256, StrongroomError, wipe } from '@strongroom/core'

import { argon2id } from './argon2id.ts'
import { utf8 } from './bytes.ts'
import type { Protection } from './header.ts'

/** What protects the file. `bytes` is our own copy, wiped as soon as the key is derived. */
export interface Protector {
  readonly kind: Protection['kind']
  readonly bytes: Uint8Array
}

const LABELS = {
  argon2id: utf8('strongroom/v1/root-key-file/passphrase'),
  'raw-key': utf8('strongroom/v1/root-key-file/raw-key'),
} as const

/**
 * HKDF(Argon2id(passphrase) or raw key, salt of the file, label of its kind): 32 bytes. Wipes the protector.
 *
 * @throws StrongroomError `wrong_passphrase` if the file is protected in the other way
 */
export async function fileKey(protector: Protector, protection: Protection): Promise<Uint8Array> {
  try {
    if (protector.kind !== protection.kind) {
      throw new StrongroomError(
        'wrong_passphrase',
        `the root key file is protected by a ${protection.kind === 'argon2id' ? 'passphrase' : 'raw key'}`,
      )
    }
    const { salt } = protection
    if (protection.kind === 'raw-key') return hkdfSha256(protector.bytes, LABELS['raw-key'], salt)
    const stretched = await argon2id(protector.bytes, salt, protection)
    try {
      return hkdfSha256(stretched, LABELS.argon2id, salt)
    } finally {
      wipe(stretched)
    }
  } finally {
    wipe(protector.bytes)
  }
}

/** Why the file did not open. A wrong passphrase and altered bytes cannot be told apart: both fail the same authentication. */
export function doesNotOpen(kind: Protection['kind']): StrongroomError {
  return new StrongroomError('wrong_passphrase', `wrong ${kind === 'argon2id' ? 'passphrase' : 'raw key'}, or the file was altered`)
}
