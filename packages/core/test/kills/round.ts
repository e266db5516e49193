/** One operation on a vault of its own: run by several processes at once under a writer, run again, and what it left looked at. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createLocalKeyFile } from '@strongroom/kms-local'
import { expect } from 'vitest'

import { Ended, type PlaceNames, TaskError } from '../races/support.ts'
import { copyStores, makeStores, removeAllDatabases, removeStores } from '../stores/stores.ts'
import type { Answer, Known, Model } from './model.ts'
import { OPERATIONS, type Task } from './operations.ts'
import type { Event, Pool, Process } from './process.ts'
import { CACHE_BOUND, furnish, type HowToOpen, rotate, type TemplateName, UNMARKED } from './template.ts'

const RAW_KEY = new Uint8Array(32).fill(7)
const BOB: PlaceNames = { tenant: 'acme', subject: 'bob' }

/** How a process goes about it. */
export interface Manner {
  /** The phase in which its stores are slow. */
  readonly slows?: string | undefined
  /** At this passing of a failpoint it kills itself. */
  readonly dies?: { readonly at: string; readonly passings: number }
  /** At this failpoint it waits until it is released. */
  readonly waits?: string
}

interface Standing {
  readonly closing: number
  readonly epoch: number
  readonly versions: readonly { readonly number: number; readonly state: string; readonly noted: boolean }[]
  readonly tenantsMoving: number
}

/** A folder with the templates, and one for each round. */
export class Folder {
  readonly #path: string
  readonly #models = new Map<TemplateName, Model>()
  #rounds = 0

  private constructor(path: string) {
    this.#path = path
  }

  static async make(pool: Pool): Promise<Folder> {
    const folder = new Folder(await mkdtemp(join(tmpdir(), 'strongroom-kills-')))
    const maker = await pool.take()
    const plain = folder.#how('plain')
    await makeStores(plain.directory)
    await createLocalKeyFile({ file: plain.file, rawKey: RAW_KEY, region: 'eu' })
    await maker.run('init', { ...plain, cacheBound: CACHE_BOUND })
    await maker.run('open', plain)
    folder.#models.set('plain', await furnish(maker))
    await maker.run('close')
    const rotated = await folder.#copy('plain', 'rotated')
    await maker.run('open', rotated)
    folder.#models.set('rotated', await rotate(maker, folder.#models.get('plain') as Model))
    await maker.run('close')
    maker.kill()
    await maker.ended
    return folder
  }

