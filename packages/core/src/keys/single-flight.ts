/** One load for any number of callers that ask for the same thing at once. */

import type { Aging } from './key-cache.ts'
import { droppedFromMemory } from './open-node.ts'

interface Flight {
  result: Promise<Aging | undefined>
  /** Set once what is being loaded is known to have changed. */
  stale: boolean
}

/** Loads under way, by name. Neither failures nor absences are kept. */
export class SingleFlight {
  readonly #flights = new Map<string, Flight>()

  /**
   * Joins the load of that name, or begins it: `load` is called in this turn.
   *
   * @param keep - called with what was loaded, unless it went stale on the way
   * @throws StrongroomError `handle_expired` where it went stale: whoever asked, asks again
   */
  once<T extends Aging>(name: string, load: () => Promise<T | undefined>, keep: (loaded: T) => void): Promise<T | undefined> {
    const underWay = this.#flights.get(name)
    // A name stands for one kind of thing, so whoever began it loads the same type.
    if (underWay !== undefined) return underWay.result as Promise<T | undefined>
    const flight: Flight = { stale: false, result: Promise.resolve(undefined) }
    this.#flights.set(name, flight)
    const result = load()
      .then((loaded) => {
        if (flight.stale) {
          loaded?.destroy()
          throw droppedFromMemory()
        }
        if (loaded !== undefined) keep(loaded)
        return loaded
      })
      .finally(() => {
        if (this.#flights.get(name) === flight) this.#flights.delete(name)
      })
    // Whoever asked may have failed for another reason before it awaits this.
    result.catch(() => undefined)
    flight.result = result
    return result
  }

  /** Whoever asks from now on begins a load of their own; whoever waits is told to. */
  forget(name: string): void {
    const flight = this.#flights.get(name)
    if (flight === undefined) return
    flight.stale = true
    this.#flights.delete(name)
  }

  forgetAll(): void {
    for (const name of this.#flights.keys()) this.forget(name)
  }
}
