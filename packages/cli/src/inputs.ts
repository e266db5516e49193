/** What a filter reads: files or stdin, as they are or gzipped, one after another as lines. */

import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { createGunzip, type Gunzip } from 'node:zlib'

import { CliError } from './cli-error.ts'
import type { Session } from './session.ts'

/** Stands for stdin. */
export const STDIN = '-'
const CHUNK = 256 * 1024
// Of a line whose end has not come.
const MOST_HELD = 2 ** 20
const LINE_FEED = 0x0a
// RFC 1952, section 2.3.1.
const GZIP = [0x1f, 0x8b]

/**
 * The bytes of all of them. Where one ends without the end of a line, and another follows, its line ends there. Of one that cannot be read to
 * its end, a line that is cut off there does not come: what is left of it may be a part of an address.
 *
 * @param names - of files, `-` for stdin; none for stdin alone
 * @throws CliError `file_unusable`
 */
export async function* inputs(session: Session, names: readonly string[]): AsyncGenerator<Buffer> {
  let last = LINE_FEED
  for (const name of names.length === 0 ? [STDIN] : names) {
    if (last !== LINE_FEED) yield Buffer.from('\n')
    last = LINE_FEED
    try {
      for await (const chunk of wholeLines(unpacked(opened(session, name)))) {
        yield chunk
        last = chunk.at(-1) ?? last
      }
    } catch (error) {
      throw unusable(name, error)
    }
  }
}

function opened({ directory, stdin }: Session, name: string): Readable {
  return name === STDIN ? stdin : createReadStream(resolve(directory, name), { highWaterMark: CHUNK })
}

/** Gzip is known by its first two bytes, not by a name. */
async function* unpacked(stream: Readable): AsyncGenerator<Buffer> {
  const chunks = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  try {
    let first: Buffer = Buffer.alloc(0)
    let isEnded = false
    while (first.length < GZIP.length && !isEnded) {
      const { value, done } = await chunks.next()
      isEnded = done === true
      if (value !== undefined) first = Buffer.concat([first, value])
    }
    const all = chain(first, chunks)
    if (GZIP.every((byte, i) => first[i] === byte)) yield* gunzipped(all)
    else yield* all
  } finally {
    await chunks.return?.()
  }
}

async function* chain(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}

/** All of its members. Behind the last one there may be NULs, as padding, and nothing else. */
async function* gunzipped(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK })
  const feeding = feed(packed, gunzip)
  // Also to whoever reads.
  feeding.catch((error: Error) => gunzip.destroy(error))
  try {
    yield* gunzip as AsyncIterable<Buffer>
    await feeding
  } finally {
    gunzip.destroy()
  }
}

async function feed(packed: AsyncIterable<Buffer>, gunzip: Gunzip): Promise<void> {
  let fed = 0
  for await (const chunk of packed) {
    // Once it has left bytes where they are, it takes no more.
    const isOver = gunzip.bytesWritten < fed
    if (!isOver) await written(gunzip, chunk)
    fed += chunk.length
    const left = Math.min(chunk.length, fed - gunzip.bytesWritten)
    if (chunk.subarray(chunk.length - left).some((byte) => byte !== 0)) throw new BehindGzip()
  }
  gunzip.end()
}

function written(gunzip: Gunzip, chunk: Buffer): Promise<void> {
  return new Promise((done, reject) => {
    gunzip.write(chunk, (error) => (error === null || error === undefined ? done() : reject(error)))
  })
}

class BehindGzip extends Error {}

async function* wholeLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(LINE_FEED) + 1
    if (end > 0 || length > MOST_HELD) {
      yield* held
      ;[held, length] = [[], 0]
    }
    if (end > 0) yield chunk.subarray(0, end)
    if (end === chunk.length) continue
    held.push(chunk.subarray(end))
    length += chunk.length - end
  }
  yield* held
}

function unusable(name: string, cause: unknown): unknown {
  const shown = name === STDIN ? 'stdin' : name
  if (cause instanceof BehindGzip)
    return new CliError('file_unusable', `${shown} has bytes behind its gzip data that are no gzip: they were not read`, { cause })
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string' || !('errno' in cause)) return cause
  const why = cause.code.startsWith('Z_') ? `is gzip that is damaged or cut off (${cause.code})` : `cannot be read (${cause.code})`
  return new CliError('file_unusable', `${shown} ${why}`, { cause })
}
