/** The options of `createCredentials`, checked. */

import { invalidArgument, readOptions } from '@strongroom/core'

import type { OnEvent } from './events.ts'
import { AT_FAILPOINT, type AtFailpoint } from './failpoints.ts'
import { checkProvider, type CheckedProvider, type Provider } from './providers/provider.ts'

/** Options of {@link createCredentials}. The same in every process. */
export interface CredentialsOptions {
  /** The systems that customers connect, by names that are stored and cannot change. */
  readonly providers: Readonly<Record<string, Provider>>
  readonly onEvent?: OnEvent
  /** Milliseconds ahead of its end that an access token is refreshed; 60,000 if not given, and never more than half its life. */
  readonly refreshAhead?: number
  /** Milliseconds for one request to an authorisation server; 10,000 if not given. */
  readonly timeout?: number
  /** Milliseconds after which nobody waits any longer for a process that asks for new tokens; 30,000 if not given. At least twice `timeout`: an answer has to be stored as well. */
  readonly lease?: number
  /** Connections whose keys are held for the next use; 1,000 if not given. */
  readonly maxWarm?: number
  /** `globalThis.fetch` unless given. */
  readonly fetch?: typeof globalThis.fetch
}

/** The options, complete. */
export interface CheckedCredentialsOptions extends Required<Omit<CredentialsOptions, 'providers'>> {
  readonly providers: ReadonlyMap<string, CheckedProvider>
  readonly failpoint: AtFailpoint
}

const NAMES = ['providers', 'onEvent', 'refreshAhead', 'timeout', 'lease', 'maxWarm', 'fetch'] as const

/** @throws StrongroomError `invalid_argument` naming the option */
export function checkCredentialsOptions(given: CredentialsOptions): CheckedCredentialsOptions {
  const { [AT_FAILPOINT]: failpoint = () => undefined, ...plain } = (given ?? {}) as CredentialsOptions & {
    readonly [AT_FAILPOINT]?: AtFailpoint
  }
  const { providers, onEvent = () => undefined, fetch = globalThis.fetch, ...numbers } = readOptions(plain, NAMES)
  if (typeof providers !== 'object' || providers === null) throw invalidArgument('providers', 'must map each name to a provider')
  if (typeof onEvent !== 'function') throw invalidArgument('onEvent', 'must be a function')
  if (typeof fetch !== 'function') throw invalidArgument('fetch', 'must be a function')
  const timeout = whole(numbers.timeout, 'timeout', 100, 300_000) ?? 10_000
  const lease = whole(numbers.lease, 'lease', 100, 600_000) ?? Math.max(30_000, 2 * timeout)
  if (lease < 2 * timeout) throw invalidArgument('lease', 'must be at least twice timeout: an answer has to be stored as well')
  return {
    providers: new Map(Object.entries(providers).map(([name, provider]) => [name, checkProvider(name, provider)])),
    onEvent,
    fetch,
    timeout,
    lease,
    refreshAhead: whole(numbers.refreshAhead, 'refreshAhead', 0, 3_600_000) ?? 60_000,
    maxWarm: whole(numbers.maxWarm, 'maxWarm', 1, 1_000_000) ?? 1000,
    failpoint,
  }
}

function whole(value: number | undefined, argument: string, least: number, most: number): number | undefined {
  if (value === undefined) return undefined
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw invalidArgument(argument, `must be a whole number from ${least} to ${most}`)
  return value
}
