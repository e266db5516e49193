// The check of the vault's record: a known answer made from docs/format.md by hand, and that each part counts.
import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'

import { vaultRecordCheck } from '#core/format/vault-record-check.js'

const KEY = new Uint8Array(32).fill(7)
const FIXED = { vaultId: new Uint8Array(16).fill(1), homeRegion: 'eu', cacheBound: 60_000, created: 1_795_305_600_000 }

const lp = (bytes: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

test('is the HMAC of its label and of every part, each with its length', () => {
  const parts = [Buffer.from('strongroom/v1/vault-record'), FIXED.vaultId, Buffer.from('eu'), u64(60_000), u64(1_795_305_600_000)]
  const expected = createHmac('sha256', KEY)
    .update(Buffer.concat(parts.map((part) => lp(part))))
    .digest()
  expect(Buffer.from(vaultRecordCheck(KEY, FIXED)).equals(expected)).toBe(true)
})

test('differs when any part differs', () => {
  const all = [
    FIXED,
    { ...FIXED, vaultId: new Uint8Array(16).fill(2) },
    { ...FIXED, homeRegion: 'us' },
    { ...FIXED, cacheBound: 60_001 },
    { ...FIXED, created: FIXED.created + 1 },
  ].map((fixed) => Buffer.from(vaultRecordCheck(KEY, fixed)).toString('hex'))
  expect(new Set(all).size).toBe(all.length)
})
