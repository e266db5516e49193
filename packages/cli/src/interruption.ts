/** The first request to end finishes what is in hand; the second does not wait. Either way the same command goes on later. */

import { Interrupted } from './cli-error.ts'
import { ExitCode } from './exit-code.ts'
import type { EndSignal, System } from './system.ts'

export class Interruption {
  readonly #controller = new AbortController()
  readonly #stopListening: () => void
  readonly #system: System
  #received: EndSignal | undefined

  /** @param onRequest - told of the first request, and of the second, after which nothing else runs */
  constructor(system: System, onRequest: (which: 'first' | 'second') => void) {
    this.#system = system
    this.#stopListening = system.onSignal((signal) => {
      if (this.signal.aborted) {
        onRequest('second')
        // A thread that is blocked would keep the process: then it ends as the signal ends any other.
        if (system.isHeld()) system.endBy(signal)
        this.endByHangUp()
        system.exit(ExitCode.interrupted)
      }
      this.#received = signal
      this.#controller.abort(new Interrupted('interrupted'))
      onRequest('first')
    })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The first request, where there was one. */
  get received(): EndSignal | undefined {
    return this.#received
  }

  /** From here on a signal ends the process as it would any other. */
  end(): void {
    this.#stopListening()
  }

  /** A process whose terminal is gone cannot end by itself: Node 20 would abort when it puts the terminal back as it was. */
  endByHangUp(): void {
    if (this.#received === 'SIGHUP' || this.#system.hasLostTerminal()) this.#system.endBy('SIGHUP')
  }
}
