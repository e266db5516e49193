/** How far a long operation is, on stderr: one line that changes in a terminal, lines that stay elsewhere. */

import type { WriteStream } from 'node:tty'

import type { Progress } from '@strongroom/core'

import { columnsOf } from './columns.ts'
import type { Output } from './output.ts'

/** Told of every step of an operation. */
export interface ProgressReport {
  step(progress: Progress): void
  /** Leaves what was shown last, and lets others write. */
  end(): void
}

const PLAIN_EVERY_MS = 5000
const REDRAWN_EVERY_MS = 250
const LONGEST_BAR = 30
const LEAST_BAR = 5

// A phase whose one step takes a while says what it waits for.
const SLOW_PHASES: Readonly<Record<string, string>> = {
  waiting: 'one cacheBound, until no process uses an older key',
  destroying: 'root versions',
}

/** What is told of progress and where. */
export interface ProgressOptions {
  /** The terminal can do no more than print. */
  readonly isDumb: boolean
  /** Nothing is to be told. */
  readonly isQuiet: boolean
}

/** The report that fits the stream. */
export async function progressReport(stream: WriteStream, output: Output, { isDumb, isQuiet }: ProgressOptions): Promise<ProgressReport> {
  if (isQuiet) return { step: () => undefined, end: () => undefined }
  return stream.isTTY && !isDumb ? changingLine(stream) : plainLines(output)
}

/** One line that shows a text as it is by now. @returns ends it */
export async function changingText(stream: WriteStream, text: () => string): Promise<() => void> {
  const { createLogUpdate } = await import('log-update')
  const draw = createLogUpdate(stream, { showCursor: true })
  const redraw = (): void => draw(text().slice(0, columnsOf(stream)))
  const ticking = setInterval(redraw, REDRAWN_EVERY_MS)
  return () => {
    clearInterval(ticking)
    draw.clear()
    draw.done()
  }
}

async function changingLine(stream: WriteStream): Promise<ProgressReport> {
  const { createLogUpdate } = await import('log-update')
  // The cursor stays: a process that is killed could not bring it back.
  const draw = createLogUpdate(stream, { showCursor: true })
  let last: Progress | undefined
  let since = 0
  const redraw = (): void => {
    if (last !== undefined) draw(progressLine(last, columnsOf(stream), Math.floor((performance.now() - since) / 1000)))
  }
  // A step that takes long shows for how long.
  const ticking = setInterval(redraw, 1000)
  stream.on('resize', redraw)
  return {
    step(progress) {
      if (progress.phase !== last?.phase) since = performance.now()
      last = progress
      redraw()
    },
    end() {
      clearInterval(ticking)
      stream.off('resize', redraw)
      draw.done()
      last = undefined
    },
  }
}

function plainLines(output: Output): ProgressReport {
  let phase: string | undefined
  let written = 0
  return {
    step({ phase: now, done, total }) {
      const isDue = now !== phase || done === total || performance.now() - written >= PLAIN_EVERY_MS
      if (!isDue) return
      phase = now
      written = performance.now()
      void output.write(`${now} ${done}/${total}\n`)
    },
    end: () => undefined,
  }
}

/** One line of at most so many columns. @param seconds - since the phase began */
export function progressLine({ phase, done, total }: Progress, columns: number, seconds = 0): string {
  const counts = `${done}/${total}`
  const what = phase.padEnd(11)
  const slow = SLOW_PHASES[phase]
  if (slow !== undefined) return `${what} ${counts} ${seconds} s; ${slow}`.slice(0, columns)
  const share = total === 0 ? 1 : done / total
  const percent = `${Math.floor(share * 100)} %`.padStart(5)
  const room = Math.min(LONGEST_BAR, columns - `${what} [] ${percent} ${counts}`.length)
  if (room < LEAST_BAR) return `${phase} ${counts}`.slice(0, columns)
  const filled = Math.floor(share * room)
  return `${what} [${'#'.repeat(filled)}${'-'.repeat(room - filled)}] ${percent} ${counts}`
}
