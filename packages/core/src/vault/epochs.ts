/** The operations on epochs: arguments, gate, and handles; what they do is in `epochs/`. */

import { base64url, fromBase64url } from '../crypto/text.ts'
import { invalidArgument } from '../errors.ts'
import { closeEpoch, type CloseEpochPhase, type EpochBackup } from '../epochs/close-epoch.ts'
import type { CheckedRun, Progress, RunOptions } from '../epochs/progress.ts'
import { retireVersion, type RetirePhase, type ValueHolder } from '../epochs/retire-version.ts'
import { rotateRootKey, type RotateRootPhase } from '../epochs/rotate-root.ts'
import { rotateSubjectKey, type RotateSubjectPhase } from '../epochs/rotate-subject.ts'
import { rotateTenantKey, type RotateTenantPhase } from '../epochs/rotate-tenant.ts'
import { findRegion } from '../keys/regions.ts'
import type { KeyStore } from '../keys/key-store.ts'
import { guardKeyStore } from '../keys/guarded-stores.ts'
import type { KeyOperations } from '../keys/shred.ts'
import { attempt, readOptions } from '../read-options.ts'
import type { Gate } from './authorize.ts'
import type { Place } from './place.ts'
import { type Item, ItemHandle } from './subject.ts'
import { type Tenant, TenantHandle } from './tenants.ts'

/** Options of what works on a whole region. */
export interface RegionRunOptions extends RunOptions {
  /** The vault's `defaultRegion` if not given. */
  readonly region?: string
}

/** What the owner says before the old root versions are destroyed. */
export type CloseEpochOptions = RegionRunOptions & {
  /**
   * The root versions that may be destroyed: those that were live below `rotation.reached` when `status()` was asked. Others are refused with
   * `epoch_blocked`, for whoever has asked someone first. Without it: all before the last rotation that ended.
   */
  readonly rootVersions?: readonly number[]
} & (
    | {
        /** `marker`: what `readEpochMarker` read from the copy of the key store. `startedAt`: UTC milliseconds at which the copying began. */
        readonly backup: { readonly marker: string; readonly startedAt: number }
        /** The owner's word that a copy of the root key exists that holds the new version. */
        readonly rootBackup: true
        readonly dangerouslyWithoutBackup?: never
      }
    | {
        /** There is no backup that will open after this: whatever happens to the live key store and root key is then final. */
        readonly dangerouslyWithoutBackup: true
        readonly backup?: never
        readonly rootBackup?: never
      }
  )

/** Options of retireVersion. */
export interface RetireVersionOptions extends RunOptions {
  /** Everything that holds values of this subject. */
  readonly holders: readonly ValueHolder[]
  /** The owner's word that a backup of the data exists that began then, after re-encryption: older ones hold values that will be dead. */
  readonly dataBackup: { readonly startedAt: number }
}

/**
 * Rotation, and erasure that reaches the backups. Each call returns an iterator that does the work as it is iterated: nothing happens
 * before. It may be killed anywhere, run again, and run by several processes at once; it goes on from what is stored.
 *
 * @example
 * ```ts
 * import { type Vault } from '@strongroom/core'
 *
 * async function rotate(vault: Vault, signal: AbortSignal) {
 *   for await (const { phase, done, total } of vault.rotateRootKey({ signal })) console.error(`${phase} ${done}/${total}`)
 * }
 * ```
 */
export interface Epochs {
  /**
   * A new root version for a region. Tenants without a shred get their wrapping key wrapped by it as well; all others get a new wrapping
   * key, and their keys are wrapped anew. Ends by writing an epoch marker. No data is touched.
   *
   * @throws StrongroomError `invalid_argument`, `region_refused`, `wrong_root_key` (the provider lacks what the vault knows), `epoch_blocked`
   *   (a key does not open, or a tenant's records are damaged or missing), `ledger_invalid`, and for stores and provider their `…_unavailable`; the signal's reason
   */
  rotateRootKey(options?: RegionRunOptions): AsyncGenerator<Progress<RotateRootPhase>, void>
  /** A new wrapping key for one tenant, now. @throws StrongroomError as `rotateRootKey`, and `not_found` */
  rotateTenantKey(tenant: Tenant, options?: RunOptions): AsyncGenerator<Progress<RotateTenantPhase>, void>
  /**
   * A new key for a subject or an item: it encrypts from now on, the old one only decrypts. Re-encrypt the data then, and end with `retireVersion`.
   *
   * @throws StrongroomError as `rotateRootKey`, and `not_found`, `shredded`, `suspended`
   */
  rotateSubjectKey(subject: Item, options?: RunOptions): AsyncGenerator<Progress<RotateSubjectPhase>, void>
  /**
   * Shreds the versions of a key that only decrypt, once two counts, one cache bound apart, find nothing that needs them.
   *
   * @throws StrongroomError as `rotateSubjectKey`, and `still_referenced`
   */
  retireVersion(subject: Item, options: RetireVersionOptions): AsyncGenerator<Progress<RetirePhase>, void>
  /**
   * Destroys the root versions before the last rotation. After it, backups of the key store from before that rotation open nothing, for
   * anyone, and what was shredded before it is dead in every backup, once the destruction is in effect: see `status()`.
   *
   * @throws StrongroomError as `rotateRootKey`; `epoch_blocked` also where no rotation has ended, and where the backup lacks what this run
   *   or another has wrapped since: the epoch marker is then another, and a newer backup is needed
   */
  closeEpoch(options: CloseEpochOptions): AsyncGenerator<Progress<CloseEpochPhase>, void>
}

