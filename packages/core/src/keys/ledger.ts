/**
 * The ledger of shreds, suspensions and root versions: append-only, chained by HMAC, in the state store. What is stored there
 * are pages: entries that were appended together, LP of each, under the number of the first (docs/format.md, "Ledger entry").
 */

import { equalBytes } from '../crypto/hash.ts'
import { hasCode, invalidArgument, StrongroomError } from '../errors.ts'
import { concat, copy, hex, lp, split } from '../format/bytes.ts'
import { type LedgerEntry, openLedgerEntry, type SealedLedgerEntry, sealLedgerEntry } from '../format/ledger-entry.ts'
import type { LedgerPosition } from '../format/records.ts'
import type { KeyContext } from './key-context.ts'
import { retryConflicts } from './retry.ts'
import type { StateEntry } from './state-store.ts'
import { readVaultRecord } from './vault-record.ts'

/** Where the pages of ledgers are kept. */
export const LEDGER_NAMESPACE = 'strongroom/ledger'
const NUMBER_DIGITS = 16
// A page of 256 entries has about 100 KiB, seldom more: this many are in memory at once.
const PAGES_PER_SCAN = 128

/** The most entries that one page holds. */
export const LEDGER_PAGE = 256
// Keys that are the same but for so many digits at their end are those of 256 numbers in a row.
const BLOCK_DIGITS = 2

/** The position before the first entry. */
export const LEDGER_START: LedgerPosition = { n: 0, hash: new Uint8Array(32) }

/** What an appender says; number, chain and vault are the ledger's own. */
export type LedgerDraft = Omit<LedgerEntry, 'vaultId' | 'n' | 'previous'>

type StoredPage = Pick<StateEntry, 'key' | 'value'>

/** A page that verified. */
interface LedgerPage {
  readonly key: string
  readonly entries: readonly SealedLedgerEntry[]
}

/** Where the page is kept that begins with an entry. Two vaults may share a store. */
export function ledgerKey(vaultId: Uint8Array, n: number): string {
  return `${hex(vaultId)}/${n.toString(16).padStart(NUMBER_DIGITS, '0')}`
}

/** Stores entries as one page under the number of the first. @throws StrongroomError `conflict` if there is a page of that number */
export async function writePage(
  context: Pick<KeyContext, 'stateStore' | 'vaultId'>,
  first: number,
  entries: readonly Uint8Array[],
  due?: number,
): Promise<void> {
  await context.stateStore.put(LEDGER_NAMESPACE, ledgerKey(context.vaultId, first), concat(...entries.map(lp)), {
    expected: 'absent',
    ...(due === undefined ? {} : { due }),
  })
}

export class Ledger {
  readonly #context: Pick<KeyContext, 'keyStore' | 'stateStore' | 'vaultId'>
  readonly #key: () => Promise<Uint8Array>
  #known: (LedgerPage & StoredPage) | undefined

  /** @param key - the `ledger` service key of the vault's node */
  constructor(context: Pick<KeyContext, 'keyStore' | 'stateStore' | 'vaultId'>, key: () => Promise<Uint8Array>) {
    this.#context = context
    this.#key = key
  }

  /** As {@link appendAll}, for one. */
  async append(draft: () => Promise<LedgerDraft>): Promise<SealedLedgerEntry> {
    const [entry] = await this.appendAll(async () => [await draft()])
    return entry as SealedLedgerEntry
  }

