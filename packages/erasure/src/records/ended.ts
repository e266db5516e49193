/** An erasure that has ended: nothing is left to be erased, and so no name is left in its record. */

import { type Field, field } from '@strongroom/core'
import { z } from 'zod'

import type { CertificateFacts, ErasedResource } from '../certificate/certificate.ts'
import { type ResourceSurvivors, survivorsForm } from '../survivors.ts'
import { heldBack, instant, policyTerms, reasonName } from './forms.ts'

/** What is known of it until the certificate is issued. */
export interface ErasedRecord extends Omit<CertificateFacts, 'references' | 'finality' | 'survivors'> {
  readonly region: string
  /** The newest root version that there was at the shred. */
  readonly rootVersion: number
  /** What each resource said when nothing was left. They are asked again for the certificate. */
  readonly survivors: readonly ResourceSurvivors[]
}

const erasedResource: z.ZodType<ErasedResource> = z.strictObject({
  name: z.string(),
  found: instant,
  remaining: z.literal(0),
  verifiedAt: instant,
})

const erased: z.ZodType<ErasedRecord> = z.strictObject({
  kind: z.enum(['tenant', 'subject', 'item', 'self']),
  reason: reasonName,
  policy: policyTerms,
  region: z.string(),
  rootVersion: z.number().int().min(1),
  requestedAt: instant,
  suspendedAt: instant,
  dueAt: instant,
  erasedAt: instant,
  held: heldBack.optional(),
  receipt: z.string(),
  resources: z.array(erasedResource),
  survivors: survivorsForm,
})

/** What `strongroom/erasures` holds under a key that ends with a nonce: erased, and not yet closed. */
export const ERASED: Field<ErasedRecord> = field('strongroom/erasures', 'erased', erased)

/** What `strongroom/certificates` holds: the certificate of one that is closed. */
export const CERTIFICATE: Field<string> = field('strongroom/certificates', 'certificate', z.string())
