/** Tasks of one process that must not overlap. */

export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `task` when all those before it have settled. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task)
    this.#last = turn.catch(() => undefined)
    return turn
  }
}
