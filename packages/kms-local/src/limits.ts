/** Bounds of numbers and names, the same for arguments and for what a file holds. */

/** Root versions are numbered 1 … 2^32 − 1. */
export const LAST_NUMBER = 0xffff_ffff
/** The last instant that a Date can hold, in UTC milliseconds. */
export const LAST_INSTANT = 8_640_000_000_000_000
/** Bytes of a root key file. Room for some thousand versions. */
export const FILE_BYTES = 1_048_576

const REGION_CHARACTERS = 255

export function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
}

/** A non-empty name without lone surrogates. */
export function isRegion(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= REGION_CHARACTERS && value.isWellFormed()
}
