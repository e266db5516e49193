/**
 * Characters beyond ASCII that parsers take for ASCII: `１９２。０。２。１` is the host 192.0.2.1 to whoever maps it by UTS 46, as the URL
 * standard does ("domain to ASCII").
 */

import { LAST_ASCII } from './bytes.ts'

const IGNORED = /^\p{Default_Ignorable_Code_Point}$/u
const ASCII = /^[!-[\]-~]+$/
// A full stop to UTS 46 alone.
const IDEOGRAPHIC_FULL_STOP = '。'
const LAST = 0x10ffff
const PAGE = 256

// Each is made once: lines full of ever other characters cost no more than others do.
const pages: (readonly (string | undefined)[] | undefined)[] = []
const NOTHING_FOLDED: readonly undefined[] = []

/**
 * The ASCII that a code point is mapped to; empty where it is left out; `undefined` where it stays itself. So does `＼`: with the first backslash
 * of an escape of JSON it would make another one, and divide that.
 */
export function foldedToAscii(codePoint: number): string | undefined {
  if (codePoint > LAST) return undefined
  const page = Math.floor(codePoint / PAGE)
  pages[page] ??= pageOf(page * PAGE)
  return pages[page]?.[codePoint % PAGE]
}

/** What a character of UTF-8 is mapped to. One object, read anew each time. */
export interface Folded {
  /** How many bytes it takes. */
  length: number
  /** ASCII; `undefined` where it stays itself. */
  text: string | undefined
}

/** Reads a character in UTF-8, in more bytes than it needs as well: some read that too. @param found - where the answer is put */
export function readFolded(bytes: Uint8Array, at: number, to: number, found: Folded): void {
  const lead = bytes[at] as number
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2
  found.length = 1
  found.text = undefined
  if (lead < 0xc0 || lead >= 0xf8 || at + length > to) return
  let code = lead & (0xff >> (length + 1))
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i] as number
    if ((next & 0xc0) !== 0x80) return
    code = (code << 6) | (next & 0x3f)
  }
  found.length = length
  found.text = code <= LAST_ASCII ? String.fromCharCode(code) : foldedToAscii(code)
}

function pageOf(first: number): readonly (string | undefined)[] {
  const page = Array.from({ length: PAGE }, (_, i) => fold(first + i))
  return page.some((folded) => folded !== undefined) ? page : NOTHING_FOLDED
}

function fold(codePoint: number): string | undefined {
  if (codePoint >= 0xd800 && codePoint < 0xe000) return undefined
  const character = String.fromCodePoint(codePoint)
  if (IGNORED.test(character)) return ''
  const normal = character.normalize('NFKC').replaceAll(IDEOGRAPHIC_FULL_STOP, '.')
  return ASCII.test(normal) ? normal : undefined
}
