/** Text of someone else's, fit for a terminal: whatever would steer it, or hide what is there, is written out. */

// Control characters (C0, C1, DEL), what steers the direction or takes no room, line separators, and halves of pairs.
const STEERING = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** One line: a line feed is written out too. */
export function shown(text: string): string {
  return text.replaceAll(STEERING, (found) => `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`)
}

/** Text of several lines: only line feeds are left. */
export function shownLines(text: string): string {
  return text.split('\n').map(shown).join('\n')
}

/** The same within JSON, by its own escapes. It has none of C0 any more. */
export function shownJson(json: string): string {
  return json.replaceAll(STEERING, (found) =>
    Array.from({ length: found.length }, (_, i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  )
}
