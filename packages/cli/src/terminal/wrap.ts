/** Text in columns: no line is wider than the terminal. */

const LEAST_TEXT = 16

/**
 * A label and what belongs to it, wrapped between words beneath itself. Where that would leave a sliver, the text goes under its label.
 * A word that is wider than the line is cut: a broken name can be read, a line that the terminal wraps breaks the table.
 *
 * @param indent - columns before the text; the label stands in them
 */
export function wrapBeside(label: string, text: string, { indent, width }: { readonly indent: number; readonly width: number }): string[] {
  if (width - indent >= LEAST_TEXT && label.length < indent)
    return wrapWords(text, width - indent).map((line, i) => (i === 0 ? label : '').padEnd(indent) + line)
  const beneath = label === '' ? [] : wrapWords(label, width)
  const margin = Math.min(2, width - 1)
  return [...beneath, ...wrapWords(text, width - margin).map((line) => ' '.repeat(margin) + line)]
}

/** Lines of at most so many characters. */
export function wrapWords(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((each) => cut(each, width))) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  lines.push(line)
  return lines
}

function cut(word: string, width: number): readonly string[] {
  if (word.length <= width) return [word]
  return Array.from({ length: Math.ceil(word.length / width) }, (_, i) => word.slice(i * width, (i + 1) * width))
}
