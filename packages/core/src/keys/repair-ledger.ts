/** Rebuilding the lost end of the ledger, bit by bit the same, from what its entries left in the key store. */

import { equalBytes } from '../crypto/hash.ts'
import { hasCode, StrongroomError } from '../errors.ts'
import { type LedgerKey, sealLedgerEntry } from '../format/ledger-entry.ts'
import {
  KeyState,
  type LedgerPosition,
  type NodeRecord,
  type RegionRecord,
  type ShreddedVersion,
  type WrappingKeyRecord,
} from '../format/records.ts'
import type { KeyContext } from './key-context.ts'
import type { KeyStore } from './key-store.ts'
import { type Ledger, LEDGER_PAGE, LEDGER_START, type LedgerDraft, ledgerInvalid, writePage } from './ledger.ts'
import { findRegion, rootEntry } from './regions.ts'
import { type KeyOperations, shredDraft } from './shred.ts'
import { readVaultRecord } from './vault-record.ts'

const RECORDS_PER_SCAN = 1000
// A value of the state store holds 1 MiB: a page of entries that name very many keys is closed sooner.
const MOST_PAGE_BYTES = 2 ** 19

/** What an entry left in the key store: what it said, and its hash. Its number and the hash before it make it whole. */
interface Trace {
  readonly draft: LedgerDraft
  readonly hash: Uint8Array
}

interface RebuiltEntry {
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
  readonly previous: Uint8Array
}

type Traces = Map<number, Trace[]>

/**
 * Appends what the ledger lacks up to the head that the key store knows. All of it is rebuilt and checked before the first write, so
 * memory grows with the number of lost entries. Killed anywhere, it is run again.
 *
 * @param key - the `ledger` service key of the vault's node
 * @param regions - where to look for root versions, besides every region that a record names
 * @returns how many entries were missing
 * @throws StrongroomError `ledger_invalid` where not every one of them can be rebuilt, or the ledger is another; and what the stores throw
 */
export async function rebuildLedger(
  { tree: { context }, ledger }: Pick<KeyOperations, 'tree' | 'ledger'>,
  key: Uint8Array,
  regions: readonly string[],
): Promise<number> {
  const { head } = await readVaultRecord(context.keyStore)
  const last = await lastUpTo(ledger, head)
  if (last.n === head.n) return 0
  const traces = await tracesBetween(context, last, head, regions)
  await write(context, ledger, last.n + 1, rebuild(context.vaultId, key, traces, last, head))
  await ledger.requireHead(head)
  return head.n - last.n
}

// The newest entry there is, or the head itself.
async function lastUpTo(ledger: Ledger, head: LedgerPosition): Promise<LedgerPosition> {
  let last = LEDGER_START
  for await (const { n, hash } of ledger.after(LEDGER_START)) {
    last = { n, hash }
    if (n < head.n) continue
    if (!equalBytes(hash, head.hash)) throw ledgerInvalid()
    break
  }
  return last
}

/** By the number of the entry. Whoever can write the key store can plant more than one for a number. */
async function tracesBetween(
  context: Pick<KeyContext, 'keyStore'>,
  last: LedgerPosition,
  head: LedgerPosition,
  regions: readonly string[],
): Promise<Traces> {
  const traces: Traces = new Map()
  const add = ({ n, hash }: LedgerPosition, draft: LedgerDraft): void => {
    if (n <= last.n || n > head.n) return
    const others = traces.get(n)
    if (others === undefined) traces.set(n, [{ draft, hash }])
    else others.push({ draft, hash })
  }
  const named = new Set(regions)
  for (const type of ['node', 'wrapping-key'] as const) {
    for await (const record of everyRecord(context.keyStore, type)) {
      named.add(record.region)
      if (record.type === 'node') addShreds(record, add)
    }
  }
  for (const name of named) {
    const record = await findRegion(context, name)
    if (record !== undefined) addRootVersions(record, add)
  }
  return traces
}

type AddTrace = (position: LedgerPosition, draft: LedgerDraft) => void

// The versions that died of one entry: those that it named, and maybe later ones.
function addShreds(record: NodeRecord, add: AddTrace): void {
  const byEntry = new Map<number, [ShreddedVersion, ...ShreddedVersion[]]>()
  for (const version of record.versions) {
    if (version.state !== KeyState.shredded) continue
    const others = byEntry.get(version.ledger.n)
    if (others === undefined) byEntry.set(version.ledger.n, [version])
    else others.push(version)
  }
  for (const versions of byEntry.values()) {
    const [{ ledger, reason, rootVersion, instant }] = versions
    const keys = versions.map(({ version, commitment }) => ({ version, commitment }))
    add(ledger, shredDraft(record, keys, reason, rootVersion, instant))
  }
}

