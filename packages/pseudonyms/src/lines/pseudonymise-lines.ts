/** The pipeline: bytes of lines in, the same lines out, with pseudonyms where addresses stood. */

import { Transform, type TransformCallback } from 'node:stream'

import { invalidArgument, type PeriodSpan } from '@strongroom/core'

import { ADDRESS_BYTES } from '../addresses/parse.ts'
import { type LineCounts, type MutableCounts, noCounts } from './counts.ts'
import { ADDRESS, Findings, INSERTION, QUERY_VALUE } from './findings.ts'
import { MALFORMED } from './formats/format.ts'
import { LineBuffer, type Piece } from './line-buffer.ts'
import { LINE_FEED } from './bytes.ts'
import type { Pseudonyms } from '../pseudonyms.ts'
import { type LineOptions, type LineReading, readLineOptions } from './options.ts'
import { OpenPeriods, REFUSED } from './open-periods.ts'
import { REDACTED, replace, type Stretch } from './replace.ts'

/** Lines of a stretch are of one period, and go one way. */
interface Way {
  readonly span: PeriodSpan
  /** It has not come yet. */
  readonly isAhead: boolean
  readonly isAside: boolean
}

/** A stream that takes bytes of lines and gives them back with pseudonyms. */
export class PseudonymisedLines extends Transform {
  readonly #reading: LineReading
  readonly #buffer: LineBuffer
  readonly #periods: OpenPeriods
  readonly #findings = new Findings()
  readonly #counts: MutableCounts = noCounts()
  // Of a line that is too long, all parts go one way, and it is counted once.
  #long: (Way & { isRefused: boolean }) | undefined

  /** Made by `pseudonymiseLines`. */
  constructor(pseudonyms: Pseudonyms, options: LineOptions) {
    super()
    this.#reading = readLineOptions(options)
    this.#buffer = new LineBuffer(this.#reading.mostLine)
    this.#periods = new OpenPeriods(pseudonyms)
  }

  /** What became of the lines so far. */
  get counts(): LineCounts {
    return { ...this.#counts }
  }

  override _transform(chunk: unknown, _encoding: BufferEncoding, done: TransformCallback): void {
    settle(this.#take(chunk), done)
  }

  override _flush(done: TransformCallback): void {
    settle(this.#all(this.#buffer.end()), done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#periods.dispose()
    this.#buffer.clear()
    done(error)
  }

  async #take(chunk: unknown): Promise<void> {
    if (!(chunk instanceof Uint8Array)) throw invalidArgument('chunk', 'must be bytes')
    this.#counts.bytesIn += chunk.length
    await this.#all(this.#buffer.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)))
  }

  async #all(pieces: Iterable<Piece>): Promise<void> {
    for (const piece of pieces) {
      if (piece.kind === 'lines') await this.#lines(piece.bytes)
      else await this.#part(piece)
    }
  }

  async #lines(bytes: Buffer): Promise<void> {
    const findings = this.#findings
    findings.clear()
    this.#long = undefined
    let way: Way | undefined
    let [from, firstFinding, firstAddress, firstInsertion] = [0, 0, 0, 0]
    for (let start = 0; start < bytes.length;) {
      const feed = bytes.indexOf(LINE_FEED, start)
      const [end, next] = feed === -1 ? [bytes.length, bytes.length] : [feed, feed + 1]
      const [count, addresses, insertions] = [findings.count, findings.addresses, findings.insertions.length]
      const its = this.#line(bytes, start, end, way)
      if (way !== undefined && its !== way) {
        await this.#write(bytes, { from, to: start, firstFinding, endOfFindings: count, firstInsertion }, firstAddress, addresses, way)
        ;[from, firstFinding, firstAddress, firstInsertion] = [start, count, addresses, insertions]
      }
      way = its
      start = next
    }
    if (way === undefined) return
    const rest = { from, to: bytes.length, firstFinding, endOfFindings: findings.count, firstInsertion }
    await this.#write(bytes, rest, firstAddress, findings.addresses, way)
  }

