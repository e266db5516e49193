// Processes of a test: forked, told what to do, and killed.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

class Refused extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export interface Worker {
  run<T = unknown>(task: string, argument?: unknown): Promise<T>
  /** Resolves once the process has ended. */
  readonly ended: Promise<void>
  stop(): void
}

/** @param file - what it runs, which calls `answerWith` */
export function startWorker(file: URL): Worker {
  const child = fork(fileURLToPath(file), { execArgv: [], serialization: 'advanced' })
  const waiting = new Map<number, { readonly resolve: (result: never) => void; readonly reject: (error: Error) => void }>()
  let next = 0
  child.on('message', (message: { id: number; result?: never; code?: string; message?: string }) => {
    const { id, result, code, message: text = '' } = message
    const found = waiting.get(id)
    waiting.delete(id)
    if (code === undefined) found?.resolve(result as never)
    else found?.reject(new Refused(code, text))
  })
  const ended = new Promise<void>((resolve) =>
    child.on('exit', () => {
      for (const { reject } of waiting.values()) reject(new Refused('ended', 'the process ended'))
      resolve()
    }),
  )
  return {
    run: (task, argument) =>
      new Promise((resolve, reject) => {
        const id = next++
        waiting.set(id, { resolve, reject })
        child.send({ id, task, argument }, (error) => error !== null && reject(new Refused('ended', 'the process has ended')))
      }),
    ended,
    stop: () => void child.kill('SIGKILL'),
  }
}

/** The result of a task, or the code with which it was refused. */
export async function resultOf(running: Promise<unknown>): Promise<unknown> {
  try {
    return await running
  } catch (error) {
    return error instanceof Refused ? error.code : String(error)
  }
}
