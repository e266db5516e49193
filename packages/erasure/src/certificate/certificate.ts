/** What a closure certificate says. */

import type { Finality, NamelessPlace, ReasonName, Survivor } from '@strongroom/core'

import type { PolicyTerms } from '../policy/policy.ts'

/** What was erased: a whole tenant, somebody in it, a part of somebody, or what is the tenant's own. */
export type ErasedKind = NamelessPlace['kind']

/** A resource as it was found, and left. */
export interface ErasedResource {
  readonly name: string
  /** Records that there were before. */
  readonly found: number
  readonly remaining: 0
  /** UTC milliseconds: when nothing was left of it, looked for anew. At or after `shreddedAt`. */
  readonly verifiedAt: number
}

/** A legal hold that kept what was due from being destroyed. Whose it was, and why, stands in no certificate. UTC milliseconds. */
export interface HeldBack {
  /** When sweeping found it first. */
  readonly from: number
  /** When sweeping found it last. */
  readonly until: number
}

/**
 * Instants of an erasure, UTC milliseconds. No step is before one that it has followed: of clocks that disagreed, the earlier instant stands, and
 * only that of the shred stays as its receipt has it.
 */
export interface ErasureInstants {
  /** At or before `dueAt`. */
  readonly requestedAt: number
  /** From when on nothing of it was decrypted, within the cache bound: between `requestedAt` and `shreddedAt`, or the latter where that came first. */
  readonly suspendedAt: number
  /** When the grace was over: at or before `erasedAt`. */
  readonly dueAt: number
  /** When its keys were destroyed. */
  readonly shreddedAt: number
  /** When nothing was left of it in any resource: at or after `shreddedAt` and each `verifiedAt`. */
  readonly erasedAt: number
  /** When it was found that no backup brings its keys back: at or after `erasedAt`. */
  readonly closedAt: number
}

/** What an erasure knows by its end, for `issueCertificate`: what the shred's receipt says it leaves to that. */
export interface CertificateFacts extends Omit<ErasureInstants, 'shreddedAt' | 'closedAt'> {
  readonly kind: ErasedKind
  /** From the tenant's down to its own, each of 32 hexadecimal digits. */
  readonly references: readonly string[]
  /** Why it was asked for. */
  readonly reason: ReasonName
  readonly held?: HeldBack | undefined
  readonly policy: PolicyTerms
  /** Of the shred that destroyed its keys: its own, or that of what it is beneath. */
  readonly receipt: string
  readonly resources: readonly ErasedResource[]
  /** As the resources said when the certificate was signed. */
  readonly survivors: readonly Survivor[]
  /** As `vault.finality` has it for the receipt's region and root version. */
  readonly finality: Finality
}

/** A root version that counts for an erasure, and how it was destroyed. */
export type DestroyedRootVersion = Finality['versions'][number]

/** A closure certificate, opened. It holds no names. */
export interface ClosureCertificate extends ErasureInstants, Omit<CertificateFacts, 'finality'> {
  /** 32 hexadecimal digits. */
  readonly vaultId: string
  readonly region: string
  /** Key versions that the shred destroyed; 0: there were none. */
  readonly keyVersions: number
  /** The newest root version that there was then: with it and all before it destroyed, no backup brings the keys back. */
  readonly rootVersion: number
  /** The shred's entry in the vault's ledger; its hash as 64 hexadecimal digits. */
  readonly ledger: { readonly n: number; readonly hash: string }
  /** Every root version up to that one, and how it was destroyed. */
  readonly destruction: readonly DestroyedRootVersion[]
}
