// What the model is compared with: two processes, each with caches of its own, on the same stores, provider and clock. One operation
// runs at a time; any may be held up at a call, and others run meanwhile.
import { initVault, type KeyStoreRecord, openVault, StrongroomError, type Vault, type VaultOptions } from '@strongroom/core'
import { manualClock, memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'

import { BOUND, START } from '../vault/support.ts'
import { type Fate, Link } from './model-stores.ts'

export const REGION = 'eu'

export type OperationKind =
  | 'create'
  | 'encrypt'
  | 'shred'
  | 'shredMany'
  | 'suspend'
  | 'resume'
  | 'recreate'
  | 'rotateRootKey'
  | 'rotateTenantKey'
  | 'rotateSubjectKey'
  | 'retireVersion'
  | 'closeEpoch'

/** How an operation ended: `done`, `stopped` (by its caller), `died` (with its process), or the code with which it was refused. */
export interface Ending {
  readonly outcome: string
  readonly result?: unknown
}

/** How a long operation is stopped half way, or left alone for a while. */
export interface Stop {
  readonly how: 'return' | 'abort' | 'park'
  /** After so many steps of progress. */
  readonly after: number
}

export class Stopped extends Error {}

/** One call of the API, from its beginning to its end, whatever happens in between. */
export class Operation {
  readonly kind: OperationKind
  readonly places: readonly string[]
  readonly process: Process
  /** How many lives there were when it began: what was made since may or may not be affected. */
  lives = 0
  /** The newest version of its place when it began. */
  newest = 0
  /** What it may answer, if nobody interferes. */
  answers: Set<string> = new Set()
  /** Whether others did something while it was under way. */
  held = false
  /** Whether another has changed the state of the same place meanwhile: who had the last word is not known. */
  contested = false
  /** Whether it was held up in the midst of a call: others of its process may then wait for the same. */
  stuck = false
  /** The operations that it has entered in the ledger. */
  readonly entered: number[] = []
  readonly #work: (operation: Operation, vault: Vault) => Promise<unknown>
  #ended: Promise<Ending> | undefined
  #parked: (() => void) | undefined
  #go: (() => void) | undefined

  constructor(
    kind: OperationKind,
    places: readonly string[],
    process: Process,
    work: (operation: Operation, vault: Vault) => Promise<unknown>,
  ) {
    this.kind = kind
    this.places = places
    this.process = process
    this.#work = work
  }

  /** Waits, in the midst of the operation, until it is let go on. */
  park(): Promise<void> {
    return new Promise((resolve) => {
      this.#go = resolve
      this.#parked?.()
    })
  }

  /** Begins, or goes on, until it ends or is parked. */
  async drive(): Promise<Ending | undefined> {
    const parked = new Promise<undefined>((resolve) => (this.#parked = () => resolve(undefined)))
    if (this.#ended === undefined) this.#ended = this.#begin()
    else this.#go?.()
    const ending = await Promise.race([this.#ended, parked, hangs(this)])
    // What it does in other lanes goes as far as it can.
    await new Promise((resolve) => setImmediate(resolve))
    if (ending === undefined) this.held = true
    return ending
  }

  async #begin(): Promise<Ending> {
    try {
      const result = await this.#work(this, this.process.vault)
      return { outcome: 'done', result }
    } catch (error) {
      if (this.process.link.dead) return { outcome: 'died' }
      if (error instanceof Stopped) return { outcome: 'stopped' }
      if (error instanceof StrongroomError) return { outcome: error.code }
      throw error
    }
  }
}

// Far more than anything here takes: an operation that waits for something that never comes.
const HANGS_MS = 10_000

function hangs({ kind, places }: Operation): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`${kind} ${places.join()} never ends`)), HANGS_MS)
    timer.unref()
  })
}

/** One process: a vault that is open, until it crashes and another is started in its place. */
export interface Process {
  readonly index: number
  link: Link
  vault: Vault
  /** Where in the model's history it was started: it remembers nothing from before. */
  started: number
}

/** Who notes what happens. */
export interface Chronicle {
  readonly sequence: number
  stored(record: KeyStoreRecord, by: Operation | undefined): void
}

export class World {
  readonly keyStore: ReturnType<typeof memoryKeyStore> = memoryKeyStore()
  readonly stateStore: ReturnType<typeof memoryStateStore> = memoryStateStore()
  readonly provider: ReturnType<typeof memoryKeyProvider> = memoryKeyProvider()
  readonly clock: ReturnType<typeof manualClock> = manualClock(START)
  readonly processes: Process[] = []
  /** Operations that are held up. */
  readonly held: Operation[] = []
  readonly #chronicle: Chronicle
  #running: Operation | undefined

