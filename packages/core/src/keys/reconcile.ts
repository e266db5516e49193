/**
 * Making the key store agree with the ledger. Every operation on the ledger ends here, every start begins here: whatever was
 * half done when a process died, or undone by restoring an older key store, is done (again). Each step may be repeated.
 */

import { equalBytes } from '../crypto/hash.ts'
import { hasCode } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { LedgerOp, type SealedLedgerEntry } from '../format/ledger-entry.ts'
import type { LedgerPosition, RootVersion } from '../format/records.ts'
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
  /** Tenants with an entry that could not be applied, because their region's provider is not to be had here. */
  readonly pending: ReadonlyMap<string, number>
}

/** What lies between two positions of the ledger. */
interface Survey {
  readonly last: LedgerPosition
  /** The entries, unless there are many: they are then read again, not kept. */
  readonly few: readonly SealedLedgerEntry[] | undefined
  /** The number of the last suspend or resume entry of each living key, by commitment. */
  readonly suspensions: ReadonlyMap<string, number>
  /** The number of the entry that recreated a key, by commitment. */
  readonly recreated: Recreated
}

// A provider that is not to be had.
const AWAY = ['region_refused', 'key_provider_unavailable', 'key_provider_timeout', 'key_provider_throttled'] as const

const MOST_KEPT = 500
const MOST_SHREDS_AT_ONCE = 256

export class Reconciler {
  readonly #tree: KeyTree
  readonly #ledger: Ledger
  // Tenants by reference, with the number of the last entry that waits.
  #pending: ReadonlyMap<string, number> = new Map()

  constructor(tree: KeyTree, ledger: Ledger) {
    this.#tree = tree
    this.#ledger = ledger
  }

  /** Whether a tenant must not be opened before another run: an entry about it has not had its effect. */
  isPending(tenantRef: Uint8Array): boolean {
    return this.#pending.has(hex(tenantRef))
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
    const start = await this.#ledger.position(again === undefined ? Math.min(applied, head.n) : 0)
    const survey = await this.#survey(start, head)
    const { last, few } = survey
    const pending = new Map<string, number>()
    let acknowledged = start.n
    // Shreds that follow each other are applied together.
    let shreds: SealedLedgerEntry[] = []
    for await (const entry of few ?? this.#ledger.after(start)) {
      if (entry.n > last.n) break
      if (entry.op === LedgerOp.shred) {
        if (shreds.push(entry) < MOST_SHREDS_AT_ONCE) continue
        await this.#applyShreds(shreds, survey, applied, back)
        shreds = []
      } else {
        await this.#applyShreds(shreds, survey, applied, back)
        shreds = []
        const wanted = again !== 'shreds' || entry.n > applied
        if (wanted && !(await this.#apply(entry, survey))) pending.set(hex(entry.tenantRef), entry.n)
      }
      if (pending.size === 0) acknowledged = entry.n
    }
    await this.#applyShreds(shreds, survey, applied, back)
    if (pending.size === 0) acknowledged = last.n
    // This run knows nothing of what another has left waiting behind the end that it read.
    this.#pending = new Map([...pending, ...[...this.#pending].filter(([, n]) => n > last.n)])
    const next = { head: last.n > head.n ? last : head, applied: Math.max(applied, acknowledged) }
    // Onto the very record that was read at first: if it moved, or the key store was restored beneath us, all begins again.
    if (next.head.n !== head.n || next.applied !== applied) await keyStore.put({ ...record, ...next, revision: record.revision + 1 })
    return { entries: last.n - start.n, pending }
  }

  // Checks the whole chain before anything is done, and finds the last word on the state of each key that was suspended.
  async #survey(start: LedgerPosition, head: LedgerPosition): Promise<Survey> {
    const suspensions = new Map<string, number>()
    const recreated = new Map<string, number>()
    let few: SealedLedgerEntry[] | undefined = []
    let last = start
    for await (const entry of this.#ledger.after(start)) {
      // The chain from an older position must pass through the very head that the key store knows.
      if (entry.n === head.n && !equalBytes(entry.hash, head.hash)) throw ledgerInvalid()
      if (isSuspension(entry)) for (const key of entry.keys) suspensions.set(hex(key.commitment), entry.n)
      else if (entry.op === LedgerOp.shred) for (const key of entry.keys) suspensions.delete(hex(key.commitment))
      else if (entry.op === LedgerOp.recreate) for (const key of entry.keys) recreated.set(hex(key.commitment), entry.n)
      if (few !== undefined && few.push(entry) > MOST_KEPT) few = undefined
      last = { n: entry.n, hash: entry.hash }
    }
    return { last, few, suspensions, recreated }
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

  /** @returns false where the entry has to wait for a provider */
  async #apply(entry: SealedLedgerEntry, { suspensions, last }: Survey): Promise<boolean> {
    switch (entry.op) {
      case LedgerOp.shred:
      // A new key is made by whoever recreates, with the secret that nobody else has. The entry only spares it.
      case LedgerOp.recreate:
        return true
      case LedgerOp.suspend:
      case LedgerOp.resume:
        return this.#applySuspension(entry, suspensions, last)
      case LedgerOp.rootCreated:
        await learnRootVersion(this.#tree.context, entry)
        return true
      case LedgerOp.rootDestroyed:
        await learnDestruction(this.#tree.context, entry)
        return true
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

  // A state is part of a wrap, so it needs the keys. Without the region's provider nothing of that tenant opens here either.
  async #applySuspension(entry: SealedLedgerEntry, suspensions: ReadonlyMap<string, number>, surveyed: LedgerPosition): Promise<boolean> {
    const keys = entry.keys.filter((key) => suspensions.get(hex(key.commitment)) === entry.n)
    if (keys.length === 0) return true
    try {
      await applySuspension(this.#tree, { ...entry, keys }, () => this.#spokenFor(surveyed))
      return true
    } catch (error) {
      if (hasCode(error, ...AWAY)) return false
      throw error
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
