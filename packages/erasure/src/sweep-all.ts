/** One call for cron: everything that has to be swept, each until it has no more to do. */

import { invalidArgument, readOptions, type Sweepable, type SweepFailure, type SweepOptions } from '@strongroom/core'

import { codeOf, reasonOf } from './parts.ts'

/** Options of {@link sweep}. */
export interface SweepAllOptions extends SweepOptions {
  /** Called behind each round of each. What it throws is dropped. */
  readonly onProgress?: ((progress: Swept) => void) | undefined
}

// As in the report of one sweep.
const MOST_FAILURES = 100

/** What was done of one sweepable. Data, and no message: safe to log. */
export interface Swept {
  readonly name: string
  readonly done: number
  /** As of its last round. */
  readonly waiting: number
  /** Of those that wait, the ones that wait for the release of a legal hold. Left out where there is none. */
  readonly held?: number | undefined
  /** As of its last round. */
  readonly damaged: number
  /** Of all rounds: what has failed in one waits, and most often the next does not come to it. */
  readonly failed: number
  /**
   * Of all rounds, the first hundred, each once. The last is about the sweepable itself, where that has thrown. What was thrown is left out: it
   * may name somebody.
   */
  readonly failures: readonly Omit<SweepFailure, 'cause'>[]
}

/**
 * Sweeps all of them, one after the other, each until it has no more to do. One that throws keeps no other from being swept. Safe from cron on
 * any number of machines at once.
 *
 * @returns for each in turn what was done
 * @throws StrongroomError `invalid_argument`; the signal's reason
 * @example
 * ```ts
 * import { type Sweepable } from '@strongroom/core'
 * import { sweep } from '@strongroom/erasure'
 *
 * async function everyTenMinutes(all: readonly Sweepable[]) {
 *   for (const { name, done, waiting, failures } of await sweep(all)) console.log(name, done, waiting, failures)
 * }
 * ```
 */
export async function sweep(all: readonly Sweepable[], options?: SweepAllOptions): Promise<readonly Swept[]> {
  const { signal, onProgress = () => undefined } = readOptions(options, ['signal', 'onProgress'])
  if (!Array.isArray(all) || !all.every(isSweepable)) throw invalidArgument('all', 'must be a list of what has a name and sweep')
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidArgument('signal', 'must be an AbortSignal')
  if (typeof onProgress !== 'function') throw invalidArgument('onProgress', 'must be a function')
  const results: Swept[] = []
  for (const each of all as readonly Sweepable[]) results.push(await sweepOne(each, signal, onProgress))
  return results
}

async function sweepOne(each: Sweepable, signal: AbortSignal | undefined, onProgress: (progress: Swept) => void): Promise<Swept> {
  const { name } = each
  let swept: Swept = { name, done: 0, waiting: 0, damaged: 0, failed: 0, failures: [] }
  for (let isMore = true; isMore;) {
    signal?.throwIfAborted()
    try {
      const { done, waiting, held, damaged, failed, failures } = await each.sweep({ signal })
      const all = merged(swept.failures, failures.map(withoutCause))
      swept = {
        name,
        done: swept.done + done,
        waiting,
        ...(held === undefined ? {} : { held }),
        damaged,
        failed: swept.failed + failed,
        failures: all,
      }
      isMore = done > 0
    } catch (error) {
      signal?.throwIfAborted()
      swept = { ...swept, failed: swept.failed + 1, failures: [...swept.failures, { place: name, ...reasonOf(codeOf(error)) }] }
      isMore = false
    }
    try {
      onProgress(swept)
    } catch {
      // It is told, and asked nothing.
    }
  }
  return swept
}

function merged(before: Swept['failures'], more: Swept['failures']): Swept['failures'] {
  const all = new Map([...before, ...more].map((failure) => [`${failure.reason} ${failure.place}`, failure]))
  return [...all.values()].slice(0, MOST_FAILURES)
}

function withoutCause({ place, reason, code, remaining }: SweepFailure): Omit<SweepFailure, 'cause'> {
  return { place, reason, ...(code === undefined ? {} : { code }), ...(remaining === undefined ? {} : { remaining }) }
}

function isSweepable(each: unknown): each is Sweepable {
  return (
    typeof each === 'object' &&
    each !== null &&
    'name' in each &&
    typeof each.name === 'string' &&
    'sweep' in each &&
    typeof each.sweep === 'function'
  )
}
