/** Writing to a stream that may be gone: a closed pipe or terminal is an answer, not a crash. */

import type { Writable } from 'node:stream'

export class Output {
  readonly #stream: Writable
  #closed = false

  constructor(stream: Writable) {
    this.#stream = stream
    // Without a listener a closed pipe would end the process in the middle of its work.
    stream.on('error', () => {
      this.#closed = true
    })
  }

  /** @returns whether it was written */
  async write(text: string | Uint8Array): Promise<boolean> {
    if (this.#closed) return false
    return new Promise((resolve) => {
      this.#stream.write(text, (error) => resolve(error === null || error === undefined))
    })
  }
}
