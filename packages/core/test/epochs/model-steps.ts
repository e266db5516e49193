// The steps that commands are made of: operations on the world, with what the model makes of their answers.
import { type Shredded, type Vault } from '@strongroom/core'
import { readEpochMarker } from '@strongroom/core'
import { memoryKeyStore } from '@strongroom/core/testing'
import { expect } from 'vitest'

import { BOUND, email, hex } from '../vault/support.ts'
import { type Backup, factsAfter, isContinued, opens, type Restored, takeBackup, tryRestore } from './model-backups.ts'
import { CONTEXT, type Model } from './model-claims.ts'
import { currentLives, keysOf, type Value } from './model-facts.ts'
import { handleOf, shreddable, TENANTS } from './model-places.ts'
import { checkReads, checkTenants } from './model-reads.ts'
import { type Fate } from './model-stores.ts'
import { type Ending, iterate, Operation, type OperationKind, type Process, REGION, type Stop, type World } from './model-world.ts'

/** How an operation is run. */
export interface How {
  /** Which process. */
  readonly by: number
  readonly fate?: Fate | undefined
  readonly stop?: Stop | undefined
}

/** How often what happened. */
export type Tally = Map<string, number>

type Work = (operation: Operation, vault: Vault) => Promise<unknown>

export class Steps {
  readonly model: Model
  readonly world: World
  /** What was done, for who reads of a failure. */
  readonly trail: string[] = []
  readonly #tally: Tally
  #texts = 0
  readonly #atEnd = new Map<Operation, (ending: Ending) => void>()

  constructor(model: Model, world: World, tally: Tally) {
    this.model = model
    this.world = world
    this.#tally = tally
  }

  async create(tenant: string, how: How): Promise<void> {
    await this.#perform('create', [tenant], how, (_, vault) => vault.tenants.create(tenant))
  }

