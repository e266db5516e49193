/** Telling the ledger of a root version. */

import type { RootVersion } from '../format/records.ts'
import { findRegion, knowsRootVersion, requireOwnRoot, rootEntry } from './regions.ts'
import type { KeyOperations } from './shred.ts'

/**
 * Enters a root version in the ledger, unless it is known, and waits until every entry before it has had its effect. Called before
 * anything that it wrapped is stored: a key whose shred stands before it in the ledger is then gone before this version could wrap it.
 *
 * @throws StrongroomError `wrong_root_key` if the number belongs to another root key
 */
export async function announceRootVersion(
  { tree, ledger, reconciler }: KeyOperations,
  region: string,
  version: RootVersion,
): Promise<void> {
  const { context } = tree
  const known = await findRegion(context, region)
  requireOwnRoot(known, version)
  if (knowsRootVersion(known, version)) return
  await ledger.append(() => Promise.resolve(rootEntry('rootCreated', region, version, context.clock.now())))
  await reconciler.run()
  requireOwnRoot(await findRegion(context, region), version)
}
