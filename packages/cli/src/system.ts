/** All that the command takes from the process it runs in, in one place: no other file reads the environment. */

import type { ReadStream, WriteStream } from 'node:tty'

export interface System {
  /** Without the program's own name. */
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly directory: string
  readonly stdin: ReadStream
  readonly stdout: WriteStream
  readonly stderr: WriteStream
  /** Called for each request to end: Ctrl-C, `kill`, a terminal that was closed. @returns stops listening */
  onSignal(listener: () => void): () => void
  /** Ends at once, whatever is under way. */
  exit(code: number): never
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The process itself. */
export function thisProcess(): System {
  return {
    arguments: process.argv.slice(2),
    environment: process.env,
    directory: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    onSignal(listener) {
      for (const signal of SIGNALS) process.on(signal, listener)
      return () => {
        for (const signal of SIGNALS) process.off(signal, listener)
      }
    },
    exit: (code) => process.exit(code),
  }
}
