/** From a node's record to its open keys. */

import { equalBytes, wipe } from '../crypto/hash.ts'
import { decryptFailed } from '../errors.ts'
import { childWrapKey, commitment } from '../format/derivations.ts'
import { unwrapNode } from '../format/node-wrap.ts'
import { KeyState, type LiveVersion, type NodeRecord } from '../format/records.ts'
import type { Instant } from './key-cache.ts'
import type { KeyContext } from './key-context.ts'
import { type GoneVersion, OpenNode, OpenVersion } from './open-node.ts'

/** Where wrapping keys come from. */
export interface WrappingKeySource {
  open(id: Uint8Array): Promise<Uint8Array>
}

/**
 * Opens every live version of a record.
 *
 * @param parent - the open parent; `undefined` for the vault and for tenants
 * @throws StrongroomError `decrypt_failed` if any version does not open, `handle_expired` if the parent was dropped meanwhile
 */
export async function unwrapNodeRecord(
  context: KeyContext,
  record: NodeRecord,
  parent: OpenNode | undefined,
  keys: WrappingKeySource,
  loaded: Instant,
): Promise<OpenNode> {
  const open: OpenVersion[] = []
  const gone: GoneVersion[] = []
  try {
    for (const version of record.versions) {
      if (version.state === KeyState.shredded || diedWithParent(version, parent)) gone.push(version)
      else open.push(new OpenVersion(version, await openSecret(context, record, version, parent, keys)))
    }
  } catch (error) {
    for (const version of open) version.destroy()
    throw error
  }
  return new OpenNode(record, loaded, open, gone)
}

// A version whose parent version is shredded counts as shredded: nothing can open it any more.
function diedWithParent(version: LiveVersion, parent: OpenNode | undefined): boolean {
  return parent?.gone.some((dead) => equalBytes(dead.commitment, version.parentCommitment)) ?? false
}

async function openSecret(
  context: KeyContext,
  record: NodeRecord,
  version: LiveVersion,
  parent: OpenNode | undefined,
  keys: WrappingKeySource,
): Promise<Uint8Array> {
  const wrappingKey = await keys.open(version.wrappingKeyId)
  const place = { ...record, ...version }
  let secret: Uint8Array | undefined
  if (parent === undefined) {
    const key = childWrapKey(wrappingKey, undefined)
    secret = unwrapNode(key, context.vaultId, place, version.wrap)
    wipe(key)
  } else {
    const above = parent.versions.find((candidate) => equalBytes(candidate.commitment, version.parentCommitment))
    if (above === undefined) throw decryptFailed()
    secret = unwrapNode(above.wrapKey(version.wrappingKeyId, wrappingKey), context.vaultId, place, version.wrap)
  }
  if (secret === undefined) throw decryptFailed()
  if (!equalBytes(commitment(secret), version.commitment)) {
    wipe(secret)
    throw decryptFailed()
  }
  return secret
}
