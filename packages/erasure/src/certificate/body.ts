/** The body of a certificate: JSON with one spelling, strict on the way back (docs/format.md, "Closure certificate"). */

import { Reason, type ReasonName, type Survivor } from '@strongroom/core'
import { z } from 'zod'

import { type PolicyTerms, termsOf } from '../policy/policy.ts'
import type { ClosureCertificate, DestroyedRootVersion, ErasedResource } from './certificate.ts'
import { isInOrder } from './in-order.ts'

/** The number of the only form that there is. */
const FORM = 1
const { retired: _, ...REASONS } = Reason
/** What prints, and leaves the order of the characters around it alone. */
const PRINTS = /^[^\p{C}\p{Zl}\p{Zp}]{1,256}$/u

const whole = z.number().int().min(0)
const atLeast1 = z.number().int().min(1)
/** Of this and the next millennia, so that it can be written as a date. */
const instant = whole.max(Date.UTC(9999, 11, 31))
const reference = z.string().regex(/^[0-9a-f]{32}$/)
const name = z.string().regex(PRINTS)

const policy: z.ZodType<PolicyTerms> = z.strictObject({
  deadline: whole,
  grace: whole,
  sweep: atLeast1,
  cacheBound: atLeast1,
  epoch: atLeast1,
  providerDelay: whole,
  copies: whole,
})
const resource: z.ZodType<ErasedResource> = z.strictObject({ name, found: whole, remaining: z.literal(0), verifiedAt: instant })
const rootVersion: z.ZodType<DestroyedRootVersion> = z.strictObject({
  number: atLeast1,
  level: z.enum(['confirmed', 'scheduled', 'operator-asserted']),
  effectiveAt: instant,
  copiesUntil: instant,
})
const survivor: z.ZodType<Survivor> = z.strictObject({
  what: z.enum(['revocation', 'index']),
  name,
  count: whole.optional(),
  scope: z.enum(['tenant', 'application']).optional(),
  generation: atLeast1.optional(),
  until: instant.optional(),
})
const certificate: z.ZodType<ClosureCertificate & { readonly form: number }> = z.strictObject({
  form: z.literal(FORM),
  vaultId: reference,
  kind: z.enum(['tenant', 'subject', 'item', 'self']),
  references: z.array(reference).min(1).max(3),
  region: z.string().regex(/^[\x21-\x7e]{1,64}$/),
  reason: z.enum(Object.keys(REASONS) as ReasonName[]),
  requestedAt: instant,
  suspendedAt: instant,
  dueAt: instant,
  shreddedAt: instant,
  erasedAt: instant,
  closedAt: instant,
  held: z.strictObject({ from: instant, until: instant }).optional(),
  keyVersions: whole,
  rootVersion: atLeast1,
  ledger: z.strictObject({ n: atLeast1, hash: z.string().regex(/^[0-9a-f]{64}$/) }),
  receipt: z.string().max(4096),
  policy,
  resources: z.array(resource),
  destruction: z.array(rootVersion).min(1),
  survivors: z.array(survivor),
})

/** Whether a certificate can hold this as the name of a resource, or of what survives. */
export function printsAsName(text: string): boolean {
  return PRINTS.test(text)
}

/** The one spelling: members in this order, none besides, without blanks. */
export function encodeBody(said: ClosureCertificate): Uint8Array {
  const body: ClosureCertificate & { readonly form: number } = {
    form: FORM,
    vaultId: said.vaultId,
    kind: said.kind,
    references: said.references,
    region: said.region,
    reason: said.reason,
    requestedAt: said.requestedAt,
    suspendedAt: said.suspendedAt,
    dueAt: said.dueAt,
    shreddedAt: said.shreddedAt,
    erasedAt: said.erasedAt,
    closedAt: said.closedAt,
    held: said.held && { from: said.held.from, until: said.held.until },
    keyVersions: said.keyVersions,
    rootVersion: said.rootVersion,
    ledger: { n: said.ledger.n, hash: said.ledger.hash },
    receipt: said.receipt,
    policy: termsOf(said.policy),
    resources: said.resources.map(({ name: of, found, remaining, verifiedAt }) => ({ name: of, found, remaining, verifiedAt })),
    destruction: said.destruction.map(({ number, level, effectiveAt, copiesUntil }) => ({ number, level, effectiveAt, copiesUntil })),
    survivors: said.survivors.map(({ what, name: of, count, scope, generation, until }) => ({
      what,
      name: of,
      count,
      scope,
      generation,
      until,
    })),
  }
  return new TextEncoder().encode(JSON.stringify(body))
}

/** What a body says, or `undefined` if it is not the one spelling of something that a certificate can say. */
export function decodeBody(bytes: Uint8Array): ClosureCertificate | undefined {
  let said: ClosureCertificate
  try {
    const { form: __, ...rest } = certificate.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
    said = rest
  } catch {
    return undefined
  }
  return isWhole(said) && isInOrder(said) && Buffer.from(encodeBody(said)).equals(bytes) ? said : undefined
}

const DEPTHS: Readonly<Record<ClosureCertificate['kind'], number>> = { tenant: 1, subject: 2, self: 2, item: 3 }

/** Never a future instant as a fact: the newest root version is among the destroyed, and no copy of any is left. */
function isWhole({ kind, references, rootVersion: newest, closedAt, destruction, resources }: ClosureCertificate): boolean {
  return (
    references.length === DEPTHS[kind] &&
    destruction.every(({ number }, i) => number > (destruction[i - 1]?.number ?? 0)) &&
    destruction.at(-1)?.number === newest &&
    destruction.every(({ effectiveAt, copiesUntil }) => Math.max(effectiveAt, copiesUntil) <= closedAt) &&
    new Set(resources.map((each) => each.name)).size === resources.length
  )
}
