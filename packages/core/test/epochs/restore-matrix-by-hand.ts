// Single records of an old copy of the key store, put back into a newer one.
import { type KeyStore, type NodeRecord, verifyReceipt, type WrappingKeyRecord } from '@strongroom/core'
import { localStores } from '@strongroom/store-local'

import { inFolder } from './restore-matrix-folder.ts'
import type { Kind } from './restore-matrix-table.ts'
import type { World } from './restore-matrix-world.ts'

/** `node`: of what was shredded; `node and wrapping keys`: the tenant's wrapping keys too, as they were before anything was shredded. */
export const BY_HAND = ['node', 'node and wrapping keys'] as const
export type ByHand = (typeof BY_HAND)[number]

export async function putBackByHand(world: World, path: string, kind: Kind, what: ByHand): Promise<void> {
  await inFolder(path, async (vault, { keyStore }) => {
    const { ref, tenantRef } = verifyReceipt(world.shreds[kind].receipt, await vault.receiptKeys())
    const old = await recordsOf(world, ref, tenantRef)
    for (const record of what === 'node' ? [old.node] : [old.node, ...old.wrappingKeys]) await putOver(keyStore, record)
  })
}

async function recordsOf(world: World, ref: Uint8Array, tenantRef: Uint8Array) {
  const { keyStore, close } = localStores({ directory: await world.folder('before', { keys: 0 }) })
  try {
    const [node] = await keyStore.get([{ type: 'node', ref }])
    if (node?.type !== 'node') throw new Error('the old copy does not have it')
    const wrappingKeys = await keyStore.scan({ type: 'wrapping-key', tenantRef, limit: 100 })
    return { node, wrappingKeys }
  } finally {
    await close()
  }
}

async function putOver(keyStore: KeyStore, record: NodeRecord | WrappingKeyRecord): Promise<void> {
  const [now] = await keyStore.get([record.type === 'node' ? { type: 'node', ref: record.ref } : { type: 'wrapping-key', id: record.id }])
  await keyStore.put({ ...record, revision: (now?.revision ?? 0) + 1 })
}
