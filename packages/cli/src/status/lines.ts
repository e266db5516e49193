/** Rows as lines of a terminal, none wider than it but those that are to be copied. */

import type { Style } from '../terminal/style.ts'
import { shown } from '../terminal/shown.ts'
import { wrapBeside } from '../terminal/wrap.ts'
import type { Row } from './rows.ts'

const INDENT = 15

/** @param width - columns */
export function statusLines(rows: readonly Row[], width: number, style: Style): readonly string[] {
  return rows.flatMap(({ label, text, tone, isHead = false, isWhole = false }, i) => {
    const [first = '', ...rest] = isWhole
      ? [shown(label).padEnd(INDENT) + shown(text)]
      : wrapBeside(shown(label), shown(text), { indent: INDENT, width })
    const gap = isHead && i > 0 ? [''] : []
    return [...gap, isHead ? style('strong', first) : withTone(first, shown(label), tone, style), ...rest.map((line) => style(tone, line))]
  })
}

// The label stays as it is: only what it says has a tone.
function withTone(line: string, label: string, tone: Parameters<Style>[0], style: Style): string {
  return line.slice(0, label.length) + style(tone, line.slice(label.length))
}
