/** The shapes of what a key store holds (docs/format.md, "Key records"). Byte fields are raw bytes, instants are UTC milliseconds. */

/** Kinds of node, as stored. */
export const NodeKind = { vault: 0, tenant: 1, subject: 2, item: 3, service: 4, self: 5 } as const
export type NodeKind = (typeof NodeKind)[keyof typeof NodeKind]

/** States of a key version, as stored; the words are those of NIST SP 800-57 part 1, section 7. */
export const KeyState = { active: 1, deactivated: 2, suspended: 3, shredded: 4 } as const
export type KeyState = (typeof KeyState)[keyof typeof KeyState]

/**
 * Why a key was shredded or suspended, as stored: one byte, no free text. `retired` is the library's own: versions that a rotation has left
 * behind. A shred for any other reason is of the whole place, whatever versions turn up there later.
 */
export const Reason = {
  unspecified: 0,
  subjectRequest: 1,
  accountDeleted: 2,
  retentionEnded: 3,
  contractEnded: 4,
  compromise: 5,
  operator: 6,
  retired: 7,
} as const
export type Reason = (typeof Reason)[keyof typeof Reason]

/** One version of a provider's root key. `id` is 16 random bytes fixed at creation, or the cloud's own name for the version. */
export interface RootVersion {
  /** 1 … 2^32−1, never used twice. */
  readonly number: number
  readonly id: Uint8Array
}

/** A place in the ledger: entry number and its 32-byte hash. */
export interface LedgerPosition {
  readonly n: number
  readonly hash: Uint8Array
}

/** A version of a node's key whose secret still exists, wrapped. */
export interface LiveVersion {
  readonly version: number
  readonly state: 1 | 2 | 3
  /** C, 32 bytes. */
  readonly commitment: Uint8Array
  readonly parentVersion: number
  readonly parentCommitment: Uint8Array
  /** 16 bytes. */
  readonly wrappingKeyId: Uint8Array
  /** 73 bytes. */
  readonly wrap: Uint8Array
  readonly created: number
}

/** A version whose secret is gone. It stays in the list: nothing mints over it by accident. */
export interface ShreddedVersion {
  readonly version: number
  readonly state: 4
  readonly commitment: Uint8Array
  readonly rootVersion: RootVersion
  readonly instant: number
  readonly reason: Reason
  readonly ledger: LedgerPosition
}

/** One version of a node's key, live or shredded. */
export type KeyVersion = LiveVersion | ShreddedVersion

/** One node of the key tree. */
export interface NodeRecord {
  readonly type: 'node'
  /** 16 bytes, the primary key. */
  readonly ref: Uint8Array
  readonly kind: NodeKind
  /** 16 bytes, or none for the vault and for tenants. */
  readonly parentRef: Uint8Array
  readonly tenantRef: Uint8Array
  readonly region: string
  readonly revision: number
  readonly versions: readonly KeyVersion[]
  /** Tenants only: the name, encrypted under the vault's node. Gone once the tenant is shredded. */
  readonly label?: Uint8Array | undefined
}

/** One wrap of a wrapping key under one root version. */
export interface ProviderWrap {
  readonly rootVersion: RootVersion
  readonly wrap: Uint8Array
}

/** A tenant's wrapping key: the only thing a provider ever wraps. */
export interface WrappingKeyRecord {
  readonly type: 'wrapping-key'
  /** 16 bytes, the primary key. */
  readonly id: Uint8Array
  readonly tenantRef: Uint8Array
  readonly region: string
  readonly revision: number
  /** True once anything of the tenant was shredded: never wrapped by a later root version. */
  readonly marked: boolean
  readonly state: 'current' | 'retiring' | 'retired'
  readonly wraps: readonly ProviderWrap[]
  readonly created: number
}

/** An entry of the ledger: where it is, and when it was made. */
export interface LedgerNote extends LedgerPosition {
  /** UTC milliseconds. */
  readonly instant: number
}

/** How a root version is gone, as far as its provider can say. */
export interface Destruction {
  /** confirmed: the provider vouches for it; scheduled: it will happen at `effectiveAt`; operator-asserted: only its owner can. */
  readonly level: 'confirmed' | 'scheduled' | 'operator-asserted'
  /** UTC milliseconds. */
  readonly effectiveAt: number
  /** UTC milliseconds until which copies of the root key may still exist. */
  readonly copiesUntil: number
}

/** A root version as the key store knows it. */
export interface KnownRootVersion extends RootVersion {
  readonly state: 'live' | 'destroyed'
  /** The ledger's word that it exists. */
  readonly announced: LedgerNote
  /** The ledger's word that its destruction was asked for. */
  readonly destroyed?: LedgerNote | undefined
  /** What the provider said to that. */
  readonly destruction?: Destruction | undefined
}

/** Ends a rotation: every living key of the region opens with this root version. */
export interface EpochMarker {
  readonly rootVersion: number
  /** 16 random bytes: whoever reads them in a copy of the key store knows that the copy is no older than this. */
  readonly marker: Uint8Array
  /** UTC milliseconds. */
  readonly instant: number
}

/** What the key store knows of a region's root versions. */
export interface RegionRecord {
  readonly type: 'region'
  /** The primary key. */
  readonly region: string
  readonly revision: number
  readonly versions: readonly KnownRootVersion[]
  /** Number of the version that new wraps use. */
  readonly current: number
  /** Versions up to this number are being destroyed, or are destroyed; 0: none. */
  readonly closing: number
  /** Written when a rotation ends. */
  readonly epoch?: EpochMarker | undefined
}

/** The least and the most that a vault's cache bound may be, in milliseconds. */
export const LEAST_CACHE_BOUND = 100
export const MOST_CACHE_BOUND = 3_600_000

/** The vault itself: one record. */
export interface VaultRecord {
  readonly type: 'vault'
  readonly revision: number
  /** 16 random bytes fixed by `initVault`. */
  readonly vaultId: Uint8Array
  readonly homeRegion: string
  /** How long any process may use a loaded key before it reads the store again, in milliseconds. */
  readonly cacheBound: number
  readonly created: number
  /** The newest ledger entry that this store has acknowledged. */
  readonly head: LedgerPosition
  /** Every entry up to this one has its effect in this store. */
  readonly applied: number
  /** Binds what `initVault` fixed, 32 bytes: whoever can write the store must not be able to raise the cache bound. */
  readonly check: Uint8Array
  /** The vault's first records, until they are copied out: this makes `initVault` one atomic write. */
  readonly bootstrap?: readonly (NodeRecord | WrappingKeyRecord | RegionRecord)[] | undefined
}

/** Everything that a key store holds. */
export type KeyStoreRecord = NodeRecord | WrappingKeyRecord | RegionRecord | VaultRecord
