/** Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PoPETS 2019, section 4). */

const MARKER = 0x80

/** The length to which `length` is rounded up: at most 12 % more, and only O(log log n) bits of the length remain visible. */
export function padmeLength(length: number): number {
  if (length < 2) return length
  const exponent = Math.floor(Math.log2(length))
  const kept = Math.floor(Math.log2(exponent)) + 1
  const step = 2 ** Math.max(0, exponent - kept)
  return Math.ceil(length / step) * step
}

/** Where the body ends in a padded frame, that is where its marker 0x80 stands before zeros only; `undefined` if not canonical. */
export function paddedBodyEnd(frame: Uint8Array): number | undefined {
  let at = frame.length - 1
  while (at > 0 && frame[at] === 0) at--
  if (at < 1 || frame[at] !== MARKER || padmeLength(at + 1) !== frame.length) return undefined
  return at
}

/** Writes the marker at `end`; the zeros behind it are there already. */
export function markPadding(frame: Uint8Array, end: number): void {
  frame[end] = MARKER
}
