/**
 * Characters beyond ASCII that parsers take for ASCII: `１９２。０。２。１` is the host 192.0.2.1 to whoever maps it by UTS 46, as the URL
 * standard does ("domain to ASCII").
 */

const IGNORED = /^\p{Default_Ignorable_Code_Point}$/u
const ASCII = /^[!-~]+$/
// A full stop to UTS 46 alone.
const IDEOGRAPHIC_FULL_STOP = '。'
const LAST = 0x10ffff
const PAGE = 256

// Each is made once: lines full of ever other characters cost no more than others do.
const pages: (readonly (string | undefined)[] | undefined)[] = []
const NOTHING_FOLDED: readonly undefined[] = []

/** The ASCII that a code point is mapped to; empty where it is left out; `undefined` where it stays itself. */
export function foldedToAscii(codePoint: number): string | undefined {
  if (codePoint > LAST) return undefined
  const page = Math.floor(codePoint / PAGE)
  pages[page] ??= pageOf(page * PAGE)
  return pages[page]?.[codePoint % PAGE]
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
