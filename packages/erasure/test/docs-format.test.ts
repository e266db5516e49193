// The worked vector of docs/format.md, "Closure certificate": what this package makes of it, byte for byte.
import { createPrivateKey, hkdfSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { StrongroomError } from '@strongroom/core'
import { verifyCertificate } from '@strongroom/erasure'
import { expect, test } from 'vitest'

import { decodeBody, encodeBody } from '#erasure/certificate/body.js'
import type { ClosureCertificate } from '#erasure/certificate/certificate.js'
import { toText } from '#erasure/certificate/text-form.js'

interface Vector {
  readonly secret: string
  readonly seed: string
  readonly publicKey: string
  readonly trustedKey: string
  readonly says: ClosureCertificate & { readonly form: number }
  readonly body: string
  readonly signature: string
  readonly text: string
}

const page = readFileSync(new URL('../../../docs/format.md', import.meta.url), 'utf8')
const vector = JSON.parse(/```json name=closure-certificate\n([\s\S]*?)\n```/.exec(page)?.[1] ?? '') as Vector
const [, chapter = ''] = /\n## Closure certificate\n([\s\S]*?)\n## /.exec(page) ?? []
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
const key = unhex(vector.publicKey)
const trusted = unhex(vector.trustedKey)

test('opens, says what it says, and is made again', () => {
  const { form, ...says } = vector.says
  expect(form).toBe(1)
  expect(vector.trustedKey).toBe(says.vaultId + vector.publicKey)
  expect(verifyCertificate(vector.text, [trusted])).toEqual(says)
  const body = encodeBody(says)
  expect(Buffer.from(body).toString('hex')).toBe(vector.body)
  expect(toText({ body, publicKey: key, signature: unhex(vector.signature) })).toBe(vector.text)
})

test('its signature, as the page has it', () => {
  // PKCS #8 of an Ed25519 seed (RFC 8410, section 7).
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), unhex(vector.seed)])
  const label = Buffer.from('strongroom/v1/closure-certificate')
  const message = Buffer.concat([Uint8Array.of(0, 0, 0, label.length), label, unhex(vector.body)])
  const signature = sign(null, message, createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }))
  expect(signature.toString('hex')).toBe(vector.signature)
  const seed = hkdfSync('sha256', unhex(vector.secret), new Uint8Array(32), 'strongroom/v1/use/signing-certificate', 32)
  expect(Buffer.from(seed).toString('hex')).toBe(vector.seed)
})

test('any character changed is refused', () => {
  for (let at = 0; at < vector.text.length; at += 3) {
    const changed = vector.text.slice(0, at) + (vector.text[at] === 'A' ? 'B' : 'A') + vector.text.slice(at + 1)
    expect(() => verifyCertificate(changed, [trusted])).toThrow(StrongroomError)
  }
})

test('the table lists the members in their order, and the limits are those of the code', () => {
  const rows = [...chapter.matchAll(/^\| ((?:`\w+`(?:, )?)+) \|/gm)].flatMap(([, names]) =>
    [...(names ?? '').matchAll(/\w+/g)].map(([name]) => name),
  )
  expect(rows).toEqual(Object.keys(vector.says))
  const last = Number(/at most\s+(\d+)\./.exec(chapter)?.[1])
  const { form: _, ...says } = vector.says
  expect(decodeBody(encodeBody({ ...says, closedAt: last }))).toBeDefined()
  expect(decodeBody(encodeBody({ ...says, closedAt: last + 1 }))).toBeUndefined()
  const named = (name: string): unknown =>
    decodeBody(encodeBody({ ...says, resources: [{ name, found: 1, remaining: 0, verifiedAt: says.erasedAt }] }))
  expect([named('x'.repeat(256)), named('\u{1F600}'.repeat(256))]).not.toContain(undefined)
  expect(
    ['', 'x'.repeat(257), '\u{1F600}'.repeat(257), 'a\u0000', 'a\u202E', 'a\u2028', '\uD800']
      .map(named)
      .every((said) => said === undefined),
  ).toBe(true)
})