const MOST_CONCURRENCY = 1000
const CONCURRENCY = 64
const MARKER_BYTES = 16

/** The operations on epochs of an open vault. */
export function epochs(keys: KeyOperations, gate: Gate, defaultRegion: string): Epochs {
  const regionOf = (region: unknown): string => {
    if (region === undefined) return defaultRegion
    if (typeof region !== 'string') throw invalidArgument('region', 'must be one of the regions in keyProviders')
    return region
  }
  const placeOf = (found: Place | undefined, argument: string): Place => {
    if (found?.keys !== keys) throw invalidArgument(argument, 'must be a handle of this vault')
    return found
  }
  return {
    rotateRootKey(options) {
      const { region, ...run } = readOptions(options, ['region', 'signal', 'concurrency'])
      const name = regionOf(region)
      const checked = checkRun(run)
      return begin(() => {
        gate.authorize('rotateRootKey', {}, name)
        return rotateRootKey(keys, name, checked)
      })
    },
    rotateTenantKey(tenant, options) {
      const place = placeOf(TenantHandle.placeOf(tenant), 'tenant')
      const checked = checkRun(readOptions(options, ['signal', 'concurrency']))
      return begin(async () => {
        const { tenantRef, region } = await place.references()
        gate.authorize('rotateTenantKey', place.whose, region)
        return rotateTenantKey(keys, tenantRef, checked)
      })
    },
    rotateSubjectKey(subject, options) {
      const place = placeOf(ItemHandle.placeOf(subject), 'subject')
      const checked = checkRun(readOptions(options, ['signal', 'concurrency']))
      return begin(async () => {
        const references = await place.references()
        gate.authorize('rotateSubjectKey', place.whose, references.region)
        return rotateSubjectKey(keys, references, checked)
      })
    },
    retireVersion(subject, options) {
      const place = placeOf(ItemHandle.placeOf(subject), 'subject')
      const { holders, dataBackup, ...run } = readOptions(options, ['holders', 'dataBackup', 'signal', 'concurrency'])
      if (!Array.isArray(holders) || holders.length === 0 || !holders.every(isHolder))
        throw invalidArgument('holders', 'must name everything that holds values of this subject, each with a countValues method')
      const { startedAt } = readOptions(dataBackup, ['startedAt'])
      const since = checkInstant(startedAt, 'dataBackup.startedAt')
      const checked = checkRun(run)
      return begin(async () => {
        const references = await place.references()
        gate.authorize('retireVersion', place.whose, references.region)
        const { tenant = '', subject: name, item } = place.whose
        return retireVersion(keys, references, { tenant, subject: name, item }, [...holders], since, checked)
      })
    },
    closeEpoch(options) {
      const { region, backup, rootBackup, dangerouslyWithoutBackup, rootVersions, ...run } = readOptions<
        RegionRunOptions & Words & { readonly rootVersions?: unknown },
        keyof Words | keyof RegionRunOptions | 'rootVersions'
      >(options, ['region', 'backup', 'rootBackup', 'dangerouslyWithoutBackup', 'rootVersions', 'signal', 'concurrency'])
      const name = regionOf(region)
      const said = { backup: checkWords({ backup, rootBackup, dangerouslyWithoutBackup }), rootVersions: checkVersions(rootVersions) }
      const checked = checkRun(run)
      return begin(() => {
        gate.authorize('closeEpoch', {}, name)
        return closeEpoch(keys, name, said, checked)
      })
    },
  }

  async function* begin<P extends string>(
    work: () => AsyncGenerator<Progress<P>> | Promise<AsyncGenerator<Progress<P>>>,
  ): AsyncGenerator<Progress<P>, void> {
    gate.requireOpen()
    for await (const progress of await work()) {
      gate.requireOpen()
      yield progress
    }
  }
}

