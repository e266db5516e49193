/**
 * Characters beyond ASCII that parsers take for ASCII: `１９２。０。２。１` is the host 192.0.2.1 to whoever maps it by UTS 46, as the URL
 * standard does ("domain to ASCII").
 */

const MEMO = 4096
const memo = new Map<number, string | undefined>()
const IGNORED = /^\p{Default_Ignorable_Code_Point}$/u
const ASCII = /^[!-~]+$/
// A full stop to UTS 46 alone.
const IDEOGRAPHIC_FULL_STOP = '。'

/** The ASCII that a code point is mapped to; empty where it is left out; `undefined` where it stays itself. */
export function foldedToAscii(codePoint: number): string | undefined {
  if (memo.has(codePoint)) return memo.get(codePoint)
  if (memo.size >= MEMO) memo.clear()
  const folded = fold(codePoint)
  memo.set(codePoint, folded)
  return folded
}

function fold(codePoint: number): string | undefined {
  if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint < 0xe000)) return undefined
  const character = String.fromCodePoint(codePoint)
  if (IGNORED.test(character)) return ''
  const normal = character.normalize('NFKC').replaceAll(IDEOGRAPHIC_FULL_STOP, '.')
  return ASCII.test(normal) ? normal : undefined
}
