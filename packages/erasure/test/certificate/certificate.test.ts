// A closure certificate: what it says, when it is signed, and that nothing else passes for one.
import { days, StrongroomError, verifyReceipt } from '@strongroom/core'
import { certificateToText, verifyCertificate } from '@strongroom/erasure'
import { beforeAll, describe, expect, test } from 'vitest'

import type { CertificateFacts, ClosureCertificate } from '#erasure/certificate/certificate.js'
import { issueCertificate } from '#erasure/certificate/issue.js'
import { termsOf } from '#erasure/policy/policy.js'
import { fromText, toText } from '#erasure/certificate/text-form.js'

import { outcome } from '../../../core/test/vault/support.ts'
import { bodyOf, closeEpoch, erasedAlice, factsOf, POLICY, signer, START, type World, world } from './support.ts'

let made: World
let facts: CertificateFacts
let certificate: string

beforeAll(async () => {
  made = await world()
  facts = await erasedAlice(made)
  certificate = await issueCertificate(made.vault, facts)
})

const verdict = (text: string, keys: readonly Uint8Array[] = made.trusted): Promise<string> => outcome(() => verifyCertificate(text, keys))

describe('what is said', () => {
  test('is what the erasure knew, what the receipt says, and how the root versions went', () => {
    const { finality, ...rest } = facts
    const { ledger, rootVersion, versions } = verifyReceipt(facts.receipt, made.trusted)
    expect(verifyCertificate(certificate, made.trusted)).toEqual({
      ...rest,
      policy: termsOf(POLICY),
      vaultId: made.vault.id,
      region: 'eu',
      keyVersions: versions,
      rootVersion,
      shreddedAt: START + days(30),
      closedAt: START + days(37),
      ledger: { n: ledger.n, hash: Buffer.from(ledger.hash).toString('hex') },
      destruction: [{ number: 1, level: 'confirmed', effectiveAt: START + days(37), copiesUntil: START + days(37) }],
    } satisfies ClosureCertificate)
    expect(finality.final).toBe(true)
    // The receipt in it stands by itself.
    expect(verifyReceipt(verifyCertificate(certificate, made.trusted).receipt, made.trusted).reason).toBe('accountDeleted')
  })

  test('the same facts have one text', async () => {
    expect(await issueCertificate(made.vault, facts)).toBe(certificate)
    expect(certificate).toMatch(/^scc1\.[\w-]+\.[\w-]{43}\.[\w-]{86}$/)
  })

  test('of a tenant, of an item, of what is the tenant’s own, and of whoever was beneath what was shredded', async () => {
    const { vault, trusted } = await world()
    const tenant = vault.tenant('acme')
    const [alice, self] = [tenant.subject('alice'), tenant.self()]
    const [ofAlice, ofItem, ofSelf] = [await alice.references(), await alice.item('hubspot').references(), await self.references()]
    const ofOwnItem = await self.item('crm').references()
    const receipts = {
      item: await alice.item('hubspot').shred(),
      ownItem: await self.item('crm').shred(),
      alice: await alice.shred(),
      self: await self.shred(),
      tenant: await tenant.shred(),
    }
    await closeEpoch(vault)
    const issued = async (
      ...[kind, references, shredded]: Parameters<typeof factsOf> extends [unknown, ...infer R] ? R : never
    ): Promise<unknown> => {
      try {
        const said = verifyCertificate(await issueCertificate(vault, await factsOf(vault, kind, references, shredded)), trusted)
        return [said.kind, said.references]
      } catch (error) {
        return error instanceof StrongroomError ? error.argument : error
      }
    }
    expect(await issued('tenant', ofAlice.slice(0, 1), receipts.tenant)).toEqual(['tenant', ofAlice.slice(0, 1)])
    expect(await issued('item', ofItem, receipts.item)).toEqual(['item', ofItem])
    expect(await issued('item', ofOwnItem, receipts.ownItem)).toEqual(['item', ofOwnItem])
    expect(await issued('self', ofSelf, receipts.self)).toEqual(['self', ofSelf])
    // With what is above: the tenant's receipt is enough for everybody in it, a person's for all parts.
    expect(await issued('subject', ofAlice, receipts.tenant)).toEqual(['subject', ofAlice])
    expect(await issued('item', ofItem, receipts.alice)).toEqual(['item', ofItem])
    expect(await issued('item', ofOwnItem, receipts.self)).toEqual(['item', ofOwnItem])
    // Never with what is beneath, or beside.
    expect(await issued('tenant', ofAlice.slice(0, 1), receipts.alice)).toBe('facts.receipt')
    expect(await issued('subject', ofAlice, receipts.item)).toBe('facts.receipt')
    expect(await issued('subject', ofAlice, receipts.self)).toBe('facts.receipt')
    expect(await issued('self', ofAlice, receipts.alice)).toBe('facts.receipt')
    expect(await issued('item', ofItem, receipts.self)).toBe('facts.receipt')
    expect(await issued('item', ofItem, receipts.ownItem)).toBe('facts.receipt')
  })
})

