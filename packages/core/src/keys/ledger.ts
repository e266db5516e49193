/** The ledger of shreds, suspensions and root versions: append-only, chained by HMAC, in the state store. */

import { equalBytes } from '../crypto/hash.ts'
import { StrongroomError } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { type LedgerEntry, openLedgerEntry, type SealedLedgerEntry, sealLedgerEntry } from '../format/ledger-entry.ts'
import type { LedgerPosition } from '../format/records.ts'
import type { KeyContext } from './key-context.ts'
import { retryConflicts } from './retry.ts'
import { readVaultRecord } from './vault-record.ts'

const NAMESPACE = 'strongroom/ledger'
const PAGE = 500
const NUMBER_DIGITS = 16

/** The position before the first entry. */
export const LEDGER_START: LedgerPosition = { n: 0, hash: new Uint8Array(32) }

/** What an appender says; number, chain and vault are the ledger's own. */
export type LedgerDraft = Omit<LedgerEntry, 'vaultId' | 'n' | 'previous'>

/** Where an entry is kept in the state store. Two vaults may share a store. */
export function ledgerKey(vaultId: Uint8Array, n: number): string {
  return `${hex(vaultId)}/${n.toString(16).padStart(NUMBER_DIGITS, '0')}`
}

/** Writes an entry that must be the first with its number. @throws StrongroomError `conflict` */
export async function writeLedgerEntry(
  context: Pick<KeyContext, 'stateStore' | 'vaultId'>,
  key: Uint8Array,
  entry: LedgerEntry,
): Promise<SealedLedgerEntry> {
  const { bytes, hash } = sealLedgerEntry(key, entry)
  await context.stateStore.put(NAMESPACE, ledgerKey(context.vaultId, entry.n), bytes, { expected: 'absent' })
  return { ...entry, hash }
}

/** Takes an entry back that no key store has heard of. Only for an `initVault` that lost. */
export async function withdrawLedgerEntry(context: Pick<KeyContext, 'stateStore' | 'vaultId'>, n: number): Promise<void> {
  const key = ledgerKey(context.vaultId, n)
  const stored = await context.stateStore.get(NAMESPACE, key)
  if (stored !== undefined) await context.stateStore.delete(NAMESPACE, key, { expected: stored.version })
}

export class Ledger {
  readonly #context: KeyContext
  readonly #key: () => Promise<Uint8Array>

  /** @param key - the `ledger` service key of the vault's node */
  constructor(context: KeyContext, key: () => Promise<Uint8Array>) {
    this.#context = context
    this.#key = key
  }

  /** Appends behind the newest entry, whoever wrote that. @throws StrongroomError `ledger_invalid` and what the stores throw */
  async append(draft: LedgerDraft): Promise<SealedLedgerEntry> {
    return retryConflicts(async () => {
      const key = await this.#key()
      const last = await this.#last()
      return writeLedgerEntry(this.#context, key, { ...draft, vaultId: this.#context.vaultId, n: last.n + 1, previous: last.hash })
    })
  }

  /**
   * The entries after a position, oldest first, each checked: its own hash, its number, and that it continues the one before.
   *
   * @throws StrongroomError `ledger_invalid` at the first that does not
   */
  async *after(position: LedgerPosition): AsyncGenerator<SealedLedgerEntry> {
    const key = await this.#key()
    let last = position
    for (;;) {
      const page = await this.#context.stateStore.scan(NAMESPACE, `${hex(this.#context.vaultId)}/`, {
        after: ledgerKey(this.#context.vaultId, last.n),
        limit: PAGE,
      })
      for (const stored of page) {
        const entry = this.#checked(key, stored.value, last.n + 1)
        if (stored.key !== ledgerKey(this.#context.vaultId, last.n + 1) || !equalBytes(entry.previous, last.hash)) throw ledgerInvalid()
        yield entry
        last = entry
      }
      if (page.length < PAGE) return
    }
  }

  /** The position of an entry that must exist. @throws StrongroomError `ledger_invalid` */
  async position(n: number): Promise<LedgerPosition> {
    if (n === 0) return LEDGER_START
    const entry = await this.find(n)
    if (entry === undefined) throw ledgerInvalid()
    return { n, hash: entry.hash }
  }

  /** The entry with a number, if there is one. @throws StrongroomError `ledger_invalid` if it does not verify */
  async find(n: number): Promise<SealedLedgerEntry | undefined> {
    const key = await this.#key()
    const stored = await this.#context.stateStore.get(NAMESPACE, ledgerKey(this.#context.vaultId, n))
    return stored === undefined ? undefined : this.#checked(key, stored.value, n)
  }

  /** Requires that the ledger holds what the key store knows as its head. @throws StrongroomError `ledger_invalid` */
  async requireHead(head: LedgerPosition): Promise<void> {
    const position = await this.position(head.n)
    if (!equalBytes(position.hash, head.hash)) throw ledgerInvalid()
  }

  async #last(): Promise<LedgerPosition> {
    const { head } = await readVaultRecord(this.#context.keyStore)
    await this.requireHead(head)
    let last: LedgerPosition = head
    for await (const entry of this.after(head)) last = entry
    return last
  }

  #checked(key: Uint8Array, bytes: Uint8Array, n: number): SealedLedgerEntry {
    const entry = openLedgerEntry(key, bytes)
    if (entry === undefined || entry.n !== n || !equalBytes(entry.vaultId, this.#context.vaultId)) throw ledgerInvalid()
    return entry
  }
}

/** The one error for a ledger that cannot be trusted. */
export function ledgerInvalid(): StrongroomError {
  return new StrongroomError(
    'ledger_invalid',
    'the ledger in the state store does not continue what the key store knows: it was cut, altered, or restored from before; restore the newest state store',
  )
}
