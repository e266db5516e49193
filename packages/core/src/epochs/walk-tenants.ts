/** Every tenant of a region, and the vault itself where the region is its home. */

import { KeyState, NodeKind, type NodeRecord, type WrappingKeyRecord } from '../format/records.ts'
import { NO_REF } from '../format/reference.ts'
import type { KeyContext } from '../keys/key-context.ts'

const PAGE = 500

/** Pages of tenants of a region, the shredded ones left out. */
export async function* walkTenants(context: KeyContext, region: string): AsyncGenerator<readonly NodeRecord[]> {
  for await (const page of pages(context)) {
    yield page.filter((record) => record.region === region && isLivingTenant(record))
  }
}

/** How many there are. */
export async function countTenants(context: KeyContext, region: string): Promise<number> {
  let count = 0
  for await (const page of walkTenants(context, region)) count += page.length
  return count
}

/** Every wrapping key of a region, in pages. */
export async function* walkWrappingKeys(context: KeyContext, region: string): AsyncGenerator<readonly WrappingKeyRecord[]> {
  let after: Uint8Array | undefined
  for (;;) {
    const page = await context.keyStore.scan({ type: 'wrapping-key', limit: PAGE, ...(after === undefined ? {} : { after }) })
    yield page.filter((record): record is WrappingKeyRecord => record.type === 'wrapping-key' && record.region === region)
    const last = page.at(-1)
    if (page.length < PAGE || last?.type !== 'wrapping-key') return
    after = last.id
  }
}

/** Whether a record is that of a tenant, or of the vault, with a key that is not shredded. */
export function isLivingTenant(record: NodeRecord | undefined): record is NodeRecord {
  if (record === undefined || (record.kind !== NodeKind.tenant && record.kind !== NodeKind.vault)) return false
  return record.versions.some((version) => version.state !== KeyState.shredded)
}

async function* pages(context: KeyContext): AsyncGenerator<readonly NodeRecord[]> {
  let after: Uint8Array | undefined
  for (;;) {
    const page = await context.keyStore.scan({
      type: 'node',
      parentRef: NO_REF,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    })
    yield page.filter((record): record is NodeRecord => record.type === 'node')
    const last = page.at(-1)
    if (page.length < PAGE || last?.type !== 'node') return
    after = last.ref
  }
}
