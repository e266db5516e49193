/** What a closure certificate says. */

import type { Finality, ReasonName, Survivor } from '@strongroom/core'

import type { PolicyTerms } from '../policy/policy.ts'

/** What was erased: a whole tenant, somebody in it, a part of somebody, or what is the tenant's own. */
export type ErasedKind = 'tenant' | 'subject' | 'item' | 'self'

/** A resource as it was found, and left. */
export interface ErasedResource {
  readonly name: string
  /** Records that there were before. */
  readonly found: number
  readonly remaining: 0
  /** UTC milliseconds: when nothing was left of it, looked for anew. */
  readonly verifiedAt: number
}

/** Instants of an erasure, UTC milliseconds, each at or after the one before; only `dueAt` may come before `suspendedAt`, where there was no grace. */
export interface ErasureInstants {
  readonly requestedAt: number
  /** From when on nothing of it was decrypted, within the cache bound. */
  readonly suspendedAt: number
  /** When the grace was over. */
  readonly dueAt: number
  /** When its keys were destroyed. */
  readonly shreddedAt: number
  /** When nothing was left of it in any resource. */
  readonly erasedAt: number
  /** When it was found that no backup brings its keys back. */
  readonly closedAt: number
}

/** What an erasure knows by its end, for `issueCertificate`: what the shred's receipt says it leaves to that. */
export interface CertificateFacts extends Omit<ErasureInstants, 'shreddedAt' | 'closedAt'> {
  readonly kind: ErasedKind
  /** From the tenant's down to its own, each of 32 hexadecimal digits. */
  readonly references: readonly string[]
  /** Why it was asked for. */
  readonly reason: ReasonName
  readonly policy: PolicyTerms
  /** Of the shred that destroyed its keys: its own, or that of what it is beneath. */
  readonly receipt: string
  readonly resources: readonly ErasedResource[]
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
