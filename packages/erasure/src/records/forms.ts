/** Parts that the records of erasures have in common. */

import { Reason, type ReasonName } from '@strongroom/core'
import { z } from 'zod'

import type { HeldBack } from '../certificate/certificate.ts'
import type { PolicyTerms } from '../policy/policy.ts'

const { retired: _, ...REASONS } = Reason

/** UTC milliseconds, or a length of time in milliseconds. */
export const instant: z.ZodType<number> = z.number().int().min(0)

/** 32 hexadecimal digits. */
export const id: z.ZodType<string> = z.string().regex(/^[0-9a-f]{32}$/)

export const heldBack: z.ZodType<HeldBack> = z.strictObject({ from: instant, until: instant })

export const reasonName: z.ZodType<ReasonName> = z.enum(Object.keys(REASONS) as ReasonName[])

export const policyTerms: z.ZodType<PolicyTerms> = z.strictObject({
  deadline: instant,
  grace: instant,
  sweep: instant,
  cacheBound: instant,
  epoch: instant,
  providerDelay: instant,
  copies: instant,
})
