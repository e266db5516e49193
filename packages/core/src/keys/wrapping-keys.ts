/** A tenant's wrapping keys: made, opened by the region's provider, listed, marked, followed by the next. */

import { randomBytes } from '../crypto/random.ts'
import { wipe } from '../crypto/hash.ts'
import { decryptFailed, hasCode, StrongroomError } from '../errors.ts'
import { KEY_BYTES } from '../format/derivations.ts'
import { firstWrappingKeyId, nextWrappingKeyId } from '../format/reference.ts'
import type { ProviderWrap, WrappingKeyRecord } from '../format/records.ts'
import { openWrappingKeyPlaintext, wrappingKeyData, type WrappingKeyPlace, wrappingKeyPlaintext } from '../format/wrapping-key.ts'
import type { KeyContext } from './key-context.ts'
import { putUnlessThere } from './put-unless-there.ts'
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

export async function findWrappingKey(context: Pick<KeyContext, 'keyStore'>, id: Uint8Array): Promise<WrappingKeyRecord | undefined> {
  const [found] = await context.keyStore.get([{ type: 'wrapping-key', id }])
  return found?.type === 'wrapping-key' ? found : undefined
}

/** The wrapping key that new wraps use. Each is made with a later instant than the one before it. */
export function newestWrappingKey(records: readonly WrappingKeyRecord[]): WrappingKeyRecord | undefined {
  return records.toSorted((a, b) => b.created - a.created)[0]
}

/** A tenant's first wrapping key, fresh and wrapped by the region's provider, not yet stored. The caller wipes the key. */
export async function makeFirstWrappingKey(
  context: Pick<KeyContext, 'vaultId' | 'clock' | 'providers'>,
  tenantRef: Uint8Array,
  region: string,
): Promise<{ readonly record: WrappingKeyRecord; readonly key: Uint8Array }> {
  const place = { id: firstWrappingKeyId(context.vaultId, tenantRef), tenantRef, region, created: context.clock.now() }
  return makeWrappingKey(context, place)
}

/**
 * The wrapping key that follows another of the same tenant: stored by whoever comes first, found by all others.
 *
 * @throws StrongroomError `wrong_root_key`, and what stores and provider throw
 */
export async function nextWrappingKey(context: KeyContext, before: WrappingKeyRecord): Promise<WrappingKeyRecord> {
  const { tenantRef, region } = before
  const id = nextWrappingKeyId(context.vaultId, before.id)
  const found = await findWrappingKey(context, id)
  if (found !== undefined) return found
  // Later than the one before, whatever the clock says: the latest is the one that new wraps use.
  const created = Math.max(context.clock.now(), before.created + 1)
  const { record, key } = await makeWrappingKey(context, { id, tenantRef, region, created })
  wipe(key)
  await storeWrappingKey(context, record)
  const stored = await findWrappingKey(context, id)
  if (stored === undefined) throw decryptFailed()
  return stored
}

/** Stores a wrapping key that was just made, the ledger first. @returns whether it was the first at its id */
export async function storeWrappingKey(context: KeyContext, record: WrappingKeyRecord): Promise<boolean> {
  await context.failpoint('wrapping-key.made')
  for (const { rootVersion } of record.wraps) await context.announce(record.region, rootVersion)
  const first = await putUnlessThere(context, record)
  await context.failpoint('wrapping-key.stored')
  return first
}

/**
 * The wrapping key that new wraps of a tenant may use: this one, where one of its wraps outlives every root version that is closing, or
 * can be given one that does; else the one that follows it. Asked after a wrapping key was written, or found, and before it wraps anything.
 *
 * @param record - the tenant's newest wrapping key
 * @param least - number of the root version that it must be wrapped by, at least
 * @throws StrongroomError `wrong_root_key`, and what stores and provider throw
 */
export async function wrappingKeyForNewWraps(context: KeyContext, record: WrappingKeyRecord, least = 0): Promise<WrappingKeyRecord> {
  for (let newest = record; ;) {
    const covered = await coverWrappingKey(context, newest, least)
    if (covered !== undefined) return covered
    newest = await nextWrappingKey(context, newest)
  }
}

/**
 * Wraps a wrapping key once more where no wrap of it outlives what is closing, nor reaches `least`.
 *
 * @returns the record as it then is; `undefined` where it cannot be wrapped again: it is marked, or the root versions that opened it are gone
 */
