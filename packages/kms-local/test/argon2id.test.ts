import { argon2id as nobleArgon2id } from '@noble/hashes/argon2.js'
import sodium from 'libsodium-wrappers-sumo'
import { describe, expect, test } from 'vitest'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('Argon2id', () => {
  // Source: github.com/P-H-C/phc-winner-argon2, kats/argon2id, version 19; the same numbers as RFC 9106, section 5.3.
  test('@noble/hashes gives the known answer of the reference implementation', () => {
    const tag = nobleArgon2id(new Uint8Array(32).fill(1), new Uint8Array(16).fill(2), {
      m: 32,
      t: 3,
      p: 4,
      key: new Uint8Array(8).fill(3),
      personalization: new Uint8Array(12).fill(4),
      dkLen: 32,
    })
    expect(hex(tag)).toBe('0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659')
  })

  // libsodium has one lane only and neither secret nor associated data, so it is held against noble instead.
  test('libsodium gives what noble gives, for 20 sets of parameters at one lane', async () => {
    await sodium.ready
    for (let i = 0; i < 20; i++) {
      const memory = 8 + i * i
      const passes = 1 + (i % 4)
      const passphrase = Uint8Array.from({ length: i * 7 }, (_, at) => at * 31 + i)
      const salt = new Uint8Array(16).fill(i)
      const ours = sodium.crypto_pwhash(32, passphrase, salt, passes, memory * 1024, sodium.crypto_pwhash_ALG_ARGON2ID13)
      const theirs = nobleArgon2id(passphrase, salt, { m: memory, t: passes, p: 1, dkLen: 32 })
      expect(hex(ours), `memory ${memory} KiB, passes ${passes}, passphrase of ${passphrase.length} bytes`).toBe(hex(theirs))
    }
  })
})
