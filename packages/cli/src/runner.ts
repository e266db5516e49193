/** One run of a command: from its session to its exit code, whatever happens between. */

import { CliError, Interrupted, OutputClosed } from './cli-error.ts'
import { type DescribedError, describeError, errorLine, verboseError } from './describe-error.ts'
import { ExitCode } from './exit-code.ts'
import type { SharedFlags } from './flags.ts'
import { Interruption } from './interruption.ts'
import { Session } from './session.ts'
import type { EndSignal, System } from './system.ts'
import { columnsOf } from './terminal/columns.ts'
import { Output } from './terminal/output.ts'
import { progressReport } from './terminal/progress.ts'
import { terminalPrompts } from './terminal/prompts.ts'
import { Redaction } from './terminal/redaction.ts'
import { shown, shownJson } from './terminal/shown.ts'
import { styleFor } from './terminal/style.ts'

/** What is found one by one, however much there is, and told as it is found. */
export interface Listed {
  /** What the list is called for `--json`. */
  readonly name: string
  readonly entries: AsyncIterable<{ readonly lines: readonly string[]; readonly summary: unknown }>
  /** For people, where there are none. */
  readonly none: string
}

/** What a command found or did. */
export interface Outcome {
  /** Told before all else. */
  readonly list?: Listed
  /** For people. */
  readonly lines: readonly string[]
  /** For `--json`. */
  readonly summary: Readonly<Record<string, unknown>>
  /** `failed` for a check that found damage; `done` if not given. */
  readonly exitCode?: ExitCode
  /** What it prints is what it was run for: if that cannot be written, it failed. */
  readonly isOutput?: boolean
  /** Its lines have colour, and what they repeat went through `shown` before. */
  readonly isStyled?: boolean
}

export type Act = (session: Session) => Promise<Outcome>

/**
 * What a command is to the shell. A `filter` ends as such programs do: by the signal that asked for it, and by SIGPIPE where nobody reads on. An
 * `operation` says what was done so far.
 */
export type CommandKind = 'operation' | 'filter'

/** How a run is told, on its own or within the command that it belongs to. */
interface Telling {
  readonly command: string
  readonly flags: SharedFlags
  readonly redaction: Redaction
}

const NOTHING_DONE = 'nothing was done'
const MAY_BE_DONE = 'what was begun may have been done all the same: run the same command again'
const NO_OUTCOME = 'the process was ended from within before there was a result, by the configuration or what it brings along'
const LONGEST_TIMER = 2 ** 31 - 1

/** Runs commands, and remembers how the last one ended. */
export class Runner {
  exitCode: ExitCode = ExitCode.done
  readonly #system: System
  readonly #results: Output
  readonly #notes: Output
  #telling: Telling
  #isReported = false
  #isInList = false
  #interruption: Interruption | undefined
  #session: Session | undefined
  #endingBy: EndSignal | 'SIGPIPE' | undefined

