// Backups of both stores, and what each must give when it is restored: alone, with the other, before and after a close.
import { openVault, type Vault } from '@strongroom/core'
import { memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { expect } from 'vitest'

import { outcome } from '../vault/support.ts'
import { type Model } from './model-claims.ts'
import { type Facts, readable, type Value, withoutKeysSince } from './model-facts.ts'
import { readValue } from './model-reads.ts'
import { entriesIn, LEDGER } from './model-stores.ts'
import { REGION, type World } from './model-world.ts'

type Keys = ReturnType<World['keyStore']['snapshot']>
type State = ReturnType<World['stateStore']['snapshot']>

export interface Backup {
  readonly keys: Keys
  readonly state: State
  readonly facts: Facts
  readonly ledger: Model['ledger']
  /** How many entries the ledger has. */
  readonly entries: number
  /** The newest root version there was. */
  readonly newest: number
  /** The root version that every living key opens with: that of the last rotation that has ended. */
  readonly reached: number
  readonly startedAt: number
  readonly marker: Uint8Array | undefined
  /** Taken after one to which the key store was restored since: keys that are lost now would come back. */
  later: boolean
}

/** What is put back: the key store alone, the state store alone, or both. */
export type Restored = 'keys' | 'state' | 'both'

export async function takeBackup(world: World, model: Model): Promise<Backup> {
  const keys = world.keyStore.snapshot()
  const region = keys.find((record) => record.type === 'region' && record.region === REGION)
  const epoch = region?.type === 'region' ? region.epoch : undefined
  const state = world.stateStore.snapshot()
  return {
    keys,
    state,
    facts: structuredClone(model.facts),
    ledger: model.ledger,
    entries: entriesOf(state),
    newest: (await world.roots()).newest,
    reached: epoch?.rootVersion ?? 1,
    startedAt: world.clock.now(),
    marker: epoch?.marker,
    later: false,
  }
}

/** How much of a backup opens: that depends on what was destroyed since. */
export function opens({ newest, reached }: Backup, destroyed: number): 'all' | 'some' | 'nothing' {
  if (newest <= destroyed) return 'nothing'
  return reached > destroyed ? 'all' : 'some'
}

/** Whether the ledger of one state store goes on from where that of another ends. */
export function isContinued(before: State, after: State): boolean {
  const pages = new Map(ledgerPages(after))
  return ledgerPages(before).every(([key, value]) => pages.get(key) === value)
}

function ledgerPages(state: State): readonly (readonly [string, string])[] {
  return state.filter(({ namespace }) => namespace === LEDGER).map(({ key, value }) => [key, Buffer.from(value).toString('hex')])
}

/** The facts after a restore. */
export function factsAfter(backup: Backup, restored: Restored, model: Model): Facts {
  if (restored === 'both') return structuredClone(backup.facts)
  return restored === 'keys' ? withoutKeysSince(model.facts, backup.facts) : structuredClone(model.facts)
}

/** Restores copies of the stores beside the real ones, opens a vault on them, and reads everything. */
export async function tryRestore(world: World, model: Model, backup: Backup, restored: Restored): Promise<void> {
  const { destroyed } = await world.roots()
  const [keyStore, stateStore] = [memoryKeyStore(), memoryStateStore()]
  keyStore.restore(restored === 'state' ? world.keyStore.snapshot() : backup.keys)
  stateStore.restore(restored === 'keys' ? world.stateStore.snapshot() : backup.state)
  const options = world.options({ keyStore, stateStore })
  const what = `${restored} restored from a backup of root version ${backup.reached} to ${backup.newest}, ${destroyed} destroyed`
  let vault: Vault | undefined
  const opened = await outcome(async () => (vault = await openVault(options)))
  const part = restored === 'state' ? 'all' : opens(backup, destroyed)
  if (part === 'nothing') {
    expect(opened, what).toBe('root_version_destroyed')
    return
  }
  if (restored === 'state' && !isContinued(world.stateStore.snapshot(), backup.state)) {
    // An entry that was made by who is held up may not yet be known to the key store.
    expect(model.certain ? ['ledger_invalid'] : ['ledger_invalid', 'done'], what).toContain(opened)
    return
  }
  expect(part === 'all' ? ['done'] : ['done', 'root_version_destroyed'], what).toContain(opened)
  if (vault === undefined) return
  const facts = factsAfter(backup, restored, model)
  for (const value of model.values) await checkRead(vault, model, facts, value, { what, destroyed, part })
  if (restored === 'both' && model.ledger !== undefined && model.ledger.n > backup.entries)
    expect(await outcome(() => openVault({ ...options, ledgerAtLeast: model.ledger as NonNullable<Model['ledger']> })), what).toBe(
      'ledger_invalid',
    )
  await vault.close()
}

function entriesOf(state: State): number {
  return state.filter(({ namespace }) => namespace === LEDGER).reduce((sum, { value }) => sum + entriesIn(value).length, 0)
}

async function checkRead(
  vault: Vault,
  model: Model,
  facts: Facts,
  value: Value,
  { what, destroyed, part }: { readonly what: string; readonly destroyed: number; readonly part: 'all' | 'some' },
): Promise<void> {
  const { ok, codes } = readable([facts], value)
  const dead = (model.erased.get(value.key)?.rootVersion ?? Number.POSITIVE_INFINITY) <= destroyed
  const allowed = [...codes]
  if (ok && !dead) allowed.push('reads')
  if (part === 'some') allowed.push('root_version_destroyed')
  expect(allowed, `${value.text}, ${what}`).toContain(await readValue(vault, value))
}
