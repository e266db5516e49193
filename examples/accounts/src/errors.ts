/** What goes wrong, as it may be told. */

import { StrongroomError } from '@strongroom/core'

/** An answer other than success: a status, a word for programs, and the names of the fields at fault. */
export class Refusal extends Error {
  readonly status: number
  readonly fields: readonly string[] | undefined

  constructor(status: number, word: string, fields?: readonly string[]) {
    super(word)
    this.status = status
    this.fields = fields
  }
}

/** Why a program does not start. Its message names what is wrong, and shows no value. */
export class StartError extends Error {}

/** What is stored lacks what must be there, by paths. It shows no value. */
export class DocumentError extends Error {
  constructor(paths: readonly string[]) {
    super(`missing or wrong in a document: ${paths.join(', ')}`)
  }
}

/** Of who is leaving nothing opens, and of who has left nothing ever will. */
export function isLeaving(error: unknown): boolean {
  return error instanceof StrongroomError && ['suspended', 'shredded'].includes(error.code)
}

export function nobodyIfLeaving(error: unknown): null {
  if (isLeaving(error)) return null
  throw error
}

/** @param during - what has failed */
export function log(during: string, error: unknown): void {
  console.error(JSON.stringify({ at: new Date().toISOString(), during, error: described(error) }))
}

/** For logs. Messages of the driver may quote a document or a URI, so of those there is the code; Strongroom's hold no values. */
export function described(error: unknown): string {
  if (error instanceof StrongroomError) return `${error.code}: ${error.message}`
  if (error instanceof StartError || error instanceof DocumentError) return error.message
  const { name, code = '' } = error as Error & { readonly code?: string | number }
  return `${name} ${code}`.trimEnd()
}