/**
 * The marker that the last rotation of a region wrote, as a key store holds it: give it the *copy*, opened as a store of its own, to
 * show `closeEpoch` that the copy is of the new epoch.
 *
 * @returns 22 characters; `undefined` where no rotation has ended
 * @throws StrongroomError `invalid_argument` (also where that key store knows no such region), `key_store_unavailable`, `decrypt_failed`
 * @example
 * ```ts
 * import { type KeyStore, readEpochMarker } from '@strongroom/core'
 *
 * const isNew = async (copy: KeyStore) => (await readEpochMarker({ keyStore: copy, region: 'eu' })) !== undefined
 * ```
 */
export async function readEpochMarker(options: { readonly keyStore: KeyStore; readonly region: string }): Promise<string | undefined> {
  const { keyStore, region } = readOptions(options, ['keyStore', 'region'])
  if (typeof keyStore !== 'object' || keyStore === null || !attempt('keyStore', () => typeof keyStore.get === 'function'))
    throw invalidArgument('keyStore', 'must be a key store')
  if (typeof region !== 'string' || region === '') throw invalidArgument('region', 'must be the name of a region')
  const record = await findRegion({ keyStore: guardKeyStore(keyStore) }, region)
  if (record === undefined)
    throw invalidArgument(
      'region',
      'is in no record of that key store: nothing was ever wrapped there; check its name, and that this is a copy of the keys',
    )
  return record.epoch === undefined ? undefined : base64url(record.epoch.marker)
}

interface Words {
  readonly backup?: unknown
  readonly rootBackup?: unknown
  readonly dangerouslyWithoutBackup?: unknown
}

function checkWords({ backup, rootBackup, dangerouslyWithoutBackup }: Words): EpochBackup | undefined {
  if (dangerouslyWithoutBackup !== undefined) {
    if (dangerouslyWithoutBackup !== true || backup !== undefined || rootBackup !== undefined)
      throw invalidArgument('dangerouslyWithoutBackup', 'must be true, and stand alone')
    return undefined
  }
  if (backup === undefined)
    throw invalidArgument('backup', 'must be { marker, startedAt } of a copy of the key store, or else say dangerouslyWithoutBackup')
  if (rootBackup !== true)
    throw invalidArgument('rootBackup', 'must be true: the word that a copy of the root key exists that holds the new version')
  const { marker, startedAt } = readOptions(backup as { readonly marker: unknown; readonly startedAt: unknown } | undefined, [
    'marker',
    'startedAt',
  ])
  if (marker === undefined)
    throw invalidArgument(
      'backup.marker',
      'is undefined: in that copy no rotation of the region has ended; run rotateRootKey to its end, and read the marker from a copy that is made after it',
    )
  const bytes = typeof marker === 'string' ? fromBase64url(marker) : undefined
  if (bytes?.length !== MARKER_BYTES)
    throw invalidArgument('backup.marker', 'must be what readEpochMarker read from the copy of the key store')
  return { marker: bytes, startedAt: checkInstant(startedAt, 'backup.startedAt') }
}

function checkVersions(versions: unknown): readonly number[] | undefined {
  if (versions === undefined) return undefined
  if (!Array.isArray(versions) || !versions.every((number) => Number.isSafeInteger(number) && number > 0))
    throw invalidArgument('rootVersions', 'must be a list of numbers of root versions, as status lists them')
  return [...(versions as readonly number[])]
}

function checkInstant(value: unknown, argument: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1)
    throw invalidArgument(argument, 'must be an instant in UTC milliseconds')
  return value
}

function checkRun({ signal, concurrency = CONCURRENCY }: RunOptions): CheckedRun {
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidArgument('signal', 'must be an AbortSignal')
  if (!Number.isSafeInteger(concurrency) || concurrency < 1 || concurrency > MOST_CONCURRENCY)
    throw invalidArgument('concurrency', `must be a whole number from 1 to ${MOST_CONCURRENCY}`)
  return { signal, concurrency }
}

function isHolder(holder: unknown): holder is ValueHolder {
  return (
    typeof holder === 'object' && holder !== null && attempt('holders', () => typeof (holder as ValueHolder).countValues === 'function')
  )
}
