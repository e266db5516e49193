/** Taking parts of a secret out of a text, not only the whole of it: JSON.parse and others repeat the beginning of what they were given. */

/**
 * A text without any run of so many characters, and more, that one of the forms has too; a shorter form is taken out as a whole. Upper and
 * lower case are one.
 */
export function withoutRuns(text: string, forms: readonly string[], length: number, instead: string): string {
  const isTaken = new Uint8Array(text.length)
  for (const view of [asItIs, bare]) {
    const { characters, from } = view(text)
    const { runs, short } = piecesOf(
      forms.map((form) => view(form).characters),
      length,
    )
    const take = (at: number, count: number): void => void isTaken.fill(1, from[at], (from[at + count - 1] ?? 0) + 1)
    for (let at = 0; at + length <= characters.length; at++) if (runs.has(characters.slice(at, at + length))) take(at, length)
    if (view === bare) continue
    for (const form of short)
      for (let at = characters.indexOf(form); at !== -1; at = characters.indexOf(form, at + 1)) take(at, form.length)
  }
  return replaced(text, isTaken, instead)
}

/** What is compared of a text, and where each character of it stood. */
interface View {
  readonly characters: string
  readonly from: readonly number[]
}

function asItIs(text: string): View {
  return viewOf(text, () => true)
}

/** Without backslashes and blanks: however often it was escaped, and wherever it was wrapped. */
function bare(text: string): View {
  return viewOf(text, (character) => !/[\s\\]/.test(character))
}

function viewOf(text: string, counts: (character: string) => boolean): View {
  // Of the letters of ASCII alone: others change their length.
  const lower = text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
  const from = Array.from({ length: lower.length }, (_, at) => at).filter((at) => counts(lower.charAt(at)))
  return { characters: from.map((at) => lower.charAt(at)).join(''), from }
}

function piecesOf(forms: readonly string[], length: number): { readonly runs: ReadonlySet<string>; readonly short: readonly string[] } {
  const runs = new Set<string>()
  for (const form of forms) for (let at = 0; at + length <= form.length; at++) runs.add(form.slice(at, at + length))
  return { runs, short: forms.filter((form) => form.length < length) }
}

function replaced(text: string, isTaken: Uint8Array, instead: string): string {
  let rest = ''
  for (let at = 0; at < text.length; at++) {
    if (isTaken[at] !== 1) rest += text.charAt(at)
    else if (isTaken[at - 1] !== 1) rest += instead
  }
  return rest
}
