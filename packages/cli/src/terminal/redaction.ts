/** What must not be printed, whoever put it into a message. */

import { inspect } from 'node:util'

import type { Secret } from '@strongroom/core'

const REDACTED = '[redacted]'
const WITHHELD = 'the message is withheld: it repeats a passphrase that is too short to be taken out of it'
// What is left of a text around a secret of fewer characters says too much of it.
const SHORTEST_TAKEN_OUT = 8
// A shorter line, or a shorter part, of a long secret is any word.
const SHORTEST_LINE = 4
// The user part of an address, as drivers like to repeat it: mongodb://user:p@ss@host. A password may hold an @ or a slash.
const USER_PART = /\/\/[^\s"'`]*@/g
// A part of a query or of a connection string: password=…, client_secret='…'.
const NAMED_SECRET = /((?:passphrase|password|passwd|pwd|secret|token)\s?=)(?:"[^"]*"|'[^']*'|[^\s&"'`]*)/gi

/** Takes the passphrases that this process was given out of a text, in whatever form, and passwords out of addresses. */
export class Redaction {
  readonly #secrets: Secret<string>[] = []

  add(secret: Secret<string>): void {
    this.#secrets.push(secret)
  }

  of(text: string): string {
    let rest = text
    for (const secret of this.#secrets) {
      const value = secret.reveal()
      const forms = formsOf(value)
      const found = forms.filter((form) => contains(rest, form))
      if (found.length === 0) continue
      if (value.length < SHORTEST_TAKEN_OUT) return WITHHELD
      for (const form of found) rest = without(rest, form)
    }
    return rest.replaceAll(USER_PART, `//${REDACTED}@`).replaceAll(NAMED_SECRET, `$1${REDACTED}`)
  }

  /** The same for text that is to be one line: what a secret looked like before, and what it looks like after. */
  ofLine(text: string): string {
    return this.of(oneLine(this.of(text)))
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

interface Form {
  readonly text: string
  /** Hexadecimal and percent signs are written in either case. */
  readonly anyCase: boolean
}

/** All that a secret may look like, the longest first: none is cut by one that it holds. */
function formsOf(secret: string): readonly Form[] {
  const lines = secret.split(/[\r\n]+/).filter((line) => line.length >= SHORTEST_LINE)
  const parts = [...new Set([secret, ...lines])]
  const exact = parts.flatMap((text) => [
    text,
    oneLine(text),
    JSON.stringify(text).slice(1, -1),
    inspect(text, { breakLength: Infinity }).slice(1, -1),
    // As part of something with other quotes in it.
    text.replaceAll('\\', '\\\\'),
    text.replaceAll('\\', '\\\\').replaceAll("'", "\\'"),
  ])
  const base64 = parts.flatMap((text) =>
    (['base64', 'base64url'] as const).map((encoding) => Buffer.from(text).toString(encoding).replace(/=+$/, '')),
  )
  const anyCase = parts.flatMap((text) => [percent(text), inForm(text), escapedUri(text), Buffer.from(text).toString('hex')])
  return [
    ...[...new Set([...exact, ...base64])].map((text) => ({ text, anyCase: false })),
    ...[...new Set(anyCase)].map((text) => ({ text, anyCase: true })),
  ]
    .filter(({ text }) => text !== '')
    .sort((a, b) => b.text.length - a.text.length)
}

function percent(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

function inForm(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1)
}

function escapedUri(text: string): string {
  return encodeURI(text.toWellFormed())
}

function contains(text: string, { text: form, anyCase }: Form): boolean {
  return anyCase ? text.toLowerCase().includes(form.toLowerCase()) : text.includes(form)
}

function without(text: string, { text: form, anyCase }: Form): string {
  return text.replaceAll(new RegExp(literally(form), anyCase ? 'gi' : 'g'), REDACTED)
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
