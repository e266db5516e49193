// The key that an open version gives to blind indexes is the one of docs/format.md, whose worked values were made apart.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

import { commitment } from '#core/format/derivations.js'
import { indexData, indexValue, type Normaliser } from '#core/format/index-value.js'
import { OpenVersion } from '#core/keys/open-node.js'

interface Vector {
  readonly secret: string
  readonly domain: string
  readonly normaliser: Normaliser
  readonly scalar: string
  readonly value: string
}

const page = readFileSync(new URL('../../../../docs/format.md', import.meta.url), 'utf8')
const vectors = JSON.parse(/```json name=index-values\n([\s\S]*?)\n```/.exec(page)?.[1] ?? '[]') as readonly Vector[]
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

function open(secret: string): OpenVersion {
  const bytes = unhex(secret)
  return new OpenVersion({ version: 1, state: 1, commitment: commitment(bytes), parentCommitment: new Uint8Array(32) }, bytes)
}

test.each(vectors)('$domain', ({ secret, domain, normaliser, scalar, value }) => {
  const { tag, key } = open(secret).indexKey()
  expect(Buffer.from(indexValue(tag, key, indexData(new TextEncoder().encode(domain), normaliser), unhex(scalar))).toString('hex')).toBe(
    value,
  )
})

test('it is wiped with the version', () => {
  const version = open(vectors[0]?.secret ?? '')
  const { key } = version.indexKey()
  expect(key.some((byte) => byte !== 0)).toBe(true)
  version.destroy()
  expect(key.every((byte) => byte === 0)).toBe(true)
  expect(() => version.indexKey()).toThrow(expect.objectContaining({ code: 'handle_expired' }))
})
