// The instants of a certificate: whatever the clocks of the machines have said, they are in the order of the steps, and there is one.
import { days, hours } from '@strongroom/core'
import { verifyCertificate } from '@strongroom/erasure'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'

import type { CertificateFacts, ClosureCertificate } from '#erasure/certificate/certificate.js'
import { inOrder, isInOrder } from '#erasure/certificate/in-order.js'
import { issueCertificate } from '#erasure/certificate/issue.js'

import { outcome } from '../../../core/test/vault/support.ts'
import { bodyOf, erasedAlice, signer, START, type World, world } from './support.ts'

let made: World
let facts: CertificateFacts

beforeAll(async () => {
  made = await world()
  facts = await erasedAlice(made)
})

const instant = fc.integer({ min: 0, max: 200 })
const instants = fc.record({
  requestedAt: instant,
  suspendedAt: instant,
  dueAt: instant,
  shreddedAt: instant,
  erasedAt: instant,
  closedAt: instant,
  held: fc.option(fc.record({ from: instant, until: instant }), { nil: undefined }),
  resources: fc.array(instant.map((verifiedAt) => ({ name: 'x', found: 1, remaining: 0 as const, verifiedAt }))),
})

/** As the page has it: written out, and by hand. */
function areSteps({ requestedAt, suspendedAt, dueAt, shreddedAt, erasedAt, closedAt, held, resources }: Parameters<typeof isInOrder>[0]) {
  return (
    requestedAt <= dueAt &&
    dueAt <= erasedAt &&
    (suspendedAt === shreddedAt || (requestedAt <= suspendedAt && suspendedAt <= shreddedAt)) &&
    shreddedAt <= erasedAt &&
    erasedAt <= closedAt &&
    resources.every(({ verifiedAt }) => shreddedAt <= verifiedAt && verifiedAt <= erasedAt) &&
    (held === undefined || (held.from <= held.until && held.until <= erasedAt))
  )
}

test('any instants are put into the order of the steps, those that are in it stay as they are, and the shred’s always does', () => {
  fc.assert(
    fc.property(instants, (said) => {
      const ordered = inOrder(said)
      expect(areSteps(ordered)).toBe(true)
      expect(ordered.shreddedAt).toBe(said.shreddedAt)
      expect(inOrder(ordered)).toEqual(ordered)
      expect(isInOrder(said)).toBe(areSteps(said))
      // None but what came behind the shred is later than it was said to be.
      expect(ordered.closedAt).toBe(Math.max(said.closedAt, said.shreddedAt))
      expect(ordered.requestedAt).toBeLessThanOrEqual(said.requestedAt)
      expect(ordered.dueAt).toBeLessThanOrEqual(said.dueAt)
    }),
    { numRuns: 5000 },
  )
})

describe('a clock that was wrong once', () => {
  const year = days(365)
  test.each<[string, (f: CertificateFacts) => Partial<CertificateFacts>]>([
    ['when it was asked for, ahead', () => ({ requestedAt: START + year, suspendedAt: START + year, dueAt: START + year + days(30) })],
    ['when it was suspended, behind', () => ({ suspendedAt: START - year })],
    ['when a resource was erased, ahead', (f) => ({ resources: f.resources.map((each) => ({ ...each, verifiedAt: START + year })) })],
    ['when a resource was erased, behind', (f) => ({ resources: f.resources.map((each) => ({ ...each, verifiedAt: START })) })],
    ['at the end, ahead', () => ({ erasedAt: START + year })],
    ['at the end, behind', () => ({ erasedAt: START })],
    ['when a hold was found, ahead', () => ({ held: { from: START + year, until: START + year } })],
  ])('%s: the certificate is issued, and says what can have been', async (_, change) => {
    const certificate = await issueCertificate(made.vault, { ...facts, ...change(facts) })
    const said = verifyCertificate(certificate, made.trusted)
    expect(areSteps(said)).toBe(true)
    expect(said).toMatchObject({ shreddedAt: START + days(30), closedAt: START + days(37) })
    expect(Math.max(said.requestedAt, said.erasedAt, said.dueAt)).toBeLessThanOrEqual(START + days(37))
  })
})

test('a hold that stood in the way is said, by its instants alone', async () => {
  const held = { from: START + days(20), until: START + days(30) }
  const said = verifyCertificate(await issueCertificate(made.vault, { ...facts, held }), made.trusted)
  expect(said.held).toEqual(held)
  expect(bodyOf(await issueCertificate(made.vault, facts))).not.toContain('held')
})

test.each<[string, (said: ClosureCertificate) => Partial<ClosureCertificate>]>([
  ['asked for behind the end of the grace', ({ dueAt }) => ({ requestedAt: dueAt + 1 })],
  ['suspended before it was asked for', ({ requestedAt }) => ({ suspendedAt: requestedAt - 1 })],
  ['suspended behind the shred', ({ shreddedAt }) => ({ suspendedAt: shreddedAt + 1 })],
  ['erased before the shred', ({ shreddedAt }) => ({ erasedAt: shreddedAt - 1 })],
  ['erased behind the close', ({ closedAt }) => ({ erasedAt: closedAt + 1 })],
  ['due behind its end', ({ erasedAt }) => ({ dueAt: erasedAt + 1 })],
  [
    'a resource looked through before the shred',
    ({ resources, shreddedAt }) => ({ resources: [{ ...resources[0], verifiedAt: shreddedAt - 1 } as never] }),
  ],
  [
    'a resource looked through behind the end',
    ({ resources, erasedAt }) => ({ resources: [{ ...resources[0], verifiedAt: erasedAt + 1 } as never] }),
  ],
  ['held backwards', ({ dueAt }) => ({ held: { from: dueAt + 1, until: dueAt } })],
  ['held behind its end', ({ erasedAt }) => ({ held: { from: erasedAt, until: erasedAt + 1 } })],
])('signed by a trusted key, but %s: refused', async (_, change) => {
  const own = signer()
  const keys = [own.trustedAs(made.vault.id), ...made.trusted]
  const verdict = async (changed: object): Promise<string> => {
    const said = JSON.parse(
      bodyOf(await issueCertificate(made.vault, { ...facts, held: { from: START, until: START + hours(1) } })),
    ) as object
    return outcome(() => verifyCertificate(own.certificate(JSON.stringify({ ...said, ...changed })), keys))
  }
  expect([await verdict({}), await verdict(change(verifyCertificate(await issueCertificate(made.vault, facts), made.trusted)))]).toEqual([
    'done',
    'certificate_invalid',
  ])
})
