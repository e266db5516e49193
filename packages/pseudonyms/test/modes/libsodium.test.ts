// Another implementation makes the same bytes: libsodium's, of as many random addresses as there is time for.
import { randomBytes } from 'node:crypto'

import { formatAddress } from '@strongroom/pseudonyms'
import { deterministic, nd, ndx, prefix } from '@strongroom/pseudonyms/raw-keys'
import sodium from 'libsodium-wrappers-sumo'
import { beforeAll, describe, expect, test } from 'vitest'

const COUNT = process.env['STRONGROOM_SLOW'] === 'yes' ? 1_000_000 : 10_000
const BATCH = 5000

beforeAll(() => sodium.ready)

/** Random addresses: every other one IPv4, and of the others some with long runs of zeros, as they have them. */
function addresses(count: number): Uint8Array {
  const blocks = randomBytes(16 * count)
  for (let i = 0; i < count; i++) {
    if (i % 2 === 0) blocks.fill(0, 16 * i, 16 * i + 10).fill(0xff, 16 * i + 10, 16 * i + 12)
    else if (i % 3 === 0) blocks.fill(0, 16 * i + 6, 16 * i + 15)
  }
  return Uint8Array.from(blocks)
}

// A process of another realm of bytes makes nothing of ours but this.
const own = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)

function compare(
  ours: (batch: Uint8Array, tweaks: Uint8Array) => Uint8Array,
  theirs: (block: Uint8Array, tweak: Uint8Array) => Uint8Array,
  tweakSize: number,
): void {
  for (let done = 0; done < COUNT; done += BATCH) {
    const batch = addresses(BATCH)
    const tweaks = own(randomBytes(BATCH * tweakSize))
    const got = Buffer.from(ours(batch, tweaks))
    const size = got.length / BATCH
    for (let i = 0; i < BATCH; i++) {
      const expected = theirs(batch.subarray(16 * i, 16 * i + 16), tweaks.subarray(tweakSize * i, tweakSize * (i + 1)))
      if (got.compare(expected, 0, size, size * i, size * (i + 1)) !== 0) throw new Error(`other bytes for address ${done + i}`)
    }
  }
}

describe(`the same as libsodium makes, of ${COUNT} random addresses`, () => {
  test('deterministic', () => {
    const key = own(randomBytes(16))
    const mode = deterministic(key)
    compare(
      (batch) => mode.pseudonymiseBytes(batch),
      (block) => sodium.crypto_ipcrypt_encrypt(block, key),
      1,
    )
  })

  test('prefix', { timeout: 600_000 }, () => {
    const key = own(randomBytes(32))
    const mode = prefix(key)
    compare(
      (batch) => mode.pseudonymiseBytes(batch),
      (block) => sodium.crypto_ipcrypt_pfx_encrypt(block, key),
      1,
    )
  })

  test('nd', () => {
    const key = own(randomBytes(16))
    let next = new Uint8Array(0)
    const mode = nd(key, () => next)
    const ours = (batch: Uint8Array, tweaks: Uint8Array): Uint8Array => {
      next = own(tweaks) as Uint8Array<ArrayBuffer>
      return mode.pseudonymiseBytes(batch)
    }
    compare(ours, (block, tweak) => sodium.crypto_ipcrypt_nd_encrypt(block, tweak, key), 8)
  })

  test('ndx', () => {
    const key = own(randomBytes(32))
    let next = new Uint8Array(0)
    const mode = ndx(key, () => next)
    const ours = (batch: Uint8Array, tweaks: Uint8Array): Uint8Array => {
      next = own(tweaks) as Uint8Array<ArrayBuffer>
      return mode.pseudonymiseBytes(batch)
    }
    compare(ours, (block, tweak) => sodium.crypto_ipcrypt_ndx_encrypt(block, tweak, key), 16)
  })

  test('and the same text of the bytes', () => {
    const blocks = addresses(2000)
    for (let at = 0; at < blocks.length; at += 16) {
      const text = sodium.sodium_bin2ip(blocks.subarray(at, at + 16))
      expect(formatAddress(blocks, at)).toBe(text)
    }
  })
})