function addRootVersions({ region, versions }: RegionRecord, add: AddTrace): void {
  for (const version of versions) {
    const { announced, destroyed } = version
    add(announced, rootEntry('rootCreated', region, version, announced.instant))
    if (destroyed !== undefined) add(destroyed, rootEntry('rootDestroyed', region, version, destroyed.instant))
  }
}

async function* everyRecord(store: KeyStore, type: 'node' | 'wrapping-key'): AsyncGenerator<NodeRecord | WrappingKeyRecord> {
  let after: Uint8Array | undefined
  for (;;) {
    const page = await store.scan({ type, limit: RECORDS_PER_SCAN, ...(after === undefined ? {} : { after }) })
    yield* page
    const last = page.at(-1)
    if (page.length < RECORDS_PER_SCAN || last === undefined) return
    after = last.type === 'node' ? last.ref : last.id
  }
}

/**
 * From the head backwards: of each entry the hash is known, from the head or from the entry behind it, and only what it said gives that
 * hash. So what was altered, planted, or left by another line of the ledger is never taken for it.
 */
function rebuild(
  vaultId: Uint8Array,
  key: Uint8Array,
  traces: Traces,
  last: LedgerPosition,
  head: LedgerPosition,
): readonly RebuiltEntry[] {
  const entries: RebuiltEntry[] = []
  let { hash } = head
  for (let { n } = head; n > last.n; n--) {
    const before = n - 1 === last.n ? [last.hash] : (traces.get(n - 1) ?? []).map((trace) => trace.hash)
    const entry = rebuildEntry(vaultId, key, { n, hash }, traces.get(n) ?? [], before)
    if (entry === undefined) throw cannotRebuild()
    // Memory holds each lost entry once.
    traces.delete(n)
    entries.push(entry)
    hash = entry.previous
  }
  return entries.toReversed()
}

/** @param before - what may be the hash of the entry before it */
function rebuildEntry(
  vaultId: Uint8Array,
  key: Uint8Array,
  { n, hash }: LedgerPosition,
  traces: readonly Trace[],
  before: readonly Uint8Array[],
): RebuiltEntry | undefined {
  for (const { draft } of traces.filter((trace) => equalBytes(trace.hash, hash))) {
    // An entry names the versions that the key store knew; those that turned up later died of it too.
    const named: readonly (readonly LedgerKey[])[] = [...draft.keys.keys(), draft.keys.length].map((known) => draft.keys.slice(0, known))
    for (const previous of before) {
      for (const keys of named) {
        const sealed = sealLedgerEntry(key, { ...draft, keys, vaultId, n, previous })
        if (equalBytes(sealed.hash, hash)) return { ...sealed, previous }
      }
    }
  }
  return undefined
}

async function write(context: KeyContext, ledger: Ledger, first: number, entries: readonly RebuiltEntry[]): Promise<void> {
  let n = first
  for (const page of pages(entries)) {
    const last = { n: n + page.length - 1, hash: (page.at(-1) as RebuiltEntry).hash }
    try {
      await writePage(
        context,
        n,
        page.map(({ bytes }) => bytes),
      )
    } catch (error) {
      if (!hasCode(error, 'conflict')) throw error
      // Another run was first: then it wrote the same.
      await ledger.requireHead(last)
    }
    n = last.n + 1
  }
}

function* pages(entries: readonly RebuiltEntry[]): Generator<readonly RebuiltEntry[]> {
  let page: RebuiltEntry[] = []
  let size = 0
  for (const entry of entries) {
    if (page.length === LEDGER_PAGE || (page.length > 0 && size + entry.bytes.length > MOST_PAGE_BYTES)) {
      yield page
      page = []
      size = 0
    }
    page.push(entry)
    size += entry.bytes.length
  }
  yield page
}

function cannotRebuild(): StrongroomError {
  return new StrongroomError(
    'ledger_invalid',
    'the lost end of the ledger cannot be rebuilt: not all of its entries left in the key store what they said, or a record there was altered; nothing was written; restore the newest state store',
  )
}
