/** Real processes for the contract cases that need them. Each opens the same storage and does what it is told. */

import { type ChildProcess, fork } from 'node:child_process'

import type { KeyStoreRecord } from '../format/records.ts'
import type { KeyStore, KeyStoreKey, KeyStoreQuery } from '../keys/key-store.ts'
import type { StateStore } from '../keys/state-store.ts'

/** How a fresh process opens the stores under test. */
export interface ContractWorker {
  /**
   * An ES module that exports `openStores(argument): Promise<WorkerStores>`. Every process that calls it with the same
   * argument gets the same storage, which may already hold records of earlier cases.
   */
  readonly module: URL | string
  /** What `openStores` gets. It travels as JSON. */
  readonly argument: unknown
}

/** What `openStores` of a {@link ContractWorker} answers. */
export interface WorkerStores {
  readonly keyStore: KeyStore
  readonly stateStore: StateStore
  close(): Promise<void>
}

/** What a process can be told to do. */
export type WorkerTask =
  | { readonly do: 'get-record'; readonly key: KeyStoreKey }
  | { readonly do: 'put-records'; readonly records: readonly KeyStoreRecord[] }
  | { readonly do: 'scan'; readonly query: KeyStoreQuery }
  | { readonly do: 'count-record'; readonly region: string; readonly times: number }
  | { readonly do: 'get-entry'; readonly namespace: string; readonly key: string }
  | { readonly do: 'put-entry'; readonly namespace: string; readonly key: string; readonly value: Uint8Array; readonly expected: string }
  | { readonly do: 'count-entry'; readonly namespace: string; readonly key: string; readonly times: number }

/** What a process answers. */
export type WorkerAnswer = { readonly id: number } & ({ readonly result: unknown } | { readonly error: unknown })

/** A number of processes that live until `close`. */
export interface ContractProcesses {
  readonly count: number
  /** Has process number `index` do something and returns its result. Throws what the process threw, or that it died. */
  run(index: number, task: WorkerTask): Promise<unknown>
  /** Ends all of them. Throws if one failed. */
  close(): Promise<void>
}

/** Starts processes and calls `body` with them; ends them in any case. */
export async function withProcesses(
  worker: ContractWorker,
  count: number,
  body: (processes: ContractProcesses) => Promise<void>,
): Promise<void> {
  const processes = start(worker, count)
  try {
    await body(processes)
  } catch (error) {
    await processes.close().catch(() => {})
    throw error
  }
  await processes.close()
}

function start(worker: ContractWorker, count: number): ContractProcesses {
  const children = Array.from({ length: count }, () => startOne(worker))
  return {
    count,
    run: (index, task) => (children[index] as Child).run(task),
    async close() {
      const outcomes = await Promise.allSettled(children.map((child) => child.close()))
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    },
  }
}

interface Child {
  run(task: WorkerTask): Promise<unknown>
  close(): Promise<void>
}

function startOne({ module, argument }: ContractWorker): Child {
  const child: ChildProcess = fork(
    new URL('./contract-worker.js', import.meta.url),
    [JSON.stringify({ module: String(module), argument })],
    {
      // A test runner's own flags are not for these processes.
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
  )
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: unknown) => void }>()
  let lastId = 0
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))

  const ended = new Promise<void>((resolve, reject) => {
    // Not 'close', which does not come once the parent has disconnected.
    child.on('exit', (code, signal) => {
      const error = new Error(`contract broken: a process ended with ${signal ?? `code ${code}`}${said === '' ? '' : `: ${said}`}`)
      for (const { reject: fail } of waiting.values()) fail(error)
      if (code === 0) resolve()
      else reject(error)
    })
    child.on('error', reject)
  })
  // It is awaited by `close`; a process that dies before is reported by its tasks as well.
  ended.catch(() => {})

  child.on('message', (answer: WorkerAnswer) => {
    const task = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('error' in answer) task?.reject(answer.error)
    else task?.resolve(answer.result)
  })

  return {
    run(task) {
      return new Promise((resolve, reject) => {
        const id = ++lastId
        waiting.set(id, { resolve, reject })
        child.send({ id, task }, (error) => error && reject(error))
      })
    },
    close() {
      if (child.connected) child.disconnect()
      return ended
    },
  }
}
