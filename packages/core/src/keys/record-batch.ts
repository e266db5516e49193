/** Node reads that are asked for together go to the store together. */

import type { NodeRecord } from '../format/records.ts'
import type { KeyStore } from './key-store.ts'

const MOST_AT_ONCE = 1000

interface Waiting {
  readonly ref: Uint8Array
  readonly resolve: (record: NodeRecord | undefined) => void
  readonly reject: (error: unknown) => void
}

/** One query for all that is asked for in one turn of the microtask queue, by 1,000 at most. */
export class RecordBatch {
  readonly #store: KeyStore
  #waiting: Waiting[] = []

  constructor(store: KeyStore) {
    this.#store = store
  }

  load(ref: Uint8Array): Promise<NodeRecord | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ref, resolve, reject })
      if (this.#waiting.length === 1) queueMicrotask(() => void this.#flush())
    })
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    for (let at = 0; at < waiting.length; at += MOST_AT_ONCE) {
      const batch = waiting.slice(at, at + MOST_AT_ONCE)
      try {
        const records = await this.#store.get(batch.map(({ ref }) => ({ type: 'node', ref })))
        batch.forEach(({ resolve }, i) => {
          const record = records[i]
          resolve(record?.type === 'node' ? record : undefined)
        })
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
  }
}
