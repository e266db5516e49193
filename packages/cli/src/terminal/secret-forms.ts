/** What a secret looks like in a text: as it is, quoted, escaped, encoded. */

import { inspect } from 'node:util'

// A shorter line of a long secret is any word.
const SHORTEST_LINE = 4
const NORMAL_FORMS = ['NFC', 'NFD', 'NFKC', 'NFKD'] as const
const BASE64 = ['base64', 'base64url'] as const
// What base64 makes of three bytes is four characters: how many of them the bytes before have a part in.
const CHARACTERS_OF_BYTES_BEFORE = [0, 2, 3]
// Fewer of them are anything.
const SHORTEST_BASE64 = 6

/** Where a form differs from another in upper and lower case alone, or in how often it is escaped, it is one of them. */
export function formsOf(secret: string): readonly string[] {
  const lines = secret.split(/[\r\n]+/).filter((line) => line.length >= SHORTEST_LINE)
  const parts = new Set([secret, ...lines].flatMap((text) => [text, ...NORMAL_FORMS.map((form) => text.normalize(form))]))
  const forms = [...parts].flatMap((text) => [...quoted(text), ...encoded(text)])
  return [...new Set(forms)].filter((form) => form !== '')
}

function quoted(text: string): readonly string[] {
  return [
    text,
    text.replaceAll(/\s+/g, ' ').trim(),
    JSON.stringify(text).slice(1, -1),
    inspect(text, { breakLength: Infinity }).slice(1, -1),
    // As part of something with other quotes in it.
    text.replaceAll('\\', '\\\\'),
    text.replaceAll('\\', '\\\\').replaceAll("'", "\\'"),
  ]
}

function encoded(text: string): readonly string[] {
  const bytes = Buffer.from(text)
  return [
    encodeURIComponent(text.toWellFormed()),
    encodeURI(text.toWellFormed()),
    new URLSearchParams({ '': text }).toString().slice(1),
    bytes.toString('hex'),
    bytes.join(','),
    ...BASE64.map((encoding) => bytes.toString(encoding).replace(/=+$/, '')),
    ...BASE64.flatMap((encoding) => withinBase64(bytes, encoding)),
  ]
}

/** What it is within base64 of something longer: without the characters that its neighbours have a part in. */
function withinBase64(bytes: Buffer, encoding: 'base64' | 'base64url'): readonly string[] {
  return CHARACTERS_OF_BYTES_BEFORE.map((characters, before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString(encoding)
    const whole = Math.floor(((before + bytes.length) * 8) / 6)
    return text.slice(characters, whole)
  }).filter((text) => text.length >= SHORTEST_BASE64)
}
