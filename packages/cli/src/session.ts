/** What a command works with, from the command line to the open vault. */

import type { Progress, Vault } from '@strongroom/core'

import { CliError } from './cli-error.ts'
import { findConfiguration } from './configuration/find.ts'
import { type Configured, loadConfiguration, openConfigured } from './configuration/load.ts'
import type { SharedFlags } from './flags.ts'
import { passphrases, type PassphraseSources } from './passphrase/passphrases.ts'
import type { Output } from './terminal/output.ts'
import type { ProgressReport } from './terminal/progress.ts'
import type { Prompts } from './terminal/prompts.ts'
import type { Redaction } from './terminal/redaction.ts'
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
  /** For people to read, beside the result: stderr. */
  readonly notes: Output
  readonly style: Style
  /** Columns of the terminal that shows the result. */
  readonly width: number
}

/** One run of one command. */
export class Session {
  readonly signal: AbortSignal
  readonly style: Style
  readonly width: number
  readonly directory: string
  readonly #parts: SessionParts
  readonly #opened: Vault[] = []

  constructor(parts: SessionParts) {
    this.signal = parts.signal
    this.style = parts.style
    this.width = parts.width
    this.directory = parts.system.directory
    this.#parts = parts
  }

  /** Runs the configuration. @param newKey - see {@link PassphraseSources} */
  async configure(newKey?: PassphraseSources['newKey']): Promise<Configured> {
    const { system, flags, prompts, redaction } = this.#parts
    const path = findConfiguration(system.directory, flags.config)
    const sources = { flags, environment: system.environment, prompts, redaction, newKey }
    const configured = await loadConfiguration(path, { passphrase: passphrases(sources) })
    this.signal.throwIfAborted()
    return configured
  }

  /** The vault of the configuration, until the session ends. */
  async openVault(): Promise<Vault> {
    const vault = await openConfigured(await this.configure())
    this.#opened.push(vault)
    this.signal.throwIfAborted()
    return vault
  }

  /** Lets go of what was opened. */
  async end(): Promise<void> {
    for (const vault of this.#opened.splice(0)) await vault.close()
  }

  /** Works through an operation and shows how far it is. @returns the last step */
  async follow(operation: AsyncIterable<Progress>): Promise<Progress | undefined> {
    let last: Progress | undefined
    try {
      for await (const step of operation) {
        last = step
        this.#parts.progress.step(step)
      }
    } finally {
      this.#parts.progress.end()
    }
    return last
  }

  /**
   * Says in one line what will be gone for good, and goes on only if that is wanted.
   *
   * @throws CliError `usage` where nobody can be asked, `not_confirmed`; Interrupted at Ctrl-C
   */
  async confirm(whatGoes: string): Promise<void> {
    const { flags, notes, prompts, style } = this.#parts
    await notes.write(`${style('warning', whatGoes)}\n`)
    if (flags.yes === true) return
    if (!prompts.isPossible) throw new CliError('usage', 'this destroys for good, and there is no terminal to ask in; give --yes to go on')
    if (!(await prompts.confirm('Go on?'))) throw new CliError('not_confirmed', 'the answer was no; nothing was done')
  }

  /** A line beside the result. */
  async note(line: string): Promise<void> {
    await this.#parts.notes.write(`${line}\n`)
  }
}
