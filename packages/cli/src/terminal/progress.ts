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
const LONGEST_BAR = 30
const LEAST_BAR = 5

// A phase whose one step takes a while says what it waits for.
const SLOW_PHASES: Readonly<Record<string, string>> = {
  waiting: 'one cacheBound, until no process uses an older key for anything new',
  destroying: 'root versions',
}

/** The report that fits the stream. */
export async function progressReport(stream: WriteStream, output: Output, isDumb: boolean): Promise<ProgressReport> {
  return stream.isTTY && !isDumb ? changingLine(stream) : plainLines(output)
}

async function changingLine(stream: WriteStream): Promise<ProgressReport> {
  const { createLogUpdate } = await import('log-update')
  // The cursor stays: a process that is killed could not bring it back.
  const draw = createLogUpdate(stream, { showCursor: true })
  let last: Progress | undefined
  const redraw = (): void => {
    if (last !== undefined) draw(progressLine(last, columnsOf(stream)))
  }
  stream.on('resize', redraw)
  return {
    step(progress) {
      last = progress
      redraw()
    },
    end() {
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

/** One line of at most so many columns. */
export function progressLine({ phase, done, total }: Progress, columns: number): string {
  const counts = `${done}/${total}`
  const what = phase.padEnd(11)
  const slow = SLOW_PHASES[phase]
  if (slow !== undefined) return `${what} ${counts} ${slow}`.slice(0, columns)
  const share = total === 0 ? 1 : done / total
  const percent = `${Math.floor(share * 100)} %`.padStart(5)
  const room = Math.min(LONGEST_BAR, columns - `${what} [] ${percent} ${counts}`.length)
  if (room < LEAST_BAR) return `${phase} ${counts}`.slice(0, columns)
  const filled = Math.floor(share * room)
  return `${what} [${'#'.repeat(filled)}${'-'.repeat(room - filled)}] ${percent} ${counts}`
}
