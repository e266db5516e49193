/** An error as one line: a code, what happened, what to do next. */

import { inspect } from 'node:util'

import { ADVICE } from './advice.ts'
import { CliError } from './cli-error.ts'
import { ExitCode } from './exit-code.ts'
import type { Redaction } from './terminal/redaction.ts'
import { shown, shownLines } from './terminal/shown.ts'
import { isVaultError } from './vault-error.ts'

/** An error, told. */
export interface DescribedError {
  readonly code: string
  readonly message: string
  readonly next: string
  readonly exitCode: ExitCode
  /** An example to show beneath the line. */
  readonly example: string | undefined
}

const UNREADABLE = 'what was thrown cannot be read'

/** @param redaction - takes out what a message of someone else's may have repeated */
export function describeError(error: unknown, redaction: Redaction): DescribedError {
  // Whatever was thrown: it may be anything, and asking it may throw.
  try {
    return describe(error, redaction)
  } catch {
    return { code: 'unexpected', message: UNREADABLE, next: '', exitCode: ExitCode.failed, example: undefined }
  }
}

function describe(error: unknown, redaction: Redaction): DescribedError {
  const message = redaction.ofLine(error instanceof Error ? textOf(error.message) : 'something that is not an error was thrown')
  if (error instanceof CliError) {
    const { code, exitCode, example } = error
    return { code, message, next: '', exitCode, example }
  }
  const plain = { exitCode: ExitCode.failed, example: undefined }
  if (isVaultError(error)) return { ...plain, code: error.code, message, next: ADVICE[error.code] }
  const name = error instanceof Error ? redaction.ofLine(textOf(error.name)) : typeof error
  return { ...plain, code: 'unexpected', message: `${name}: ${message}`, next: '--verbose shows where it comes from' }
}

/** `strongroom: code: message; next: …` */
export function errorLine({ code, message, next }: DescribedError): string {
  return shown(`strongroom: ${code}: ${message}${next === '' ? '' : `; next: ${next}`}`)
}

/** The error with its causes and where they were thrown. */
export function verboseError(error: unknown, redaction: Redaction): string {
  let text: string
  try {
    text = inspect(error, { colors: false, depth: 5 })
  } catch {
    text = UNREADABLE
  }
  return shownLines(redaction.of(text))
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : String(value)
}
