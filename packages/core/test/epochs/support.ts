// What the tests of single operations on epochs share: a vault on memory stores whose waits are short.
import { initVault, type Item, type KeyProvider, openVault, readEpochMarker, type Vault, type VaultOptions } from '@strongroom/core'
import { type AtFailpoint, manualClock, withFailpoints } from '@strongroom/core/testing'

import { email, emptyGround, type Ground, START, type Stored } from '../vault/support.ts'

export const BOUND = 100
export const DAY = 86_400_000
export const WITHOUT = { dangerouslyWithoutBackup: true } as const

export interface World extends Ground {
  readonly vault: Vault
  /** From here on nothing ages: what is in memory stays there, however slow the machine is. Waits would never end. */
  stopAging(): void
}

/** A vault that is open and has the tenant `acme`. Its wall clock stands still; waits pass in real time. */
export async function world(changes: { readonly provider?: KeyProvider } = {}): Promise<World> {
  const clock = manualClock(START)
  let stopped: number | undefined
  const walls = { now: () => clock.now(), monotonic: () => stopped ?? performance.now() }
  const keyProviders = changes.provider === undefined ? {} : { keyProviders: { eu: changes.provider } }
  const made = emptyGround({ clock: walls, cacheBound: BOUND, ...keyProviders })
  await initVault(made.options)
  const vault = await openVault(made.options)
  await vault.tenants.create('acme')
  return { ...made, clock, vault, stopAging: () => void (stopped = performance.now()) }
}

export async function toEnd(run: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of run);
}

/** The phases that a run passes. */
export async function phasesOf(run: AsyncIterable<{ readonly phase: string }>): Promise<readonly string[]> {
  const phases = new Set<string>()
  for await (const { phase } of run) phases.add(phase)
  return [...phases]
}

export const encrypt = (vault: Vault, subject: string, tenant = 'acme'): Promise<Uint8Array> =>
  vault.tenant(tenant).subject(subject).encrypt(email, `${subject}@${tenant}`)

export const reads = async (vault: Vault, subject: string, stored: Uint8Array): Promise<boolean> =>
  (await vault
    .tenant('acme')
    .subject(subject)
    .decrypt(email, stored as Stored)) === `${subject}@acme`

/** What `closeEpoch` is told of a backup that begins now. */
export async function backupNow({ keyStore, clock }: Pick<World, 'keyStore' | 'clock'>): Promise<{
  readonly backup: { readonly marker: string; readonly startedAt: number }
  readonly rootBackup: true
}> {
  const marker = await readEpochMarker({ keyStore, region: 'eu' })
  if (marker === undefined) throw new Error('no rotation has ended')
  return { backup: { marker, startedAt: clock.now() }, rootBackup: true }
}

/** Another process with the vault, which stands still at a failpoint from the first time that it comes there. */
export async function stopping(options: VaultOptions, point: string): Promise<{ vault: Vault; reached: Promise<void>; go(): void }> {
  let go = (): void => undefined
  let arrive = (): void => undefined
  const gate = new Promise<void>((resolve) => (go = resolve))
  const reached = new Promise<void>((resolve) => (arrive = resolve))
  const at: AtFailpoint = async (name) => {
    if (name !== point) return
    arrive()
    await gate
  }
  return { vault: await openVault(withFailpoints(options, at)), reached, go }
}

/** Replaces the key of a person or item, and ends the one before, of which nothing is left. */
export async function rotateAndRetire({ vault, clock }: Pick<World, 'vault' | 'clock'>, item: Item): Promise<void> {
  await toEnd(vault.rotateSubjectKey(item))
  clock.advance(2 * BOUND)
  const holders = [{ countValues: () => Promise.resolve(0) }]
  await toEnd(vault.retireVersion(item, { holders, dataBackup: { startedAt: clock.now() } }))
}
