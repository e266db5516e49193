/** Options objects of callers: read once, checked for what is not there, whatever they throw. */

import { invalidArgument } from './errors.ts'

/**
 * For stores, providers and adapters: the known options of an object. A misspelt option would otherwise silently do nothing.
 *
 * @throws StrongroomError `invalid_argument`: `options` where it is no object or has an option that there is not, else the
 *   option whose reading threw
 * @example
 * ```ts
 * import { readOptions } from '@strongroom/core'
 *
 * function open(options?: { readonly directory?: string }): string {
 *   const { directory = 'vault' } = readOptions(options, ['directory'])
 *   return directory
 * }
 * ```
 */
export function readOptions<T extends object, K extends keyof T & string>(
  options: T | undefined,
  known: readonly K[],
): Partial<Pick<T, K>> {
  if (options === undefined) return {}
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'must be an object')
  const read: Partial<Pick<T, K>> = {}
  for (const name of known) {
    const value = attempt(name, () => options[name])
    if (value !== undefined) read[name] = value
  }
  const keys = attempt('options', () => Reflect.ownKeys(options))
  if (keys.some((key) => !(known as readonly unknown[]).includes(key))) {
    throw invalidArgument('options', `must hold no other options than ${known.join(', ')}; there is one of another name`)
  }
  return read
}

/** Runs code that may belong to the caller. What it throws goes no further: it may hold the value. */
export function attempt<T>(argument: string, read: () => T): T {
  try {
    return read()
  } catch {
    throw invalidArgument(argument, 'could not be read: it threw')
  }
}
