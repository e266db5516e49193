/** Node reads that are asked for together go to the store together. */

import { hasCode } from '../errors.ts'
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
        if (hasCode(error, 'decrypt_failed') && batch.length > 1) await this.#eachAlone(batch)
        else for (const { reject } of batch) reject(error)
      }
    }
  }

  // One damaged record must not take the others down with it.
  async #eachAlone(batch: readonly Waiting[]): Promise<void> {
    await Promise.all(
      batch.map(async ({ ref, resolve, reject }) => {
        try {
          const [record] = await this.#store.get([{ type: 'node', ref }])
          resolve(record?.type === 'node' ? record : undefined)
        } catch (error) {
          reject(error)
        }
      }),
    )
  }
}
