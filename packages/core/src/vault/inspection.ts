/** Looking at keys without changing anything: arguments and gate; what is looked at is in `epochs/`. */

import { invalidArgument } from '../errors.ts'
import { mayBeFinal, readFinality } from '../epochs/finality.ts'
import type { ValueHolder } from '../epochs/retire-version.ts'
import type { Finality } from '../epochs/shred-status.ts'
import { type VaultStatus, vaultStatus } from '../epochs/status.ts'
import { type KeyFinding, type KeyReport, verifyKeys } from '../epochs/verify-keys.ts'
import type { KeyOperations } from '../keys/shred.ts'
import { attempt, readOptions } from '../read-options.ts'
import type { Gate } from './authorize.ts'

/** Options of status. */
export interface StatusOptions {
  /** This region only. Without it: all in which anything was ever wrapped. */
  readonly region?: string
  /** Ends the reading between two pages, with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Options of finality: where a shred was, and the newest root version that its receipt names. */
export interface FinalityOptions {
  readonly region: string
  readonly rootVersion: number
  /** Ends the reading, with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Options of verifyKeys. */
export interface VerifyKeysOptions {
  /**
   * Whoever holds encrypted values. They are asked by tag alone: names are not in the key store, so reading `tenant`, `subject` or `item` of
   * what `countValues` is given throws `unsupported_operation` here. Without holders only keys are counted as what needs a version.
   */
  readonly holders?: readonly ValueHolder[]
  /** Ends the reading between two pages, with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Looking at a vault's keys. Neither call writes anything, and both read by pages. */
export interface Inspection {
  /**
   * For each region: root versions and what still hangs on them, whether the provider agrees, keys by state and age, and the shreds that
   * older backups still outlive, with what has to happen before they do not. Opens no keys but the ledger's.
   *
   * A region without a provider in this process, and one whose provider does not answer, is listed with what the key store knows. A vault in
   * which nothing was done yet has one region with one root version, and the few keys of the vault itself.
   *
   * @throws StrongroomError `invalid_argument`; `region_refused` (`region` has no provider in this process); `ledger_invalid`; for the stores
   *   their `…_unavailable`; `key_provider_unavailable` where the home region's provider is needed to read the ledger; the signal's reason
   * @example
   * ```ts
   * import { type Vault } from '@strongroom/core'
   *
   * async function report(vault: Vault) {
   *   for (const { region, shreds } of (await vault.status()).regions) {
   *     const { waiting, blockedBy } = shreds
   *     if (waiting.since === undefined) continue
   *     console.log(`${region}: ${waiting.count} shreds wait since ${new Date(waiting.since).toISOString()} for ${blockedBy.join(', ')}`)
   *   }
   * }
   * ```
   */
  status(options?: StatusOptions): Promise<VaultStatus>
  /**
   * Whether what was shredded is dead in every backup, as `status` counts it: reads the ledger once, and asks the region's provider. Where that
   * does not answer nothing is final.
   *
   * @throws StrongroomError as `status`
   * @example
   * ```ts
   * import { type Vault, verifyReceipt } from '@strongroom/core'
   *
   * async function isGone(vault: Vault, receipt: string) {
   *   const { region, rootVersion } = verifyReceipt(receipt, await vault.receiptKeys())
   *   return (await vault.finality({ region, rootVersion })).final
   * }
   * ```
   */
  finality(options: FinalityOptions): Promise<Finality>
  /**
   * Whether `finality` is worth its reading: `false` where the key store's record of the region shows already that something is in the way. `true`
   * says nothing. Reads one record.
   *
   * @throws StrongroomError as `status`
   */
  mayBeFinal(options: Omit<FinalityOptions, 'signal'>): Promise<boolean>
  /**
   * Opens every key of every tenant, and of the vault itself, in each region that this process has a provider for, and yields what is wrong:
   * keys that do not open, references that lead nowhere, versions that a rotation has left behind. A whole vault yields nothing. Ends with
   * how much was looked at.
   *
   * A provider that is down is no damage: its error is thrown. Nor is what was shredded, with all that hung beneath it.
   *
   * @throws StrongroomError `invalid_argument`; `decrypt_failed` where a record of the key store has lost its form; for stores and provider
   *   their `…_unavailable`; what `holders` throw; the signal's reason
   * @example
   * ```ts
   * import { type Vault } from '@strongroom/core'
   *
   * async function check(vault: Vault) {
   *   for await (const { problem, kind, ref, code } of vault.verifyKeys()) console.error(`${problem} ${kind} ${ref} ${code ?? ''}`)
   * }
   * ```
   */
  verifyKeys(options?: VerifyKeysOptions): AsyncGenerator<KeyFinding, KeyReport>
}

/** The operations of an open vault that only look. */
export function inspection(keys: KeyOperations, gate: Gate): Inspection {
  return {
    async status(options) {
      const { region, signal } = readOptions(options, ['region', 'signal'])
      if (region !== undefined && typeof region !== 'string') throw invalidArgument('region', 'must be one of the regions in keyProviders')
      const goOn = goOnUnless(signal)
      gate.authorize('status', {}, region)
      return vaultStatus(keys, region, goOn)
    },
    async finality(options) {
      const { region, rootVersion, signal } = finalityOptions(options)
      const goOn = goOnUnless(signal)
      gate.authorize('finality', {}, region)
      return readFinality(keys, region, rootVersion, goOn)
    },
    async mayBeFinal(options) {
      const { region, rootVersion } = finalityOptions(options)
      gate.authorize('finality', {}, region)
      return mayBeFinal(keys, region, rootVersion)
    },
    verifyKeys(options) {
      const { holders = [], signal } = readOptions(options, ['holders', 'signal'])
      if (!Array.isArray(holders) || !holders.every(isHolder))
        throw invalidArgument('holders', 'must be a list of what holds values, each with a countValues method')
      return begin([...holders], goOnUnless(signal))
    },
  }

  async function* begin(holders: readonly ValueHolder[], goOn: () => Promise<void>): AsyncGenerator<KeyFinding, KeyReport> {
    gate.authorize('verifyKeys', {}, undefined)
    return yield* verifyKeys(keys, { holders, goOn })
  }

  function goOnUnless(signal: unknown): () => Promise<void> {
    if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidArgument('signal', 'must be an AbortSignal')
    return async () => {
      // A store in this process answers without a turn of the event loop: nothing else would run, nor could anything end this.
      await new Promise((resolve) => setTimeout(resolve))
      signal?.throwIfAborted()
      gate.requireOpen()
    }
  }
}

function isHolder(holder: unknown): holder is ValueHolder {
  return (
    typeof holder === 'object' && holder !== null && attempt('holders', () => typeof (holder as ValueHolder).countValues === 'function')
  )
}

function finalityOptions(options: FinalityOptions): FinalityOptions {
  const { region, rootVersion, signal } = readOptions(options, ['region', 'rootVersion', 'signal'])
  if (typeof region !== 'string') throw invalidArgument('region', 'must be one of the regions in keyProviders')
  if (rootVersion === undefined || !Number.isSafeInteger(rootVersion) || rootVersion < 1)
    throw invalidArgument('rootVersion', 'must be the number of a root version, as a receipt names it')
  return { region, rootVersion, signal }
}
