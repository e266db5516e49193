/** What a shred leaves in the caller's hands: the facts, and a receipt that anyone with the vault's public key can check. */

import { invalidArgument, StrongroomError } from '../errors.ts'
import type { SealedLedgerEntry } from '../format/ledger-entry.ts'
import { requireTrustedKeys } from '../format/trusted-key.ts'
import { type LedgerPosition, NodeKind, Reason } from '../format/records.ts'
import { type KeptUnder, openReceipt, signReceipt } from '../format/receipt.ts'
import { type LastWord, type NodePlaceRef, type PublicReason, shredNode } from '../keys/shred.ts'
import { requireNoHold } from './holds.ts'
import { keptOf } from './kept.ts'
import type { PlaceNames } from './authorize.ts'
import type { Place } from './place.ts'
import { type PlaceToShred, referencesOf, type VaultKeys } from './shred-guards.ts'
import { withSigningSeed } from './signing-key.ts'

/** What is known of a shred once it is done. */
export interface Shredded {
  /** UTC milliseconds of the ledger entry. */
  readonly instant: number
  /** The ledger reaches at least this far, in every store that knows of this shred. */
  readonly ledger: LedgerPosition
  /** The key is dead in every backup when all root versions of its region up to this number are destroyed. */
  readonly rootVersion: number
  /** Key versions that were there; 0: none. The place is occupied now, and a version of it that turns up later dies too. */
  readonly versions: number
  /** What outlives the key for a while, such as tokens that wait to be revoked: under which keys of the vault's own, and until when these are destroyed. */
  readonly kept: readonly KeptUnder[]
  /** The same, signed: `verifyReceipt` checks it. Holds no name. */
  readonly receipt: string
}

/** What a receipt says. Byte fields are raw bytes, instants UTC milliseconds. */
export interface ShredReceipt {
  readonly vaultId: Uint8Array
  /** What was shredded, by the vault's own reference: names are not in it. */
  readonly kind: 'tenant' | 'subject' | 'item' | 'service' | 'self' | 'vault'
  readonly ref: Uint8Array
  readonly parentRef: Uint8Array
  readonly tenantRef: Uint8Array
  readonly region: string
  readonly versions: number
  readonly rootVersion: number
  readonly instant: number
  readonly reason: Exclude<keyof typeof Reason, 'retired'>
  readonly ledger: LedgerPosition
  /** Under which keys of the vault's own something of it was still kept when the receipt was signed, and until when. */
  readonly kept: readonly KeptUnder[]
}

/** A node that is shredded, and its names as far as they are known. */
export interface PlaceOf {
  readonly node: NodePlaceRef
  readonly names: PlaceNames
}

/** Who is heard before keys go: whoever has to be, or it is refused; whoever this process has; nobody. */
export type Heard = 'required' | 'present' | 'nobody'

/** What is asked before keys go. */
export interface Asked {
  readonly heard: Heard
  /** Whether they go whatever legal hold stands. */
  readonly isDespiteHold: boolean
}

/** Shreds a place. */
export async function shredWithReceipt(
  { keys, whose }: Pick<Place, 'keys' | 'whose'>,
  node: NodePlaceRef,
  reason: PublicReason,
  asked: Asked,
): Promise<Shredded> {
  const shred = async (lastWord: LastWord): Promise<readonly SealedLedgerEntry[]> => [await shredNode(keys, node, reason, lastWord)]
  const [done] = await shredWithReceipts(keys, [{ node, names: whose }], shred, asked)
  return done as Shredded
}

/**
 * What every shred is: the signing key first (a shred without its receipt would have to be repeated), then whether a hold stands and whoever has
 * to be heard, then the keys, then the receipts.
 *
 * @param places - of one tenant
 * @param shred - destroys the keys of all, and returns the entries that had the effect, in the order of the places
 */
export async function shredWithReceipts(
  keys: VaultKeys,
  places: readonly PlaceOf[],
  shred: (lastWord: LastWord) => Promise<readonly SealedLedgerEntry[]>,
  { heard, isDespiteHold }: Asked,
): Promise<readonly Shredded[]> {
  return withSigningSeed(keys, async (seed) => {
    const guarded = heard === 'nobody' ? [] : places.flatMap(({ node, names }) => toGuard(node, names))
    const requireNotHeld = async (): Promise<void> => {
      if (!isDespiteHold)
        await requireNoHold(
          keys.tree.context,
          places.flatMap(({ node }) => toHold(node)),
        )
    }
    // Before anybody is heard who ends something, and last of all: providers and whoever was heard may have taken a while.
    await requireNotHeld()
    const after = await keys.guards.before(guarded, heard === 'required')
    const entries = await shred(requireNotHeld)
    await after()
    const kept = await keptOf(keys, places)
    return entries.map((entry, i) => shreddedBy(keys, seed, entry, kept[i] ?? []))
  })
}

// Periods end on a fixed day, whoever is held.
function toHold(node: NodePlaceRef): readonly (readonly string[])[] {
  const references = referencesOf(node)
  return references === undefined ? [] : [references]
}

// An item is taken down by whoever made it.
function toGuard(node: NodePlaceRef, names: PlaceNames): readonly PlaceToShred[] {
  const references = node.kind === NodeKind.item ? undefined : referencesOf(node)
  return references === undefined ? [] : [{ references, names }]
}

/** The outcome of a ledger entry that has had its effect, signed. */
function shreddedBy({ tree }: VaultKeys, seed: Uint8Array, entry: SealedLedgerEntry, kept: readonly KeptUnder[]): Shredded {
  const { kind, ref, parentRef, tenantRef, region, rootVersion, instant, reason, n, hash } = entry
  const versions = entry.keys.length
  const ledger = { n, hash }
  const { vaultId } = tree.context
  const body = { vaultId, kind, ref, parentRef, tenantRef, region, versions, rootVersion, instant, reason, ledger, kept }
  return { instant, ledger, rootVersion: rootVersion.number, versions, kept, receipt: signReceipt(seed, body) }
}

/**
 * Checks a shred receipt: that one of these keys has signed it, which is one of the vault that it is about, and that no byte was changed (Ed25519,
 * RFC 8032). A key that a receipt brings along is never believed.
 *
 * @param trustedKeys - of one vault or of several, 48 bytes each, as `vault.receiptKeys()` gave them to be published
 * @throws StrongroomError `receipt_invalid`, `invalid_argument`
 * @example
 * ```ts
 * import { verifyReceipt, type Vault } from '@strongroom/core'
 *
 * async function proveDeletion(vault: Vault, receipt: string) {
 *   const { instant, reason } = verifyReceipt(receipt, await vault.receiptKeys())
 *   console.log(`destroyed at ${new Date(instant).toISOString()}: ${reason}`)
 * }
 * ```
 */
export function verifyReceipt(receipt: string, trustedKeys: readonly Uint8Array[]): ShredReceipt {
  if (typeof receipt !== 'string') throw invalidArgument('receipt', 'must be the text that shred returned')
  requireTrustedKeys(trustedKeys)
  const body = openReceipt(receipt, trustedKeys)
  if (body === undefined)
    throw new StrongroomError('receipt_invalid', 'no trusted key has signed this receipt, or it was altered: it proves nothing')
  return {
    ...body,
    kind: nameOf(NodeKind, body.kind),
    reason: nameOf(Reason, body.reason) as ShredReceipt['reason'],
    rootVersion: body.rootVersion.number,
  }
}

function nameOf<K extends string>(codes: Readonly<Record<K, number>>, code: number): K {
  return Object.entries<number>(codes).find(([, value]) => value === code)?.[0] as K
}
