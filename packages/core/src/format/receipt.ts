/**
 * A signed shred receipt (docs/format.md, "Shred receipt"), one text: `srr1.` ‖ base64url of 0x01 ‖ LP of each of 13 fields in order ‖
 * public key 32 ‖ signature 64. Signed with the service key `signing-certificate`, it is checked without a vault.
 */

import { ED25519_PUBLIC_KEY, ED25519_SIGNATURE, ed25519PublicKey, ed25519Sign, ed25519Verify } from '../crypto/ed25519.ts'
import { equalBytes } from '../crypto/hash.ts'
import { base64url, fromBase64url } from '../crypto/text.ts'
import { ascii, concat, copy, fromUtf8, hex, lp, split, toNumber, u8, u32, u64 } from './bytes.ts'
import { type LedgerPosition, NodeKind, Reason, type RootVersion } from './records.ts'
import { vaultOfKey } from './trusted-key.ts'

const SIGNED = lp(ascii('strongroom/v1/shred-receipt'))
const TEXT_PREFIX = 'srr1.'
const VERSION = u8(0x01)
/** The lengths that each field may have, in order; with none named, its content says. */
const LENGTHS: readonly (readonly number[] | undefined)[] = [
  [16],
  [1],
  [16],
  [0, 16],
  [16],
  undefined,
  [4],
  undefined,
  [8],
  [1],
  [8],
  [32],
  undefined,
]
const REGION = /^[\x21-\x7e]{1,64}$/
const MAX_ROOT_ID = 1024
const KEPT_BYTES = 16 + 8
const MAX_KEPT = 64
/** More than the longest receipt has. */
const MAX_TEXT = 4096

/** A key of the vault's own under which something of what was shredded is kept for a while. */
export interface KeptUnder {
  /** 16 bytes. */
  readonly ref: Uint8Array
  /** When it is destroyed, UTC milliseconds. */
  readonly until: number
}

/** What a receipt says: this key is gone, by that entry of the ledger. */
export interface ReceiptBody {
  /** 16 bytes. */
  readonly vaultId: Uint8Array
  readonly kind: NodeKind
  /** 16 bytes. */
  readonly ref: Uint8Array
  /** 16 bytes, or none for the vault and for tenants. */
  readonly parentRef: Uint8Array
  /** 16 bytes. */
  readonly tenantRef: Uint8Array
  readonly region: string
  /** How many versions of the key were destroyed. 0: there was none, and the place is occupied. */
  readonly versions: number
  readonly rootVersion: RootVersion
  /** UTC milliseconds. */
  readonly instant: number
  readonly reason: Reason
  readonly ledger: LedgerPosition
  /** In the order of their ends; of two that end at once, of their references. At most 64. */
  readonly kept: readonly KeptUnder[]
}

/**
 * The one text of a receipt, signed.
 *
 * @param seed - the service key `signing-certificate`, 32 bytes
 * @throws StrongroomError `invalid_argument` if the seed is not 32 bytes
 */
export function signReceipt(seed: Uint8Array, body: ReceiptBody): string {
  const fields = encode(body)
  return TEXT_PREFIX + base64url(concat(fields, ed25519PublicKey(seed), ed25519Sign(seed, concat(SIGNED, fields))))
}

/**
 * What a receipt says, or `undefined` if it is not the one text of a whole receipt that one of the trusted keys of its vault signed. The public key
 * in it only says which of them to use: it proves nothing by itself.
 *
 * @param trustedKeys - of 48 bytes, checked, from somewhere else than the receipt
 */
export function openReceipt(text: string, trustedKeys: readonly Uint8Array[]): ReceiptBody | undefined {
  if (text.length > MAX_TEXT || !text.startsWith(TEXT_PREFIX)) return undefined
  const bytes = fromBase64url(text.slice(TEXT_PREFIX.length))
  if (bytes === undefined || bytes.length < ED25519_PUBLIC_KEY + ED25519_SIGNATURE) return undefined
  const keyAt = bytes.length - ED25519_SIGNATURE - ED25519_PUBLIC_KEY
  const named = bytes.subarray(keyAt, keyAt + ED25519_PUBLIC_KEY)
  const vaultId = vaultOfKey(trustedKeys, named)
  if (vaultId === undefined) return undefined
  const fields = bytes.subarray(0, keyAt)
  const signature = bytes.subarray(keyAt + ED25519_PUBLIC_KEY)
  const body = ed25519Verify(named, concat(SIGNED, fields), signature) ? decode(fields) : undefined
  return body !== undefined && equalBytes(body.vaultId, vaultId) ? body : undefined
}

function encode(body: ReceiptBody): Uint8Array {
  const fields = [
    body.vaultId,
    u8(body.kind),
    body.ref,
    body.parentRef,
    body.tenantRef,
    ascii(body.region),
    u32(body.versions),
    concat(u32(body.rootVersion.number), lp(body.rootVersion.id)),
    u64(body.instant),
    u8(body.reason),
    u64(body.ledger.n),
    body.ledger.hash,
    concat(...body.kept.flatMap(({ ref, until }) => [ref, u64(until)])),
  ]
  return concat(VERSION, ...fields.map(lp))
}

function decode(bytes: Uint8Array): ReceiptBody | undefined {
  const fields = split(bytes.subarray(VERSION.length))
  if (fields?.length !== LENGTHS.length) return undefined
  if (!fields.every((field, i) => LENGTHS[i]?.includes(field.length) ?? true)) return undefined
  const [vaultId, kind, ref, parentRef, tenantRef, region, versions, root, instant, reason, n, hash, kept] = fields as [
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
  if (kept.length % KEPT_BYTES !== 0) return undefined
  const body: ReceiptBody = {
    vaultId,
    kind: kind[0] as NodeKind,
    ref,
    parentRef,
    tenantRef,
    region: fromUtf8(region) ?? '',
    versions: toNumber(versions),
    rootVersion: { number: toNumber(root.subarray(0, 4)), id: copy(root, 8) },
    instant: toNumber(instant),
    reason: reason[0] as Reason,
    ledger: { n: toNumber(n), hash },
    kept: Array.from({ length: kept.length / KEPT_BYTES }, (_, i) => {
      const one = kept.subarray(i * KEPT_BYTES, (i + 1) * KEPT_BYTES)
      return { ref: copy(one, 0, 16), until: toNumber(one.subarray(16)) }
    }),
  }
  return isWhole(body) && equalBytes(encode(body), bytes) ? body : undefined
}

function isWhole({ kind, region, rootVersion, instant, reason, ledger, kept }: ReceiptBody): boolean {
  return (
    Object.values<number>(NodeKind).includes(kind) &&
    REGION.test(region) &&
    rootVersion.number >= 1 &&
    rootVersion.id.length >= 1 &&
    rootVersion.id.length <= MAX_ROOT_ID &&
    Number.isSafeInteger(instant) &&
    Object.values<number>(Reason).includes(reason) &&
    // What a rotation has left behind is retired, and gets no receipt.
    reason !== Reason.retired &&
    Number.isSafeInteger(ledger.n) &&
    ledger.n >= 1 &&
    kept.length <= MAX_KEPT &&
    kept.every((one, i) => Number.isSafeInteger(one.until) && isAfter(one, kept[i - 1]))
  )
}

function isAfter({ ref, until }: KeptUnder, before: KeptUnder | undefined): boolean {
  return before === undefined || until > before.until || (until === before.until && hex(ref) > hex(before.ref))
}
