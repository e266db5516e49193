/** What must not be printed, whoever put it into a message. */

import type { Secret } from '@strongroom/core'

import { formsOf } from './secret-forms.ts'
import { withoutRuns } from './without-runs.ts'

const REDACTED = '[redacted]'
const WITHHELD = 'the message is withheld: it repeats a passphrase that is too short to be taken out of it'
// What is left of a text around a secret of fewer characters says too much of it. So many of a longer one in a row are no chance.
const SHORTEST_RUN = 8
// The user part of an address, as drivers like to repeat it: mongodb://user:p@ss@host. A password may hold an @ or a slash.
// The path of a file (file:///…/@scope/…) is none.
const USER_PART = /(?<!\bfile:(?=\/{3})\/?)\/\/[^\s"'`]*@/g
// In a query, a connection string, an object, JSON, however often quoted: password=…, clientSecret: '…', \"token\":\"…\".
const NAME = /(?:passphrase|password|passwd|pwd|secret|token)\\*["'`]?\s*(?:=>|[=:])\s*/
const VALUE =
  /"(?:[^"\\]|\\[^])*(?:"|$)|'(?:[^'\\]|\\[^])*(?:'|$)|`(?:[^`\\]|\\[^])*(?:`|$)|(?<quote>\\+["'`])[^]*?(?:\k<quote>|$)|[^\s&"'`]+/
const NAMED_SECRET = new RegExp(`(${NAME.source})(?:${VALUE.source})`, 'gi')
// As Node prints a buffer and what an ArrayBuffer holds, and as it prints an array of bytes, be it of a class of its own.
const HEX_BYTES = /(?:<Buffer(?= )|(\[Uint8Contents\]: )<)((?: ?[\da-f]{2})*)(?: \.\.\. (\d+) more bytes?)? ?/g
const BYTE_ARRAY = /(?:Int8|Uint8|Uint8Clamped)Array/.source
const NUMBERED_BYTES = new RegExp(
  String.raw`(?:\b${BYTE_ARRAY}\((\d+)\)|\b\w+\((\d+)\) \[${BYTE_ARRAY}\]|\[${BYTE_ARRAY}\((\d+)\): null prototype\]) \[[^[\]]*\]`,
  'g',
)

/**
 * Takes out of a text each run of 8 characters and more of the passphrases that this process was given, in the forms that they are usually
 * written in; what was printed of bytes; passwords in addresses; and what is named a password, a secret or a token.
 */
export class Redaction {
  readonly #secrets: Secret<string>[] = []

  add(secret: Secret<string>): void {
    this.#secrets.push(secret)
  }

  of(text: string): string {
    let rest = withoutBytes(text)
    for (const secret of this.#secrets) {
      const value = secret.reveal()
      const forms = formsOf(value)
      if (value.length >= SHORTEST_RUN) rest = withoutRuns(rest, forms, SHORTEST_RUN, REDACTED)
      else if (containsAny(rest, forms)) return WITHHELD
    }
    return rest.replaceAll(USER_PART, `//${REDACTED}@`).replaceAll(NAMED_SECRET, `$1${REDACTED}`)
  }

  /** The same for text that is to be one line: what a secret looked like before, and what it looks like after. */
  ofLine(text: string): string {
    return this.of(this.of(text).replaceAll(/\s+/g, ' ').trim())
  }
}

function containsAny(text: string, forms: readonly string[]): boolean {
  const lower = text.toLowerCase()
  return forms.some((form) => lower.includes(form.toLowerCase()))
}

function withoutBytes(text: string): string {
  return text
    .replaceAll(HEX_BYTES, (_, before: string | undefined, hex: string, more: string | undefined) => {
      const printed = hex.replaceAll(' ', '').length / 2
      return `${before ?? ''}<${printed + Number(more ?? 0)} bytes`
    })
    .replaceAll(NUMBERED_BYTES, (_, ...lengths: (string | undefined)[]) => `<${lengths[0] ?? lengths[1] ?? lengths[2]} bytes>`)
}
