// A certificate in words: what a person is sent.
import { days, hours, minutes, StrongroomError } from '@strongroom/core'
import { certificateToText } from '@strongroom/erasure'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { decodeBody, encodeBody } from '#erasure/certificate/body.js'
import type { ClosureCertificate } from '#erasure/certificate/certificate.js'
import { inOrder } from '#erasure/certificate/in-order.js'
import { issueCertificate } from '#erasure/certificate/issue.js'
import { certificateInWords } from '#erasure/certificate/to-text.js'

import { erasedAlice, START, world } from './support.ts'

const SAID: ClosureCertificate = {
  vaultId: '07a53f833559baf226b727adac892d7c',
  kind: 'subject',
  references: ['2b2b903c14950e7a69c077a95183a7e5', '5aae6fe1f24132288136db89b1135d1c'],
  region: 'eu',
  reason: 'accountDeleted',
  requestedAt: START,
  suspendedAt: START + 1000,
  dueAt: START + days(30),
  shreddedAt: START + days(30) + minutes(20),
  erasedAt: START + days(30) + minutes(80),
  closedAt: START + days(51),
  keyVersions: 1,
  rootVersion: 5,
  ledger: { n: 42, hash: '0'.repeat(64) },
  receipt: 'srr1.',
  policy: {
    deadline: days(60),
    grace: days(30),
    sweep: hours(1),
    cacheBound: minutes(1),
    epoch: days(7),
    providerDelay: 0,
    copies: days(14),
  },
  resources: [
    { name: 'users', found: 1, remaining: 0, verifiedAt: START + days(30) + minutes(80) },
    { name: 'sync logs', found: 1200, remaining: 0, verifiedAt: START + days(30) + minutes(80) },
  ],
  destruction: [
    { number: 4, level: 'confirmed', effectiveAt: START + days(30), copiesUntil: START + days(30) },
    { number: 5, level: 'operator-asserted', effectiveAt: START + days(37), copiesUntil: START + days(51) },
  ],
  survivors: [
    { what: 'revocation', name: 'hubspot', count: 1, until: START + days(57) },
    { what: 'index', name: 'users.email', scope: 'tenant', generation: 1 },
  ],
}

test('of a person', () => {
  expect(certificateInWords(SAID)).toMatchInlineSnapshot(`
    "CERTIFICATE OF ERASURE

    The data described here was erased. The keys that it was encrypted with are
    destroyed, and no backup brings them back: what was encrypted can be read by
    nobody, wherever a copy of it is. The systems named below were searched, and
    nothing that they count was left; this says nothing of their backups, nor of
    what the service keeps unencrypted on purpose.

    Erased              the data of a person, in region eu
    Reason              the account was deleted
    Reference           2b2b903c14950e7a69c077a95183a7e5 /
                        5aae6fe1f24132288136db89b1135d1c
    Vault               07a53f833559baf226b727adac892d7c

    Asked for           2030-01-01 00:00:00 UTC
    Unreadable from     2030-01-01 00:00:01 UTC, everywhere within 1 minute
    Recoverable until   2030-01-31 00:00:00 UTC
    Keys destroyed      2030-01-31 00:20:00 UTC (1 version, with all beneath)
    Records removed     2030-01-31 01:20:00 UTC
    Keys in no backup   2030-02-21 00:00:00 UTC

    Records that were removed
      users: 1 found, none left on 2030-01-31 01:20:00 UTC
      sync logs: 1200 found, none left on 2030-01-31 01:20:00 UTC

    Root keys, without which backups of the keys cannot be opened
      number 4: destroyed 2030-01-31 00:00:00 UTC, confirmed by the key provider
      number 5: destroyed 2030-02-07 00:00:00 UTC, as the operator of the
        service asserts; last copy gone by 2030-02-21 00:00:00 UTC

    What outlived this erasure on 2030-02-21 00:00:00 UTC
      hubspot (1): access that was granted there, whose withdrawal was not yet
        confirmed; it is asked for until 2030-02-27 00:00:00 UTC. Tokens are kept
        for that under another key
      users.email: keyed hashes for searching, in backups, while that key lives
        (a key of the organisation's, generation 1)

    This was promised within 60 days, and took 51 days from request to last
    backup.

    The erasure is entry 42 of the ledger of the service. This text alone proves
    nothing: it was made from a signed certificate, which anybody can check with
    "strongroom verify-certificate" and the keys that the service has published.
    "
  `)
})

