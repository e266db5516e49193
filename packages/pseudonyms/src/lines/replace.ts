/** Writes bytes anew, with what stands for that which was found. */

import { ADDRESS, AMBIGUOUS_NUMBER, type Findings, INSERTION } from './findings.ts'

/** Stands for what was taken out and has no pseudonym. */
export const REDACTED = '[redacted]'

const REDACTED_IN_QUOTES = `"${REDACTED}"`

/** Findings and bytes, each from one to another. */
export interface Stretch {
  readonly from: number
  readonly to: number
  readonly firstFinding: number
  readonly endOfFindings: number
  readonly firstInsertion: number
}

/** @param texts - for the addresses of the stretch, in their order; `undefined` where none stands for them */
export function replace(bytes: Buffer, findings: Findings, stretch: Stretch, texts: readonly string[] | undefined): Buffer {
  const { from, to, firstFinding, endOfFindings, firstInsertion } = stretch
  const { starts, ends } = findings
  if (firstFinding === endOfFindings) return bytes.subarray(from, to)
  const replacements: string[] = []
  let length = to - from
  let address = 0
  let insertion = firstInsertion
  for (let i = firstFinding; i < endOfFindings; i++) {
    const kind = findings.kinds[i]
    let text = REDACTED
    if (kind === ADDRESS) text = texts?.[address++] ?? REDACTED
    else if (kind === AMBIGUOUS_NUMBER) text = REDACTED_IN_QUOTES
    // The only text that need not be ASCII, as the characters of its bytes.
    else if (kind === INSERTION) text = Buffer.from(findings.insertions[insertion++] as string).toString('latin1')
    replacements.push(text)
    length += text.length - ((ends[i] as number) - (starts[i] as number))
  }
  const written = Buffer.allocUnsafe(length)
  let [at, done] = [0, from]
  for (let i = firstFinding; i < endOfFindings; i++) {
    const start = starts[i] as number
    at += bytes.copy(written, at, done, start)
    at += written.write(replacements[i - firstFinding] as string, at, 'latin1')
    done = ends[i] as number
  }
  bytes.copy(written, at, done, to)
  return written
}
