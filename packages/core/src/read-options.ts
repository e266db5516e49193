/** Options objects of callers: read once, checked for what is not there, whatever they throw. */

import { invalidArgument, type StrongroomError } from './errors.ts'

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
  // What is being read when the caller's code throws. One try for all of it: this runs for each value that is encrypted.
  let reading: string = 'options'
  let names: readonly PropertyKey[]
  try {
    for (const name of known) {
      reading = name
      const value = options[name]
      if (value !== undefined) read[name] = value
    }
    reading = 'options'
    names = Reflect.ownKeys(options)
  } catch {
    throw threw(reading)
  }
  for (const name of names)
    if (!(known as readonly unknown[]).includes(name))
      throw invalidArgument('options', `must not hold ${shownName(name)}; there are ${known.join(', ')}`)
  return read
}

const NAME = /^[$A-Za-z_][\w$.[\]]{0,63}$/u

/**
 * For stores, providers and adapters: a name that a caller gave, such as that of an option or a member, as an error may show it. What does
 * not look like a name in a program may be a value that came to stand where a name belongs, and is not shown.
 *
 * @example
 * ```ts
 * import { invalidArgument, shownName } from '@strongroom/core'
 *
 * function requireKnown(name: string): void {
 *   if (name !== 'directory') throw invalidArgument('options', `must not hold ${shownName(name)}`)
 * }
 * ```
 */
export function shownName(name: unknown): string {
  return typeof name === 'string' && NAME.test(name) ? name : 'a name that is not shown here'
}

/** Runs code that may belong to the caller. What it throws goes no further: it may hold the value. */
export function attempt<T>(argument: string, read: () => T): T {
  try {
    return read()
  } catch {
    throw threw(argument)
  }
}

function threw(argument: string): StrongroomError {
  return invalidArgument(argument, 'could not be read: it threw')
}
