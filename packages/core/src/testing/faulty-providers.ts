/** Key providers that misbehave, each around a good one: what a vault must withstand. */

import { StrongroomError } from '../errors.ts'
import type { Destruction } from '../format/records.ts'
import type { KeyProvider } from '../keys/key-provider.ts'

const DAY_MS = 86_400_000

interface Signalled {
  readonly signal?: AbortSignal
}

// One object that does `before` ahead of every call of `provider`.
function before(provider: KeyProvider, hook: (signal: AbortSignal | undefined) => Promise<void>): KeyProvider {
  async function ahead<T>(options: Signalled | undefined, call: () => Promise<T>): Promise<T> {
    await hook(options?.signal)
    return call()
  }
  return {
    region: provider.region,
    versions: (options) => ahead(options, () => provider.versions(options)),
    wrap: (plaintext, options) => ahead(options, () => provider.wrap(plaintext, options)),
    unwrap: (wrapped, options) => ahead(options, () => provider.unwrap(wrapped, options)),
    createVersion: (number, options) => ahead(options, () => provider.createVersion(number, options)),
    destroyVersion: (number, options) => ahead(options, () => provider.destroyVersion(number, options)),
  }
}

/**
 * Answers late. An aborted signal ends the wait at once: the call then rejects with the signal's reason and `provider` is not asked.
 *
 * @param options - `delay` in milliseconds, before every call
 *
 * @example
 * ```ts
 * import { memoryKeyProvider, slowProvider } from '@strongroom/core/testing'
 *
 * const slow = slowProvider(memoryKeyProvider(), { delay: 60_000 })
 * await slow.versions({ signal: AbortSignal.timeout(10) }).catch((error) => console.log(error.name))   // TimeoutError
 * ```
 */
export function slowProvider(provider: KeyProvider, options: { readonly delay: number }): KeyProvider {
  return before(provider, (signal) => wait(options.delay, signal))
}

function wait(delay: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason)
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, delay)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** A provider that can be switched off and on while it is in use. */
export interface DownProvider extends KeyProvider {
  /** While true, which it is at first, every call throws `key_provider_unavailable`. */
  isDown: boolean
}

/**
 * Cannot be reached.
 *
 * @example
 * ```ts
 * import { downProvider, memoryKeyProvider } from '@strongroom/core/testing'
 *
 * const provider = downProvider(memoryKeyProvider())
 * await provider.versions().catch((error) => console.log(error.code))   // key_provider_unavailable
 * provider.isDown = false
 * await provider.versions()
 * ```
 */
export function downProvider(provider: KeyProvider): DownProvider {
  const down: DownProvider = {
    isDown: true,
    ...before(provider, async () => {
      if (down.isDown) throw new StrongroomError('key_provider_unavailable', 'the key provider is down (a test made it so)')
    }),
  }
  return down
}

export interface Throttling {
  /** How many calls pass first. Default 0. */
  readonly allowed?: number
  /** How many calls after those are refused with `key_provider_throttled`, before calls pass again. Default: all. */
  readonly refused?: number
}

/**
 * Refuses because it was asked too often.
 *
 * @example
 * ```ts
 * import { memoryKeyProvider, throttledProvider } from '@strongroom/core/testing'
 *
 * const provider = throttledProvider(memoryKeyProvider(), { refused: 1 })
 * await provider.versions().catch((error) => console.log(error.code))   // key_provider_throttled
 * await provider.versions()
 * ```
 */
export function throttledProvider(provider: KeyProvider, { allowed = 0, refused = Infinity }: Throttling = {}): KeyProvider {
  let calls = 0
  return before(provider, async () => {
    calls++
    if (calls > allowed && calls <= allowed + refused) {
      throw new StrongroomError('key_provider_throttled', 'the key provider was asked too often (a test made it so)')
    }
  })
}

/**
 * Says that it serves another region than the one it is registered under.
 *
 * @example
 * ```ts
 * import { memoryKeyProvider, wrongRegionProvider } from '@strongroom/core/testing'
 *
 * console.log(wrongRegionProvider(memoryKeyProvider({ region: 'eu' }), 'us').region)   // us
 * ```
 */
export function wrongRegionProvider(provider: KeyProvider, region: string): KeyProvider {
  return { ...before(provider, async () => {}), region }
}

export interface NonDestroying {
  /** What it claims. Default `scheduled`. */
  readonly level?: 'scheduled' | 'operator-asserted'
  /** Milliseconds until the destruction that it promises, and that never comes. Default 30 days if scheduled, else 0. */
  readonly delay?: number
}

/**
 * Answers `destroyVersion` and destroys nothing: the version stays live, listed and able to unwrap.
 *
 * @throws StrongroomError `wrong_root_key` from `destroyVersion`, if there is no such version
 *
 * @example
 * ```ts
 * import { memoryKeyProvider, nonDestroyingProvider } from '@strongroom/core/testing'
 *
 * const provider = nonDestroyingProvider(memoryKeyProvider())
 * const { level } = await provider.destroyVersion(1)
 * const [one] = await provider.versions()
 * console.log(level, one?.state)   // scheduled live
 * ```
 */
export function nonDestroyingProvider(provider: KeyProvider, { level = 'scheduled', delay }: NonDestroying = {}): KeyProvider {
  const answers = new Map<number, Destruction>()
  return {
    ...before(provider, async () => {}),
    async destroyVersion(number, options) {
      const known = await provider.versions(options)
      if (!known.some((version) => version.number === number))
        throw new StrongroomError('wrong_root_key', 'this provider has no such root version')
      const effectiveAt = Date.now() + (delay ?? (level === 'scheduled' ? 30 * DAY_MS : 0))
      const answer = answers.get(number) ?? { level, effectiveAt, copiesUntil: effectiveAt }
      answers.set(number, answer)
      return answer
    },
  }
}