describe('is not signed', () => {
  test('before no backup brings the keys back: the message says what comes first', async () => {
    const { vault } = await world()
    const alice = vault.tenant('acme').subject('alice')
    const references = await alice.references()
    const shredded = await alice.shred()
    const early = await factsOf(vault, 'subject', references, shredded)
    await expect(issueCertificate(vault, early)).rejects.toMatchObject({
      code: 'epoch_blocked',
      message: expect.stringContaining('rotation_needed, close_needed') as string,
    })
    await closeEpoch(vault)
    // What was final is so for root versions up to that one: another's finality proves nothing.
    expect(await outcome(() => issueCertificate(vault, early))).toBe('epoch_blocked')
    expect(await outcome(async () => issueCertificate(vault, await factsOf(vault, 'subject', references, shredded)))).toBe('done')
    const bob = vault.tenant('acme').subject('bob')
    const later = await bob.shred()
    expect([shredded.rootVersion, later.rootVersion]).toEqual([1, 2])
    const { finality } = await factsOf(vault, 'subject', references, shredded)
    const mixed = { ...(await factsOf(vault, 'subject', await bob.references(), later)), finality }
    expect(await outcome(() => issueCertificate(vault, mixed))).toBe('invalid_argument')
  })

  test.each<[string, (f: CertificateFacts) => object]>([
    ['records that are left', (f) => ({ resources: [{ ...f.resources[0], remaining: 1 }] })],
    ['a resource twice', (f) => ({ resources: [f.resources[0], f.resources[0]] })],
    ['a name with a line break', (f) => ({ resources: [{ ...f.resources[0], name: 'users\nErased' }] })],
    ['a name that turns the text around', (f) => ({ survivors: [{ ...f.survivors[0], name: 'a\u202Eb' }] })],
    ['no root version', (f) => ({ finality: { ...f.finality, versions: [] } })],
    ['a copy that lives on', (f) => ({ finality: { ...f.finality, at: f.finality.at - 1 } })],
    ['references of another kind', (f) => ({ kind: 'tenant', references: f.references })],
    ['names for references', () => ({ references: ['acme', 'alice'] })],
    ['an instant that is none', () => ({ requestedAt: 1.5 })],
    ['an instant before 1970', () => ({ dueAt: -1 })],
    ['more than a certificate can hold', (f) => ({ survivors: Array.from({ length: 10_000 }, () => f.survivors[0]) })],
    ['somebody else', (f) => ({ references: [f.references[0], '00112233445566778899aabbccddeeff'] })],
  ])('with %s', async (_, change) => {
    expect(await outcome(() => issueCertificate(made.vault, { ...facts, ...change(facts) } as CertificateFacts))).toBe('invalid_argument')
  })

  test('with an altered receipt', async () => {
    expect(await outcome(() => issueCertificate(made.vault, { ...facts, receipt: facts.receipt.replace(/.$/, '') }))).toBe(
      'receipt_invalid',
    )
  })
})

