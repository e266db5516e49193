/**
 * Making the key store agree with the ledger. Every operation on the ledger ends here, every start begins here: whatever was
 * half done when a process died, or undone by restoring an older key store, is done (again). Each step may be repeated.
 */

import { equalBytes } from '../crypto/hash.ts'
import { hasCode, StrongroomError } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { LedgerOp, type SealedLedgerEntry } from '../format/ledger-entry.ts'
import type { LedgerPosition, RootVersion, VaultRecord } from '../format/records.ts'
import { applyShreds, type KeysBack, lookAgain, type Recreated } from './apply-shred.ts'
import { applySuspension } from './apply-suspension.ts'
import type { KeyTree } from './key-tree.ts'
import { type Ledger, ledgerInvalid } from './ledger.ts'
import { currentRootVersion, findRegion, learnDestruction, learnRootVersion, newestRootVersion } from './regions.ts'
import { retryConflicts } from './retry.ts'
import { readVaultRecord } from './vault-record.ts'
import { markWrappingKeys } from './wrapping-keys.ts'

/** What a run of {@link Reconciler.run} found. */
export interface Reconciled {
  /** Entries looked at. */
  readonly entries: number
  /** Tenants with an entry that could not be applied: their region's provider is not to be had here, or a key does not open. */
  readonly pending: ReadonlyMap<string, Pending>
}

/** The last entry of a tenant that waits, and what kept it from its effect. */
interface Pending {
  readonly n: number
  readonly failure: StrongroomError
}

/** What lies between two positions of the ledger. */
interface Survey {
  readonly last: LedgerPosition
  /** Suspensions from before the survey that may still wait; and those that it found. */
  readonly waiting: readonly SealedLedgerEntry[]
  readonly found: readonly SealedLedgerEntry[]
  /** The entries, unless there are many: they are then read again, not kept. */
  readonly few: readonly SealedLedgerEntry[] | undefined
  /** The number of the last suspend or resume entry of each living key, by commitment. */
  readonly suspensions: ReadonlyMap<string, number>
  /** The number of the entry that recreated a key, by commitment. */
  readonly recreated: Recreated
}

/** What a run knows of the ledger where it left something waiting: the next one reads on from there. Nothing of the key store. */
type Standing = Pick<Survey, 'last' | 'waiting' | 'suspensions' | 'recreated'> & { readonly applied: number }

// A provider that is not to be had.
const AWAY = ['region_refused', 'key_provider_unavailable', 'key_provider_timeout', 'key_provider_throttled'] as const
// Keys that do not open.
const DAMAGED = ['root_version_destroyed', 'decrypt_failed', 'wrong_root_key'] as const

const MOST_KEPT = 500
const MOST_SHREDS_AT_ONCE = 256

export class Reconciler {
  readonly #tree: KeyTree
  readonly #ledger: Ledger
  // Tenants by reference.
  #pending: ReadonlyMap<string, Pending> = new Map()
  #standing: Standing | undefined

  constructor(tree: KeyTree, ledger: Ledger) {
    this.#tree = tree
    this.#ledger = ledger
  }

  /** Whether a tenant must not be opened before another run: an entry about it has not had its effect. */
  isPending(tenantRef: Uint8Array): boolean {
    // Asked at each use, and hardly ever is there any.
    return this.#pending.size > 0 && this.#pending.has(hex(tenantRef))
  }

  /** What keeps it from its effect. */
  failureOf(tenantRef: Uint8Array): StrongroomError | undefined {
    return this.#pending.get(hex(tenantRef))?.failure
  }

