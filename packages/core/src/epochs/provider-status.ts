/** What a region's provider says of its root versions, held against what the key store knows. */

import { equalBytes } from '../crypto/hash.ts'
import { hasCode, StrongroomError, type StrongroomErrorCode } from '../errors.ts'
import type { KnownRootVersion, RegionRecord } from '../format/records.ts'
import type { KeyContext } from '../keys/key-context.ts'

/** What the provider's own list says. Where it answers and all four lists are empty, it agrees with the key store. */
export interface ProviderStatus {
  /** `none`: this process has no provider for the region. */
  readonly state: 'answers' | 'unavailable' | 'none'
  /** Why it is unavailable. */
  readonly code?: StrongroomErrorCode | undefined
  /** Live there, and unknown to the key store: made by the provider itself, or by a rotation that was killed. */
  readonly unknown: readonly number[]
  /** Known to the key store, and not there: another root key, or an older copy. Until it is put right, no epoch turns. */
  readonly missing: readonly number[]
  /** Destroyed there, and live as far as the key store knows: by a `closeEpoch` that was killed, or by someone else. */
  readonly gone: readonly number[]
  /** Still live there, although its destruction should be in effect: not destroyed, or brought back by a restored root key. */
  readonly undestroyed: readonly number[]
}

/** Asks the provider; that it does not answer is an answer too. */
export async function askProvider(
  context: KeyContext,
  region: string,
  record: RegionRecord | undefined,
  now: number,
): Promise<ProviderStatus> {
  const nothing = { unknown: [], missing: [], gone: [], undestroyed: [] }
  try {
    context.providers.require(region)
  } catch (error) {
    if (!hasCode(error, 'region_refused')) throw error
    return { state: 'none', ...nothing }
  }
  try {
    const listed = await context.providers.versions(region)
    const known = record?.versions ?? []
    const there = ({ number, id }: KnownRootVersion): 'live' | 'destroyed' | undefined =>
      listed.find((other) => other.number === number && equalBytes(other.id, id))?.state
    const which = (wanted: (version: KnownRootVersion) => boolean): readonly number[] => known.filter(wanted).map(({ number }) => number)
    return {
      state: 'answers',
      unknown: listed
        .filter(({ number, state }) => state === 'live' && !known.some((version) => version.number === number))
        .map(({ number }) => number)
        .toSorted((a, b) => a - b),
      missing: which((version) => there(version) === undefined),
      gone: which((version) => version.state === 'live' && there(version) === 'destroyed'),
      undestroyed: which((version) => (version.destruction?.effectiveAt ?? now + 1) <= now && there(version) === 'live'),
    }
  } catch (error) {
    if (!(error instanceof StrongroomError)) throw error
    return { state: 'unavailable', code: error.code, ...nothing }
  }
}

/** The number of the newest root version that is live, one that only the provider knows counted. */
export function newestLive({ versions }: RegionRecord, unknown: readonly number[]): number {
  return Math.max(0, ...versions.filter(({ state }) => state === 'live').map(({ number }) => number), ...unknown)
}
