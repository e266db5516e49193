/** What a value is made into before it is indexed, so that what people take for the same is the same (docs/format.md, "Normalisers"). */

import { invalidArgument } from '../errors.ts'
import { attempt } from '../read-options.ts'
import type { Normaliser } from './index-value.ts'
import { canonicalScalar } from './scalar.ts'

/** The normaliser of a blind index, without the version of its rules. */
export type Normalize = 'email' | 'phone' | 'text' | 'none'

/** The newest version of each: what new values are made with. */
export const NORMALISERS: Readonly<Record<Normalize, Normaliser>> = { email: 'email/1', phone: 'phone/1', text: 'text/1', none: 'none/1' }

// Written out, because a table of Unicode changes and this must not.
const SPACE = String.raw`\u0009-\u000d\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff`
const OUTER_SPACE = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, 'gu')
const RUN_OF_SPACE = new RegExp(`[${SPACE}]+`, 'gu')
// What people write between digits, and what phones and address books put there unseen.
const BETWEEN_DIGITS = new RegExp(String.raw`[${SPACE}().\/\u002d\u2010-\u2015\u2212\u00ad\u200b-\u200f\u202a-\u202e\u2060]`, 'gu')
const OTHER_DIGITS = /[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/gu
const TRUNK_ZERO = /\(0+\)/u
const INTERNATIONAL = /^\+[1-9][0-9]{6,14}$/u
// Also code points that a later Unicode will give a meaning, and with it a lower case or a decomposition.
const UNASSIGNED = /\p{Cn}/u
const FINAL_SIGMA = /\u03c2/gu
// Of these only the case changes: every Unicode has them, none is composed of others, and none is a space.
const VISIBLE_ASCII = /^[\u0021-\u007e]*$/u

/**
 * The canonical scalar of a value as it is indexed.
 *
 * @throws StrongroomError `invalid_argument` for what the normaliser cannot make one thing of
 */
export function normalisedScalar(normaliser: Normaliser, value: unknown, argument: string): Uint8Array {
  if (normaliser === 'none/1') return canonicalScalar(value, argument)
  if (typeof value !== 'string') throw invalidArgument(argument, `must be a string: it is indexed as ${normaliser}`)
  return canonicalScalar(TEXTS[normaliser](value, argument), argument)
}

/**
 * Whether a value can be indexed, asked without a key: for an adapter that refuses what it cannot store before it makes one. With
 * `none` that is whether it is a scalar at all, as a record binding has to be.
 *
 * @throws StrongroomError `invalid_argument` naming `argument`
 * @example
 * ```ts
 * import { requireIndexable } from '@strongroom/core'
 *
 * requireIndexable('phone', '+44 20 7946 0001', 'phone')
 * ```
 */
export function requireIndexable(normalize: Normalize, value: unknown, argument: string): void {
  normalisedScalar(normaliserOf(normalize), value, argument)
}

const TEXTS: Readonly<Record<Exclude<Normaliser, 'none/1'>, (text: string, argument: string) => string>> = {
  'email/1': (text, argument) => folded(text, argument, 'NFC', (lower) => lower.replace(OUTER_SPACE, '')),
  'text/1': (text, argument) => folded(text, argument, 'NFKC', (lower) => lower.replace(RUN_OF_SPACE, ' ').replace(OUTER_SPACE, '')),
  'phone/1': phone,
}

function phone(text: string, argument: string): string {
  const ascii = text.replace(/\uff0b/gu, '+').replace(OTHER_DIGITS, (digit) => String(digitOf(digit)))
  const joined = ascii.replace(BETWEEN_DIGITS, '')
  if (TRUNK_ZERO.test(ascii) || !INTERNATIONAL.test(joined))
    throw invalidArgument(
      argument,
      'must be a telephone number in international form: + and country code, 7 to 15 digits, no (0), no extension',
    )
  return joined
}

function digitOf(digit: string): number {
  const code = digit.codePointAt(0) as number
  return code >= 0xff10 ? code - 0xff10 : code >= 0x06f0 ? code - 0x06f0 : code - 0x0660
}

function requireKnown(text: string, argument: string): void {
  if (!text.isWellFormed()) throw invalidArgument(argument, 'must not hold lone surrogates')
  if (UNASSIGNED.test(text))
    throw invalidArgument(
      argument,
      'must not hold characters that the Unicode of this runtime does not know: a newer one could index them otherwise',
    )
}

// Normalised again, since a lower case can be of several code points.
function folded(text: string, argument: string, form: 'NFC' | 'NFKC', spaces: (lower: string) => string): string {
  if (VISIBLE_ASCII.test(text)) return text.toLowerCase()
  requireKnown(text, argument)
  return spaces(text.normalize(form).toLowerCase().replace(FINAL_SIGMA, '\u03c3').normalize(form))
}

/** The normaliser of an option; `none` where there is none. @throws StrongroomError `invalid_argument` */
export function normaliserOf(normalize: unknown): Normaliser {
  if (normalize === undefined) return NORMALISERS.none
  const known = typeof normalize === 'string' && attempt('normalize', () => Object.hasOwn(NORMALISERS, normalize))
  if (!known) throw invalidArgument('normalize', `must be one of ${Object.keys(NORMALISERS).join(', ')}`)
  return NORMALISERS[normalize as Normalize]
}
