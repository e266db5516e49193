/** The options of `initVault` and `openVault`, checked before anything is read. */

import { type Clock, systemClock } from '../clock.ts'
import { invalidArgument } from '../errors.ts'
import { copy, isBytes } from '../format/bytes.ts'
import { LEAST_CACHE_BOUND, type LedgerPosition, MOST_CACHE_BOUND } from '../format/records.ts'
import { attempt, readOptions } from '../read-options.ts'
import { AT_FAILPOINT, type AtFailpoint } from '../keys/failpoints.ts'
import { guardKeyStore, guardStateStore } from '../keys/guarded-stores.ts'
import type { KeyProvider } from '../keys/key-provider.ts'
import type { KeyStore } from '../keys/key-store.ts'
import { Providers } from '../keys/providers.ts'
import type { StateStore } from '../keys/state-store.ts'
import type { Access } from './authorize.ts'

/** How a vault is made and opened. The same object serves both. */
export interface VaultOptions {
  /**
   * One key provider for each region that this process works in, by the region's name (1 to 64 ASCII letters, digits, `-`, `_`). Each over
   * a root key of its own, which no other region has, and no other vault: closing an epoch destroys for all who use it.
   */
  readonly keyProviders: Readonly<Record<string, KeyProvider>>
  /** The region of tenants that are created without one; for `initVault` also the vault's fixed home. */
  readonly defaultRegion: string
  readonly keyStore: KeyStore
  readonly stateStore: StateStore
  /**
   * Milliseconds that a process may use a key before it reads the store again: how soon a shred is everywhere. For `initVault` the
   * bound of the whole fleet (100 … 3,600,000; 60,000 if not given); for `openVault` this process's own, at most the fleet's.
   */
  readonly cacheBound?: number
  /** Subjects' and items' keys held at once; 10,000 if not given. */
  readonly maxCachedKeys?: number
  /** Tenants held at once; 1,000 if not given. */
  readonly maxCachedTenants?: number
  /** Milliseconds for one call of a key provider; 10,000 if not given. */
  readonly providerTimeout?: number
  /** Called with every operation before it is done, synchronously. If it throws, or returns a promise, the operation is refused. Must not block. */
  readonly onAccess?: (access: Access) => void
  /**
   * `openVault` only: the newest ledger position that is known from elsewhere, such as the last receipt. A ledger that does not hold it is
   * refused: it shows that key store and state store were restored together from before it.
   */
  readonly ledgerAtLeast?: LedgerPosition
  /**
   * `initVault` only: the state store has the ledger of another vault, and is to have this one's too. Without it such a state store is refused:
   * where the keys of that vault are only out of reach, a second one on its root key would destroy them when it closes an epoch.
   */
  readonly besideAnotherVault?: boolean
  /** For tests. */
  readonly clock?: Clock
  /** Called by `vault.close()`; the stores of `localStores` bring it. */
  readonly close?: () => Promise<void>
}

/** The options, complete. */
export interface CheckedOptions {
  readonly providers: Providers
  readonly defaultRegion: string
  readonly keyStore: KeyStore
  readonly stateStore: StateStore
  readonly cacheBound: number | undefined
  readonly maxCachedKeys: number
  readonly maxCachedTenants: number
  readonly onAccess: ((access: Access) => void) | undefined
  readonly ledgerAtLeast: LedgerPosition | undefined
  readonly besideAnotherVault: boolean
  readonly clock: Clock
  readonly failpoint: AtFailpoint
  readonly close: (() => Promise<void>) | undefined
}

const REGION = /^[A-Za-z0-9_-]{1,64}$/

const NAMES = [
  'keyProviders',
  'defaultRegion',
  'keyStore',
  'stateStore',
  'cacheBound',
  'maxCachedKeys',
  'maxCachedTenants',
  'providerTimeout',
  'onAccess',
  'ledgerAtLeast',
  'besideAnotherVault',
  'clock',
  'close',
] as const

