/** All that the command takes from the process it runs in, in one place: no other file reads the environment. */

import { Console } from 'node:console'
import { writeSync } from 'node:fs'
import { isatty, type ReadStream, type WriteStream } from 'node:tty'

/** A request to end. */
export type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

export interface System {
  /** Without the program's own name. */
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly directory: string
  readonly stdin: ReadStream
  readonly stdout: WriteStream
  readonly stderr: WriteStream
  /** Called for each request to end: Ctrl-C, `kill`, a terminal that was closed. @returns stops listening */
  onSignal(listener: (signal: EndSignal) => void): () => void
  /** Called before SIGQUIT ends the process. @returns stops listening */
  onQuit(listener: () => void): () => void
  /** Called with what nobody has caught. @returns stops listening */
  onCrash(listener: (error: unknown) => void): () => void
  /** Called when the process ends by itself or by a signal that was waited for. What it returns is the exit code. @returns stops listening */
  onExit(listener: () => number | undefined): () => void
  /** Ends at once, whatever is under way. */
  exit(code: number): never
  /** Ends at once, as the signal would have ended it. */
  endBy(signal: EndSignal | 'SIGQUIT' | 'SIGPIPE'): never
  /** Whether something is under way that keeps `exit` from ending, such as the opening of a pipe that nobody writes to. */
  isHeld(): boolean
  /** Whether there was a terminal, and is none any more: closed, with a signal still to come or without. */
  hasLostTerminal(): boolean
  /** From here on what is logged comes on stderr: the result alone is on stdout. */
  logBeside(): void
  /** Writes where there is no time left. */
  writeNow(to: 'stdout' | 'stderr', text: string): void
}

const SIGNALS: readonly EndSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
const CRASHES = ['uncaughtException', 'unhandledRejection'] as const
// What runs in libuv's threads may block them, and the process ends only with its threads.
const HOLDING = new Set(['FSReqCallback', 'FSReqPromise', 'GetAddrInfoReqWrap', 'GetNameInfoReqWrap'])
const DESCRIPTORS = { stdout: 1, stderr: 2 } as const

/** The process itself. */
export function thisProcess(): System {
  const exitListeners = new Set<() => number | undefined>()
  const ending = (): void => {
    for (const listener of exitListeners) {
      exitListeners.delete(listener)
      const code = listener()
      if (code !== undefined) process.exitCode = code
    }
  }
  process.on('exit', ending)
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
    onQuit(listener) {
      process.on('SIGQUIT', listener)
      return () => process.off('SIGQUIT', listener)
    },
    onCrash(listener) {
      for (const crash of CRASHES) process.on(crash, listener)
      return () => {
        for (const crash of CRASHES) process.off(crash, listener)
      }
    },
    onExit(listener) {
      exitListeners.add(listener)
      return () => exitListeners.delete(listener)
    },
    exit: (code) => process.exit(code),
    endBy(signal) {
      ending()
      // Without a listener that was there the signal does again what it does to any process: Node begins by ignoring SIGPIPE.
      process.on(signal, () => undefined)
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
      // It may reach another thread first.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
      process.exit(2)
    },
    isHeld: () => process.getActiveResourcesInfo().some((name) => HOLDING.has(name)),
    hasLostTerminal: () => [process.stdin, process.stdout, process.stderr].some(({ isTTY }, descriptor) => isTTY && !isatty(descriptor)),
    logBeside() {
      globalThis.console = new Console(process.stderr, process.stderr)
    },
    writeNow(to, text) {
      try {
        writeSync(DESCRIPTORS[to], text)
      } catch {
        // Whoever would read it is gone.
      }
    },
  }
}
