/** An erasure that is under way, as the state store has it: encrypted, and with names, for as long as something is still to be erased by them. */

import { type Field, field, type ReasonName } from '@strongroom/core'
import { z } from 'zod'

import type { PolicyTerms } from '../policy/policy.ts'
import type { HeldBack } from '../certificate/certificate.ts'
import { heldBack, id, instant, policyTerms, reasonName } from './forms.ts'

/**
 * `requested`: noted, not yet suspended. `suspended`: nothing decrypts, and it can be taken back until it is due. `cancelling`: it is being
 * taken back. `shredding`: being destroyed, from the intent until nothing is left in any resource.
 */
export type OpenState = 'requested' | 'suspended' | 'cancelling' | 'shredding'

/** Names, as the resources know whose data is to go. */
export interface ErasedNames {
  readonly tenant: string
  readonly subject?: string | undefined
  readonly item?: string | undefined
  readonly self?: true | undefined
}

/** Something that did not work: what it was by its code, never by its message. */
export interface Failure {
  /** In a row. */
  readonly failures: number
  readonly code: string
  /** The first of the row. UTC milliseconds, as `at`. */
  readonly since: number
  /** The last. */
  readonly at: number
  /** Records that are left, where that is what was wrong. */
  readonly remaining?: number | undefined
}

/** How far a resource is. */
export interface ResourceProgress {
  readonly name: string
  /** Records that there were when they were first counted. */
  readonly found?: number | undefined
  /** When nothing was left of it. Looked for again before the end. */
  readonly verifiedAt?: number | undefined
  readonly failure?: Failure | undefined
  /** It is not tried again before that: an instant of the erasures' own time. */
  readonly retryAt?: number | undefined
}

/** Instants are UTC milliseconds. */
export interface OpenRecord {
  /** Random: of this request alone. */
  readonly nonce: string
  readonly state: OpenState
  readonly names: ErasedNames
  readonly region: string
  readonly reason: ReasonName
  readonly policy: PolicyTerms
  /** Of this request: at most that of the policy. 0: at once, whatever the clock says. */
  readonly grace: number
  readonly requested: number
  readonly suspended?: number | undefined
  readonly due: number
  /** Somebody else had suspended it before: taking back leaves it so. */
  readonly suspendedBefore: boolean
  /** It was due, and a hold stood. */
  readonly held?: HeldBack | undefined
  /** The signed receipt of the shred: its own, or that of what it is beneath. */
  readonly receipt?: string | undefined
  readonly resources: readonly ResourceProgress[]
  /** Random: of whoever works on it, until somebody else takes it or changes it. */
  readonly claim?: string | undefined
  /** Of what is not a resource's. */
  readonly failure?: Failure | undefined
}

const names: z.ZodType<ErasedNames> = z.strictObject({
  tenant: z.string(),
  subject: z.string().optional(),
  item: z.string().optional(),
  self: z.literal(true).optional(),
})

const failure: z.ZodType<Failure> = z.strictObject({
  failures: z.number().int().min(1),
  code: z.string().min(1).max(64),
  since: instant,
  at: instant,
  remaining: z.number().int().min(1).optional(),
})

const resource: z.ZodType<ResourceProgress> = z.strictObject({
  name: z.string().min(1).max(256),
  found: z.number().int().min(0).optional(),
  verifiedAt: instant.optional(),
  failure: failure.optional(),
  retryAt: instant.optional(),
})

const record: z.ZodType<OpenRecord> = z.strictObject({
  nonce: id,
  state: z.enum(['requested', 'suspended', 'cancelling', 'shredding']),
  names,
  region: z.string(),
  reason: reasonName,
  policy: policyTerms,
  grace: instant,
  requested: instant,
  suspended: instant.optional(),
  due: instant,
  suspendedBefore: z.boolean(),
  held: heldBack.optional(),
  receipt: z.string().optional(),
  resources: z.array(resource),
  claim: id.optional(),
  failure: failure.optional(),
})

/** What `strongroom/erasures` holds under a key that ends with `open`. */
export const OPEN: Field<OpenRecord> = field('strongroom/erasures', 'open', record)
