/** What these tests share: a fleet of forked processes that have one vault open, and stand still where they are told to. */

import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { expect } from 'vitest'

import { backUpStores, replaceStore } from '../stores/stores.ts'
import { Ended, Folder, type OpenHow, outcome, type PlaceNames, type StoredValue, TaskError } from '../races/support.ts'

export { type OpenHow, outcome, type PlaceNames, until } from '../races/support.ts'

/** Long enough for a busy machine to open a path within it; every rotation and every close waits that long. */
const BOUND = 200
const WORKER = fileURLToPath(new URL('./worker.mjs', import.meta.url))
// As in the ledger's entries.
const SHRED = 1
const ROOT_CREATED = 5

// A tenant of which something was shredded: its nodes are moved by a rotation. The other's wrapping key only gets another wrap.
export const ACME = 'acme'
export const GLOBEX = 'globex'
export const alice: PlaceNames = { tenant: ACME, subject: 'alice' }
export const hubspot: PlaceNames = { ...alice, item: 'hubspot' }
export const bob: PlaceNames = { tenant: ACME, subject: 'bob' }
export const carol: PlaceNames = { tenant: GLOBEX, subject: 'carol' }
const gone: PlaceNames = { tenant: ACME, subject: 'gone' }

/** What `state` of a process answers. */
export interface State {
  readonly marker: string | undefined
  /** The root version of the last rotation that has ended. */
  readonly rotatedTo: number | undefined
  readonly rootVersions: readonly { readonly number: number; readonly state: string }[]
  readonly wrappingKeys: readonly {
    readonly id: string
    /** The id of the one that follows it, made or not. */
    readonly next: string
    readonly tenantRef: string
    readonly created: number
  }[]
  /** `wrappingKeys`: of each living version. */
  readonly nodes: readonly { readonly tenantRef: string; readonly wrappingKeys: readonly string[] }[]
}

/** What `shred` answers. */
export interface Shred {
  readonly rootVersion: number
}

/** A forked process that does as it is told. */
export interface Process {
  run<T = unknown>(task: string, args?: object): Promise<T>
  /** Whether it has tasks that are not done. */
  busy(): boolean
  kill(): Promise<void>
}

