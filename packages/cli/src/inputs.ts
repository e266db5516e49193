/** What a filter reads: files or stdin, as they are or gzipped, one after another as lines. */

import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'

import { CliError } from './cli-error.ts'
import type { Session } from './session.ts'

/** Stands for stdin. */
const STDIN = '-'
const CHUNK = 256 * 1024
const LINE_FEED = 0x0a
// RFC 1952, section 2.3.1.
const GZIP = [0x1f, 0x8b]

/**
 * The bytes of all of them. Where one ends without the end of a line, and another follows, its line ends there.
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
      for await (const chunk of unpacked(opened(session, name))) {
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

function gunzipped(packed: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  // An error of either comes to whoever reads.
  return pipeline(packed, createGunzip({ chunkSize: CHUNK }), () => undefined)
}

function unusable(name: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string' || !('errno' in cause)) return cause
  const why = cause.code.startsWith('Z_') ? `is gzip that is damaged or cut off (${cause.code})` : `cannot be read (${cause.code})`
  return new CliError('file_unusable', `${name === STDIN ? 'stdin' : name} ${why}`, { cause })
}
