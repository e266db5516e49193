/** What must not be printed, whoever put it into a message. */

import type { Secret } from '@strongroom/core'

const REDACTED = '[redacted]'
// The user part of an address, as drivers like to repeat it: mongodb://user:password@host.
const USER_PART = /\/\/[^\s/@]+@/g

/** Takes the passphrases that this process was given out of a text, and passwords out of addresses. */
export class Redaction {
  readonly #secrets: Secret<string>[] = []

  add(secret: Secret<string>): void {
    this.#secrets.push(secret)
  }

  of(text: string): string {
    const known = this.#secrets.reduce((rest, secret) => rest.replaceAll(secret.reveal(), REDACTED), text)
    return known.replaceAll(USER_PART, `//${REDACTED}@`)
  }
}