function forkProcess(): Process {
  // The test runner's own flags are not for these processes.
  const child = fork(WORKER, { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const waiting = new Map<number, { readonly resolve: (result: never) => void; readonly reject: (error: Error) => void }>()
  let lastId = 0
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.on('message', ({ id, result, error }: { id: number; result?: never; error?: { code?: string; message: string } }) => {
    const task = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) task?.resolve(result as never)
    else task?.reject(new TaskError(error.code, error.message))
  })
  const ended = new Promise<void>((resolve) => {
    child.on('close', (code, signal) => {
      for (const { reject } of waiting.values()) reject(new Ended(`the process ended with ${signal ?? code}: ${said}`))
      waiting.clear()
      resolve()
    })
  })
  return {
    run(task, args = {}) {
      const answer = new Promise<never>((resolve, reject) => {
        waiting.set(++lastId, { resolve, reject })
        // A process that is already gone is reported when it ends.
        child.send({ id: lastId, task, args }, () => undefined)
      })
      // Tests that kill a process leave its tasks without anyone who waits.
      answer.catch(() => undefined)
      return answer
    },
    busy: () => waiting.size > 0,
    kill() {
      child.kill('SIGKILL')
      return ended
    },
  }
}

// Starting a process takes longer than most of these tests: those that are idle serve the next vault.
const idle: Process[] = []

/** Ends what is left when a file of tests is done. */
export async function endProcesses(): Promise<void> {
  await Promise.all(idle.splice(0).map((process) => process.kill()))
}

/** A process in the middle of a task. */
export class Stopped<T> {
  /** What comes of the task. */
  readonly result: Promise<T>
  readonly #process: Process
  readonly #task: string
  #point: string

  constructor(process: Process, task: string, point: string, result: Promise<T>) {
    this.#process = process
    this.#task = task
    this.#point = point
    this.result = result
  }

  /** Waits until it stands there. A task that ends without is a broken test. */
  async reached(count = 1): Promise<this> {
    const missed = this.result.then(() => Promise.reject(new Error(`${this.#task} has ended and never was at ${this.#point}`)))
    await Promise.race([this.#process.run('reached', { point: this.#point, count }), missed])
    return this
  }

  /** Lets it run on to another point. */
  async until(point: string): Promise<this> {
    await this.#process.run('hold', { point })
    await this.#process.run('release', { point: this.#point })
    this.#point = point
    return this.reached()
  }

  /** Lets it run to its end. */
  async finish(): Promise<T> {
    await this.#process.run('release', { point: this.#point })
    return this.result
  }
}

/** Has a process do a task, and waits until it stands at a point of it; `count`: so many times at once. */
export async function stopAt<T = unknown>(
  process: Process,
  point: string,
  task: string,
  args: object = {},
  count = 1,
): Promise<Stopped<T>> {
  await process.run('hold', { point })
  return new Stopped(process, task, point, process.run<T>(task, args)).reached(count)
}

/** A vault, the processes that have it open, and what was encrypted with it. */
export class Fleet {
  readonly folder: Folder
  readonly how: OpenHow
  readonly #processes = new Set<Process>()
  readonly #had = new WeakSet<Process>()
  #living: readonly StoredValue[] = []
  #shredded: readonly StoredValue[] = []
  #retired: readonly StoredValue[] = []
  #replaced: readonly StoredValue[] = []
  #copies = 0

  private constructor(folder: Folder, how: OpenHow) {
    this.folder = folder
    this.how = how
  }

  /** A vault with two tenants and a few values; no process has it open. */
  static async make(): Promise<Fleet> {
    const folder = await Folder.make()
    const fleet = new Fleet(folder, await folder.empty())
    const maker = fleet.#start()
    await maker.run('init', { ...fleet.how, vaultOptions: { cacheBound: BOUND } })
    await maker.run('open', fleet.how)
    for (const tenant of [ACME, GLOBEX]) await maker.run('create', { tenant })
    for (const place of [alice, hubspot, bob, carol, gone]) await fleet.store(maker, place)
    await fleet.shred(maker, gone)
    await fleet.end()
    return fleet
  }

  // One that has never had this vault open.
  #start(): Process {
    const at = idle.findIndex((process) => !this.#had.has(process))
    const process = idle.splice(at, at < 0 ? 0 : 1)[0] ?? forkProcess()
    this.#processes.add(process)
    this.#had.add(process)
    return process
  }

  /** Another process that has the vault open. */
  async process(): Promise<Process> {
    const process = this.#start()
    await process.run('open', this.how)
    return process
  }

  processes(count: 2): Promise<[Process, Process]>
  processes(count: 3): Promise<[Process, Process, Process]>
  processes(count: 4): Promise<[Process, Process, Process, Process]>
  processes(count: number): Promise<Process[]> {
    return Promise.all(Array.from({ length: count }, () => this.process()))
  }

  /** Kills a process, wherever it is. */
  async kill(process: Process): Promise<void> {
    this.#processes.delete(process)
    await process.kill()
  }

  /** No process has the vault open after this. */
  async end(): Promise<void> {
    await Promise.all([...this.#processes].map((process) => this.#release(process)))
  }

  // In the middle of a task it is of no use to anyone.
  async #release(process: Process): Promise<void> {
    if (process.busy()) return this.kill(process)
    this.#processes.delete(process)
    await process.run('reset')
    idle.push(process)
  }

  async remove(): Promise<void> {
    await this.end()
    await this.folder.remove()
  }

  #live(value: StoredValue): void {
    this.#living = [...this.#living, value]
  }

  /** Encrypts a value for a place, which must read from now on. */
  async store(process: Process, place: PlaceNames, value = `${place.item ?? ''}@${place.subject}.${place.tenant}`): Promise<void> {
    this.#live({ place, value, stored: await process.run<Uint8Array>('encrypt', { place, value }) })
  }

  /** What was encrypted for a place, encrypted anew. */
  async reencrypt(process: Process, place: PlaceNames): Promise<void> {
    const values = this.#living.filter((value) => value.place === place)
    this.#living = this.#living.filter((value) => value.place !== place)
    this.#replaced = [...this.#replaced, ...values]
    for (const { value } of values) await this.store(process, place, value)
  }

  /** Retires the versions of what was encrypted anew. @returns the outcome */
  async retire(process: Process, place: PlaceNames): Promise<string> {
    const said = await outcome(process.run('retire', { place }))
    if (said === 'ok') this.retired()
    return said
  }

  /** What was replaced must not read from now on. */
  retired(): void {
    this.#retired = [...this.#retired, ...this.#replaced]
    this.#replaced = []
  }

  /** As `store`, and stops the process at a point of it. */
  async stopStore(process: Process, point: string, place: PlaceNames): Promise<{ stopped: Stopped<Uint8Array>; finish(): Promise<void> }> {
    const value = `late ${place.item ?? ''}@${place.subject}.${place.tenant}`
    const stopped = await stopAt<Uint8Array>(process, point, 'encrypt', { place, value })
    return { stopped, finish: async () => this.#live({ place, value, stored: await stopped.finish() }) }
  }

  async shred(process: Process, place: PlaceNames): Promise<Shred> {
    const shred = await process.run<Shred>('shred', { place })
    this.dead(place)
    return shred
  }

  /** What belongs to a place must not read from now on. */
  dead(place: PlaceNames): void {
    const dies = (value: StoredValue): boolean => isIn(value.place, place)
    this.#shredded = [...this.#shredded, ...[...this.#living, ...this.#retired].filter(dies)]
    this.#living = this.#living.filter((value) => !dies(value))
    this.#retired = this.#retired.filter((value) => !dies(value))
  }

  async rotate(process: Process): Promise<void> {
    await process.run('rotateRoot')
  }

  async close(process: Process): Promise<void> {
    await process.run('closeEpoch')
  }

  /** Rotates and closes until all root versions up to a number are destroyed. */
  async destroyUpTo(process: Process, number: number): Promise<void> {
    for (;;) {
      const { rootVersions, rotatedTo = 0 } = await this.state(process)
      if (rootVersions.every((version) => version.number > number || version.state === 'destroyed')) return
      if (rotatedTo <= number) await this.rotate(process)
      await this.close(process)
    }
  }

  /** To a process that has never had the vault open, everything that lives reads, and nothing else; and the ledger says what it must. */
  async check(): Promise<void> {
    const process = this.#start()
    await process.run('open', this.how)
    expect(await readings(process, this.#living)).toEqual(all(this.#living, true))
    expect(await readings(process, this.#shredded)).toEqual(all(this.#shredded, 'shredded'))
    expect(await readings(process, this.#retired)).toEqual(all(this.#retired, 'retired'))
    const created: number[] = []
    const ids = new Map<number, string>()
    for (const { op, number, id } of await process.run<{ op: number; number: number; id: string }[]>('ledger')) {
      expect(ids.get(number) ?? id, 'the id of each number').toBe(id)
      ids.set(number, id)
      if (op === ROOT_CREATED) created.push(number)
      if (op === SHRED) expect(number, 'what a shred has to outlive').toBeGreaterThanOrEqual(Math.max(...created))
    }
    await this.#release(process)
  }

  /** What belongs to a place is suspended, and everything else reads. */
  async expectSuspended(place: PlaceNames): Promise<void> {
    const process = this.#start()
    await process.run('open', this.how)
    expect(await readings(process, this.#living)).toEqual(
      this.#living.map((value) => [value.value, isIn(value.place, place) ? 'suspended' : true]),
    )
    await this.#release(process)
  }

  /** Nothing that was shredded is readable in this vault, which no process has open. */
  async expectUnreadable(): Promise<void> {
    const process = this.#start()
    await this.#expectUnreadable(process, this.how)
    await this.#release(process)
  }

  async #expectUnreadable(process: Process, how: OpenHow): Promise<void> {
    const opened = await outcome(process.run('open', how))
    if (opened !== 'ok') return expect(opened).toBe('root_version_destroyed')
    expect((await readings(process, [...this.#shredded, ...this.#retired])).filter(([, said]) => said === true)).toEqual([])
    await process.run('reset')
  }

  /** Every living version of a tenant's nodes is wrapped by the newest of its wrapping keys. */
  async expectMoved(process: Process): Promise<void> {
    const { nodes, wrappingKeys } = await this.state(process)
    const newest = (tenantRef: string): string | undefined =>
      wrappingKeys.filter((key) => key.tenantRef === tenantRef).toSorted((a, b) => b.created - a.created)[0]?.id
    expect(nodes.filter(({ tenantRef, wrappingKeys: used }) => used.some((id) => id !== newest(tenantRef)))).toEqual([])
  }

  /** Nothing that was shredded is readable in these copies: not with today's root key, nor with today's wrapping keys either. */
  async expectDeadIn(copies: readonly OpenHow[]): Promise<void> {
    const process = this.#start()
    for (const copy of copies) {
      await this.#expectUnreadable(process, copy)
      await process.run('wrappingKeysBeside', { from: this.how.directory, directory: copy.directory })
      await this.#expectUnreadable(process, copy)
    }
    await this.#release(process)
  }

  async state(process: Process): Promise<State> {
    return process.run<State>('state')
  }

  /** A copy of both stores as they are now, whoever has them open. */
  async copy(): Promise<OpenHow> {
    const directory = join(this.folder.path, `copy-${++this.#copies}`)
    await backUpStores(this.how.directory, directory)
    return { ...this.how, directory }
  }

  /** Puts the key store of a copy in the place of the vault's. Ends every process first. */
  async restoreKeys(copy: OpenHow): Promise<void> {
    await this.end()
    await replaceStore(copy.directory, this.how.directory, 'keys')
  }

  /** Where the root key file is. */
  get rootFile(): string {
    return this.how.roots['eu'] as string
  }
}

function isIn(place: PlaceNames, above: PlaceNames): boolean {
  return (
    place.tenant === above.tenant &&
    (above.subject === undefined || place.subject === above.subject) &&
    (above.item === undefined || place.item === above.item)
  )
}

type Reading = readonly [value: string, said: true | string]

/** What reading each of these values gives: `true` if it is the right one, else the code of the refusal. */
async function readings(process: Process, values: readonly StoredValue[]): Promise<Reading[]> {
  const answers = await process.run<{ value?: string; code?: string }[]>('decryptAll', {
    all: values.map(({ place, stored }) => ({ place, stored })),
  })
  return answers.map((answer, i) => {
    const { value } = values[i] as StoredValue
    return [value, answer.value === undefined ? String(answer.code) : answer.value === value || 'another value']
  })
}

/** All of them the same. */
function all(values: readonly StoredValue[], said: true | string): Reading[] {
  return values.map(({ value }) => [value, said])
}
