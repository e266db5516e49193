// The command within the test's own process: for what ends before anything is opened.
import { PassThrough } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'

import { run } from '#cli/run.js'

import type { Ended } from './command.ts'

/** Streams that are no terminals. */
export async function strongroomHere(directory: string, args: readonly string[]): Promise<Ended> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const code = await run({
    arguments: args,
    environment: {},
    directory,
    stdin: stdin as unknown as ReadStream,
    stdout: stdout as unknown as WriteStream,
    stderr: stderr as unknown as WriteStream,
    onSignal: () => () => undefined,
    onQuit: () => () => undefined,
    onCrash: () => () => undefined,
    onExit: () => () => undefined,
    exit: (ended) => {
      throw new Error(`ended at once, with ${ended}`)
    },
    endBy: (signal) => {
      throw new Error(`ended at once, by ${signal}`)
    },
    isHeld: () => false,
    hasLostTerminal: () => false,
    logBeside: () => undefined,
    writeNow: () => undefined,
  })
  const text = (stream: PassThrough): string => String(stream.read() ?? '')
  return { code, stdout: text(stdout), stderr: text(stderr) }
}
