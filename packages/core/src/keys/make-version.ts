/** Making a new version of a node's key. */

import { randomBytes } from '../crypto/random.ts'
import { commitment, KEY_BYTES } from '../format/derivations.ts'
import { nodePlace, type WrapKey, wrapNode } from '../format/node-wrap.ts'
import { KeyState, type LiveVersion, type NodeRecord } from '../format/records.ts'
import type { KeyContext } from './key-context.ts'

const NO_COMMITMENT = new Uint8Array(32)

/** A node's place in the tree, without its key. */
export type NodePlace = Pick<NodeRecord, 'kind' | 'ref' | 'parentRef' | 'tenantRef' | 'region'>

/** A version of the parent's key. */
export interface ParentVersion {
  readonly version: number
  readonly commitment: Uint8Array
}

/** What a new secret is wrapped with. */
export interface WrapWith {
  readonly key: WrapKey
  readonly wrappingKeyId: Uint8Array
}

/**
 * A fresh random secret as an active version. The caller wipes the secret.
 *
 * @param parent - `undefined` for the vault and for tenants
 */
export function makeVersion(
  context: Pick<KeyContext, 'vaultId' | 'clock'>,
  place: NodePlace,
  number: number,
  parent: ParentVersion | undefined,
  wrapWith: WrapWith,
): { readonly version: LiveVersion; readonly secret: Uint8Array } {
  const secret = randomBytes(KEY_BYTES)
  const unwrapped = {
    version: number,
    state: KeyState.active,
    commitment: commitment(secret),
    parentVersion: parent?.version ?? 0,
    parentCommitment: parent?.commitment ?? NO_COMMITMENT,
    wrappingKeyId: wrapWith.wrappingKeyId,
    created: context.clock.now(),
  }
  return { secret, version: { ...unwrapped, wrap: wrapNode(wrapWith.key, context.vaultId, nodePlace(place, unwrapped), secret) } }
}

/** The record of a node with its first version only. */
export function firstRecord(place: NodePlace, version: LiveVersion): NodeRecord {
  return { type: 'node', ...place, revision: 1, versions: [version] }
}