test('the rarer words', () => {
  const rare = certificateInWords({
    ...SAID,
    kind: 'tenant',
    references: SAID.references.slice(0, 1),
    keyVersions: 0,
    closedAt: START - 1,
    resources: [],
    destruction: [{ number: 1, level: 'scheduled', effectiveAt: START, copiesUntil: START }],
    survivors: [],
  })
  for (const words of [
    'the data of an organisation and of everybody in it, in region eu',
    '(there were none)',
    'none: there were only keys to be destroyed',
    'number 1: destroyed 2030-01-01 00:00:00 UTC, as scheduled by the key provider\n\n',
    'nothing that was found',
    'took 0 days',
  ])
    expect(rare.replaceAll(/(?<=\S)\n +/g, ' ')).toContain(words)
  const survivors = certificateInWords({
    ...SAID,
    survivors: [
      { what: 'revocation', name: 'zoom' },
      { what: 'index', name: 'users.phone', scope: 'application', count: 3, until: START },
    ],
  })
  expect(survivors.replaceAll(/\n +/g, ' ')).toContain(
    'zoom: access that was granted there, whose withdrawal was not yet confirmed. Tokens are kept for that under another key',
  )
  expect(survivors.replaceAll(/\n +/g, ' ')).toContain(
    'users.phone (3): keyed hashes for searching, in backups, until 2030-01-01 00:00:00 UTC (a key of the whole service)',
  )
})

test('a withdrawal that nobody asks for any more: it was not confirmed, and no token is kept', () => {
  const survivors = [{ what: 'revocation', name: 'hubspot', count: 2, until: SAID.closedAt } as const]
  const said = certificateInWords({ ...SAID, survivors }).replaceAll(/\n +/g, ' ')
  expect(said).toContain(
    'hubspot (2): access that was granted there, whose withdrawal was not confirmed; it was asked for until 2030-02-21 00:00:00 UTC, and is no more',
  )
  expect(said).not.toContain('Tokens are kept')
})

test('held back, taken by another way before its grace was over, and gone before anybody asked', () => {
  const at = (instants: Partial<ClosureCertificate>): string => certificateInWords({ ...SAID, ...instants }).replaceAll(/\n +/g, ' ')
  const held = { from: START + days(30), until: START + days(45) }
  expect(at({ held })).toContain(
    '\nHeld back           a legal hold kept what was due from being erased, from 2030-01-31 00:00:00 UTC until 2030-02-15 00:00:00 UTC at least\n',
  )
  expect(at({})).not.toContain('Held back')
  expect(at({ shreddedAt: START + days(2) })).toContain('\nRecoverable until   2030-01-03 00:00:00 UTC\n')
  expect(at({ suspendedAt: START - 1000, shreddedAt: START - 1000 })).toContain(
    '\nRecoverable until   at no time: its keys were destroyed before\n',
  )
})

test('at once, keys of an item, and a length of time that is no whole second', () => {
  const said = certificateInWords({ ...SAID, kind: 'item', keyVersions: 2, dueAt: START, closedAt: SAID.closedAt + 1 })
  expect(said).toContain('\nRecoverable until   at no time: no grace was given\n')
  expect(said).toContain(' UTC (2 versions)\n')
  expect(said).toContain('and took 51 days 1 second from request')
})

test('it is said only of what is checked', async () => {
  const made = await world()
  const certificate = await issueCertificate(made.vault, await erasedAlice(made))
  expect(certificateToText(certificate, made.trusted)).toContain(
    'Keys destroyed      2030-01-31 00:00:00 UTC (1 version, with all beneath)\n',
  )
  expect(() => certificateToText(certificate.replace(/.$/, ''), made.trusted)).toThrow(StrongroomError)
  expect(() => certificateToText(certificate, [new Uint8Array(48)])).toThrow(StrongroomError)
})

