import { inspect } from 'node:util'

import { StrongroomError } from '#core/errors.js'

/** How a call was refused, and whether anything printed of the error shows `marker`. */
export function refusal(call: () => unknown, marker = 'SECRET'): { code: string; argument: string | undefined; leaks: boolean } {
  let result: unknown
  try {
    result = call()
  } catch (error) {
    if (!(error instanceof StrongroomError)) throw new Error('threw something else', { cause: error })
    const { stack: _, ...shown } = error
    const printed = [
      error.message,
      String(error),
      JSON.stringify(error),
      inspect(shown, { depth: 9, showHidden: true }),
      inspect(error.cause, { depth: 9 }),
    ]
    return { code: error.code, argument: error.argument, leaks: printed.some((all) => all.includes(marker)) }
  }
  throw new Error(`was accepted: ${typeof result}`)
}