export async function coverWrappingKey(
  context: KeyContext,
  { id, region }: Pick<WrappingKeyRecord, 'id' | 'region'>,
  least = 0,
): Promise<WrappingKeyRecord | undefined> {
  return retryConflicts(async () => {
    const [record, root] = await context.keyStore.get([
      { type: 'wrapping-key', id },
      { type: 'region', region },
    ])
    if (record?.type !== 'wrapping-key' || root?.type !== 'region') throw decryptFailed()
    const { versions, closing } = root
    const needed = Math.max(least, closing + 1)
    if (isCovered(record, needed)) return record
    const wrap = record.marked ? undefined : await wrapAgain(context, record)
    if (wrap === undefined) return undefined
    await context.announce(record.region, wrap.rootVersion)
    if (wrap.rootVersion.number < needed) throw providerBehind()
    await context.failpoint('wrap.made')
    const gone = new Set(versions.filter(({ state }) => state === 'destroyed').map(({ number }) => number))
    const wraps = [...record.wraps.filter(({ rootVersion: { number } }) => !gone.has(number)), wrap]
    // If it was marked since it was read, this conflicts.
    const next = { ...record, revision: record.revision + 1, wraps }
    await context.keyStore.put(next)
    await context.failpoint('wrap.stored')
    return next
  })
}

/** Whether a root version of this number, or a later one, opens the wrapping key. */
export function isCovered(record: WrappingKeyRecord, least: number): boolean {
  return record.wraps.some(({ rootVersion }) => rootVersion.number >= least)
}

/** Opens a wrapping key by the newest of its wraps that the provider still opens. @throws what the provider says, or `decrypt_failed`. */
export async function unwrapWrappingKey(context: KeyContext, record: WrappingKeyRecord): Promise<Uint8Array> {
  const data = wrappingKeyData(context.vaultId, record)
  const newestFirst = record.wraps.toSorted((a, b) => b.rootVersion.number - a.rootVersion.number)
  let failure: unknown
  for (const wrap of newestFirst) {
    try {
      const plaintext = await context.providers.unwrap(record.region, wrap, data)
      const key = openWrappingKeyPlaintext(plaintext, data)
      wipe(plaintext)
      if (key === undefined) throw decryptFailed()
      return key
    } catch (error) {
      // What is damaged may be put right, what is destroyed may not: that is said only where it is so of every wrap.
      if (failure === undefined || hasCode(failure, 'root_version_destroyed')) failure = error
      // A provider that is down is down for the older wraps as well: say so at once.
      if (!hasCode(error, 'root_version_destroyed', 'wrong_root_key', 'decrypt_failed')) throw error
    }
  }
  throw failure ?? decryptFailed()
}

/** Marks wrapping keys of a tenant, all unless told which: none of them will ever be wrapped by a later root version. */
export async function markWrappingKeys(
  context: KeyContext,
  tenantRef: Uint8Array,
  which: (record: WrappingKeyRecord) => boolean = () => true,
): Promise<void> {
  await retryConflicts(async () => {
    for (const record of await listWrappingKeys(context, tenantRef)) {
      if (!record.marked && which(record)) await context.keyStore.put({ ...record, marked: true, revision: record.revision + 1 })
    }
  })
}

async function makeWrappingKey(
  context: Pick<KeyContext, 'vaultId' | 'providers'>,
  place: WrappingKeyPlace,
): Promise<{ readonly record: WrappingKeyRecord; readonly key: Uint8Array }> {
  const key = randomBytes(KEY_BYTES)
  const wrap = await wrapByProvider(context, place, key)
  return { key, record: { type: 'wrapping-key', ...place, revision: 1, marked: false, state: 'current', wraps: [wrap] } }
}

// `undefined` where nothing opens it any more: it was stored after its root version was destroyed.
async function wrapAgain(context: KeyContext, record: WrappingKeyRecord): Promise<ProviderWrap | undefined> {
  let key: Uint8Array
  try {
    key = await unwrapWrappingKey(context, record)
  } catch (error) {
    if (hasCode(error, 'root_version_destroyed')) return undefined
    throw error
  }
  try {
    return await wrapByProvider(context, record, key)
  } finally {
    wipe(key)
  }
}

async function wrapByProvider(
  context: Pick<KeyContext, 'vaultId' | 'providers'>,
  place: WrappingKeyPlace,
  key: Uint8Array,
): Promise<ProviderWrap> {
  const data = wrappingKeyData(context.vaultId, place)
  const plaintext = wrappingKeyPlaintext(key, data)
  try {
    return await context.providers.wrap(place.region, plaintext, data)
  } finally {
    wipe(plaintext)
  }
}

function providerBehind(): StrongroomError {
  return new StrongroomError(
    'wrong_root_key',
    'the key provider still wraps with a root version that is closing: it does not hold the newer one; restore the newest root key',
  )
}
