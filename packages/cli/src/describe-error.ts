/** An error as one line: a code, what happened, what to do next. */

import { inspect } from 'node:util'

import { ADVICE } from './advice.ts'
import { CliError } from './cli-error.ts'
import { ExitCode } from './exit-code.ts'
import type { Redaction } from './terminal/redaction.ts'
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

/** @param redaction - takes out what a message of someone else's may have repeated */
export function describeError(error: unknown, redaction: Redaction): DescribedError {
  const message = redaction.of(oneLine(error instanceof Error ? error.message : 'something that is not an error was thrown'))
  if (error instanceof CliError) {
    const { code, exitCode, example } = error
    return { code, message, next: '', exitCode, example }
  }
  const plain = { exitCode: ExitCode.failed, example: undefined }
  if (isVaultError(error)) return { ...plain, code: error.code, message, next: ADVICE[error.code] }
  const name = error instanceof Error ? error.name : typeof error
  return { ...plain, code: 'unexpected', message: `${name}: ${message}`, next: '--verbose shows where it comes from' }
}

/** `strongroom: code: message; next: …` */
export function errorLine({ code, message, next }: DescribedError): string {
  return `strongroom: ${code}: ${message}${next === '' ? '' : `; next: ${next}`}`
}

/** The error with its causes and where they were thrown. */
export function verboseError(error: unknown, redaction: Redaction): string {
  return redaction.of(inspect(error, { colors: false, depth: 5 }))
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
