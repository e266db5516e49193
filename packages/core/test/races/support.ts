/** What these tests share: forked processes that do as they are told, folders that go away, and vaults made in them. */

import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { createLocalKeyFile } from '@strongroom/kms-local'

import { copyStores, makeStores, removeAllDatabases } from '../stores/stores.ts'

/** Set to anything: many more kills, and at every call instead of every write. */
export const FULL: boolean = process.env['STRONGROOM_FULL'] !== undefined

const RAW_KEY = new Uint8Array(32).fill(7)
const WORKER = fileURLToPath(new URL('./worker.mjs', import.meta.url))

/** A place in the key tree, by name. */
export interface PlaceNames {
  readonly tenant: string
  readonly subject?: string
  readonly item?: string
}

/** One stored value and whose it is. */
export interface StoredValue {
  readonly place: PlaceNames
  readonly value: string
  readonly stored: Uint8Array
}

/** How a process opens a vault. */
export interface OpenHow {
  readonly directory: string
  /** Root key file of each region. */
  readonly roots: Readonly<Record<string, string>>
  readonly faults?: Readonly<Record<string, { readonly kind: string; readonly [name: string]: unknown }>>
  readonly vaultOptions?: { readonly cacheBound?: number; readonly providerTimeout?: number }
}

/** What a task threw in its process. */
export class TaskError extends Error {
  readonly code: string | undefined

  constructor(code: string | undefined, message: string) {
    super(`${code ?? 'not a StrongroomError'}: ${message}`)
    this.code = code
  }
}

/** The process ended before it answered. */
export class Ended extends Error {}

export interface Worker {
  run<T = unknown>(task: string, args?: object): Promise<T>
  /** Called with what the process says by itself. */
  onEvent: (event: Record<string, unknown>) => void
  kill(): void
  /** Resolves with the signal or exit code when the process is gone and everything that it said has been heard. */
  readonly ended: Promise<string>
}

const started = new Set<Worker>()

export function startWorker(): Worker {
  // The test runner's own flags are not for these processes.
  const child = fork(WORKER, { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const waiting = new Map<number, { readonly resolve: (result: never) => void; readonly reject: (error: Error) => void }>()
  let lastId = 0
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))

  const ended = new Promise<string>((resolve) => {
    let exit: string | undefined
    let gone = child.connected === false
    const both = (): void => {
      if (exit === undefined || !gone) return
      started.delete(worker)
      for (const { reject } of waiting.values()) reject(new Ended(`the process ended with ${exit}: ${said}`))
      waiting.clear()
      resolve(exit)
    }
    child.on('disconnect', () => {
      gone = true
      both()
    })
    child.on('exit', (code, signal) => {
      exit = signal ?? String(code)
      both()
    })
  })

  const worker: Worker = {
    onEvent: () => undefined,
    ended,
    kill: () => void child.kill('SIGKILL'),
    run(task, args = {}) {
      const answer = new Promise<never>((resolve, reject) => {
        const id = ++lastId
        waiting.set(id, { resolve, reject })
        // A process that is already gone is reported when it ends.
        child.send({ id, task, args }, () => undefined)
      })
      // Tests that kill a process leave its tasks without anyone who waits.
      answer.catch(() => undefined)
      return answer
    },
  }
  started.add(worker)
  child.on(
    'message',
    (message: { id?: number; result?: never; error?: { code?: string; message: string }; event?: Record<string, unknown> }) => {
      if (message.event !== undefined) return worker.onEvent(message.event)
      const task = waiting.get(message.id as number)
      waiting.delete(message.id as number)
      if (message.error === undefined) task?.resolve(message.result as never)
      else task?.reject(new TaskError(message.error.code, message.error.message))
    },
  )
  return worker
}

/** Starts processes a few at a time, so that their start does not starve whoever else is at work, and waits for all. */
export async function startWorkers(count: number): Promise<Worker[]> {
  return inParallel(4, Array.from({ length: count }), async () => {
    const worker = startWorker()
    await worker.run('ready')
    return worker
  })
}

