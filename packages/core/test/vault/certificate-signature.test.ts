// Signatures of closure certificates: of the vault's published key, under a label of their own, and nothing else's.
import { openVault, verifyCertificateSignature, verifyReceipt } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { ed25519PublicKey, ed25519Sign } from '#core/crypto/ed25519.js'
import { ascii, concat, hex, lp } from '#core/format/bytes.js'
import { trustedKey } from '#core/format/trusted-key.js'

import { alice, flipped, openGround, outcome, refusalOf } from './support.ts'

const body = ascii('{"form":1}')

test('the published key has signed it, and any bit changed is refused', async () => {
  const { vault } = await openGround()
  const trusted = await vault.receiptKeys()
  const signed = await vault.signCertificate(body)
  expect(trusted).toEqual([Uint8Array.from(Buffer.concat([Buffer.from(vault.id, 'hex'), signed.publicKey]))])
  expect(verifyCertificateSignature(body, signed, trusted)).toBe(vault.id)
  for (let bit = 0; bit < 8 * body.length; bit++) expect(verifyCertificateSignature(flipped(body, bit), signed, trusted)).toBeUndefined()
  for (let bit = 0; bit < 512; bit++)
    expect(verifyCertificateSignature(body, { ...signed, signature: flipped(signed.signature, bit) }, trusted)).toBeUndefined()
  for (let bit = 0; bit < 256; bit++)
    expect(verifyCertificateSignature(body, { ...signed, publicKey: flipped(signed.publicKey, bit) }, trusted)).toBeUndefined()
  expect(await vault.signCertificate(body)).toEqual(signed)
})

test('a key that it brings along is not believed, and each of the trusted ones is', async () => {
  const { vault } = await openGround()
  const seed = new Uint8Array(32).fill(7)
  const stranger = ed25519PublicKey(seed)
  const label = lp(ascii('strongroom/v1/closure-certificate'))
  const signature = ed25519Sign(seed, concat(label, body))
  const own = await vault.receiptKeys()
  const other = new Uint8Array(16).fill(9)
  expect(verifyCertificateSignature(body, { publicKey: stranger, signature }, own)).toBeUndefined()
  expect(
    verifyCertificateSignature(body, { publicKey: (own[0] as Uint8Array).slice(16), signature }, [...own, trustedKey(other, stranger)]),
  ).toBeUndefined()
  expect(verifyCertificateSignature(body, { publicKey: stranger, signature }, [...own, trustedKey(other, stranger)])).toBe(hex(other))
  // Other labels, and none.
  for (const wrong of [new Uint8Array(), ascii('strongroom/v1/closure-certificate'), lp(ascii('strongroom/v1/shred-receipt'))])
    expect(
      verifyCertificateSignature(body, { publicKey: stranger, signature: ed25519Sign(seed, concat(wrong, body)) }, [
        trustedKey(other, stranger),
      ]),
    ).toBeUndefined()
})

describe('a receipt and a certificate', () => {
  const HEADER = 96

  test('the signature of one is none of the other, whichever way round', async () => {
    const { vault } = await openGround()
    const trusted = await vault.receiptKeys()
    const { receipt } = await alice(vault).shred()
    const all = new Uint8Array(Buffer.from(receipt.slice('srr1.'.length), 'base64url'))
    const [fields, publicKey, signature] = [all.subarray(0, -HEADER), all.slice(-HEADER, -64), all.slice(-64)]
    expect(verifyCertificateSignature(fields, { publicKey, signature }, trusted)).toBeUndefined()
    // Nor with the label of the other in its body.
    expect(
      verifyCertificateSignature(concat(lp(ascii('strongroom/v1/shred-receipt')), fields), { publicKey, signature }, trusted),
    ).toBeUndefined()

    const signed = await vault.signCertificate(fields)
    const forged = `srr1.${Buffer.concat([fields, signed.publicKey, signed.signature]).toString('base64url')}`
    expect(await outcome(() => verifyReceipt(forged, trusted))).toBe('receipt_invalid')
    expect(await outcome(() => verifyReceipt(receipt, trusted))).toBe('done')
  })
})

test('wrong arguments, and a closed vault', async () => {
  const made = await openGround()
  const { vault } = made
  const trusted = await vault.receiptKeys()
  const signed = await vault.signCertificate(body)
  const refusals: readonly [string, () => unknown][] = [
    ['body', () => vault.signCertificate('text' as never)],
    ['body', () => verifyCertificateSignature('text' as never, signed, trusted)],
    ['publicKey', () => verifyCertificateSignature(body, { ...signed, publicKey: new Uint8Array(31) }, trusted)],
    ['signature', () => verifyCertificateSignature(body, { ...signed, signature: new Uint8Array(63) }, trusted)],
    ['trustedKeys', () => verifyCertificateSignature(body, signed, [])],
    ['trustedKeys', () => verifyCertificateSignature(body, signed, [new Uint8Array(32)])],
    ['trustedKeys', () => verifyCertificateSignature(body, signed, [...trusted, trustedKey(new Uint8Array(16), signed.publicKey)])],
    ['trustedKeys', () => verifyCertificateSignature(body, signed, trusted[0] as never)],
  ]
  for (const [argument, call] of refusals) expect(await refusalOf(call)).toMatchObject({ code: 'invalid_argument', argument })
  await vault.close()
  expect(await outcome(() => vault.signCertificate(body))).toBe('vault_closed')
  const again = await openVault(made.options)
  expect(await again.signCertificate(body)).toEqual(signed)
})