  /**
   * Applies every entry that the key store has not acknowledged; with `again`, those that it has as well, for a key store into which
   * single records were put back by hand: all of them, or the shreds.
   *
   * @throws StrongroomError `ledger_invalid` where the ledger does not continue what the key store knows
   */
  async run(options: { readonly again?: 'all' | 'shreds' } = {}): Promise<Reconciled> {
    const back: KeysBack[] = []
    const done = await retryConflicts(() => this.#run(options.again, back))
    if (back.length === 0) return done
    for (const keys of back) await this.#enterAgain(keys)
    const { pending } = await retryConflicts(() => this.#run(undefined, []))
    return { entries: done.entries, pending }
  }

  /** @param back - gets what is found that acknowledged entries have shredded */
  async #run(again: 'all' | 'shreds' | undefined, back: KeysBack[]): Promise<Reconciled> {
    back.length = 0
    const { keyStore } = this.#tree.context
    const record = await readVaultRecord(keyStore)
    const { head, applied } = record
    await this.#ledger.requireHead(head)
    const standing = again === undefined ? await this.#standingOf(record) : undefined
    const start = standing?.last ?? (await this.#ledger.position(again === undefined ? Math.min(applied, head.n) : 0))
    const survey = await this.#survey(start, head, standing)
    const { last, few } = survey
    const pending = new Map<string, Pending>()
    const away = new Map<string, StrongroomError>()
    let acknowledged = Math.min(applied, start.n)
    const apply = async (entry: SealedLedgerEntry): Promise<void> => {
      const failure = away.get(entry.region) ?? (await this.#apply(entry, survey))
      if (failure !== undefined) pending.set(hex(entry.tenantRef), { n: entry.n, failure })
      // The others of that region wait as well, and it is asked no more in this run.
      if (hasCode(failure, ...AWAY)) away.set(entry.region, failure)
    }
    for (const entry of survey.waiting) {
      await apply(entry)
      if (pending.size === 0) acknowledged = entry.n
    }
    // Shreds that follow each other are applied together.
    let shreds: SealedLedgerEntry[] = []
    for await (const entry of few ?? this.#ledger.after(start)) {
      if (entry.n > last.n) break
      if (entry.op === LedgerOp.shred) {
        // The head moves only over shreds that were applied. Where `applied` is behind it, something else waits.
        if (again === undefined && entry.n <= head.n) continue
        if (shreds.push(entry) < MOST_SHREDS_AT_ONCE) continue
        await this.#applyShreds(shreds, survey, head.n, back)
        shreds = []
      } else {
        await this.#applyShreds(shreds, survey, head.n, back)
        shreds = []
        if (again !== 'shreds' || entry.n > applied) await apply(entry)
      }
      if (pending.size === 0) acknowledged = entry.n
    }
    await this.#applyShreds(shreds, survey, head.n, back)
    if (pending.size === 0) acknowledged = last.n
    // This run knows nothing of what another has left waiting behind the end that it read.
    this.#pending = new Map([...pending, ...[...this.#pending].filter(([, { n }]) => n > last.n)])
    const next = { head: last.n > head.n ? last : head, applied: Math.max(applied, acknowledged) }
    // Onto the very record that was read at first: if it moved, or the key store was restored beneath us, all begins again.
    if (next.head.n !== head.n || next.applied !== applied) await keyStore.put({ ...record, ...next, revision: record.revision + 1 })
    this.#standing = pending.size === 0 ? undefined : standingAfter(survey, next.applied)
    return { entries: last.n - start.n, pending }
  }

  // Checks the whole chain before anything is done, and finds the last word on the state of each key that was suspended.
  async #survey(start: LedgerPosition, head: LedgerPosition, before: Standing | undefined): Promise<Survey> {
    const suspensions = new Map(before?.suspensions)
    const recreated = new Map(before?.recreated)
    const found: SealedLedgerEntry[] = []
    let few: SealedLedgerEntry[] | undefined = []
    let last = start
    for await (const entry of this.#ledger.after(start)) {
      // The chain from an older position must pass through the very head that the key store knows.
      if (entry.n === head.n && !equalBytes(entry.hash, head.hash)) throw ledgerInvalid()
      if (isSuspension(entry)) {
        found.push(entry)
        for (const key of entry.keys) suspensions.set(hex(key.commitment), entry.n)
      } else if (entry.op === LedgerOp.shred) for (const key of entry.keys) suspensions.delete(hex(key.commitment))
      else if (entry.op === LedgerOp.recreate) for (const key of entry.keys) recreated.set(hex(key.commitment), entry.n)
      if (few !== undefined && few.push(entry) > MOST_KEPT) few = undefined
      last = { n: entry.n, hash: entry.hash }
    }
    return { last, few, suspensions, recreated, found, waiting: before?.waiting ?? [] }
  }

  // Where an entry waits, `applied` stands still, and all that comes behind it would be read in each run. What was read stays true as long
  // as the ledger is the same. A key store that was restored beneath us knows an older head: its shreds are then applied again.
  async #standingOf({ head, applied }: VaultRecord): Promise<Standing | undefined> {
    const standing = this.#standing
    if (standing === undefined || standing.applied !== applied || standing.last.n > head.n) return undefined
    const there = standing.last.n === head.n ? head : await this.#ledger.position(standing.last.n)
    return equalBytes(there.hash, standing.last.hash) ? standing : undefined
  }

  async #applyShreds(entries: readonly SealedLedgerEntry[], { last, recreated }: Survey, applied: number, back: KeysBack[]): Promise<void> {
    const spared = (): Promise<Recreated> => this.#recreatedSince(last, recreated)
    const known = entries.filter(({ n }) => n <= applied)
    await this.#markAgain(known)
    const seen = await lookAgain(this.#tree, known, spared)
    back.push(...seen.back)
    const byTenant = new Map<string, SealedLedgerEntry[]>()
    for (const entry of [...seen.missing, ...entries.filter(({ n }) => n > applied)]) {
      const of = byTenant.get(hex(entry.tenantRef))
      if (of === undefined) byTenant.set(hex(entry.tenantRef), [entry])
      else of.push(entry)
    }
    for (const of of byTenant.values()) await applyShreds(this.#tree, (of[0] as SealedLedgerEntry).tenantRef, of, spared)
  }

  // Marks are columns that whoever writes the key store can clear. What was shredded since the last rotation, the ledger says: the
  // wrapping keys that could have wrapped it are marked, or are marked now. Before it, their tenants have moved to others.
  async #markAgain(known: readonly SealedLedgerEntry[]): Promise<void> {
    const { context } = this.#tree
    const rotatedTo = new Map<string, number>()
    const tenants = new Map<string, SealedLedgerEntry>()
    for (const entry of known) {
      let reached = rotatedTo.get(entry.region)
      if (reached === undefined) {
        reached = (await findRegion(context, entry.region))?.epoch?.rootVersion ?? 0
        rotatedTo.set(entry.region, reached)
      }
      const { number } = entry.rootVersion
      if (number >= Math.max(reached, tenants.get(hex(entry.tenantRef))?.rootVersion.number ?? 0)) tenants.set(hex(entry.tenantRef), entry)
    }
    for (const { tenantRef, rootVersion } of tenants.values())
      await markWrappingKeys(context, tenantRef, ({ wraps }) => wraps.some((wrap) => wrap.rootVersion.number <= rootVersion.number))
  }

  // What is back may have been wrapped anew since, by a later root version than its entry names: only a new entry tells the truth.
  async #enterAgain({ entry, keys }: KeysBack): Promise<void> {
    const { context } = this.#tree
    const { op, kind, ref, parentRef, tenantRef, region, reason } = entry
    await markWrappingKeys(context, tenantRef)
    await this.#ledger.append(async () => {
      await retryConflicts(() => this.#run(undefined, []))
      const rootVersion = await this.#newestKnown(region)
      return { op, kind, ref, parentRef, tenantRef, region, keys, rootVersion, instant: context.clock.now(), reason }
    })
  }

  // Without the provider: the newest that the ledger knows. Each is announced there before anything that it wrapped is stored.
  async #newestKnown(region: string): Promise<RootVersion> {
    const { context } = this.#tree
    try {
      return await newestRootVersion(context, region)
    } catch (error) {
      if (!hasCode(error, ...AWAY)) throw error
      return currentRootVersion(context, region)
    }
  }

  /** @returns what it has to wait for, where it cannot be applied now */
  async #apply(entry: SealedLedgerEntry, { suspensions, last }: Survey): Promise<StrongroomError | undefined> {
    switch (entry.op) {
      case LedgerOp.shred:
      // A new key is made by whoever recreates, with the secret that nobody else has. The entry only spares it.
      case LedgerOp.recreate:
        return undefined
      case LedgerOp.suspend:
      case LedgerOp.resume:
        return this.#applySuspension(entry, suspensions, last)
      case LedgerOp.rootCreated:
        await learnRootVersion(this.#tree.context, entry)
        return undefined
      case LedgerOp.rootDestroyed:
        await learnDestruction(this.#tree.context, entry)
        return undefined
    }
  }

  // With what another process has recreated since the survey.
  async #recreatedSince(surveyed: LedgerPosition, before: Recreated): Promise<Recreated> {
    const all = new Map(before)
    for await (const entry of this.#ledger.after(surveyed)) {
      if (entry.op === LedgerOp.recreate) for (const key of entry.keys) all.set(hex(key.commitment), entry.n)
    }
    return all
  }

  // A state is part of a wrap, so it needs the keys. Where they do not open, nothing of that tenant may open here either: but all others do.
  async #applySuspension(
    entry: SealedLedgerEntry,
    suspensions: ReadonlyMap<string, number>,
    surveyed: LedgerPosition,
  ): Promise<StrongroomError | undefined> {
    const keys = entry.keys.filter((key) => suspensions.get(hex(key.commitment)) === entry.n)
    if (keys.length === 0) return undefined
    for (let mayBeOld = true; ; mayBeOld = false) {
      try {
        await applySuspension(this.#tree, { ...entry, keys }, () => this.#spokenFor(surveyed))
        return undefined
      } catch (error) {
        if (hasCode(error, ...AWAY)) return error
        if (!hasCode(error, ...DAMAGED)) throw error
        // What was read before an epoch closed, and opened after it, has been wrapped anew since.
        if (!mayBeOld) return error
      }
    }
  }

  // Keys on whose state another process has had a later word, since the survey.
  async #spokenFor(surveyed: LedgerPosition): Promise<ReadonlySet<string>> {
    const spoken = new Set<string>()
    for await (const entry of this.#ledger.after(surveyed)) {
      if (isSuspension(entry)) for (const key of entry.keys) spoken.add(hex(key.commitment))
    }
    return spoken
  }
}

