/**
 * The first entry of a ledger, which `initVault` writes before there is a vault. Until there is one the entry is due at once: that tells it
 * from the ledger of a vault whose key store is only out of reach.
 */

import { type LedgerEntry, type SealedLedgerEntry, sealLedgerEntry } from '../format/ledger-entry.ts'
import type { KeyContext } from './key-context.ts'
import { LEDGER_NAMESPACE, ledgerKey, writePage } from './ledger.ts'
import { retryConflicts } from './retry.ts'
import type { StateStore } from './state-store.ts'

type Place = Pick<KeyContext, 'stateStore' | 'vaultId'>

const FIRST = 1
const AT_ONCE = 1
const PAGE = 1000

/** @throws StrongroomError `conflict` */
export async function writeFirstEntry(place: Place, key: Uint8Array, entry: LedgerEntry): Promise<SealedLedgerEntry> {
  const { bytes, hash } = sealLedgerEntry(key, entry)
  await writePage(place, FIRST, [bytes], AT_ONCE)
  return { ...entry, hash }
}

/** Takes it back, where no key store has heard of it. Only for an `initVault` that lost. */
export async function withdrawFirstEntry({ stateStore, vaultId }: Place): Promise<void> {
  const key = ledgerKey(vaultId, FIRST)
  const stored = await stateStore.get(LEDGER_NAMESPACE, key)
  if (stored !== undefined) await stateStore.delete(LEDGER_NAMESPACE, key, { expected: stored.version })
}

/** Says that there is a vault: the same bytes, no longer due. */
export async function settleFirstEntry({ stateStore, vaultId }: Place): Promise<void> {
  const key = ledgerKey(vaultId, FIRST)
  await retryConflicts(async () => {
    const stored = await stateStore.get(LEDGER_NAMESPACE, key)
    if (stored !== undefined) await stateStore.put(LEDGER_NAMESPACE, key, stored.value, { expected: stored.version })
  })
}

/** Whether a state store has the ledger of a vault, and not only entries of an `initVault` that ended early, or is on its way. */
export async function hasLedger(stateStore: StateStore): Promise<boolean> {
  for (let after: string | undefined; ;) {
    const page = await stateStore.scan(LEDGER_NAMESPACE, '', { limit: PAGE, ...(after === undefined ? {} : { after }) })
    // Asked behind the page: an entry is due first, and then either settled or withdrawn. One that was written since is in neither.
    const early = new Set((await stateStore.due(LEDGER_NAMESPACE, AT_ONCE, PAGE)).map(({ key }) => key))
    for (const { key } of page) if (!early.has(key) && (await stateStore.get(LEDGER_NAMESPACE, key)) !== undefined) return true
    if (page.length < PAGE) return false
    after = page.at(-1)?.key
  }
}
