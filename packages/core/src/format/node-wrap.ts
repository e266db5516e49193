/** How a node's secret is stored: wrapped, and bound to its place in the tree (docs/format.md, "Wrap"). */

import { XAES_NONCE, XAES_TAG, XaesKey } from '../crypto/xaes-256-gcm.ts'
import { ascii, copy, lp } from './bytes.ts'
import { KEY_BYTES } from './derivations.ts'
import type { LiveVersion, NodeRecord } from './records.ts'

const NODE = lp(ascii('strongroom/v1/node'))
const WRAP_VERSION = 0x01
// Kind, state, two lengths, two version numbers, two commitments, created.
const FIXED_DATA = 1 + 1 + 4 + 4 + 4 + 4 + KEY_BYTES + KEY_BYTES + 8
/** 0x01 ‖ nonce 24 ‖ ciphertext 32 ‖ tag 16. */
export const NODE_WRAP_BYTES = 73

/** What a wrap is bound to. */
export type NodePlace = Pick<NodeRecord, 'kind' | 'ref' | 'parentRef' | 'tenantRef' | 'region'> &
  Pick<LiveVersion, 'parentVersion' | 'parentCommitment' | 'version' | 'state' | 'commitment' | 'created'>

/** Where a version of a record stands. */
export function nodePlace(
  record: Omit<NodeRecord, 'type' | 'revision' | 'versions'>,
  version: Omit<LiveVersion, 'wrappingKeyId' | 'wrap'>,
): NodePlace {
  // Field by field: a rotation makes two for each key there is, and to spread two objects takes as long as to encrypt.
  return {
    kind: record.kind,
    ref: record.ref,
    parentRef: record.parentRef,
    tenantRef: record.tenantRef,
    region: record.region,
    parentVersion: version.parentVersion,
    parentCommitment: version.parentCommitment,
    version: version.version,
    state: version.state,
    commitment: version.commitment,
    created: version.created,
  }
}

/** The associated data of a wrap. */
export function nodeWrapData(vaultId: Uint8Array, place: NodePlace): Uint8Array {
  return copy(writeNodeWrapData(vaultId, place))
}

// Where the data of one wrap is written, to be used before that of the next is.
let scratch = new Uint8Array(512)

function writeNodeWrapData(vaultId: Uint8Array, place: NodePlace): Uint8Array {
  const region = regionBytes(place.region)
  const { parentRef, tenantRef } = place
  const variable = vaultId.length + place.ref.length + parentRef.length + tenantRef.length + region.length
  const length = NODE.length + variable + FIXED_DATA
  if (length > scratch.length) scratch = new Uint8Array(length)
  const out = scratch
  let at = 0
  const bytes = (part: Uint8Array): void => {
    for (let i = 0; i < part.length; i++) out[at++] = part[i] as number
  }
  const u32 = (value: number): void => {
    out[at++] = value >>> 24
    out[at++] = value >>> 16
    out[at++] = value >>> 8
    out[at++] = value
  }
  bytes(NODE)
  bytes(vaultId)
  out[at++] = place.kind
  bytes(place.ref)
  u32(parentRef.length)
  bytes(parentRef)
  u32(place.parentVersion)
  bytes(place.parentCommitment)
  bytes(tenantRef)
  u32(place.version)
  out[at++] = place.state
  bytes(place.commitment)
  u32(region.length)
  bytes(region)
  u32(Math.floor(place.created / 2 ** 32))
  u32(place.created % 2 ** 32)
  return out.subarray(0, length)
}

// All nodes of a tenant are of one region.
let lastRegion = ''
let lastRegionBytes = ascii('')

function regionBytes(region: string): Uint8Array {
  if (region !== lastRegion) [lastRegion, lastRegionBytes] = [region, ascii(region)]
  return lastRegionBytes
}

/** What wraps: the 32 bytes, or with their key schedule kept, for one that wraps many. */
export type WrapKey = Uint8Array | XaesKey

export function wrapNode(wrapKey: WrapKey, vaultId: Uint8Array, place: NodePlace, secret: Uint8Array): Uint8Array {
  const wrap = new Uint8Array(1 + XAES_NONCE + secret.length + XAES_TAG)
  wrap[0] = WRAP_VERSION
  scheduled(wrapKey).sealRandom(wrap, 1, writeNodeWrapData(vaultId, place), secret)
  return wrap
}

/** The secret, or `undefined` if the wrap does not belong to this key and place. The commitment is the caller's to check. */
export function unwrapNode(wrapKey: WrapKey, vaultId: Uint8Array, place: NodePlace, wrap: Uint8Array): Uint8Array | undefined {
  if (wrap.length !== NODE_WRAP_BYTES || wrap[0] !== WRAP_VERSION) return undefined
  const secret = scheduled(wrapKey).open(wrap, 1, writeNodeWrapData(vaultId, place))
  return secret?.length === KEY_BYTES ? secret : undefined
}

function scheduled(wrapKey: WrapKey): XaesKey {
  return wrapKey instanceof XaesKey ? wrapKey : new XaesKey(wrapKey)
}
