// The worked vectors of docs/format.md, "Pseudonyms": what this package makes of those keys.
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { parseAddress } from '@strongroom/pseudonyms'
import { deterministic, type KeyedMode, nd, ndx, prefix, token } from '@strongroom/pseudonyms/raw-keys'
import { expect, test } from 'vitest'

import { hex, pseudonymsOf, world } from './support.ts'

interface Vectors {
  readonly period: number
  readonly addresses: readonly string[]
  readonly blocks: readonly string[]
  readonly modes: readonly { readonly use: string; readonly key: string; readonly tweak?: string; readonly pseudonyms: readonly string[] }[]
  readonly id: { readonly key: string; readonly kind: string; readonly value: string; readonly id: string }
}

const page = readFileSync(new URL('../../../docs/format.md', import.meta.url), 'utf8')
const [, body = ''] = /```json name=pseudonyms\n([\s\S]*?)\n```/.exec(page) ?? []
const vectors = JSON.parse(body) as Vectors
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

const MADE: Readonly<Record<string, (key: Uint8Array, tweaks: (length: number) => Uint8Array) => KeyedMode>> = {
  'pseudonym-deterministic': (key) => deterministic(key.subarray(0, 16)),
  'pseudonym-prefix': (key) => prefix(key),
  'pseudonym-nd': (key, tweaks) => nd(key.subarray(0, 16), tweaks),
  'pseudonym-ndx': (key, tweaks) => ndx(key, tweaks),
  'pseudonym-token': (key) => token(key, vectors.period),
}

test('addresses', () => {
  expect(vectors.addresses.map((text) => hex(parseAddress(text) ?? new Uint8Array()))).toEqual(vectors.blocks)
})

test.each(vectors.modes)('$use', ({ use, key, tweak = '', pseudonyms }) => {
  const tweaks = (length: number): Uint8Array => unhex(tweak.repeat((2 * length) / tweak.length))
  const mode = (MADE[use] as (typeof MADE)[string])(unhex(key), tweaks)
  expect(mode.pseudonymise(unhex(vectors.blocks.join('')))).toEqual(pseudonyms)
})

test('an identifier: of the subject’s own key, as it is written here', async () => {
  const { key, kind, value, id } = vectors.id
  const lp = (text: string): Buffer => Buffer.concat([Buffer.from([0, 0, 0, Buffer.byteLength(text)]), Buffer.from(text)])
  const made = (secret: Uint8Array): string => {
    const mac = createHmac('sha256', secret).update(lp(kind)).update(lp(value)).digest()
    return Buffer.concat([Uint8Array.of(1), mac.subarray(0, 15)]).toString('base64url')
  }
  expect(made(unhex(key))).toBe(id)
  const w = await world()
  const own = await w.vault.tenant('acme').subject(value).rawKey({ use: 'pseudonym-id', name: 'access-log' }, made)
  expect(await pseudonymsOf(w).id(kind, value)).toBe(own)
})
