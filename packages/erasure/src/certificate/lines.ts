/** Lines that fit a letter and a terminal. */

const WIDTH = 78
const LABEL = 20

/** `2030-01-01 03:04:05 UTC` */
export function instant(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ').concat(' UTC')
}

/** What a label stands before, wrapped beside it. */
export function labelled(label: string, text: string): readonly string[] {
  return wrapped(text, WIDTH - LABEL).map((line, i) => (i === 0 ? label : '').padEnd(LABEL) + line)
}

/** @param bullet - before the first line; the others are indented as far and a little more */
export function paragraph(text: string, bullet = ''): readonly string[] {
  const indent = bullet === '' ? '' : `${bullet}  `
  return wrapped(text, WIDTH - indent.length).map((line, i) => (i === 0 ? bullet : indent) + line)
}

/** Wrapped between words. A word that is wider than a line is cut, between code points. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((each) => cut(each, width))) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

function cut(word: string, width: number): readonly string[] {
  if (word.length <= width) return [word]
  const parts: string[] = []
  let part = ''
  for (const character of word) {
    if (part.length + character.length > width) {
      parts.push(part)
      part = ''
    }
    part += character
  }
  return [...parts, part]
}
