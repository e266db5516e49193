/** The first request to end finishes what is in hand; the second does not wait. Either way the same command goes on later. */

import { Interrupted } from './cli-error.ts'
import { ExitCode } from './exit-code.ts'
import type { System } from './system.ts'

export class Interruption {
  readonly #controller = new AbortController()
  readonly #stopListening: () => void

  /** @param onRequest - told of the first request, and of the second, after which nothing else runs */
  constructor(system: Pick<System, 'onSignal' | 'exit'>, onRequest: (which: 'first' | 'second') => void) {
    this.#stopListening = system.onSignal(() => {
      if (this.signal.aborted) {
        onRequest('second')
        system.exit(ExitCode.interrupted)
      }
      this.#controller.abort(new Interrupted('interrupted'))
      onRequest('first')
    })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** From here on a signal ends the process as it would any other. */
  end(): void {
    this.#stopListening()
  }
}
