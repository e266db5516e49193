/** What the command itself has to say, in the form of core's errors: a code, a line that says what to do, and never a secret. */

import { ExitCode } from './exit-code.ts'

/** What can be wrong before or around a vault. */
export type CliErrorCode =
  | 'usage'
  | 'config_missing'
  | 'config_invalid'
  | 'passphrase_missing'
  | 'passphrase_unusable'
  | 'not_confirmed'
  | 'file_unusable'
  | 'no_key'
  | 'not_closed'
  | 'output_closed'
  | 'package_missing'

export interface CliErrorOptions {
  readonly cause?: unknown
  /** Shown beneath the line: an example, never data. */
  readonly example?: string
}

const WRONG_USE: readonly CliErrorCode[] = ['usage', 'config_missing', 'config_invalid', 'passphrase_missing', 'passphrase_unusable']

/** A failure of the command, not of the vault. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly code: CliErrorCode
  readonly example: string | undefined

  constructor(code: CliErrorCode, message: string, { cause, example }: CliErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.example = example
  }

  get exitCode(): ExitCode {
    return WRONG_USE.includes(this.code) ? ExitCode.usage : ExitCode.failed
  }
}

/** The reason of the signal that ends a command early, and what a question that was not answered throws. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** Whoever was to read the output is gone. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed'
}