/** Ends these processes, or all that still run. */
export async function stopWorkers(workers: Iterable<Worker> = started): Promise<void> {
  await Promise.all(
    [...workers].map((worker) => {
      worker.kill()
      return worker.ended
    }),
  )
}

/** The code that a call was refused with, or `'ok'`. Anything that is not ours, and a process that died, is thrown on. */
export async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'ok'
  } catch (error) {
    if (error instanceof TaskError && error.code !== undefined) return error.code
    throw error
  }
}

/** Repeats until a condition holds. The deadline is there to end a broken test, not to measure. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Runs at most `most` at once, and returns the results in order. */
export async function inParallel<T, R>(most: number, items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index] as T, index)
    }
  }
  await Promise.all(Array.from({ length: most }, lane))
  return results
}

/** A folder of this test file: its root keys, and the vaults in it. */
export class Folder {
  readonly path: string
  readonly roots: Readonly<Record<string, string>>
  #vaults = 0

  private constructor(path: string, roots: Readonly<Record<string, string>>) {
    this.path = path
    this.roots = roots
  }

  static async make(regions: readonly string[] = ['eu']): Promise<Folder> {
    const path = await mkdtemp(join(tmpdir(), 'strongroom-races-'))
    const roots = Object.fromEntries(regions.map((region) => [region, join(path, `${region}.key`)]))
    for (const [region, file] of Object.entries(roots)) await createLocalKeyFile({ file, rawKey: RAW_KEY, region })
    return new Folder(path, roots)
  }

  /** How to open a vault that is not there yet. */
  async empty(): Promise<OpenHow> {
    const directory = join(this.path, `vault-${++this.#vaults}`)
    await makeStores(directory)
    return { directory, roots: this.roots }
  }

  /** A vault in a new folder, made and opened by a process. */
  async vault(worker: Worker, cacheBound = 60_000): Promise<OpenHow> {
    const how = await this.empty()
    await worker.run('init', { ...how, vaultOptions: { cacheBound } })
    await worker.run('open', how)
    return how
  }

  /** A copy of a vault that no process has open. */
  async copy(how: OpenHow): Promise<OpenHow> {
    const to = join(this.path, `vault-${++this.#vaults}`)
    await copyStores(how.directory, to)
    return { ...how, directory: to }
  }

  /** Another root key file, which none of the vaults was made with. */
  async otherRoot(region: string): Promise<string> {
    const file = join(this.path, 'other.key')
    await createLocalKeyFile({ file, rawKey: RAW_KEY, region })
    return file
  }

  async remove(): Promise<void> {
    await removeAllDatabases()
    await rm(this.path, { recursive: true, force: true })
  }
}

/** Encrypts a value for a place. */
export async function store(worker: Worker, place: PlaceNames, value = `${place.subject ?? 'someone'}@example.com`): Promise<StoredValue> {
  return { place, value, stored: await worker.run<Uint8Array>('encrypt', { place, value }) }
}

/** What reading each value gives: `true` if it is the right one, else the code of the refusal. */
export async function read(worker: Worker, values: readonly StoredValue[]): Promise<(true | string)[]> {
  const answers = await worker.run<{ value?: string; code?: string }[]>('decryptAll', {
    all: values.map(({ place, stored }) => ({ place, stored })),
  })
  return answers.map(({ value, code }, i) => (value === undefined ? String(code) : value === values[i]?.value || 'another value'))
}

export interface Records {
  readonly nodes: readonly {
    ref: string
    kind: number
    parentRef: string
    tenantRef: string
    revision: number
    states: readonly number[]
  }[]
  readonly wrappingKeys: readonly { id: string; tenantRef: string; marked: boolean; state: string }[]
}

export function records(worker: Worker): Promise<Records> {
  return worker.run<Records>('records')
}
