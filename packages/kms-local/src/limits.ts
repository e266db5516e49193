/** Bounds of numbers and names, the same for arguments and for what a file holds. */

/** Root versions are numbered 1 … 2^32 − 1. */
export const LAST_NUMBER = 0xffff_ffff
/** The last instant that a Date can hold, in UTC milliseconds. */
export const LAST_INSTANT = 8_640_000_000_000_000
/** Bytes of a root key file. Room for some thousand versions. */
export const FILE_BYTES = 1_048_576

// The same as a vault takes for a region.
const REGION = /^[A-Za-z0-9_-]{1,64}$/

export function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
}

/** A region's name. */
export function isRegion(value: unknown): value is string {
  return typeof value === 'string' && REGION.test(value)
}
