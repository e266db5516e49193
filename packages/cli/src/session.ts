/** What a command works with, from the command line to the open vault. */

import type { Readable } from 'node:stream'

import type { Progress, Vault } from '@strongroom/core'

import { CliError, OutputClosed } from './cli-error.ts'
import { findConfiguration } from './configuration/find.ts'
import type { Services } from './configuration/define-config.ts'
import { type Configured, loadConfiguration, openConfigured, servicesOf } from './configuration/load.ts'
import type { SharedFlags } from './flags.ts'
import { passphrases, type PassphraseSources } from './passphrase/passphrases.ts'
import type { Output } from './terminal/output.ts'
import { changingText, type ProgressReport } from './terminal/progress.ts'
import type { Prompts } from './terminal/prompts.ts'
import type { Redaction } from './terminal/redaction.ts'
import { shown } from './terminal/shown.ts'
import type { Style } from './terminal/style.ts'
import type { System } from './system.ts'

/** What a session is made from. */
export interface SessionParts {
  readonly system: System
  readonly flags: SharedFlags
  readonly signal: AbortSignal
  readonly prompts: Prompts
  readonly progress: ProgressReport
  readonly redaction: Redaction
  /** For the result: stdout. */
  readonly results: Output
  /** For people to read, beside the result: stderr. */
  readonly notes: Output
  /** For the result, and for what is beside it: each stream has colours or has none. */
  readonly style: Style
  readonly noteStyle: Style
  /** Columns of the terminal that shows the result. */
  readonly width: number
}

/** What is let go of in the end. */
interface Closable {
  close?(): unknown
}

const LONGEST_CLOSE_MS = 5000
const GO_ON = 'what was done is kept, and the same command goes on from there'

/** One run of one command. */
export class Session {
  readonly signal: AbortSignal
  readonly style: Style
  readonly width: number
  readonly directory: string
  readonly stdin: Readable
  readonly #parts: SessionParts
  readonly #opened: Closable[] = []
  #hasBegun = false
  #kept = 'nothing was done'

  constructor(parts: SessionParts) {
    this.signal = parts.signal
    this.style = parts.style
    this.width = parts.width
    this.directory = parts.system.directory
    this.stdin = parts.system.stdin
    this.#parts = parts
  }

  /** Runs the configuration. @param newKey - see {@link PassphraseSources} */
  async configure(newKey?: PassphraseSources['newKey']): Promise<Configured> {
    const { system, flags, prompts, redaction } = this.#parts
    system.logBeside()
    const path = findConfiguration(system.directory, flags.config)
    const sources = { flags, environment: system.environment, prompts, redaction, newKey, signal: this.signal }
    const configured = await loadConfiguration(path, { passphrase: passphrases(sources) })
    if ('vault' in configured) this.closeAtEnd(configured.vault)
    this.signal.throwIfAborted()
    return configured
  }

  /** The vault of the configuration, until the session ends. */
  async openVault(): Promise<Vault> {
    return this.#open(await this.configure())
  }

  /** The vault, and what the configuration has beside it. */
  async openServices(): Promise<Services & { readonly vault: Vault }> {
    const configured = await this.configure()
    const vault = await this.#open(configured)
    const services = await servicesOf(configured, vault)
    this.signal.throwIfAborted()
    return { ...services, vault }
  }

  async #open(configured: Configured): Promise<Vault> {
    const vault = await openConfigured(configured)
    if (!('vault' in configured)) this.closeAtEnd(vault)
    this.signal.throwIfAborted()
    return vault
  }

  /** What to say of the work where it ends early. */
  get kept(): string {
    return this.#kept
  }

  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** Said before the first thing that changes anything. @param kept - what is true wherever it ends after that */
  begin(kept: string = GO_ON): void {
    this.#hasBegun = true
    this.#kept = kept
  }

  /** Has something closed once the result is told. */
  closeAtEnd(opened: Closable): void {
    this.#opened.push(opened)
  }

  /** Lets go of what was opened, as far as that answers in time. @returns what was thrown */
  async end(): Promise<readonly unknown[]> {
    const errors: unknown[] = []
    for (const opened of this.#opened.splice(0)) await closeInTime(opened).catch((error: unknown) => errors.push(error))
    return errors
  }

  /** Has something undone if the process ends before the returned function is called. */
  undoAtExit(undo: () => void): () => void {
    return this.#parts.system.onExit(() => {
      undo()
      return undefined
    })
  }

  /** Works through an operation and shows how far it is. @param kept - see {@link Session.begin} */
  async follow(operation: AsyncIterable<Progress>, kept?: string): Promise<void> {
    this.begin(kept)
    try {
      for await (const step of operation) this.#parts.progress.step(step)
    } finally {
      this.#parts.progress.end()
    }
  }

  /**
   * Says in one line what will be gone for good, and goes on only if that is wanted.
   *
   * @param name - what has to be typed, with Return: never a single key, which may have been typed ahead. In place of one of blanks, which
   * are cut off, it is `destroy`: Return alone is no answer
   * @throws CliError `usage` where nobody can be asked, `not_confirmed`; Interrupted at Ctrl-C
   */
  async confirm(whatGoes: string, name: string): Promise<void> {
    const { flags, notes, prompts, noteStyle } = this.#parts
    await notes.write(`${noteStyle('warning', shown(whatGoes))}\n`)
    if (flags.yes === true) return
    if (!prompts.isPossible) throw new CliError('usage', 'this destroys for good, and there is no terminal to ask in; give --yes to go on')
    const word = name.trim() === '' ? 'destroy' : name
    const typed = await prompts.line(`Type "${word}" to go on: `)
    if (typed !== word.trim() && typed !== shown(word).trim())
      throw new CliError('not_confirmed', 'that was not what had to be typed; nothing was done')
    this.signal.throwIfAborted()
  }

  /** Writes data to stdout. @throws OutputClosed where nobody reads it any more */
  async write(data: Uint8Array): Promise<void> {
    if (!(await this.#parts.results.write(data))) throw new OutputClosed('stdout was closed')
  }

  /** Shows a text that changes while the work goes on, where stderr is a terminal that shows nothing else. */
  async showWhile<T>(text: () => string, work: () => Promise<T>): Promise<T> {
    const { system, flags } = this.#parts
    const isShown = system.stderr.isTTY && !system.stdout.isTTY && system.environment['TERM'] !== 'dumb' && flags.quiet !== true
    const end = isShown ? await changingText(system.stderr, text) : undefined
    try {
      return await work()
    } finally {
      end?.()
    }
  }

  /** A line about what was done, unless nothing of the kind is wanted. */
  async tell(line: string): Promise<void> {
    if (this.#parts.flags.quiet !== true) await this.note(line)
  }

  /** A line beside the result. */
  async note(line: string): Promise<void> {
    await this.#parts.notes.write(`${shown(line)}\n`)
  }
}

async function closeInTime(opened: Closable): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${LONGEST_CLOSE_MS / 1000} s`)), LONGEST_CLOSE_MS)
  })
  try {
    await Promise.race([opened.close?.(), late])
  } finally {
    clearTimeout(timer)
  }
}