function isSuspension({ op }: SealedLedgerEntry): boolean {
  return op === LedgerOp.suspend || op === LedgerOp.resume
}

// Of suspensions those that still have the last word on a key.
function standingAfter({ last, waiting, found, suspensions, recreated }: Survey, applied: number): Standing {
  const counts = ({ n, keys }: SealedLedgerEntry): boolean =>
    n > applied && keys.some(({ commitment }) => suspensions.get(hex(commitment)) === n)
  return { last, suspensions, recreated, applied, waiting: [...waiting, ...found].filter(counts) }
}

/**
 * The error for an entry that was not applied.
 *
 * @param what - what is said of it: the reason follows
 */
export function notApplied(what: string, failure: StrongroomError): StrongroomError {
  const { code } = failure
  if (code === 'root_version_destroyed')
    return new StrongroomError(
      code,
      `${what}: a root version that wrapped keys of the tenant was destroyed; restore the newest key store, or shred what is lost`,
      { cause: failure },
    )
  if (code === 'wrong_root_key')
    return new StrongroomError(
      code,
      `${what}: the key provider of that region does not hold the root key that wrapped keys of the tenant; put the newest root key back`,
      { cause: failure },
    )
  if (code === 'decrypt_failed')
    return new StrongroomError(
      code,
      `${what}: a key of the tenant does not open, and verifyKeys says which; put its record back from a backup, or shred what it names`,
      { cause: failure },
    )
  return new StrongroomError(
    'key_provider_unavailable',
    `${what}: the key provider of that region did not answer; repeat it when it does`,
    { cause: failure },
  )
}