/** @throws StrongroomError `invalid_argument` naming the option, `region_refused` */
export function checkOptions(given: VaultOptions): CheckedOptions {
  if (given === undefined) throw invalidArgument('options', 'must be an object')
  const { failpoint, options: plain } = withoutFailpoint(given)
  const options = readOptions(plain, NAMES)
  const keyProviders = checkProviders(options.keyProviders)
  const { defaultRegion, onAccess, close, clock = systemClock, besideAnotherVault = false } = options
  if (typeof defaultRegion !== 'string' || !Object.hasOwn(keyProviders, defaultRegion)) {
    throw invalidArgument('defaultRegion', 'must be one of the regions in keyProviders')
  }
  if (typeof besideAnotherVault !== 'boolean') throw invalidArgument('besideAnotherVault', 'must be true or false')
  requireFunction(onAccess, 'onAccess')
  requireFunction(close, 'close')
  requireMethods(clock, 'clock', ['now', 'monotonic'])
  const timeout = whole(options.providerTimeout, 'providerTimeout', 1, 600_000) ?? 10_000
  return {
    defaultRegion,
    keyStore: guardKeyStore(requireMethods(options.keyStore, 'keyStore', ['get', 'put', 'scan'])),
    stateStore: guardStateStore(requireMethods(options.stateStore, 'stateStore', ['get', 'put', 'delete', 'due', 'scan'])),
    cacheBound: whole(options.cacheBound, 'cacheBound', LEAST_CACHE_BOUND, MOST_CACHE_BOUND),
    maxCachedKeys: whole(options.maxCachedKeys, 'maxCachedKeys', 1, 10_000_000) ?? 10_000,
    maxCachedTenants: whole(options.maxCachedTenants, 'maxCachedTenants', 2, 1_000_000) ?? 1000,
    providers: new Providers(keyProviders, timeout),
    onAccess,
    ledgerAtLeast: checkPosition(options.ledgerAtLeast),
    besideAnotherVault,
    clock,
    failpoint,
    close,
  }
}

// Only the testing entry sets it.
function withoutFailpoint(given: VaultOptions & { readonly [AT_FAILPOINT]?: AtFailpoint }): {
  readonly failpoint: AtFailpoint
  readonly options: VaultOptions
} {
  if (typeof given !== 'object' || given === null || !attempt('options', () => Object.hasOwn(given, AT_FAILPOINT))) {
    return { failpoint: () => undefined, options: given }
  }
  const { [AT_FAILPOINT]: failpoint = () => undefined, ...options } = given
  return { failpoint, options }
}

function checkPosition(position: LedgerPosition | undefined): LedgerPosition | undefined {
  if (position === undefined) return undefined
  const { n, hash } = typeof position === 'object' && position !== null ? readOptions(position, ['n', 'hash']) : {}
  if (n === undefined || !Number.isSafeInteger(n) || n < 1 || !isBytes(hash) || hash.length !== 32)
    throw invalidArgument('ledgerAtLeast', 'must be the `ledger` of a shred or a receipt: a number from 1 and a hash of 32 bytes')
  return { n, hash: copy(hash) }
}

function checkProviders(keyProviders: unknown): Readonly<Record<string, KeyProvider>> {
  if (typeof keyProviders !== 'object' || keyProviders === null)
    throw invalidArgument('keyProviders', 'must map each region to its key provider')
  const entries = attempt('keyProviders', () => Object.entries(keyProviders as Readonly<Record<string, KeyProvider>>))
  for (const [region, provider] of entries) {
    if (!REGION.test(region)) throw invalidArgument('keyProviders', 'must be keyed by region names of 1 to 64 letters, digits, - and _')
    requireMethods(provider, 'keyProviders', ['versions', 'wrap', 'unwrap', 'createVersion', 'destroyVersion'])
  }
  if (new Set(entries.map(([, provider]) => provider)).size < entries.length)
    throw invalidArgument('keyProviders', 'must give each region a provider over a root key of its own: one that serves two would end both')
  return Object.fromEntries(entries)
}

function requireMethods<T>(value: T | undefined, argument: string, methods: readonly string[]): T {
  const has = (): boolean => methods.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function')
  if (typeof value !== 'object' || value === null || !attempt(argument, has)) {
    throw invalidArgument(argument, `must have the methods ${methods.join(', ')}`)
  }
  return value
}

function requireFunction(value: unknown, argument: string): void {
  if (value !== undefined && typeof value !== 'function') throw invalidArgument(argument, 'must be a function')
}

function whole(value: number | undefined, argument: string, least: number, most: number): number | undefined {
  if (value === undefined) return undefined
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw invalidArgument(argument, `must be a whole number from ${least} to ${most}`)
  return value
}