  /** @param beside - what the other runner runs, if not the same */
  async round(task: Task, beside: Task = task): Promise<Round> {
    const { template } = OPERATIONS[task.operation]
    const how = await this.#copy(template, `round-${++this.#rounds}`)
    return new Round(task, beside, how, (this.#models.get(template) as Model).copy(), this.#rounds)
  }

  async remove(): Promise<void> {
    await removeAllDatabases()
    await rm(this.#path, { recursive: true, force: true })
  }

  #how(name: string): HowToOpen {
    const directory = join(this.#path, name)
    return { directory, file: join(directory, 'root.key') }
  }

  async #copy(from: string, to: string): Promise<HowToOpen> {
    const how = this.#how(to)
    await copyStores(this.#how(from).directory, how.directory)
    return how
  }
}

export class Round {
  readonly task: Task
  readonly beside: Task
  readonly model: Model
  readonly how: HowToOpen
  readonly #number: number
  readonly #held: readonly Known[]
  readonly #retired: readonly Known[]
  // What is stored at its places when it begins.
  readonly #before: readonly Known[]
  #writers = 0

  constructor(task: Task, beside: Task, how: HowToOpen, model: Model, number: number) {
    const { operation, places } = task
    this.task = task
    this.beside = beside
    this.how = how
    this.model = model
    this.#number = number
    const { becoming } = OPERATIONS[operation]
    const [old, ...newer] = model.at(BOB).filter(({ place }) => place.item === undefined)
    this.#held = newer
    this.#retired = operation === 'retireVersion' ? [old as Known] : []
    this.#before = model.values.filter(({ place }) => places.some((other) => samePlace(place, other)))
    model.decide(this.#retired, ['live', 'retired'])
    if (operation === 'recreate') for (const place of places) model.decide(model.at(place), ['shredded'])
    if (becoming !== undefined) for (const place of places) model.begin(place, becoming)
  }

  async open(process: Process): Promise<void> {
    await process.run('open', this.how)
  }

  /** Runs an operation. @returns whether the process came to its end; else it was killed */
  async operate(
    process: Process,
    task: Task = this.task,
    onEvent: (event: Event) => void = () => undefined,
    manner: Manner = {},
  ): Promise<boolean> {
    const { tells, becoming } = OPERATIONS[task.operation]
    process.onEvent = (event) => {
      if (event['did'] !== undefined && becoming !== undefined) this.model.end(event['place'] as PlaceNames, becoming)
      onEvent(event)
    }
    const held = this.#held.map(({ stored }) => stored)
    return survives(process.run('operate', { ...task, held, tells, ...manner }))
  }

  /** Writes until it is told to halt. @returns whether the process lived to hear it */
  async write(process: Process, seed: number, onEvent: (event: Event) => void = () => undefined, manner: Manner = {}): Promise<boolean> {
    const { model } = this
    const wrongs: string[] = []
    process.onEvent = (event) => {
      const wrong = model.hear(event)
      if (wrong !== undefined) wrongs.push(wrong)
      onEvent(event)
    }
    const subjects = new Map<string, PlaceNames>()
    for (const { tenant, subject } of [...model.values.map(({ place }) => place), ...this.task.places])
      if (subject !== undefined) subjects.set(`${tenant}/${subject}`, { tenant, subject })
    const places = [...subjects.values()]
    const tenants = model.tenants.filter((tenant) => !UNMARKED.includes(tenant))
    const given = { seed, places, tenants, prefix: `${this.#number}-${++this.#writers}`, unfinished: model.unfinished }
    const lived = await survives(process.run('write', { ...given, ...manner }))
    expect(wrongs).toEqual([])
    return lived
  }

  /** Runs the operation to its end in a fresh process, and what follows on it: then nothing of it must be left undone. */
  async finish(process: Process): Promise<void> {
    const { operation, places } = this.task
    if (this.beside !== this.task) expect(await this.operate(process, this.beside)).toBe(true)
    expect(await this.operate(process)).toBe(true)
    const { becoming } = OPERATIONS[operation]
    if (becoming !== undefined) for (const place of places) this.model.end(place, becoming)
    this.model.decide(this.#retired, ['retired'])
    const { epoch, versions, tenantsMoving } = await standing(process)
    if (operation === 'rotateRootKey') {
      expect({ epoch, tenantsMoving }).toEqual({ epoch: versions.at(-1)?.number, tenantsMoving: 0 })
      await process.run('operate', { operation: 'closeEpoch' })
    }
    if (operation === 'rotateRootKey' || operation === 'closeEpoch') {
      const closed = await standing(process)
      expect(closed.closing).toBe(closed.epoch - 1)
      for (const version of closed.versions)
        expect(version).toEqual({
          number: version.number,
          state: version.number < epoch ? 'destroyed' : 'live',
          noted: version.number < epoch,
        })
    }
    // One was being moved before.
    if (operation === 'rotateTenantKey')
      expect(tenantsMoving).toBe(places[0]?.tenant === 'globex' || this.beside.operation === 'rotateRootKey' ? 0 : 1)
  }

  /** Once nobody writes any more: what a rotated key has left behind is stored anew, and the old version retired. */
  async retire(process: Process): Promise<void> {
    if (this.task.operation !== 'rotateSubjectKey') return
    const [place] = this.task.places as readonly [PlaceNames]
    const old = this.model.values.filter((value) => samePlace(value.place, place))
    for (const { value } of old) this.model.add({ place, value, stored: await process.run('encrypt', { place, value }) })
    const held = this.model.at(place).filter((value) => !old.includes(value))
    const retiring = { operation: 'retireVersion', places: [place], held: held.map(({ stored }) => stored) }
    await process.run('operate', retiring).catch(async (error: unknown) => {
      // A key was made beneath the old version as late as after the last look.
      if (!(error instanceof TaskError && error.code === 'still_referenced')) throw error
      await process.run('operate', { operation: 'rotateSubjectKey', places: [place] })
      await process.run('operate', retiring)
    })
    // What was written meanwhile was so under the old version or the new one.
    this.model.decide(old, ['live', 'retired'])
    this.model.decide(this.#before, ['retired'])
  }

  /** Has a process that knows nothing yet use the places of the operation, and read everything, while others are at work or when none is. */
  async check(process: Process, when: 'at work' | 'at rest'): Promise<void> {
    await this.open(process)
    if (when === 'at rest') for (const tenant of this.model.unfinished) await process.run('create', { tenant })
    for (const place of this.task.places) if (place.subject !== undefined) await this.#use(process, place)
    const { values } = this.model
    const before = values.map((value) => this.model.answers(value))
    const given = values.map(({ place, stored }) => ({ place, stored }))
    const read = await process.run<{ value?: string; code?: string }[]>('read', { values: given })
    const wrong = read.flatMap(({ value, code }, i) => {
      const known = values[i] as Known
      const answer = value === undefined ? String(code) : value === known.value || 'another value'
      // What others do meanwhile is seen or not.
      const right = [...(before[i] ?? []), ...this.model.answers(known)]
      return right.includes(answer) ? [] : [{ ...known.place, answer, right }]
    })
    expect(wrong).toEqual([])
    const damaged = await process.run<{ problem: string }[]>('damaged')
    // A tenant that is just being made is unfinished, or was when it was opened.
    const passing = when === 'at rest' ? [] : ['tenant_unfinished', 'tenant_does_not_open']
    expect(damaged.filter(({ problem }) => !passing.includes(problem))).toEqual([])
    await process.run('close')
  }

  // What is shredded or suspended refuses, a place without a key too; what was recreated does not.
  async #use(process: Process, place: PlaceNames): Promise<void> {
    const value = `check-${this.model.values.length}@example.com`
    const before = this.model.outcomes(place)
    let outcome: Answer = true
    try {
      this.model.add({ place, value, stored: await process.run('encrypt', { place, value }) })
    } catch (error) {
      if (!(error instanceof TaskError)) throw error
      outcome = error.code ?? error.message
    }
    expect([...before, ...this.model.outcomes(place)], JSON.stringify(place)).toContain(outcome)
  }

  async remove(): Promise<void> {
    await removeStores(this.how.directory)
  }
}

function samePlace(a: PlaceNames, b: PlaceNames): boolean {
  return a.tenant === b.tenant && a.subject === b.subject && a.item === b.item
}

function standing(process: Process): Promise<Standing> {
  return process.run<Standing>('standing')
}

/** Whether a task comes to its end; `false` if its process is killed before. Whatever it throws is thrown. */
async function survives(task: Promise<unknown>): Promise<boolean> {
  try {
    await task
    return true
  } catch (error) {
    if (error instanceof Ended) return false
    throw error
  }
}