  /** Reads a line. @returns the way of the line before, if it is the same */
  #line(bytes: Buffer, start: number, end: number, before: Way | undefined): Way {
    const { format, at, aside } = this.#reading
    const findings = this.#findings
    const instant = format.read(bytes, start, withoutReturn(bytes, start, end), findings)
    const isMalformed = instant === MALFORMED
    this.#counts.lines++
    if (isMalformed) this.#counts.malformed++
    const way = this.#wayAt(typeof instant === 'number' ? instant : at?.(), isMalformed && aside !== undefined)
    const isSame = before?.span.period === way.span.period && before.isAhead === way.isAhead && before.isAside === way.isAside
    return isSame ? before : way
  }

  #wayAt(instant: number | undefined, isAside: boolean): Way {
    return { span: this.#periods.spanOf(instant), isAhead: this.#periods.isAhead(instant), isAside }
  }

  // A part of a line that is too long.
  async #part({ bytes, kind }: Piece): Promise<void> {
    if (kind === 'begin') {
      this.#counts.lines++
      this.#counts.malformed++
      this.#long = { ...this.#wayAt(this.#reading.at?.(), this.#reading.aside !== undefined), isRefused: false }
      return
    }
    const way = this.#long as Way
    if (kind === 'gone') {
      this.#counts.unclear++
      return this.#put(Buffer.from(REDACTED), way)
    }
    const findings = this.#findings
    findings.clear()
    this.#reading.text.read(bytes, 0, withoutReturn(bytes, 0, endOfLine(bytes, 0)), findings)
    const all = { from: 0, to: bytes.length, firstFinding: 0, endOfFindings: findings.count, firstInsertion: 0 }
    await this.#write(bytes, all, 0, findings.addresses, way)
  }

  async #write(bytes: Buffer, stretch: Stretch, firstAddress: number, endOfAddresses: number, way: Way): Promise<void> {
    const blocks = this.#findings.blocks.subarray(firstAddress * ADDRESS_BYTES, endOfAddresses * ADDRESS_BYTES)
    const texts = blocks.length === 0 ? [] : way.isAhead ? REFUSED : await this.#periods.pseudonymise(way.span, blocks)
    this.#count(bytes, stretch, texts === REFUSED)
    await this.#put(replace(bytes, this.#findings, stretch, texts === REFUSED ? undefined : texts), way)
  }

  async #put(bytes: Buffer, { isAside }: Way): Promise<void> {
    if (bytes.length === 0) return
    this.#counts.bytesOut += bytes.length
    if (isAside) await this.#reading.aside?.(bytes)
    else this.push(bytes)
  }

  #count(bytes: Buffer, { firstFinding, endOfFindings }: Stretch, isRefused: boolean): void {
    const [counts, { kinds, starts, ends }] = [this.#counts, this.#findings]
    let endOfRefused = 0
    for (let i = firstFinding; i < endOfFindings; i++) {
      const kind = kinds[i]
      if (kind === ADDRESS && !isRefused) counts.addresses++
      else if (kind === ADDRESS && (starts[i] as number) >= endOfRefused) {
        endOfRefused = endOfLine(bytes, ends[i] as number)
        this.#countRefused()
      } else if (kind === QUERY_VALUE) counts.queryValues++
      else if (kind !== INSERTION && kind !== ADDRESS) counts.unclear++
    }
  }

  #countRefused(): void {
    const long = this.#long
    if (long?.isRefused === true) return
    if (long !== undefined) long.isRefused = true
    this.#counts.refused++
  }
}

// Outside of the promise: what is thrown there is not an error of the work.
function settle(work: Promise<void>, done: TransformCallback): void {
  work.then(
    () => process.nextTick(done),
    (error: Error) => process.nextTick(done, error),
  )
}

// The carriage return belongs to the end of the line.
function withoutReturn(bytes: Buffer, start: number, end: number): number {
  return end > start && bytes[end - 1] === 0x0d ? end - 1 : end
}

function endOfLine(bytes: Buffer, at: number): number {
  const feed = bytes.indexOf(LINE_FEED, at)
  return feed === -1 ? bytes.length : feed
}

/**
 * Makes a stream of lines with pseudonyms: bytes of a log in, cut anywhere, the same lines out. It holds no more than a line and what its reader
 * has not taken; what the reader does not take is not read either.
 *
 * Addresses are looked for everywhere in every line, in all spellings that a parser of a URL, `inet_aton` or `getaddrinfo` would take, and
 * behind percent, backslash and character escapes. What has one meaning becomes a pseudonym of the period in which the line says that it
 * happened; what is read in several ways is `[redacted]`.
 *
 * @param pseudonyms - as `createPseudonyms` makes them
 * @throws StrongroomError `invalid_argument`. The stream fails with whatever opening the keys throws, and then gives out nothing that was not
 *   replaced
 * @example
 * ```ts
 * import type { Pseudonyms } from '@strongroom/pseudonyms'
 * import { pseudonymiseLines } from '@strongroom/pseudonyms'
 * import { createReadStream, createWriteStream } from 'node:fs'
 * import { pipeline } from 'node:stream/promises'
 *
 * export async function keep(pseudonyms: Pseudonyms): Promise<number> {
 *   const lines = pseudonymiseLines(pseudonyms, { format: 'combined', redactQuery: ['token', 'email'] })
 *   await pipeline(createReadStream('access.log'), lines, createWriteStream('access.pseudonymous.log'))
 *   return lines.counts.addresses
 * }
 * ```
 */
export function pseudonymiseLines(pseudonyms: Pseudonyms, options: LineOptions): PseudonymisedLines {
  return new PseudonymisedLines(pseudonyms, options)
}
