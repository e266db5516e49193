/** From a node's record to its open keys. */

import { equalBytes, wipe } from '../crypto/hash.ts'
import { decryptFailed } from '../errors.ts'
import { childWrapKey, commitment } from '../format/derivations.ts'
import { nodePlace, unwrapNode } from '../format/node-wrap.ts'
import { KeyState, type KeyVersion, type LiveVersion, type NodeRecord, Reason } from '../format/records.ts'
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
  try {
    for (const version of record.versions) {
      if (!isLive(version, parent)) continue
      // Used before anything else may run: it is wiped when its tenant is dropped.
      const wrappingKey = await keys.open(version.wrappingKeyId)
      open.push(openVersion(context, record, version, parent, wrappingKey))
    }
  } catch (error) {
    for (const version of open) version.destroy()
    throw error
  }
  return new OpenNode(record, loaded, open, goneVersions(record, parent))
}

/** The same with wrapping keys that are at hand, and stay so: a walk through a tenant opens every key that it has. */
export function unwrapNodeRecordSync(
  context: KeyContext,
  record: NodeRecord,
  parent: OpenNode | undefined,
  wrappingKey: (id: Uint8Array) => Uint8Array,
  loaded: Instant,
): OpenNode {
  const open: OpenVersion[] = []
  try {
    for (const version of record.versions)
      if (isLive(version, parent)) open.push(openVersion(context, record, version, parent, wrappingKey(version.wrappingKeyId)))
  } catch (error) {
    for (const version of open) version.destroy()
    throw error
  }
  return new OpenNode(record, loaded, open, goneVersions(record, parent))
}

/** As much of a parent as decides what is dead beneath it. */
type WithGone = Pick<OpenNode, 'gone'>

/** Whether a version is to be opened. One whose parent version is shredded counts as shredded: nothing can open it any more. */
export function isLive(version: KeyVersion, parent: WithGone | undefined): version is LiveVersion {
  if (version.state === KeyState.shredded) return false
  return parent?.gone.some((dead) => equalBytes(dead.commitment, version.parentCommitment)) !== true
}

/** The versions of a record that are dead, by themselves or with what is above them. */
export function goneVersions(record: NodeRecord, parent: WithGone | undefined): readonly GoneVersion[] {
  const gone = record.versions.filter((version) => !isLive(version, parent))
  // A shred is of all that was there before: what had been retired by then is of a life that has ended.
  const lastShred = gone.findLast((version) => !isRetired(version, parent))?.version ?? 0
  return gone.map((each) => ({ version: each.version, commitment: each.commitment, isRetired: each.version > lastShred }))
}

function isRetired(version: KeyVersion, parent: WithGone | undefined): boolean {
  if (version.state === KeyState.shredded) return version.reason === Reason.retired
  return parent?.gone.find((dead) => equalBytes(dead.commitment, version.parentCommitment))?.isRetired === true
}

function openVersion(
  { vaultId }: KeyContext,
  record: NodeRecord,
  version: LiveVersion,
  parent: OpenNode | undefined,
  wrappingKey: Uint8Array,
): OpenVersion {
  const place = nodePlace(record, version)
  let secret: Uint8Array | undefined
  if (parent === undefined) {
    const key = childWrapKey(wrappingKey, undefined)
    secret = unwrapNode(key, vaultId, place, version.wrap)
    wipe(key)
  } else {
    const above = parent.versions.find((candidate) => equalBytes(candidate.commitment, version.parentCommitment))
    if (above === undefined) throw decryptFailed()
    secret = unwrapNode(above.wrapKey(version.wrappingKeyId, wrappingKey), vaultId, place, version.wrap)
  }
  if (secret === undefined) throw decryptFailed()
  if (!equalBytes(commitment(secret), version.commitment)) {
    wipe(secret)
    throw decryptFailed()
  }
  return new OpenVersion(version, secret)
}