  async encrypt(place: string, how: How, replaces?: Value): Promise<void> {
    const text = `${place} ${++this.#texts}`
    const work: Work = (_, vault) => handleOf(vault, place).encrypt(email, text)
    await this.#perform('encrypt', [place], how, work, (operation, { outcome, result }) => {
      if (outcome !== 'done') return
      this.model.learnValue(operation, text, result as Uint8Array)
      if (replaces !== undefined) replaces.replaced = true
    })
  }

  /** As an application does after a rotation: every value that can be read is encrypted anew. */
  async reencrypt(place: string, how: How): Promise<void> {
    for (const value of this.model.values.filter((one) => one.place === place && !one.replaced)) await this.encrypt(place, how, value)
  }

  async shred(place: string, how: How): Promise<void> {
    await this.#perform('shred', [place], how, async (_, vault) => new Map([[place, await shreddable(vault, place).shred()]]))
  }

  async shredMany(tenant: string, subjects: readonly string[], how: How): Promise<void> {
    const places = [...new Set(subjects)].map((subject) => `${tenant}/${subject}`)
    await this.#perform('shredMany', places, how, async (operation, vault) => {
      const done = new Map<string, Shredded>()
      async function* each(): AsyncGenerator<void> {
        for await (const { subject, ...shredded } of vault.tenant(tenant).shredMany(subjects)) {
          done.set(`${tenant}/${subject}`, shredded)
          yield
        }
      }
      await iterate(operation, each, how.stop)
      return done
    })
  }

  async suspend(place: string, how: How): Promise<void> {
    await this.#perform('suspend', [place], how, (_, vault) => shreddable(vault, place).suspend())
  }

  async resume(place: string, how: How): Promise<void> {
    await this.#perform('resume', [place], how, (_, vault) => shreddable(vault, place).resume())
  }

  async recreate(place: string, how: How): Promise<void> {
    await this.#perform('recreate', [place], how, (_, vault) => handleOf(vault, place).recreate({ reason: 'operator' }))
  }

  async rotateRootKey(how: How, concurrency: number): Promise<string | undefined> {
    const work: Work = (operation, vault) => iterate(operation, (signal) => vault.rotateRootKey({ signal, concurrency }), how.stop)
    return this.#perform('rotateRootKey', [], how, work, ({ held }, { outcome }) => {
      if (outcome === 'done' && !held && this.model.certain) this.model.disturbed = false
    })
  }

  async rotateTenantKey(tenant: string, how: How, concurrency: number): Promise<void> {
    await this.#perform('rotateTenantKey', [tenant], how, (operation, vault) =>
      iterate(operation, (signal) => vault.rotateTenantKey(vault.tenant(tenant), { signal, concurrency }), how.stop),
    )
  }

  async rotateSubjectKey(place: string, how: How): Promise<void> {
    await this.#perform('rotateSubjectKey', [place], how, (operation, vault) =>
      iterate(operation, (signal) => vault.rotateSubjectKey(handleOf(vault, place), { signal }), how.stop),
    )
  }

  async retireVersion(place: string, how: How): Promise<void> {
    const needed = (tag: Uint8Array): number =>
      this.model.values.filter((value) => value.place === place && !value.replaced && hex(value.stored.subarray(1, 17)) === hex(tag)).length
    const holder = {
      countValues: (retiring: { valueTag(context: string): Uint8Array }) => Promise.resolve(needed(retiring.valueTag(CONTEXT))),
    }
    const options = { holders: [holder], dataBackup: { startedAt: this.world.clock.now() } }
    await this.#perform('retireVersion', [place], how, (operation, vault) =>
      iterate(operation, (signal) => vault.retireVersion(handleOf(vault, place), { ...options, signal }), how.stop),
    )
  }

  async closeEpoch(how: How): Promise<string | undefined> {
    const backup = await this.backUp()
    const copy = memoryKeyStore()
    copy.restore(backup.keys)
    const marker = await readEpochMarker({ keyStore: copy, region: REGION })
    const words =
      marker === undefined
        ? ({ dangerouslyWithoutBackup: true } as const)
        : ({ backup: { marker, startedAt: backup.startedAt }, rootBackup: true } as const)
    const work: Work = (operation, vault) => iterate(operation, (signal) => vault.closeEpoch({ ...words, signal }), how.stop)
    const outcome = await this.#perform('closeEpoch', [], how, work)
    if (outcome === 'done')
      expect((await this.world.roots()).destroyed, 'all before the last rotation').toBeGreaterThanOrEqual(backup.reached - 1)
    if (outcome === 'epoch_blocked') expect(marker === undefined || this.model.disturbed, 'what keeps the epoch from closing').toBe(true)
    return outcome
  }

  /** Lets an operation go on that was held up, or kills its process where it stands. */
  async letGo(chosen: Operation, kill = false): Promise<void> {
    const { process } = chosen
    // What waits in the midst of a call goes first: others of its process may wait for the same.
    const operation = this.world.held.find((other) => other.process === process && other.stuck) ?? chosen
    if (kill && operation.stuck) return this.#kill(process)
    if (kill) return this.crash(process)
    await this.#conclude(operation, await this.world.letGo(operation))
    if (this.world.processes.includes(process) || this.world.held.some((other) => other.process === process)) return
    // What it read before it was held up is old by now.
    await this.look(process)
    await this.#kill(process)
  }

  /** Kills a process, and starts another in its place, which may die itself while it opens the vault. */
  async crash(process: Process, fate?: Fate): Promise<void> {
    await this.#kill(process)
    if (!(await this.world.start(process, fate))) await this.world.start(process)
  }

  async backUp(): Promise<Backup> {
    const backup = await takeBackup(this.world, this.model)
    this.model.backups.push(backup)
    return backup
  }

  /** Whether what is in a backup fits what has happened since, or has been undone since. */
  isUsable(backup: Backup, restored: Restored): boolean {
    const now = this.world.stateStore.snapshot()
    if (restored === 'keys') return !backup.later && isContinued(backup.state, now)
    // A ledger that goes on where this one has been taken back would be followed.
    return restored === 'both' || isContinued(backup.state, now) || !isContinued(now, backup.state)
  }

  async tryRestore(backup: Backup, restored: Restored): Promise<void> {
    if (!this.isUsable(backup, restored)) return
    const part = opens(backup, (await this.world.roots()).destroyed)
    this.#count(`try ${restored}, opens ${restored === 'state' ? 'all' : part}`)
    await tryRestore(this.world, this.model, backup, restored)
  }

  /** Restores for good. Only what opens whole: of all else, `tryRestore` says how it is refused. */
  async restore(backup: Backup, restored: 'keys' | 'both', fate?: Fate): Promise<void> {
    const { model, world } = this
    if (opens(backup, (await world.roots()).destroyed) !== 'all' || !this.isUsable(backup, restored)) return
    this.#count(`restore ${restored}`)
    for (const { process } of Array.from(world.held)) await this.#kill(process)
    for (const process of world.processes) await this.#kill(process)
    world.keyStore.restore(backup.keys)
    if (restored === 'both') world.stateStore.restore(backup.state)
    model.restored(
      factsAfter(backup, restored, model),
      restored === 'both' ? backup : { keys: backup.keys, ledger: model.ledger, entries: Number.POSITIVE_INFINITY },
    )
    for (const other of model.backups) if ([...other.facts.keys.keys()].some((id) => !backup.facts.keys.has(id))) other.later = true
    for (const process of world.processes) if (!(await world.start(process, fate))) await world.start(process)
  }

  /** Puts records of what was shredded back into the key store by hand, as they lie in a backup. */
  async putBack(backup: Backup, process: Process): Promise<void> {
    const { facts } = this.model
    const dead = (id: string): boolean => {
      const key = facts.keys.get(id)
      const life = key === undefined ? undefined : facts.lives[key.life]
      return key?.lost === false && life?.over === 'yes' && currentLives(facts, life.place).length === 0
    }
    for (const record of backup.keys) {
      if (record.type !== 'node' || !record.versions.every(({ commitment }) => dead(hex(commitment)))) continue
      this.world.keyStore.edit({ type: 'node', ref: record.ref }, (now) =>
        now?.type === 'node' && now.versions.length === record.versions.length ? record : now,
      )
      this.#count('put back')
    }
    await process.vault.reconcile()
  }

  /** Compares what a process reads now with the model. */
  async look(process: Process): Promise<void> {
    await checkReads(this.model, process)
    await checkTenants(this.model, process, TENANTS)
    for (const value of this.model.values.filter(({ replaced }) => !replaced))
      expect(this.model.facts.keys.get(value.key)?.retired, 'a version was retired that a stored value needs').not.toBe('yes')
  }

  /** Once a cache bound has passed, every process reads the same. */
  async lookAfterBound(): Promise<void> {
    this.world.clock.advance(BOUND)
    for (const process of this.world.processes) await this.look(process)
  }

  async #perform(
    kind: OperationKind,
    places: readonly string[],
    { by, fate }: How,
    work: Work,
    atEnd: (operation: Operation, ending: Ending) => void = () => undefined,
  ): Promise<string | undefined> {
    const operation = new Operation(kind, places, this.world.processes[by] as Process, work)
    this.#atEnd.set(operation, (ending) => atEnd(operation, ending))
    this.model.begin(operation)
    return this.#conclude(operation, await this.world.run(operation, fate))
  }

  async #conclude(operation: Operation, ending: Ending | undefined): Promise<string | undefined> {
    if (ending === undefined) {
      this.#say(operation, 'held up')
      this.model.hold(operation)
      if (operation.stuck) await this.world.relieve(operation.process)
      return undefined
    }
    this.#end(operation, ending)
    if (operation.process.link.dead && this.world.processes.includes(operation.process)) await this.crash(operation.process)
    return ending.outcome
  }

  #say({ kind, places, process }: Operation, what: string): void {
    this.trail.push(`  ${kind} ${places.join()} by ${process.index}: ${what}`)
  }

  #count(what: string): void {
    this.#tally.set(what, (this.#tally.get(what) ?? 0) + 1)
  }

  #end(operation: Operation, ending: Ending): void {
    this.#say(operation, ending.outcome)
    this.#count(`${operation.kind} ${ending.outcome}${operation.held ? ' (held)' : ''}`)
    this.model.end(operation, ending)
    this.#atEnd.get(operation)?.(ending)
  }

  async #kill(process: Process): Promise<void> {
    for (const [operation, ending] of await this.world.kill(process)) this.#end(operation, ending)
  }
}

/** Whether a place has a version that could be retired. */
export function hasOldVersion(model: Pick<Model, 'facts'>, place: string): boolean {
  return currentLives(model.facts, place).some(
    (life) => keysOf(model.facts, life).filter(({ retired, lost }) => retired !== 'yes' && !lost).length > 1,
  )
}
