/** A tenant's wrapping keys: made, opened by the region's provider, listed, marked. */

import { randomBytes } from '../crypto/random.ts'
import { wipe } from '../crypto/hash.ts'
import { decryptFailed, hasCode } from '../errors.ts'
import { KEY_BYTES } from '../format/derivations.ts'
import { firstWrappingKeyId } from '../format/reference.ts'
import type { WrappingKeyRecord } from '../format/records.ts'
import { openWrappingKeyPlaintext, wrappingKeyData, wrappingKeyPlaintext } from '../format/wrapping-key.ts'
import type { KeyContext } from './key-context.ts'
import { retryConflicts } from './retry.ts'

const PAGE = 1000

/** Every wrapping key of a tenant, of any state. */
export async function listWrappingKeys(context: KeyContext, tenantRef: Uint8Array): Promise<readonly WrappingKeyRecord[]> {
  const all: WrappingKeyRecord[] = []
  for (;;) {
    const after = all.at(-1)?.id
    const page = await context.keyStore.scan({ type: 'wrapping-key', tenantRef, limit: PAGE, ...(after === undefined ? {} : { after }) })
    for (const record of page) if (record.type === 'wrapping-key') all.push(record)
    if (page.length < PAGE) return all
  }
}

/** A tenant's first wrapping key, fresh and wrapped by the region's provider, not yet stored. */
export async function makeFirstWrappingKey(
  context: Pick<KeyContext, 'vaultId' | 'clock' | 'providers'>,
  tenantRef: Uint8Array,
  region: string,
): Promise<{ readonly record: WrappingKeyRecord; readonly key: Uint8Array }> {
  const key = randomBytes(KEY_BYTES)
  const place = { id: firstWrappingKeyId(context.vaultId, tenantRef), tenantRef, region, created: context.clock.now() }
  const data = wrappingKeyData(context.vaultId, place)
  const plaintext = wrappingKeyPlaintext(key, data)
  try {
    const wrap = await context.providers.wrap(region, plaintext, data)
    return { key, record: { type: 'wrapping-key', ...place, revision: 1, marked: false, state: 'current', wraps: [wrap] } }
  } finally {
    wipe(plaintext)
  }
}

/** Opens a wrapping key by the newest of its wraps that the provider still opens. @throws what the provider says, or `decrypt_failed`. */
export async function unwrapWrappingKey(context: KeyContext, record: WrappingKeyRecord): Promise<Uint8Array> {
  const data = wrappingKeyData(context.vaultId, record)
  const newestFirst = record.wraps.toSorted((a, b) => b.rootVersion.number - a.rootVersion.number)
  let failure: unknown = decryptFailed()
  for (const wrap of newestFirst) {
    try {
      const plaintext = await context.providers.unwrap(record.region, wrap, data)
      const key = openWrappingKeyPlaintext(plaintext, data)
      wipe(plaintext)
      if (key === undefined) throw decryptFailed()
      return key
    } catch (error) {
      failure = error
      // A provider that is down is down for the older wraps as well: say so at once.
      if (!hasCode(error, 'root_version_destroyed', 'wrong_root_key', 'decrypt_failed')) throw error
    }
  }
  throw failure
}

/** Marks every wrapping key of a tenant: none of them will ever be wrapped by a later root version. */
export async function markWrappingKeys(context: KeyContext, tenantRef: Uint8Array): Promise<void> {
  await retryConflicts(async () => {
    for (const record of await listWrappingKeys(context, tenantRef)) {
      if (!record.marked) await context.keyStore.put({ ...record, marked: true, revision: record.revision + 1 })
    }
  })
}