  /**
   * Appends all or none behind the newest entry, whoever wrote that; no other entry comes between them.
   *
   * What the entries say is asked for anew in every attempt: after the tail was read, before the write. That order is a security
   * property. The root version that a shred entry names must be at least that of every entry before it that says one was created: to
   * destroy all versions up to the named one is to put the key beyond reach. Whatever was read before the tail may miss the newest.
   *
   * @param drafts - gives at most 256, in their order; none where it finds that there is nothing left to say
   * @throws StrongroomError `ledger_invalid`, and what the stores and `drafts` throw
   */
  async appendAll(drafts: () => Promise<readonly LedgerDraft[]>): Promise<readonly SealedLedgerEntry[]> {
    return retryConflicts(async () => {
      const key = await this.#key()
      const last = await this.#last()
      const said = await drafts()
      if (said.length > LEDGER_PAGE) throw invalidArgument('drafts', `must be at most ${LEDGER_PAGE}`)
      if (said.length === 0) return []
      const entries: SealedLedgerEntry[] = []
      const page: Uint8Array[] = []
      let { n, hash: previous } = last
      for (const draft of said) {
        const entry = { ...draft, vaultId: this.#context.vaultId, n: ++n, previous }
        const { bytes, hash } = sealLedgerEntry(key, entry)
        entries.push({ ...entry, hash })
        page.push(bytes)
        previous = hash
      }
      await writePage(this.#context, last.n + 1, page)
      return entries
    })
  }

  /**
   * The entries after a position, oldest first, each checked: its own hash, its number, and that it continues the one before.
   *
   * @throws StrongroomError `ledger_invalid` at the first page that does not, or if there is no entry at that position
   */
  async *after(position: LedgerPosition): AsyncGenerator<SealedLedgerEntry> {
    const key = await this.#key()
    const { vaultId, stateStore } = this.#context
    let last = position
    let scanned = ledgerKey(vaultId, 0)
    if (position.n === 0) {
      if (!equalBytes(position.hash, LEDGER_START.hash)) throw ledgerInvalid()
    } else {
      const page = await this.#pageOf(key, position.n)
      const at = page?.entries.findIndex(({ n }) => n === position.n) ?? -1
      const found = page?.entries[at]
      if (page === undefined || found === undefined || !equalBytes(found.hash, position.hash)) throw ledgerInvalid()
      for (const entry of page.entries.slice(at + 1)) yield (last = entry)
      scanned = page.key
    }
    for (;;) {
      const pages = await stateStore.scan(LEDGER_NAMESPACE, `${hex(vaultId)}/`, { after: scanned, limit: PAGES_PER_SCAN })
      for (const stored of pages) {
        const { entries } = this.#opened(key, stored, last.n + 1)
        if (entries[0] === undefined || !equalBytes(entries[0].previous, last.hash)) throw ledgerInvalid()
        for (const entry of entries) yield (last = entry)
        scanned = stored.key
      }
      if (pages.length < PAGES_PER_SCAN) return
    }
  }

  /** The position of an entry that must exist. @throws StrongroomError `ledger_invalid` */
  async position(n: number): Promise<LedgerPosition> {
    if (n === 0) return LEDGER_START
    const entry = await this.find(n)
    if (entry === undefined) throw ledgerInvalid()
    return { n, hash: entry.hash }
  }

  /** The entry with a number, if there is one. @throws StrongroomError `ledger_invalid` if its page does not verify */
  async find(n: number): Promise<SealedLedgerEntry | undefined> {
    const page = await this.#pageOf(await this.#key(), n)
    return page?.entries.find((entry) => entry.n === n)
  }

  /** Requires that the ledger holds what the key store knows as its head. @throws StrongroomError `ledger_invalid` */
  async requireHead(head: LedgerPosition): Promise<void> {
    const position = await this.position(head.n)
    if (!equalBytes(position.hash, head.hash)) throw ledgerInvalid()
  }

  /** Requires that the stores reach a position that was noted elsewhere. @throws StrongroomError `ledger_invalid` */
  async requireReached(noted: LedgerPosition): Promise<void> {
    try {
      await this.requireHead(noted)
    } catch (error) {
      if (!hasCode(error, 'ledger_invalid')) throw error
      throw new StrongroomError(
        'ledger_invalid',
        'these stores do not reach ledgerAtLeast: both were restored from before it, or are of another vault; restore the newest state store, and open again',
        { cause: error },
      )
    }
  }

  async #last(): Promise<LedgerPosition> {
    const { head } = await readVaultRecord(this.#context.keyStore)
    let last: LedgerPosition = head
    for await (const entry of this.after(head)) last = entry
    return last
  }

  // The page that could hold an entry. Most calls begin at the newest entry, so at one page: while its bytes are those that verified
  // before, they are not verified again.
  async #pageOf(key: Uint8Array, n: number): Promise<LedgerPage | undefined> {
    const stored = await this.#nearest(n)
    if (stored === undefined) return undefined
    const known = this.#known
    if (known?.key === stored.key && equalBytes(known.value, stored.value)) return known
    const page = this.#opened(key, stored, Number.parseInt(stored.key.split('/').at(-1) ?? '', 16))
    this.#known = { ...page, value: copy(stored.value) }
    return page
  }

  // The page that begins with a number, or else the nearest that begins before it: no other can hold it.
  async #nearest(n: number): Promise<StoredPage | undefined> {
    const { vaultId, stateStore } = this.#context
    const key = ledgerKey(vaultId, n)
    const own = await stateStore.get(LEDGER_NAMESPACE, key)
    if (own !== undefined) return { key, value: own.value }
    // Pages that begin with one of 256 numbers in a row hold 511 entries at most: so little is read, however long the ledger is.
    for (const among of [n, n - LEDGER_PAGE]) {
      if (among < 0) continue
      const pages = await stateStore.scan(LEDGER_NAMESPACE, ledgerKey(vaultId, among).slice(0, -BLOCK_DIGITS), { limit: LEDGER_PAGE })
      const nearest = pages.findLast((page) => page.key < key)
      if (nearest !== undefined) return nearest
    }
    return undefined
  }

  // Of a page all must verify: it was written at once.
  #opened(key: Uint8Array, stored: StoredPage, first: number): LedgerPage {
    const parts = split(stored.value)
    if (stored.key !== ledgerKey(this.#context.vaultId, first)) throw ledgerInvalid()
    if (parts === undefined || parts.length === 0 || parts.length > LEDGER_PAGE) throw ledgerInvalid()
    const entries: SealedLedgerEntry[] = []
    for (const [i, bytes] of parts.entries()) {
      const entry = openLedgerEntry(key, bytes)
      const before = entries.at(-1)
      if (entry === undefined || entry.n !== first + i || !equalBytes(entry.vaultId, this.#context.vaultId)) throw ledgerInvalid()
      if (before !== undefined && !equalBytes(entry.previous, before.hash)) throw ledgerInvalid()
      entries.push(entry)
    }
    return { key: stored.key, entries }
  }
}

/** The one error for a ledger that cannot be trusted. */
export function ledgerInvalid(): StrongroomError {
  return new StrongroomError(
    'ledger_invalid',
    'the ledger in the state store does not continue what the key store knows: it was cut, altered, or restored from before; where its newest copy is lost, repairLedger may rebuild it, else restore the newest state store',
  )
}
