/** Telling the ledger of root versions: that one exists, or that its destruction was asked for. Each is entered once. */

import { equalBytes } from '../crypto/hash.ts'
import { StrongroomError } from '../errors.ts'
import { LedgerOp, type SealedLedgerEntry } from '../format/ledger-entry.ts'
import type { LedgerPosition, RootVersion } from '../format/records.ts'
import type { KeyContext } from './key-context.ts'
import { type Ledger, LEDGER_START, ledgerInvalid } from './ledger.ts'
import { findRegion, foreignRoot, knowsRootVersion, learnDestruction, learnRootVersion, requireOwnRoot, rootEntry } from './regions.ts'
import type { KeyOperations } from './shred.ts'

/**
 * Enters a root version in the ledger, unless it is known, and waits until every entry before it has had its effect. Called before
 * anything that it wrapped is stored: a key whose shred stands before it in the ledger is then gone before this version could wrap it.
 *
 * @throws StrongroomError `wrong_root_key` if the number belongs to another root key, or the root key to another region
 */
export async function announceRootVersion(keys: KeyOperations, region: string, version: RootVersion): Promise<void> {
  const { ledger, reconciler } = keys
  const { context } = keys.tree
  const known = await findRegion(context, region)
  requireOwnRoot(known, version)
  if (knowsRootVersion(known, version)) return
  const entered = new EnteredRoots(ledger)
  await ledger.appendAll(async () => {
    // Behind the tail: what another has entered meanwhile is not entered again.
    const roots = await entered.readOn()
    requireOfRegion(roots, region, version)
    if (roots.some((entry) => isOf(entry, LedgerOp.rootCreated, region, version))) return []
    return [rootEntry('rootCreated', region, version, context.clock.now())]
  })
  await reconciler.run()
  await learnEntered(context, await entered.readOn(), region, version)
  requireOwnRoot(await findRegion(context, region), version)
}

/**
 * Enters in the ledger that the destruction of a root version was asked for, unless it says so already, and waits until the key store
 * knows. The ledger is asked, not the record of the region: that is a column like any other.
 *
 * @returns the entry that says so
 */
export async function enterRootDestroyed(keys: KeyOperations, region: string, version: RootVersion): Promise<SealedLedgerEntry> {
  const { ledger, reconciler } = keys
  const { context } = keys.tree
  const entered = new EnteredRoots(ledger)
  await ledger.appendAll(async () => {
    const roots = await entered.readOn()
    if (roots.some((entry) => isOf(entry, LedgerOp.rootDestroyed, region, version))) return []
    return [rootEntry('rootDestroyed', region, version, context.clock.now())]
  })
  await reconciler.run()
  const roots = await entered.readOn()
  await learnEntered(context, roots, region, version)
  const entry = roots.find((one) => isOf(one, LedgerOp.rootDestroyed, region, version))
  if (entry === undefined) throw ledgerInvalid()
  return entry
}

/**
 * Requires that no other region has one of these root versions: to destroy it for one would destroy the living keys of the other.
 *
 * @throws StrongroomError `wrong_root_key`
 */
export async function requireRootsOfRegion(
  { ledger }: Pick<KeyOperations, 'ledger'>,
  region: string,
  versions: readonly RootVersion[],
): Promise<void> {
  // A close with nothing to destroy reads no ledger for it.
  if (versions.length === 0) return
  const roots = await new EnteredRoots(ledger).readOn()
  for (const version of versions) if (isOfAnother(roots, region, version)) throw sharedRoot()
}

/** Every entry about a root version, of all regions. The ledger is read once, however often an append is tried. */
class EnteredRoots {
  readonly #ledger: Ledger
  readonly #entries: SealedLedgerEntry[] = []
  #last: LedgerPosition = LEDGER_START

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  async readOn(): Promise<readonly SealedLedgerEntry[]> {
    for await (const entry of this.#ledger.after(this.#last)) {
      if (entry.op === LedgerOp.rootCreated || entry.op === LedgerOp.rootDestroyed) this.#entries.push(entry)
      this.#last = { n: entry.n, hash: entry.hash }
    }
    return this.#entries
  }
}

// An entry whose effect the key store has acknowledged, and lost since, has it again.
async function learnEntered(context: KeyContext, roots: readonly SealedLedgerEntry[], region: string, version: RootVersion): Promise<void> {
  for (const entry of roots) {
    if (isOf(entry, LedgerOp.rootCreated, region, version)) await learnRootVersion(context, entry)
    if (isOf(entry, LedgerOp.rootDestroyed, region, version)) await learnDestruction(context, entry)
  }
}

// Ids are random, or a cloud's own name of the version: the same one in two regions is the same key. Of two that claim one number,
// the ledger's first is the vault's.
function requireOfRegion(roots: readonly SealedLedgerEntry[], region: string, version: RootVersion): void {
  if (isOfAnother(roots, region, version)) throw sharedRoot()
  const first = roots.find((entry) => entry.region === region && entry.rootVersion.number === version.number)
  if (first !== undefined && !equalBytes(first.rootVersion.id, version.id)) throw foreignRoot()
}

function isOfAnother(roots: readonly SealedLedgerEntry[], region: string, { id }: RootVersion): boolean {
  return roots.some((entry) => entry.op === LedgerOp.rootCreated && entry.region !== region && equalBytes(entry.rootVersion.id, id))
}

function isOf(entry: SealedLedgerEntry, op: LedgerOp, region: string, { number, id }: RootVersion): boolean {
  return entry.op === op && entry.region === region && entry.rootVersion.number === number && equalBytes(entry.rootVersion.id, id)
}

function sharedRoot(): StrongroomError {
  return new StrongroomError(
    'wrong_root_key',
    'the key provider of that region holds the root key of another region: closing an epoch of one would destroy the living keys of the other; give each region a root key of its own; nothing was stored',
  )
}
