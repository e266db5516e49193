/** What a shred leaves in the caller's hands: the facts, and a receipt that anyone with the vault's public key can check. */

import { StrongroomError } from '../errors.ts'
import type { SealedLedgerEntry } from '../format/ledger-entry.ts'
import { type LedgerPosition, NodeKind, Reason } from '../format/records.ts'
import { openReceipt, signReceipt } from '../format/receipt.ts'
import { invalidArgument } from '../errors.ts'
import { isBytes } from '../format/bytes.ts'
import { type KeyOperations, type NodePlaceRef, type PublicReason, shredNode } from '../keys/shred.ts'
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
}

/** Shreds a place. The signing key first: a shred without its receipt would have to be repeated. */
export function shredWithReceipt(keys: KeyOperations, place: NodePlaceRef, reason: PublicReason): Promise<Shredded> {
  return withSigningSeed(keys, async (seed) => shreddedBy(keys, seed, await shredNode(keys, place, reason)))
}

/** The outcome of a ledger entry that has had its effect, signed. */
export function shreddedBy({ tree }: Pick<KeyOperations, 'tree'>, seed: Uint8Array, entry: SealedLedgerEntry): Shredded {
  const { kind, ref, parentRef, tenantRef, region, rootVersion, instant, reason, n, hash } = entry
  const versions = entry.keys.length
  const ledger = { n, hash }
  const { vaultId } = tree.context
  const receipt = signReceipt(seed, { vaultId, kind, ref, parentRef, tenantRef, region, versions, rootVersion, instant, reason, ledger })
  return { instant, ledger, rootVersion: rootVersion.number, versions, receipt }
}

/**
 * Checks a shred receipt: that one of these keys has signed it, and that no byte was changed (Ed25519, RFC 8032). A key that a receipt
 * brings along is never believed.
 *
 * @param trustedKeys - public keys of 32 bytes, as `vault.receiptKeys()` gave them to be published
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
  if (!Array.isArray(trustedKeys) || trustedKeys.length === 0 || !trustedKeys.every((key) => isBytes(key) && key.length === 32))
    throw invalidArgument('trustedKeys', 'must be at least one public key of 32 bytes')
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