describe('whatever it says', () => {
  const instant = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) })
  const count = fc.maxSafeInteger().map(Math.abs)
  const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 256 }).filter((text) => /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u.test(text))
  const reference = fc.stringMatching(/^[0-9a-f]{32}$/)
  const said: fc.Arbitrary<ClosureCertificate> = fc
    .record({
      vaultId: reference,
      kind: fc.constantFrom('subject' as const, 'self' as const),
      references: fc.tuple(reference, reference),
      region: fc.stringMatching(/^[\x21-\x7e]{1,64}$/),
      reason: fc.constantFrom('unspecified' as const, 'subjectRequest' as const, 'operator' as const),
      requestedAt: instant,
      suspendedAt: instant,
      dueAt: instant,
      shreddedAt: instant,
      erasedAt: instant,
      closedAt: instant,
      held: fc.option(fc.record({ from: instant, until: instant }), { nil: undefined }),
      keyVersions: count,
      ledger: fc.record({ n: count.map((n) => Math.max(n, 1)), hash: fc.stringMatching(/^[0-9a-f]{64}$/) }),
      receipt: fc.string({ maxLength: 100 }).filter((text) => text.isWellFormed()),
      policy: fc.record({
        deadline: count,
        grace: count,
        sweep: count.map((n) => n + 1).filter(Number.isSafeInteger),
        cacheBound: count.map((n) => n + 1).filter(Number.isSafeInteger),
        epoch: count.map((n) => n + 1).filter(Number.isSafeInteger),
        providerDelay: count,
        copies: count,
      }),
      resources: fc.uniqueArray(fc.record({ name, found: count, remaining: fc.constant(0 as const), verifiedAt: instant }), {
        selector: (each) => each.name,
        maxLength: 5,
      }),
      numbers: fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 31 }), { minLength: 1, maxLength: 5 }),
      level: fc.constantFrom('confirmed' as const, 'scheduled' as const, 'operator-asserted' as const),
      survivors: fc.array(
        fc.record(
          {
            what: fc.constantFrom('revocation' as const, 'index' as const),
            name,
            count,
            scope: fc.constantFrom('tenant' as const, 'application' as const),
            generation: count.map((n) => Math.max(n, 1)),
            until: instant,
          },
          { requiredKeys: ['what', 'name'] },
        ),
        { maxLength: 5 },
      ),
    })
    .map(({ numbers, level, ...rest }) => {
      const ordered = inOrder(rest)
      const { closedAt } = ordered
      return {
        ...ordered,
        rootVersion: Math.max(...numbers),
        destruction: numbers.toSorted((a, b) => a - b).map((number) => ({ number, level, effectiveAt: closedAt, copiesUntil: closedAt })),
      }
    })

  test('its body opens as it was, and has one spelling', () => {
    fc.assert(
      fc.property(said, (certificate) => {
        const bytes = encodeBody(certificate)
        const opened = decodeBody(bytes)
        expect(opened).toEqual(certificate)
        expect(encodeBody(opened as ClosureCertificate)).toEqual(bytes)
      }),
      { numRuns: 300 },
    )
  })

  test('no line is longer than 78 characters, none of its own making, and no word is lost', () => {
    fc.assert(
      fc.property(said, (certificate) => {
        const lines = certificateInWords(certificate).split('\n')
        expect(lines.filter((line) => line.length > 78)).toEqual([])
        expect(lines.filter((line) => line.trimEnd() !== line)).toEqual([])
        expect(lines.filter((line) => /^[A-Z]/.test(line) && line.startsWith('Keys destroyed'))).toHaveLength(1)
        const squeezed = lines.join('').replaceAll(' ', '')
        for (const { name: one } of [...certificate.resources, ...certificate.survivors])
          expect(squeezed).toContain(one.replaceAll(' ', ''))
      }),
      { numRuns: 300 },
    )
  })

  test('no bytes make it throw, and hardly any are a body', () => {
    fc.assert(
      fc.property(said, fc.nat(), fc.integer({ min: 1, max: 255 }), (certificate, at, by) => {
        const bytes = encodeBody(certificate)
        const place = at % bytes.length
        bytes[place] = (bytes[place] as number) ^ by
        const opened = decodeBody(bytes)
        if (opened !== undefined) expect(encodeBody(opened)).toEqual(bytes)
      }),
      { numRuns: 500 },
    )
  })
})
