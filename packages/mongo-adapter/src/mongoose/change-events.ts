/** Changes as Mongoose takes them: one by one, or as the events of an emitter, which an encrypted stream is not. */

import { EventEmitter } from 'node:events'

import { StrongroomError } from '@strongroom/core'
import type { Document } from 'mongodb'

import type { EncryptedChangeStream } from '../collection/changes/change-stream.ts'

export class ChangeEvents extends EventEmitter {
  readonly #stream: EncryptedChangeStream<Document>
  #tells = false
  #isClosed = false

  constructor(stream: EncryptedChangeStream<Document>) {
    super()
    this.#stream = stream
    this.on('newListener', (event) => {
      if (event !== 'change' || this.#tells) return
      this.#tells = true
      void this.#tell()
    })
  }

  get closed(): boolean {
    return this.#stream.closed
  }

  get resumeToken(): unknown {
    return this.#stream.resumeToken
  }

  async next(): Promise<Document> {
    this.#requireAsked()
    return this.#stream.next()
  }

  async tryNext(): Promise<Document | null> {
    this.#requireAsked()
    return this.#stream.tryNext()
  }

  async hasNext(): Promise<boolean> {
    this.#requireAsked()
    return this.#stream.hasNext()
  }

  async close(): Promise<void> {
    const wasClosed = this.#isClosed
    this.#isClosed = true
    await this.#stream.close()
    if (!wasClosed) this.emit('close')
  }

  [Symbol.asyncIterator](): AsyncGenerator<Document, void, void> {
    this.#requireAsked()
    return this.#stream[Symbol.asyncIterator]()
  }

  // As of the driver: it ends with the first error.
  async #tell(): Promise<void> {
    for (;;) {
      let change: Document
      try {
        change = await this.#stream.next()
      } catch (error) {
        if (this.#isClosed) return
        // Its client may have closed it.
        if (!this.#stream.closed) this.emit('error', error)
        await this.close()
        return
      }
      this.emit('change', change)
      this.emit('resumeTokenChanged', this.#stream.resumeToken)
    }
  }

  #requireAsked(): void {
    if (this.#tells)
      throw new StrongroomError(
        'unsupported_operation',
        'a change stream tells of changes by events, or is asked for them by next(), and not both',
      )
  }
}
