/** `status`: how old keys are, what still hangs on which root version, and which shreds older backups still outlive. Never writes. */

import type { Destruction, KnownRootVersion, RegionRecord } from '../format/records.ts'
import { findRegion } from '../keys/regions.ts'
import type { KeyOperations } from '../keys/shred.ts'
import { readVaultRecord } from '../keys/vault-record.ts'
import { askProvider, newestLive, type ProviderStatus } from './provider-status.ts'
import { type ShredStatus, shredStatus } from './shred-status.ts'
import { NO_ENTRIES, surveyLedger } from './survey-ledger.ts'
import { newTally, type NodeCounts, type RootVersionUse, tallyNodes, tallyWrappingKeys, type WrappingKeyCounts } from './tally-keys.ts'

/** A vault as it was found: plain data, fit for JSON, without names. Instants are UTC milliseconds. */
export interface VaultStatus {
  /** When the reading began. */
  readonly at: number
  readonly homeRegion: string
  /** How many entries there are, and up to which of them the key store has acknowledged the effect. */
  readonly ledger: { readonly n: number; readonly applied: number }
  /** In the order of their names. */
  readonly regions: readonly RegionStatus[]
}

/** One region. The vault's own keys count in its home region. */
export interface RegionStatus {
  readonly region: string
  /** The root version that new wraps use; `undefined` where nothing was ever wrapped. */
  readonly current?: number | undefined
  /** In ascending order. */
  readonly rootVersions: readonly RootVersionStatus[]
  readonly provider: ProviderStatus
  readonly rotation: RotationStatus
  /** Tenants that are not shredded, the vault itself not counted. */
  readonly tenants: number
  readonly wrappingKeys: WrappingKeyCounts
  readonly nodes: NodeCounts
  readonly shreds: ShredStatus
}

/** A root version as the key store knows it. */
export interface RootVersionStatus {
  readonly number: number
  /** `closing`: a `closeEpoch` that is to destroy it was begun. */
  readonly state: 'live' | 'closing' | 'destroyed'
  readonly created: number
  /** When the ledger was told of its destruction, and what the provider said to it. */
  readonly destroyed?: number | undefined
  readonly destruction?: Destruction | undefined
  /** Wrapping keys in use that it wraps, and those of them that no other living root version wraps. */
  readonly wrappingKeys: RootVersionUse
}

/** How far `rotateRootKey` is. Where a provider rotates by itself, that begins a rotation as well. */
export interface RotationStatus {
  readonly state: 'none' | 'unfinished' | 'finished'
  /** The root version that is, or was, rotated to. */
  readonly rootVersion?: number | undefined
  readonly endedAt?: number | undefined
  /** The root version that the last rotation that ended has rotated to: `closeEpoch` destroys those below it. */
  readonly reached?: number | undefined
}

/**
 * @param region - this one only, whether anything was wrapped there or not; `undefined`: all where something was
 * @param goOn - called before each page is read; throws where the reading is to end
 * @throws StrongroomError `ledger_invalid`, and what the stores throw, and the provider that the ledger's key needs
 */
export async function vaultStatus(keys: KeyOperations, region: string | undefined, goOn: () => Promise<void>): Promise<VaultStatus> {
  const { context } = keys.tree
  const at = context.clock.now()
  const { homeRegion, head, applied } = await readVaultRecord(context.keyStore)
  await keys.ledger.requireHead(head)
  const ledger = await surveyLedger(keys.ledger, goOn)
  const nodes = await tallyNodes(context, goOn)
  const names = region === undefined ? [...new Set([...ledger.regions.keys(), ...nodes.keys()])].toSorted() : [region]
  const regions: RegionStatus[] = []
  for (const name of names) {
    const record = await findRegion(context, name)
    const provider = await askProvider(context, name, record, at)
    const wrapping = await tallyWrappingKeys(context, name, record, goOn)
    const { tenants, ...counts } = nodes.get(name) ?? newTally()
    const entries = ledger.regions.get(name) ?? NO_ENTRIES
    regions.push({
      region: name,
      current: record?.current,
      rootVersions: (record?.versions ?? []).map((version) => versionStatus(version, record, wrapping.uses.get(version.number))),
      provider,
      rotation: rotationStatus(record, provider),
      tenants,
      wrappingKeys: wrapping.counts,
      nodes: counts,
      shreds: shredStatus(entries, record, provider, at),
    })
  }
  return { at, homeRegion, ledger: { n: ledger.n, applied }, regions }
}

function versionStatus(
  { number, state, announced, destroyed, destruction }: KnownRootVersion,
  record: RegionRecord | undefined,
  wrappingKeys: RootVersionUse = { wrapped: 0, only: 0 },
): RootVersionStatus {
  const closing = state === 'live' && number <= (record?.closing ?? 0)
  return {
    number,
    state: closing ? 'closing' : state,
    created: announced.instant,
    destroyed: destroyed?.instant,
    destruction,
    wrappingKeys,
  }
}

function rotationStatus(record: RegionRecord | undefined, { unknown }: ProviderStatus): RotationStatus {
  if (record === undefined) return { state: 'none' }
  const { epoch } = record
  const newest = newestLive(record, unknown)
  // What the vault began with needs no rotation.
  if (newest > (epoch?.rootVersion ?? Math.min(...record.versions.map(({ number }) => number))))
    return { state: 'unfinished', rootVersion: newest, reached: epoch?.rootVersion }
  if (epoch === undefined) return { state: 'none' }
  return { state: 'finished', rootVersion: epoch.rootVersion, endedAt: epoch.instant, reached: epoch.rootVersion }
}
