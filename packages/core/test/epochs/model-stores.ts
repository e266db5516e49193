// The stores as the processes of the model reach them: every write is seen, and a process can be held up or killed at any call.
import { type KeyStore, type KeyStoreRecord, type StateStore } from '@strongroom/core'
import { split } from '#core/format/bytes.js'

import { type Around, aroundKeyStore, aroundStateStore, putRecord } from '../vault/support.ts'

/** What befalls a process at one of its next calls. */
export type Fate =
  /** The call, or the answer to a read, is on its way until somebody lets it through. */
  | { readonly kind: 'hold'; readonly calls: number }
  /** The process dies at a write, which has come through or not. */
  | { readonly kind: 'die'; readonly writes: number; readonly written: boolean }

/** Who is told of what the processes do. */
export interface Watcher {
  stored(record: KeyStoreRecord): void
  /** The operations of the entries that were appended to the ledger with one write. */
  appended(ops: readonly number[]): void
  /** Where a call is to wait. */
  held(): Promise<void>
}

/** The namespace of the ledger in the state store. */
export const LEDGER = 'strongroom/ledger'
const OP = 3
const HASH = 32

/** The connections of one process to both stores, for as long as it lives. */
export class Link {
  readonly keyStore: KeyStore
  readonly stateStore: StateStore
  dead = false
  #fate: Fate | undefined
  #left = 0

  constructor(keyStore: KeyStore, stateStore: StateStore, watcher: Watcher) {
    const around: Around = async ({ store, method, args }, proceed) => {
      const writes = method === 'put' || method === 'delete'
      const fate = this.#strikes(writes)
      // A read that is held was answered before: what it says may be old when it arrives.
      const early = fate?.kind === 'hold' && !writes ? proceed() : undefined
      if (fate?.kind === 'hold') await watcher.held()
      if (fate?.kind === 'die' && !fate.written) this.dead = true
      this.#requireLife()
      const answer = await (early ?? proceed())
      if (method === 'put' && store === 'key') watcher.stored(putRecord(args))
      if (method === 'put' && args[0] === LEDGER) watcher.appended(opsOf(args[2] as Uint8Array))
      if (fate?.kind === 'die') this.dead = true
      this.#requireLife()
      return answer
    }
    this.keyStore = aroundKeyStore(keyStore, around)
    this.stateStore = aroundStateStore(stateStore, around)
  }

  arm(fate: Fate | undefined): void {
    this.#fate = fate
    this.#left = fate === undefined ? 0 : fate.kind === 'hold' ? fate.calls : fate.writes
  }

  #strikes(writes: boolean): Fate | undefined {
    const fate = this.#fate
    if (fate === undefined || (fate.kind === 'die' && !writes) || this.#left-- > 0) return undefined
    this.#fate = undefined
    return fate
  }

  #requireLife(): void {
    if (this.dead) throw new Error('the process is dead')
  }
}

/** The entries that a page of the ledger holds (docs/format.md, "Ledger entry"). */
export function entriesIn(page: Uint8Array): readonly Uint8Array[] {
  return split(page) ?? []
}

function opsOf(page: Uint8Array): readonly number[] {
  return entriesIn(page).map((entry) => split(entry.subarray(0, entry.length - HASH))?.[OP]?.[0] ?? 0)
}