  private constructor(chronicle: Chronicle) {
    this.#chronicle = chronicle
  }

  static async make(chronicle: Chronicle, processes: number): Promise<World> {
    const world = new World(chronicle)
    await initVault(world.options(world.#connect()))
    for (let index = 0; index < processes; index++) {
      const process = { index } as Process
      await world.start(process)
      world.processes.push(process)
    }
    return world
  }

  options(stores: Pick<VaultOptions, 'keyStore' | 'stateStore'>): VaultOptions {
    const { keyStore, stateStore } = stores
    return { keyProviders: { [REGION]: this.provider }, defaultRegion: REGION, keyStore, stateStore, clock: this.clock }
  }

  /** Opens a process's vault. @returns false if it died while it did */
  async start(process: Process, fate?: Fate): Promise<boolean> {
    const link = this.#connect()
    link.arm(fate)
    process.link = link
    process.started = this.#chronicle.sequence
    try {
      process.vault = await openVault(this.options(link))
      return !link.dead
    } catch (error) {
      if (link.dead) return false
      throw error
    } finally {
      link.arm(undefined)
    }
  }

  /** Runs an operation until it ends or is held up. @returns `undefined` if it is held up */
  async run(operation: Operation, fate?: Fate): Promise<Ending | undefined> {
    const { link } = operation.process
    link.arm(fate)
    try {
      return await this.#drive(operation)
    } finally {
      link.arm(undefined)
    }
  }

  /** Lets an operation go on that was held up. */
  async letGo(operation: Operation): Promise<Ending | undefined> {
    this.held.splice(this.held.indexOf(operation), 1)
    return this.#drive(operation)
  }

  /** Starts a process in the place of one that is held up: that one goes on beside it. */
  async relieve({ index }: Process): Promise<void> {
    const process = { index } as Process
    await this.start(process)
    this.processes[index] = process
  }

  /** Ends a process where it is. @returns what it had under way, with how that ended */
  async kill(process: Process): Promise<readonly (readonly [Operation, Ending])[]> {
    process.link.dead = true
    const ended: [Operation, Ending][] = []
    for (const operation of this.held.filter((one) => one.process === process)) {
      let ending: Ending | undefined
      while (ending === undefined) ending = await this.letGo(operation)
      ended.push([operation, ending])
    }
    await process.vault.close()
    return ended
  }

  /** The number of the newest root version, and of the newest that was destroyed. */
  async roots(): Promise<{ readonly newest: number; readonly destroyed: number }> {
    const versions = await this.provider.versions({ signal: new AbortController().signal })
    const numbers = (state: string): number[] => versions.filter((version) => version.state === state).map(({ number }) => number)
    return { newest: Math.max(...versions.map(({ number }) => number)), destroyed: Math.max(0, ...numbers('destroyed')) }
  }

  #connect(): Link {
    return new Link(this.keyStore, this.stateStore, {
      stored: (record) => this.#chronicle.stored(record, this.#running),
      appended: (ops) => void this.#running?.entered.push(...ops),
      held: () => {
        const operation = this.#running as Operation
        operation.stuck = true
        return operation.park()
      },
    })
  }

  async #drive(operation: Operation): Promise<Ending | undefined> {
    this.#running = operation
    try {
      const ending = await operation.drive()
      if (ending === undefined) this.held.push(operation)
      return ending
    } finally {
      this.#running = undefined
    }
  }
}

/** Works through a long operation, which may be stopped half way. */
export async function iterate(operation: Operation, begin: (signal: AbortSignal) => AsyncGenerator, stop: Stop | undefined): Promise<void> {
  const controller = new AbortController()
  let step = 0
  for await (const _ of begin(controller.signal)) {
    if (step++ !== stop?.after) continue
    if (stop.how === 'return') throw new Stopped()
    if (stop.how === 'abort') controller.abort(new Stopped())
    if (stop.how === 'park') await operation.park()
  }
}

/** While the returned function was not called: who waits for the cache bound takes the clock with him. */
export function waitByClock(clock: () => World['clock'] | undefined): () => void {
  const original = globalThis.setTimeout
  const sleep = 50
  const stub = (work: (...rest: readonly unknown[]) => void, ms?: number, ...rest: readonly unknown[]): ReturnType<typeof setTimeout> => {
    if (ms === sleep) clock()?.advance(2 * BOUND)
    return original(work, ms === undefined || ms > sleep ? ms : 0, ...rest)
  }
  globalThis.setTimeout = stub as typeof setTimeout
  return () => void (globalThis.setTimeout = original)
}
