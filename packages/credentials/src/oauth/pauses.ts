/**
 * Servers that do not answer, left alone for a while by this process, whichever connection it is about. Requests whose outcome nobody knows
 * cost a few connections then, and not all; and a server that comes back is not met by all at once.
 */

import { growingPause } from './growing-pause.ts'
import { type OAuthFailureCode, oauthError } from './outcome.ts'

// Of different connections, perhaps: one of them may fail for a reason of its own.
const FAILURES_IN_A_ROW = 5
const [FIRST_MS, MOST_MS] = [1000, 60_000]

/** All instants are monotonic milliseconds. */
interface Standing {
  readonly failures: number
  readonly code: OAuthFailureCode
  readonly pausedAt: number
  readonly until: number
}

/** Somebody's turn to ask: says how it ended. */
export interface Turn {
  answered(): void
  failed(code: OAuthFailureCode): void
}

export class Pauses {
  readonly #monotonic: () => number
  readonly #standing = new Map<string, Standing>()

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic
  }

  /**
   * To be called before a server is asked. Behind a pause one asks, and the others wait for how he fares.
   *
   * @param atMost - milliseconds that asking may take
   * @param cannotWait - whether what is asked for is lost if it is not asked for now
   * @throws StrongroomError `authorisation_server_…`: as it failed last, and is not to be asked now
   */
  turn(server: string, atMost: number, cannotWait = false): Turn {
    const began = this.#monotonic()
    const standing = this.#standing.get(server)
    if (standing !== undefined && standing.failures >= FAILURES_IN_A_ROW && !cannotWait) {
      if (began < standing.until) throw oauthError(standing.code)
      this.#standing.set(server, { ...standing, until: began + atMost })
    }
    return {
      answered: () => void this.#standing.delete(server),
      failed: (code) => this.#failed(server, code, began),
    }
  }

  #failed(server: string, code: OAuthFailureCode, began: number): void {
    const before = this.#standing.get(server)
    const failures = (before?.failures ?? 0) + 1
    const rounds = failures - FAILURES_IN_A_ROW + 1
    if (rounds < 1) return void this.#standing.set(server, { failures, code, pausedAt: 0, until: 0 })
    // Many that were under way when it went down are one failure.
    if (before !== undefined && before.pausedAt > began) return
    const now = this.#monotonic()
    this.#standing.set(server, { failures, code, pausedAt: now, until: now + growingPause(rounds, FIRST_MS, MOST_MS) })
  }
}