describe('is refused', () => {
  test('with any character changed, cut or added', async () => {
    const others = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    for (let at = 0; at < certificate.length; at++) {
      const other = others[(others.indexOf(certificate[at] as string) + 1) % others.length] as string
      expect([at, await verdict(certificate.slice(0, at) + other + certificate.slice(at + 1))]).toEqual([at, 'certificate_invalid'])
    }
    for (let to = 0; to < certificate.length; to += 7) expect(await verdict(certificate.slice(0, to))).toBe('certificate_invalid')
    for (const more of ['A', '=', '.', '.A', ' ', '\n', certificate]) expect(await verdict(certificate + more)).toBe('certificate_invalid')
    for (const prefix of ['', 'scc2', 'SCC1', 'srr1', ' scc1', 'scc1.'])
      expect(await verdict(certificate.replace('scc1', prefix))).toBe('certificate_invalid')
    expect(await verdict(certificate)).toBe('done')
  })

  test('with any bit of its parts changed', async () => {
    const parts = fromText(certificate)
    if (parts === undefined) throw new Error('no certificate')
    for (const name of ['body', 'publicKey', 'signature'] as const) {
      for (let bit = 0; bit < 8 * parts[name].length; bit += name === 'body' ? 5 : 1) {
        const bytes = new Uint8Array(parts[name])
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
        expect([name, bit, await verdict(toText({ ...parts, [name]: bytes }))]).toEqual([name, bit, 'certificate_invalid'])
      }
    }
  })

  test('under a key that it brings along, or that is not the one that has signed', async () => {
    const stranger = signer()
    const own = stranger.certificate(bodyOf(certificate))
    expect(await verdict(own)).toBe('certificate_invalid')
    expect(await verdict(own.replace(/\.[\w-]{43}\./, `.${certificate.split('.')[2] ?? ''}.`))).toBe('certificate_invalid')
    const newer = stranger.trustedAs(made.vault.id)
    expect(await verdict(certificate, [newer])).toBe('certificate_invalid')
    // Of two of the vault's it is the one that is named, such as one that has followed that of the receipt, which needs its own.
    expect(await verdict(own, [newer])).toBe('certificate_invalid')
    expect(await verdict(own, [newer, ...made.trusted])).toBe('done')
    for (const keys of [[], [new Uint8Array(32)], 'keys', [newer, stranger.trustedAs('0'.repeat(32))]])
      expect(await verdict(certificate, keys as readonly Uint8Array[])).toBe('invalid_argument')
  })

  test('signed by another vault that is trusted as well: none speaks for another', async () => {
    const other = await world()
    const both = [...made.trusted, ...other.trusted]
    const theirs = await issueCertificate(other.vault, await erasedAlice(other))
    expect([await verdict(certificate, both), await verdict(theirs, both)]).toEqual(['done', 'done'])
    // With the true receipt of the vault that it is about.
    const body = new Uint8Array(Buffer.from(bodyOf(certificate)))
    expect(await verdict(toText({ body, ...(await other.vault.signCertificate(body)) }), both)).toBe('certificate_invalid')
    // Signed by the vault that it is about, and with a receipt of the other.
    const said = { ...(JSON.parse(bodyOf(certificate)) as object), receipt: verifyCertificate(theirs, other.trusted).receipt }
    const mixed = new Uint8Array(Buffer.from(JSON.stringify(said)))
    expect(await verdict(toText({ body: mixed, ...(await made.vault.signCertificate(mixed)) }), both)).toBe('certificate_invalid')
  })

  test('with a signature that was made for something else', async () => {
    for (const label of ['', 'strongroom/v1/shred-receipt', 'strongroom/v2/closure-certificate', 'closure-certificate']) {
      const other = signer(label)
      expect(await verdict(other.certificate(bodyOf(certificate)), [other.trustedAs(made.vault.id), ...made.trusted])).toBe(
        'certificate_invalid',
      )
    }
  })

  test('in place of a receipt, and a receipt in its place', async () => {
    const all = Buffer.from(facts.receipt.slice('srr1.'.length), 'base64url')
    const asCertificate = toText({ body: all.subarray(0, -96), publicKey: all.subarray(-96, -64), signature: all.subarray(-64) })
    expect(await verdict(asCertificate)).toBe('certificate_invalid')
    expect(await verdict(facts.receipt)).toBe('certificate_invalid')
    const parts = fromText(certificate)
    if (parts === undefined) throw new Error('no certificate')
    const asReceipt = `srr1.${Buffer.concat([parts.body, parts.publicKey, parts.signature]).toString('base64url')}`
    expect(await outcome(() => verifyReceipt(asReceipt, made.trusted))).toBe('receipt_invalid')
  })

  describe('signed by a trusted key', () => {
    const own = signer()
    const signed = (body: string): Promise<string> => verdict(own.certificate(body), [own.trustedAs(made.vault.id), ...made.trusted])
    const changed = (change: (said: Record<string, unknown>) => object): Promise<string> => {
      const said = JSON.parse(bodyOf(certificate)) as Record<string, unknown>
      return signed(JSON.stringify({ ...said, ...change(said) }))
    }

    test('but spelt another way', async () => {
      const body = bodyOf(certificate)
      expect(await signed(body)).toBe('done')
      const said = JSON.parse(body) as Record<string, unknown>
      const spellings = [
        ` ${body}`,
        `${body}\n`,
        `\uFEFF${body}`,
        body.replace('"form":1', '"form":1.0'),
        body.replace('"form":1', '"form": 1'),
        body.replace('"form":1,', ''),
        body.replace('"form":1', '"form":2'),
        body.replace('"form":1', '"form":1,"form":1'),
        body.replace('"form":1', '"form":1,"more":1'),
        body.replace('"form":1', '"__proto__":{},"form":1'),
        body.replace('"region":"eu"', '"region":"\\u0065u"'),
        body.replace(/"requestedAt":(\d+)/, '"requestedAt":$1e0'),
        body.replace('"remaining":0', '"remaining":-0'),
        JSON.stringify(Object.fromEntries(Object.entries(said).toReversed())),
        JSON.stringify(said, undefined, 1),
        body.slice(0, -1),
        'null',
        '[]',
        '',
      ]
      for (const spelling of spellings) expect([spelling, await signed(spelling)]).toEqual([spelling, 'certificate_invalid'])
      const broken = Buffer.from(body)
      broken[3] = 0xff
      expect(await verdict(own.certificate(broken), [own.trustedAs(made.vault.id), ...made.trusted])).toBe('certificate_invalid')
    })

    test.each<[string, (said: Record<string, unknown>) => object]>([
      ['another vault', () => ({ vaultId: '00112233445566778899aabbccddeeff' })],
      ['another region', () => ({ region: 'us' })],
      ['another number of key versions', () => ({ keyVersions: 7 })],
      ['another instant of the shred', () => ({ shreddedAt: START })],
      ['another entry of the ledger', ({ ledger }) => ({ ledger: { ...(ledger as object), n: 1 } })],
      ['another hash of the entry', ({ ledger }) => ({ ledger: { ...(ledger as object), hash: '0'.repeat(64) } })],
      ['another person', ({ references }) => ({ references: [(references as string[])[0], '0'.repeat(32)] })],
      ['another tenant', ({ references }) => ({ references: ['0'.repeat(32), (references as string[])[1]] })],
      ['the whole tenant', ({ references }) => ({ kind: 'tenant', references: (references as string[]).slice(0, 1) })],
      ["the tenant's own", () => ({ kind: 'self' })],
      [
        'a newer root version',
        ({ destruction }) => ({
          rootVersion: 2,
          destruction: [...(destruction as object[]), { ...(destruction as object[])[0], number: 2 }],
        }),
      ],
      ['the destruction of another root version', ({ destruction }) => ({ destruction: [{ ...(destruction as object[])[0], number: 2 }] })],
      ['no receipt', () => ({ receipt: '' })],
      ['records that are left', ({ resources }) => ({ resources: [{ ...(resources as object[])[0], remaining: 1 }] })],
      ['a closing before the root version was gone', () => ({ closedAt: START + days(37) - 1 })],
      [
        'copies that are left',
        ({ destruction }) => ({ destruction: [{ ...(destruction as object[])[0], copiesUntil: START + days(38) }] }),
      ],
      ['no destruction', () => ({ destruction: [] })],
      ['a reason that there is not', () => ({ reason: 'retired' })],
      ['a term that is none', ({ policy }) => ({ policy: { ...(policy as object), sweep: 0 } })],
    ])('but it claims %s', async (_, change) => {
      expect(await changed(() => ({}))).toBe('done')
      expect(await changed(change)).toBe('certificate_invalid')
    })
  })

  test('as no text at all', async () => {
    for (const wrong of [undefined, 5, {}, new Uint8Array(5)]) {
      expect(await verdict(wrong as string)).toBe('invalid_argument')
      expect(await outcome(() => certificateToText(wrong as string, made.trusted))).toBe('invalid_argument')
    }
    expect(await verdict(`scc1.${'A'.repeat(600_000)}.A.A`)).toBe('certificate_invalid')
  })
})

test('no name of anybody is in it, however it is looked at', async () => {
  const { vault, trusted } = await world()
  await vault.tenants.create('tenant-CANARY')
  const item = vault.tenant('tenant-CANARY').subject('subject-CANARY').item('item-CANARY')
  const references = await item.references()
  const shredded = await item.shred()
  await closeEpoch(vault)
  const text = await issueCertificate(vault, await factsOf(vault, 'item', references, shredded))
  const seen = [text, bodyOf(text), certificateToText(text, trusted), JSON.stringify(verifyCertificate(text, trusted))].join('\n')
  expect(seen).toContain(references[2])
  expect(seen).not.toContain('CANARY')
  expect(seen).not.toContain(Buffer.from('CANARY').toString('base64url').slice(1, -1))
})
