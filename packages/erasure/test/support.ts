// What the tests of erasures stand on: a vault on memory stores, a clock that a test moves, and resources that do as they are told.
import {
  days,
  type ErasedPlace,
  hours,
  initVault,
  openVault,
  type Resource,
  type Tenant,
  type Vault,
  type VaultOptions,
} from '@strongroom/core'
import { manualClock, memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import {
  createErasure,
  definePolicy,
  type Erasure,
  type ErasureEvent,
  type ErasureOptions,
  type ErasureRequest,
  type Policy,
  sweep,
  type Swept,
} from '@strongroom/erasure'

import { email } from '../../core/test/vault/support.ts'

export { email, outcome, refusalOf } from '../../core/test/vault/support.ts'

export const START: number = Date.UTC(2030, 0, 1)
export const GRACE: number = days(30)
/** Sweeps that say the same of the time for so long are believed. */
export const APART: number = hours(1)

export const policy: Policy = definePolicy({
  deadline: days(60),
  grace: GRACE,
  sweep: 4 * APART,
  cacheBound: 100,
  epoch: days(7),
  providerDelay: 0,
  copies: days(14),
})

/** A resource of an application: rows of people, by the names that the vault has. */
export interface Rows extends Resource {
  readonly rows: Map<string, number>
  /** What its next calls throw. */
  fails: unknown
  /** It says that it has erased, and has not. */
  lies: boolean
  add(place: string, count?: number): void
}

/** @param name - of the resource. Rows are kept under `tenant/subject/item`, with what is beneath it */
export function rowsOf(name: string): Rows {
  const rows = new Map<string, number>()
  const of = ({ tenant, subject, item, self }: ErasedPlace): readonly string[] => {
    const place = [tenant, self === true ? '(self)' : subject, item].filter((part) => part !== undefined).join('/')
    return [...rows.keys()].filter((key) => key === place || key.startsWith(`${place}/`))
  }
  const count = (place: ErasedPlace): number => of(place).reduce((sum, key) => sum + (rows.get(key) ?? 0), 0)
  const resource: Rows = {
    name,
    rows,
    fails: undefined,
    lies: false,
    add: (place, more = 1) => void rows.set(place, (rows.get(place) ?? 0) + more),
    async count(place) {
      return count(place)
    },
    async erase(place) {
      if (resource.fails !== undefined) throw resource.fails
      const removed = count(place)
      if (!resource.lies) for (const key of of(place)) rows.delete(key)
      return removed
    },
    async verify(place) {
      return count(place)
    },
  }
  return resource
}

export interface World {
  readonly vault: Vault
  readonly vaultOptions: VaultOptions
  readonly clock: ReturnType<typeof manualClock>
  readonly keyStore: ReturnType<typeof memoryKeyStore>
  readonly stateStore: ReturnType<typeof memoryStateStore>
  readonly acme: Tenant
  readonly logs: Rows
  readonly erasure: Erasure
  readonly events: ErasureEvent[]
  /** The same as another process sees it. */
  another(changes?: Partial<ErasureOptions & VaultOptions>): Promise<{ readonly vault: Vault; readonly erasure: Erasure }>
}

/** A vault with the tenants `acme` and `rival`. */
export async function world(changes: Partial<ErasureOptions> = {}): Promise<World> {
  const [keyStore, stateStore, clock] = [memoryKeyStore(), memoryStateStore(), manualClock(START)]
  // Waiting is by a clock that goes on: the cache bound is short.
  const real = { ...clock, monotonic: () => performance.now() }
  const vaultOptions = {
    keyProviders: { eu: memoryKeyProvider() },
    defaultRegion: 'eu',
    keyStore,
    stateStore,
    clock: real,
    cacheBound: 100,
  }
  await initVault(vaultOptions)
  const logs = rowsOf('logs')
  const events: ErasureEvent[] = []
  const onEvent = (event: ErasureEvent): void => void events.push(event)
  const another: World['another'] = async (more = {}) => {
    const { policy: p = policy, resources = [logs], onEvent: tell = onEvent, ...others } = { ...changes, ...more }
    const vault = await openVault({ ...vaultOptions, ...others })
    return { vault, erasure: createErasure(vault, { policy: p, resources, onEvent: tell }) }
  }
  const { vault, erasure } = await another()
  const acme = await vault.tenants.create('acme')
  await vault.tenants.create('rival')
  return { vault, vaultOptions, clock, keyStore, stateStore, acme, logs, erasure, events, another }
}

/** Time passes, and sweeps run all along. */
export async function pass({ clock, erasure }: Pick<World, 'clock' | 'erasure'>, ms: number): Promise<readonly Swept[]> {
  clock.advance(Math.max(0, ms - 2 * APART))
  let swept: readonly Swept[] = []
  for (let i = 0; i < 3; i++) {
    swept = await sweep([erasure])
    if (i < 2) clock.advance(APART)
  }
  return swept
}

/** All root versions that there were are destroyed, and no copy of them is left. */
export async function closeEpoch(vault: Vault): Promise<void> {
  for await (const _ of vault.rotateRootKey());
  for await (const _ of vault.closeEpoch({ dangerouslyWithoutBackup: true }));
}

/** Many people. */
export function names(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `user-${i}`)
}

/** Each has a key, and asks for an erasure with the whole grace. */
export async function requestAll(w: Pick<World, 'acme' | 'erasure'>, subjects: readonly string[]): Promise<readonly ErasureRequest[]> {
  const requests: ErasureRequest[] = []
  for (const name of subjects) {
    await w.acme.subject(name).encrypt(email, 'ada@example.com')
    requests.push(await w.erasure.request(w.acme.subject(name), { reason: 'accountDeleted' }))
  }
  return requests
}

/** Time passes, until the next sweep finds them due. */
export async function untilDue(w: Pick<World, 'clock' | 'erasure'>): Promise<void> {
  w.clock.advance(GRACE - APART)
  for (let i = 0; i < 2; i++) {
    await w.erasure.sweep()
    w.clock.advance(APART)
  }
}

export async function statesOf(w: Pick<World, 'acme'>, subjects: readonly string[]): Promise<readonly string[]> {
  return Promise.all(subjects.map((name) => w.acme.subject(name).state()))
}

export async function all<T>(of: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = []
  for await (const one of of) found.push(one)
  return found
}
