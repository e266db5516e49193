// What the tests of vault and key tree stand on: a vault on memory stores and a clock that stands still.
import {
  type Encrypted,
  type Field,
  field,
  initVault,
  type KeyStore,
  type KeyStoreRecord,
  type NodeRecord,
  openVault,
  type StateStore,
  StrongroomError,
  type Subject,
  type SweepReport,
  type Vault,
  type VaultOptions,
  type WrappingKeyRecord,
} from '@strongroom/core'
import { manualClock, memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { z } from 'zod'

export const BOUND = 60_000
export const START = Date.UTC(2030, 0, 1)

export const email: Field<string> = field('users', 'email', z.string())
export const anything: Field<unknown> = field('users', 'anything', z.any())

export interface Ground {
  readonly keyStore: ReturnType<typeof memoryKeyStore>
  readonly stateStore: ReturnType<typeof memoryStateStore>
  readonly provider: ReturnType<typeof memoryKeyProvider>
  readonly clock: ReturnType<typeof manualClock>
  readonly options: VaultOptions
}

/** Memory stores, one region `eu`, nothing made yet. */
export function emptyGround(changes: Partial<VaultOptions> = {}): Ground {
  const keyStore = memoryKeyStore()
  const stateStore = memoryStateStore()
  const provider = memoryKeyProvider()
  const clock = manualClock(START)
  return {
    keyStore,
    stateStore,
    provider,
    clock,
    options: { keyProviders: { eu: provider }, defaultRegion: 'eu', keyStore, stateStore, clock, ...changes },
  }
}

/** A ground with a vault made on it. */
export async function ground(changes: Partial<VaultOptions> = {}): Promise<Ground> {
  const made = emptyGround(changes)
  await initVault(made.options)
  return made
}

/** A ground with a vault that is open and has the tenants `acme` and `rival`. */
export async function openGround(changes: Partial<VaultOptions> = {}): Promise<Ground & { readonly vault: Vault }> {
  const made = await ground(changes)
  const vault = await openVault(made.options)
  await vault.tenants.create('acme')
  await vault.tenants.create('rival')
  return { ...made, vault }
}

export function alice(vault: Vault): Subject {
  return vault.tenant('acme').subject('alice')
}

export function bob(vault: Vault): Subject {
  return vault.tenant('acme').subject('bob')
}

/** `'done'`, or the code with which a call was refused. Anything thrown that is not ours fails the test. */
export async function outcome(call: () => unknown): Promise<string> {
  try {
    await call()
    return 'done'
  } catch (error) {
    if (!(error instanceof StrongroomError)) throw new Error('threw something that is not ours', { cause: error })
    return error.code
  }
}

/** The error that a call is refused with. */
export async function refusalOf(call: () => unknown): Promise<StrongroomError> {
  try {
    await call()
  } catch (error) {
    if (error instanceof StrongroomError) return error
    throw new Error('threw something that is not ours', { cause: error })
  }
  throw new Error('was not refused')
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Everything that both stores hold, to be compared. */
export function held({ keyStore, stateStore }: Pick<Ground, 'keyStore' | 'stateStore'>): unknown {
  return { keys: keyStore.snapshot(), state: stateStore.snapshot() }
}

/** All nodes of a key store. */
export function nodesOf(store: Ground['keyStore']): readonly NodeRecord[] {
  return store.snapshot().filter((record): record is NodeRecord => record.type === 'node')
}

export function wrappingKeysOf(store: Ground['keyStore']): readonly WrappingKeyRecord[] {
  return store.snapshot().filter((record): record is WrappingKeyRecord => record.type === 'wrapping-key')
}

/** The node that something makes where there was none. */
export async function nodeMadeBy(store: Ground['keyStore'], make: () => Promise<unknown>): Promise<NodeRecord> {
  const before = new Set(nodesOf(store).map(({ ref }) => hex(ref)))
  await make()
  const made = nodesOf(store).filter(({ ref }) => !before.has(hex(ref)))
  const last = made.at(-1)
  if (made.length !== 1 || last === undefined) throw new Error(`${made.length} nodes were made`)
  return last
}

/** A store whose every call is announced before, and may be replaced. */
export type Around = (
  call: { readonly store: 'key' | 'state'; readonly method: string; readonly args: readonly unknown[] },
  proceed: () => Promise<unknown>,
) => Promise<unknown>

export function aroundKeyStore(store: KeyStore, around: Around): KeyStore {
  const call = (method: string, args: readonly unknown[], proceed: () => Promise<unknown>): Promise<never> =>
    around({ store: 'key', method, args }, proceed) as Promise<never>
  return {
    get: (keys) => call('get', [keys], () => store.get(keys)),
    put: (record) => call('put', [record], () => store.put(record)),
    scan: (query) => call('scan', [query], () => store.scan(query)),
  }
}

export function aroundStateStore(store: StateStore, around: Around): StateStore {
  const call = (method: string, args: readonly unknown[], proceed: () => Promise<unknown>): Promise<never> =>
    around({ store: 'state', method, args }, proceed) as Promise<never>
  return {
    get: (namespace, key) => call('get', [namespace, key], () => store.get(namespace, key)),
    put: (namespace, key, value, options) => call('put', [namespace, key, value, options], () => store.put(namespace, key, value, options)),
    delete: (namespace, key, options) => call('delete', [namespace, key, options], () => store.delete(namespace, key, options)),
    due: (namespace, before, limit, after) =>
      call('due', [namespace, before, limit, after], () => store.due(namespace, before, limit, after)),
    scan: (namespace, prefix, options) => call('scan', [namespace, prefix, options], () => store.scan(namespace, prefix, options)),
  }
}

/** The same stores, each call of which goes through `around`. */
export function optionsAround({ options, keyStore, stateStore }: Ground, around: Around): VaultOptions {
  return { ...options, keyStore: aroundKeyStore(keyStore, around), stateStore: aroundStateStore(stateStore, around) }
}

export function putRecord(args: readonly unknown[]): KeyStoreRecord {
  return args[0] as KeyStoreRecord
}

/** A copy with one bit changed. */
export function flipped(bytes: Uint8Array, bit = 0): Uint8Array {
  const out = Uint8Array.from(bytes)
  out[bit >> 3] = (out[bit >> 3] as number) ^ (1 << (bit & 7))
  return out
}

/** Waits for a condition that timers bring about. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2))
}

export type Stored = Encrypted<string>

/** What a sweep says that had nothing to do but this. */
export function swept(changes: Partial<SweepReport> = {}): SweepReport {
  return { done: 0, waiting: 0, damaged: 0, failed: 0, failures: [], ...changes }
}