  /** @param json - whether the arguments ask for JSON, before they are read */
  constructor(system: System, json: boolean) {
    this.#system = system
    this.#results = new Output(system.stdout)
    this.#notes = new Output(system.stderr)
    this.#telling = { command: '', flags: { json }, redaction: new Redaction() }
    system.onCrash((error) => void this.#crash(error))
    system.onExit(() => this.#unreported())
  }

  async run(command: string, flags: SharedFlags, act: Act, kind: CommandKind = 'operation'): Promise<void> {
    const { stdout, stderr, environment } = this.#system
    const redaction = new Redaction()
    this.#telling = { command, flags, redaction }
    // A promise that never settles must not end the process in silence.
    const awake = setInterval(() => undefined, LONGEST_TIMER)
    const progress = await progressReport(stderr, this.#notes, {
      isDumb: environment['TERM'] === 'dumb',
      isQuiet: flags.quiet === true,
    })
    const interruption = new Interruption(this.#system, (which) => {
      progress.end()
      this.#isReported ||= which === 'second'
      if (prompts.isAsking || kind === 'filter') return
      const now = which === 'first' ? 'finishing what is in hand; once more to end at once' : `ended at once: ${session.kept}`
      void this.#notes.write(`strongroom: ${now}\n`)
    })
    this.#interruption = interruption
    const { signal } = interruption
    const prompts = terminalPrompts(this.#system, signal)
    const session = new Session({
      system: this.#system,
      flags,
      signal,
      prompts,
      progress,
      redaction,
      results: this.#results,
      notes: this.#notes,
      style: styleFor(stdout),
      noteStyle: styleFor(stderr),
      width: columnsOf(stdout),
    })
    this.#session = session
    try {
      this.exitCode = await this.#report(await act(session))
    } catch (error) {
      if (kind === 'filter') this.#endingBy = signalOf(error, interruption)
      if (this.#endingBy === undefined) this.exitCode = await this.#fail(error, session.kept)
    }
    this.#isReported = true
    // What was found is told by now, whatever the closing does.
    for (const error of await session.end()) await this.#noteError('the vault was not closed', error)
    clearInterval(awake)
    interruption.end()
  }

  /** After this there is only the exit code to give. */
  leave(): ExitCode {
    this.#isReported = true
    this.#interruption?.endByHangUp()
    if (this.#endingBy !== undefined) this.#system.endBy(this.#endingBy)
    return this.exitCode
  }

  /** An error that came before any command was run. @param command - as far as it was known */
  async wrongUse(command: string, message: string): Promise<void> {
    this.#telling = { ...this.#telling, command }
    this.exitCode = await this.#fail(new CliError('usage', message))
  }

  /** Text that was asked for, such as help. */
  async print(text: string): Promise<void> {
    await this.#results.write(text)
  }

  /** Text that was not. */
  async note(text: string): Promise<void> {
    await this.#notes.write(text)
  }

  async #report({ list, lines, summary, exitCode = ExitCode.done, isOutput = false, isStyled = false }: Outcome): Promise<ExitCode> {
    const { flags } = this.#telling
    const isRead = list === undefined || (await this.#reportList(list, isStyled))
    const text = flags.json === true ? this.#json(exitCode, summary) : textOf(lines, isStyled)
    if (isRead && (await this.#results.write(text))) return exitCode
    const closed = new CliError(
      'output_closed',
      `stdout was closed before the result was written; ${isOutput ? 'run it again' : 'the work itself is done'}`,
    )
    await this.#notes.write(`${errorLine(describeError(closed, new Redaction()))}\n`)
    return isOutput ? ExitCode.failed : exitCode
  }

  // For `--json` it is a member of the one object, which whatever is told next ends. @returns whether anybody reads on
  async #reportList({ name, entries, none }: Listed, isStyled: boolean): Promise<boolean> {
    const isJson = this.#telling.flags.json === true
    let count = 0
    if (isJson) {
      this.#isInList = true
      const begin = `{"command":${JSON.stringify(this.#telling.command)},${JSON.stringify(name)}:[`
      if (!(await this.#results.write(begin))) return false
    }
    for await (const { lines, summary } of entries) {
      const gap = count++ === 0 ? '' : isJson ? ',' : '\n'
      if (!(await this.#results.write(gap + (isJson ? shownJson(JSON.stringify(summary)) : textOf(lines, isStyled))))) return false
    }
    return count > 0 || isJson || this.#results.write(`${none}\n`)
  }

  async #fail(error: unknown, kept = NOTHING_DONE, next?: string): Promise<ExitCode> {
    const { flags, redaction } = this.#telling
    const told = error instanceof Interrupted ? interrupted(kept) : describeError(error, redaction)
    const described = next === undefined ? told : { ...told, next }
    await this.#notes.write(`${errorLine(described)}\n`)
    if (described.example !== undefined) await this.#notes.write(`\n${described.example}\n`)
    if (flags.verbose === true) await this.#notes.write(`${verboseError(error, redaction)}\n`)
    const { exitCode, code, message } = described
    const hint = described.next === '' ? {} : { next: described.next }
    if (flags.json === true) await this.#results.write(this.#json(exitCode, { code, message, ...hint, exitCode }))
    return exitCode
  }

  async #noteError(what: string, error: unknown): Promise<void> {
    const { flags, redaction } = this.#telling
    const { code, message } = describeError(error, redaction)
    await this.#notes.write(shown(`strongroom: note: ${what}: ${code}: ${message}`).concat('\n'))
    if (flags.verbose === true) await this.#notes.write(`${verboseError(error, redaction)}\n`)
  }

  // What was thrown where nobody waits for it.
  async #crash(error: unknown): Promise<void> {
    // The end that was asked for comes to whoever waits for it.
    if (error instanceof Interrupted) return
    if (this.#isReported) return this.#noteError('thrown after the result', error)
    this.#isReported = true
    await this.#fail(error, undefined, this.#session?.hasBegun === true ? MAY_BE_DONE : undefined)
    this.#system.exit(ExitCode.failed)
  }

  #unreported(): number | undefined {
    if (this.#isReported) return undefined
    const described = describeError(new Error(NO_OUTCOME), new Redaction())
    const line = { ...described, message: NO_OUTCOME, next: '' }
    this.#system.writeNow('stderr', `${errorLine(line)}\n`)
    const { code, message } = line
    if (this.#telling.flags.json === true)
      this.#system.writeNow('stdout', this.#json(ExitCode.failed, { code, message, exitCode: ExitCode.failed }))
    return ExitCode.failed
  }

  #json(exitCode: ExitCode, summary: Readonly<Record<string, unknown>>): string {
    const outcome = exitCode === ExitCode.done ? 'done' : exitCode === ExitCode.interrupted ? 'interrupted' : 'failed'
    const isInList = this.#isInList
    this.#isInList = false
    if (isInList) return `],${shownJson(JSON.stringify({ outcome, ...summary })).slice(1)}\n`
    return `${shownJson(JSON.stringify({ command: this.#telling.command, outcome, ...summary }))}\n`
  }
}

function textOf(lines: readonly string[], isStyled: boolean): string {
  return lines.map((line) => `${isStyled ? line : shown(line)}\n`).join('')
}

// The signal that a filter ends by.
function signalOf(error: unknown, { received }: Interruption): EndSignal | 'SIGPIPE' | undefined {
  if (error instanceof OutputClosed) return 'SIGPIPE'
  // Ctrl-C at a question is no signal.
  return error instanceof Interrupted ? (received ?? 'SIGINT') : undefined
}

function interrupted(message: string): DescribedError {
  return { code: 'interrupted', message, next: '', exitCode: ExitCode.interrupted, example: undefined }
}
