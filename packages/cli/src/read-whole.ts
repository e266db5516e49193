/** Reading the whole of a file, a pipe or a socket, up to a limit: no wait holds a thread, and a signal ends it. */

import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'

import { CliError, Interrupted } from './cli-error.ts'

/** What is read, and how far. */
export interface Reading {
  readonly mostBytes: number
  /** What is said of more than that. */
  readonly tooLong: string
  /** Ends the waiting for a pipe. */
  readonly signal: AbortSignal
  /** What is thrown where it cannot be read. @param why - the end of a sentence that begins with what is read */
  readonly refusal: (why: string, cause?: unknown) => CliError
}

/**
 * What stands under a path.
 *
 * @param check - sees what it is before it is read, and throws where that must not be
 * @throws what `refusal` gives; Interrupted
 */
export async function readPath(path: string, reading: Reading, check: (stats: Stats) => void = () => undefined): Promise<Buffer> {
  // A pipe that nobody writes to would hold the opening, and with it the process.
  const descriptor = attempt(reading, () => openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)))
  let isOurs = true
  try {
    const stats = attempt(reading, () => fstatSync(descriptor))
    if (stats.isDirectory()) throw reading.refusal('is a folder')
    check(stats)
    if (stats.isFile()) return readFile(descriptor, reading)
    const stream = openPipe(descriptor, stats, reading)
    isOurs = false
    return await readStream(stream, reading)
  } finally {
    if (isOurs) closeSync(descriptor)
  }
}

/** What comes from an open file descriptor. @throws what `refusal` gives; Interrupted */
export async function readDescriptor(descriptor: number, reading: Reading): Promise<Buffer> {
  const stats = attempt(reading, () => fstatSync(descriptor))
  return stats.isFile() ? readFile(descriptor, reading) : readStream(openPipe(descriptor, stats, reading), reading)
}

/** What comes from a stream, which is closed then. @throws what `refusal` gives; Interrupted */
export async function readStream(stream: Readable, reading: Reading): Promise<Buffer> {
  const { mostBytes, tooLong, signal, refusal } = reading
  const onAbort = (): void => void stream.destroy(new Interrupted('interrupted'))
  const chunks: Buffer[] = []
  let length = 0
  try {
    signal.throwIfAborted()
    signal.addEventListener('abort', onAbort)
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length > mostBytes) throw refusal(tooLong)
    }
    return Buffer.concat(chunks)
  } catch (error) {
    if (error instanceof CliError || error instanceof Interrupted) throw error
    throw unreadable(reading, error)
  } finally {
    signal.removeEventListener('abort', onAbort)
    // It may have been a secret.
    for (const chunk of chunks) chunk.fill(0)
    stream.destroy()
  }
}

function readFile(descriptor: number, reading: Reading): Buffer {
  const { mostBytes, tooLong, refusal } = reading
  const bytes = Buffer.alloc(mostBytes + 1)
  let length = 0
  for (;;) {
    const read = attempt(reading, () => readSync(descriptor, bytes, length, bytes.length - length, null))
    length += read
    if (length > mostBytes) throw refusal(tooLong)
    if (read === 0) return bytes.subarray(0, length)
  }
}

// Read in a thread, a pipe would hold the process until someone writes.
function openPipe(descriptor: number, stats: Stats, reading: Reading): Socket {
  if (!stats.isFIFO() && !stats.isSocket()) throw reading.refusal('is neither a file nor a pipe nor a socket')
  return attempt(reading, () => new Socket({ fd: descriptor, readable: true, writable: false }))
}

function attempt<T>(reading: Reading, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw unreadable(reading, error)
  }
}

function unreadable({ refusal }: Reading, cause: unknown): CliError {
  return refusal(`cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown error'})`, cause)
}
