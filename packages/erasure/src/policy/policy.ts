/** What was promised about deletion, in numbers: refused where it cannot be kept. */

import { invalidArgument, minutes, readOptions, requireWithinDeadline, type DeadlineTerm } from '@strongroom/core'

/** What passes between a request to delete and the moment when nobody can undo it, one after the other. Milliseconds. */
export interface PolicyTerms {
  /** What was promised, counted from the request: after so long no copy of the data can be read, whatever backup somebody has. */
  readonly deadline: number
  /** How long a request can be taken back. 0: it is carried out at once. */
  readonly grace: number
  /**
   * How long sweeping may take to destroy what is due: have `sweep` run at least eight times in it. An instant has come once sweeps that are a
   * quarter of it apart agree that it has.
   */
  readonly sweep: number
  /** As the vault was made with it: another process may use a key so long. */
  readonly cacheBound: number
  /** How often the root key is rotated and its epoch closed: until then a backup of the key store brings a destroyed key back. */
  readonly epoch: number
  /** How long the key provider takes to destroy a root version once it is asked to. Clouds take days; a local key file 0. */
  readonly providerDelay: number
  /** How long copies of the root key live: backups of its file. */
  readonly copies: number
}

/** Terms as they are given: the cache bound is a minute unless told, as `initVault` has it. */
export interface PolicyOptions extends Omit<PolicyTerms, 'cacheBound'> {
  readonly cacheBound?: number
}

/** When what has happened, at the latest. Milliseconds from the request. */
export interface PolicyTimes {
  /** No process decrypts it any more; until `cancel`, or for good. */
  readonly suspended: number
  /** Its keys are destroyed. */
  readonly shredded: number
  /** Nobody can read it, whatever backup he has. */
  readonly everywhere: number
}

/** A promise that can be kept, as `createErasure` takes it. Frozen. */
export interface Policy extends PolicyTerms {
  times(): PolicyTimes
}

const WORDS: Readonly<Record<Exclude<keyof PolicyTerms, 'deadline'>, string>> = {
  grace: 'a grace',
  sweep: 'a time for sweeping (until what is due is destroyed)',
  cacheBound: 'a cache bound (in which a running program may still use a key)',
  epoch: 'an epoch (until older backups of the keys are made useless)',
  providerDelay: 'a delay of the key provider',
  copies: 'a life of copies of the root key',
}
const TERMS = Object.keys(WORDS) as readonly (keyof typeof WORDS)[]

/**
 * Defines what was promised, and refuses what cannot be kept: a message says in words by how much, and which term is the longest.
 *
 * @throws StrongroomError `invalid_argument`: `argument` is the term to blame
 * @example
 * ```ts
 * import { days, hours } from '@strongroom/core'
 * import { definePolicy } from '@strongroom/erasure'
 *
 * const policy = definePolicy({
 *   deadline: days(60),
 *   grace: days(30),
 *   sweep: hours(1),
 *   epoch: days(7),
 *   providerDelay: 0,
 *   copies: days(14),
 * })
 * console.log(policy.times().everywhere)
 * ```
 */
export function definePolicy(options: PolicyOptions): Policy {
  const { cacheBound = minutes(1), ...given } = readOptions(options, ['deadline', ...TERMS])
  const terms = { ...given, cacheBound } as PolicyTerms
  const everywhere = requireWithinDeadline(
    terms.deadline,
    TERMS.map((name): DeadlineTerm => ({ argument: name, words: WORDS[name], length: terms[name] })),
  )
  for (const name of ['sweep', 'cacheBound', 'epoch'] as const) if (terms[name] === 0) throw invalidArgument(name, 'must be more than 0')
  const times = { suspended: terms.cacheBound, shredded: terms.grace + terms.sweep, everywhere }
  return Object.freeze({ ...termsOf(terms), times: () => ({ ...times }) })
}

/** The terms of a policy alone, in one order. */
export function termsOf({ deadline, grace, sweep, cacheBound, epoch, providerDelay, copies }: PolicyTerms): PolicyTerms {
  return { deadline, grace, sweep, cacheBound, epoch, providerDelay, copies }
}
