/** One run of a command: from its session to its exit code, whatever happens between. */

import { CliError, Interrupted } from './cli-error.ts'
import { type DescribedError, describeError, errorLine, verboseError } from './describe-error.ts'
import { ExitCode } from './exit-code.ts'
import type { SharedFlags } from './flags.ts'
import { Interruption } from './interruption.ts'
import { Session } from './session.ts'
import type { System } from './system.ts'
import { Output } from './terminal/output.ts'
import { progressReport } from './terminal/progress.ts'
import { terminalPrompts } from './terminal/prompts.ts'
import { Redaction } from './terminal/redaction.ts'
import { styleFor } from './terminal/style.ts'

/** What a command found or did. */
export interface Outcome {
  /** For people. */
  readonly lines: readonly string[]
  /** For `--json`. */
  readonly summary: Readonly<Record<string, unknown>>
  /** `failed` for a check that found damage; `done` if not given. */
  readonly exitCode?: ExitCode
  /** What it prints is what it was run for: if that cannot be written, it failed. */
  readonly isOutput?: boolean
}

export type Act = (session: Session) => Promise<Outcome>

const GO_ON = 'what was done is kept, and the same command goes on from there'
const DEFAULT_WIDTH = 80

/** Runs commands, and remembers how the last one ended. */
export class Runner {
  exitCode: ExitCode = ExitCode.done
  readonly #system: System
  readonly #results: Output
  readonly #notes: Output

  constructor(system: System) {
    this.#system = system
    this.#results = new Output(system.stdout)
    this.#notes = new Output(system.stderr)
  }

  async run(command: string, flags: SharedFlags, act: Act): Promise<void> {
    const { stdout, stderr, environment } = this.#system
    const redaction = new Redaction()
    const progress = await progressReport(stderr, this.#notes, environment['TERM'] === 'dumb')
    const interruption = new Interruption(this.#system, (which) => {
      progress.end()
      const now = which === 'first' ? 'finishing what is in hand; once more to end at once' : `ended at once: ${GO_ON}`
      void this.#notes.write(`strongroom: ${now}\n`)
    })
    const { signal } = interruption
    const session = new Session({
      system: this.#system,
      flags,
      signal,
      prompts: terminalPrompts(this.#system, signal),
      progress,
      redaction,
      notes: this.#notes,
      style: styleFor(stdout),
      width: stdout.isTTY ? stdout.columns : DEFAULT_WIDTH,
    })
    try {
      this.exitCode = await this.#report(command, flags, await endingWith(session, act))
    } catch (error) {
      this.exitCode = await this.#fail(command, flags, error, redaction)
    } finally {
      interruption.end()
    }
  }

  /** A line for an error that came before any command was run. */
  async wrongUse(message: string): Promise<void> {
    const { exitCode, ...described } = describeError(new CliError('usage', message), new Redaction())
    await this.#notes.write(`${errorLine({ exitCode, ...described })}\n`)
    this.exitCode = exitCode
  }

  /** Text that was asked for, such as help. */
  async print(text: string): Promise<void> {
    await this.#results.write(text)
  }

  /** Text that was not. */
  async note(text: string): Promise<void> {
    await this.#notes.write(text)
  }

  async #report(command: string, { json }: SharedFlags, outcome: Outcome): Promise<ExitCode> {
    const { lines, summary, exitCode = ExitCode.done, isOutput = false } = outcome
    const text = json === true ? this.#json(command, exitCode, summary) : lines.map((line) => `${line}\n`).join('')
    if (await this.#results.write(text)) return exitCode
    const closed = new CliError(
      'output_closed',
      `stdout was closed before the result was written; ${isOutput ? 'run it again' : 'the work itself is done'}`,
    )
    await this.#notes.write(`${errorLine(describeError(closed, new Redaction()))}\n`)
    return isOutput ? ExitCode.failed : exitCode
  }

  async #fail(command: string, { json, verbose }: SharedFlags, error: unknown, redaction: Redaction): Promise<ExitCode> {
    const described = error instanceof Interrupted ? interrupted() : describeError(error, redaction)
    await this.#notes.write(`${errorLine(described)}\n`)
    if (described.example !== undefined) await this.#notes.write(`\n${described.example}\n`)
    if (verbose === true) await this.#notes.write(`${verboseError(error, redaction)}\n`)
    const { exitCode, code, message } = described
    if (json === true) await this.#results.write(this.#json(command, exitCode, { code, message }))
    return exitCode
  }

  #json(command: string, exitCode: ExitCode, summary: Readonly<Record<string, unknown>>): string {
    const outcome = exitCode === ExitCode.done ? 'done' : exitCode === ExitCode.interrupted ? 'interrupted' : 'failed'
    return `${JSON.stringify({ command, outcome, ...summary })}\n`
  }
}

async function endingWith(session: Session, act: Act): Promise<Outcome> {
  try {
    return await act(session)
  } finally {
    await session.end()
  }
}

function interrupted(): DescribedError {
  return { code: 'interrupted', message: GO_ON, next: '', exitCode: ExitCode.interrupted, example: undefined }
}
