/** A forked process that does as it is told, may be killed at any instant, and is heard until its end. */

import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { Ended, TaskError } from '../races/support.ts'

const WORKER = fileURLToPath(new URL('./worker.mjs', import.meta.url))

export type Event = Readonly<Record<string, unknown>>

const running = new Set<Process>()

export class Process {
  /** Called with what the process says by itself. */
  onEvent: (event: Event) => void = () => undefined
  /** Resolves with the signal or exit code when the process is gone and everything that it said has been heard. */
  readonly ended: Promise<string>
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { readonly resolve: (result: never) => void; readonly reject: (error: Error) => void }>()
  #lastId = 0
  #alive = true

  constructor() {
    // The test runner's own flags are not for these processes.
    this.#child = fork(WORKER, { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#child.on('message', (message) => this.#hear(message as Message))
    const exited = new Promise<string>((resolve) => this.#child.on('exit', (code, signal) => resolve(signal ?? String(code))))
    const silent = new Promise<void>((resolve) => this.#child.on('disconnect', resolve))
    this.ended = Promise.all([exited, silent]).then(([exit]) => {
      this.#alive = false
      running.delete(this)
      for (const { reject } of this.#waiting.values()) reject(new Ended(`the process ended with ${exit}`))
      return exit
    })
    running.add(this)
  }

  get alive(): boolean {
    return this.#alive
  }

  run<T = unknown>(task: string, args: object = {}): Promise<T> {
    const answer = new Promise<never>((resolve, reject) => {
      if (!this.#alive) return reject(new Ended('the process has ended'))
      const id = ++this.#lastId
      this.#waiting.set(id, { resolve, reject })
      // A process that is already gone is reported when it ends.
      this.#child.send({ id, task, args }, () => undefined)
    })
    // Whoever kills a process leaves its tasks without anyone who waits.
    answer.catch(() => undefined)
    return answer
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #hear({ id, result, error, event }: Message): void {
    if (event !== undefined) return this.onEvent(event)
    const task = this.#waiting.get(id as number)
    this.#waiting.delete(id as number)
    if (error === undefined) task?.resolve(result as never)
    else task?.reject(new TaskError(error.code, error.message))
  }
}

interface Message {
  readonly id?: number
  readonly result?: unknown
  readonly error?: { readonly code?: string; readonly message: string }
  readonly event?: Event
}

/** Processes that start ahead of their use: a fresh one is at hand whenever one was killed. */
export class Pool {
  readonly #spare: Process[] = []
  readonly #size: number

  constructor(size: number) {
    this.#size = size
  }

  async take(): Promise<Process> {
    const process = this.#spare.shift() ?? new Process()
    while (this.#spare.length < this.#size) this.#spare.push(new Process())
    await process.run('ready')
    return process
  }
}

/** Ends all that still run. */
export async function endAll(): Promise<void> {
  await Promise.all(
    [...running].map((process) => {
      process.kill()
      return process.ended
    }),
  )
}
