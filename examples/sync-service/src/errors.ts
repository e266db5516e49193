/** What goes wrong, as it may be told. */

import { StrongroomError } from '@strongroom/core'

/** An answer other than success: a status, and a word for programs. */
export class Refusal extends Error {
  readonly status: number

  constructor(status: number, word: string) {
    super(word)
    this.status = status
  }
}

/** What is the caller's affair, and not a failure of the service. */
const STATUSES: Readonly<Record<string, number>> = {
  invalid_argument: 400,
  unsupported_operation: 400,
  authorisation_denied: 403,
  not_found: 404,
  reauthorisation_required: 409,
  authorisation_server_refused: 502,
  authorisation_server_malformed: 502,
  authorisation_server_throttled: 503,
  authorisation_server_timeout: 503,
  authorisation_server_unavailable: 503,
}

export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error
  const status = error instanceof StrongroomError ? STATUSES[error.code] : undefined
  return status === undefined ? undefined : new Refusal(status, (error as StrongroomError).code)
}

/** For logs: of errors that are not Strongroom's the name and the code, since their messages may quote a value. */
export function described(error: unknown): string {
  if (error instanceof StrongroomError) return `${error.code}: ${error.message}`
  const { name, code = '' } = error as Error & { readonly code?: string | number }
  return `${name} ${code}`.trimEnd()
}
