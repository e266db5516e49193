/**
 * One entry of the ledger (docs/format.md, "Ledger entry"). Stored as LP of each of 13 fields in order ‖ hash 32; the hash
 * is HMAC-SHA-256(ledger key, LP('strongroom/v1/ledger') ‖ those fields), and the next entry's `previous`.
 */

import { equalBytes, hmacSha256 } from '../crypto/hash.ts'
import { ascii, concat, copy, fromUtf8, lp, split, toNumber, u8, u32, u64 } from './bytes.ts'
import { NodeKind, Reason, type RootVersion } from './records.ts'

const LEDGER = lp(ascii('strongroom/v1/ledger'))
const FIELDS = 13
const HASH = 32
const KEY_ENTRY = 4 + 32

/** What an entry is about, as stored. */
export const LedgerOp = { shred: 1, recreate: 2, suspend: 3, resume: 4, rootCreated: 5, rootDestroyed: 6 } as const
export type LedgerOp = (typeof LedgerOp)[keyof typeof LedgerOp]

/** A key version that an entry names. */
export interface LedgerKey {
  readonly version: number
  readonly commitment: Uint8Array
}

export interface LedgerEntry {
  readonly vaultId: Uint8Array
  readonly n: number
  /** Hash of the entry before; 32 zero bytes for the first. */
  readonly previous: Uint8Array
  readonly op: LedgerOp
  readonly kind: NodeKind
  readonly ref: Uint8Array
  readonly parentRef: Uint8Array
  readonly tenantRef: Uint8Array
  readonly region: string
  /** Empty for a shred: there was no key, and the place is occupied. */
  readonly keys: readonly LedgerKey[]
  readonly rootVersion: RootVersion
  readonly instant: number
  readonly reason: Reason
}

/** An entry that verified, with its hash. */
export interface SealedLedgerEntry extends LedgerEntry {
  readonly hash: Uint8Array
}

/** The stored bytes of an entry and its hash. */
export function sealLedgerEntry(key: Uint8Array, entry: LedgerEntry): { readonly bytes: Uint8Array; readonly hash: Uint8Array } {
  const fields = encode(entry)
  const hash = entryHash(key, fields)
  return { bytes: concat(fields, hash), hash }
}

/** The entry, or `undefined` if its bytes are not canonical or its hash is not right. */
export function openLedgerEntry(key: Uint8Array, bytes: Uint8Array): SealedLedgerEntry | undefined {
  if (bytes.length < HASH) return undefined
  const fields = bytes.subarray(0, bytes.length - HASH)
  const hash = copy(bytes, bytes.length - HASH)
  if (!equalBytes(hash, entryHash(key, fields))) return undefined
  const entry = decode(fields)
  return entry === undefined ? undefined : { ...entry, hash }
}

function entryHash(key: Uint8Array, fields: Uint8Array): Uint8Array {
  return hmacSha256(key, concat(LEDGER, fields))
}

function encode(entry: LedgerEntry): Uint8Array {
  const fields = [
    entry.vaultId,
    u64(entry.n),
    entry.previous,
    u8(entry.op),
    u8(entry.kind),
    entry.ref,
    entry.parentRef,
    entry.tenantRef,
    ascii(entry.region),
    concat(...entry.keys.flatMap((key) => [u32(key.version), key.commitment])),
    concat(u32(entry.rootVersion.number), lp(entry.rootVersion.id)),
    u64(entry.instant),
    u8(entry.reason),
  ]
  return concat(...fields.map(lp))
}

function decode(bytes: Uint8Array): LedgerEntry | undefined {
  const fields = split(bytes)
  if (fields?.length !== FIELDS) return undefined
  const [vaultId, n, previous, op, kind, ref, parentRef, tenantRef, region, keys, root, instant, reason] = fields as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  const regionText = fromUtf8(region)
  const sizes = [
    n.length === 8,
    op.length === 1,
    kind.length === 1,
    keys.length % KEY_ENTRY === 0,
    root.length >= 8,
    instant.length === 8,
    reason.length === 1,
  ]
  if (regionText === undefined || sizes.includes(false)) return undefined
  const entry: LedgerEntry = {
    vaultId,
    n: toNumber(n),
    previous,
    op: op[0] as LedgerOp,
    kind: kind[0] as NodeKind,
    ref,
    parentRef,
    tenantRef,
    region: regionText,
    keys: Array.from({ length: keys.length / KEY_ENTRY }, (_, i) => {
      const key = keys.subarray(i * KEY_ENTRY, (i + 1) * KEY_ENTRY)
      return { version: toNumber(key.subarray(0, 4)), commitment: copy(key, 4) }
    }),
    rootVersion: { number: toNumber(root.subarray(0, 4)), id: copy(root, 8) },
    instant: toNumber(instant),
    reason: reason[0] as Reason,
  }
  return isWhole(entry) && equalBytes(encode(entry), bytes) ? entry : undefined
}

function isWhole({ vaultId, n, previous, op, kind, ref, parentRef, tenantRef, instant, reason }: LedgerEntry): boolean {
  return (
    vaultId.length === 16 &&
    previous.length === HASH &&
    ref.length === 16 &&
    (parentRef.length === 16 || parentRef.length === 0) &&
    tenantRef.length === 16 &&
    Number.isSafeInteger(n) &&
    Number.isSafeInteger(instant) &&
    Object.values<number>(LedgerOp).includes(op) &&
    Object.values<number>(NodeKind).includes(kind) &&
    Object.values<number>(Reason).includes(reason)
  )
}
