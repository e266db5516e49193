/** Re-encryption: once a person has a new key, what the old one encrypted is written again, so that the old one can be retired. */

import { decryptFailed, equalBytes, type Progress, StrongroomError, type UnlockedKeys } from '@strongroom/core'
import { type AnyBulkWriteOperation, Binary, type Document } from 'mongodb'

import { holdsEncrypted } from '../schema/node.ts'
import { isTree, type Tree } from '../values/resolve.ts'
import { mapDocument } from './documents.ts'
import { type BatchKeys, isShredded, type Owner, withKeys } from './keys.ts'
import { fetching, type Layout, type SealedPath, sealedOf } from './layout.ts'
import { isUnreadable, located } from './located.ts'
import { type Opening, openingOf } from './open.ts'
import { batches, same } from './resource/erase.ts'
import { documentsOf, EXACT, READING, WRITING } from './resource/whose.ts'
import { partsOf, SUBTYPE } from './stored-form.ts'
import type { Source } from './source.ts'
import { MOST_TRIES, sending } from './writes/send.ts'

/** Where `reencrypt` is; `done` and `total` count the person's documents. */
export type ReencryptPhase = 'reencrypting' | 'checking'

/** Options of {@link EncryptedCollection.reencrypt}. */
export interface ReencryptOptions {
  /** Ends it between two batches, with the signal's reason. A later run goes on where this one stopped. */
  readonly signal?: AbortSignal | undefined
}

// One is encrypted in one turn of the process.
const BATCH = 200

/**
 * Ends with a round that has found nothing to write: what one did not see, because it came in meanwhile, the next does.
 *
 * @throws StrongroomError `not_found`, `shredded`, `suspended`; `decrypt_failed`, `retired`, `conflict` once all else is written; what stores and provider throw
 */
export async function* reencrypt(source: Source, owner: Owner, options: ReencryptOptions): AsyncGenerator<Progress<ReencryptPhase>, void> {
  const { signal } = options
  const { collection, layout, vault } = source
  signal?.throwIfAborted()
  // Opening keys for writing would make one.
  if ((await vault.tenant(owner.tenant).subject(owner.subject).state()) === 'absent')
    throw new StrongroomError('not_found', 'there is no key of that person, so that nothing is encrypted for them')
  const theirs = documentsOf(layout, owner) as Document
  for (let phase: ReencryptPhase = 'reencrypting'; ; phase = 'checking') {
    let [done, written] = [0, 0]
    let damage: Error | undefined
    let total = await collection.countDocuments(theirs, READING)
    yield { phase, done, total }
    for await (const batch of batches(source, theirs, { batchSize: BATCH })) {
      signal?.throwIfAborted()
      const rewritten = await rewrite(source, owner, theirs, batch, signal)
      written += rewritten.written
      damage ??= rewritten.damage
      done += batch.length
      total = Math.max(total, done)
      yield { phase, done, total }
    }
    if (written > 0) continue
    if (damage !== undefined) throw damage
    return
  }
}

/** @returns how many documents were written, and the error of the first value that does not open */
async function rewrite(
  source: Source,
  owner: Owner,
  theirs: Document,
  documents: readonly Tree[],
  signal: AbortSignal | undefined,
): Promise<{ readonly written: number; readonly damage: Error | undefined }> {
  const { vault, layout, collection } = source
  let [written, left, idle] = [0, documents, 0]
  let damage: Error | undefined
  for (;;) {
    const plan = await withKeys(vault, { owners: [owner], indexes: [], mint: true }, (keys) => planOf(layout, left, owner, keys))
    damage ??= plan.damage
    const { updates, ids } = plan
    if (updates.length === 0) return { written, damage }
    signal?.throwIfAborted()
    const { matchedCount } = await sending(layout, () => collection.bulkWrite([...updates], { ...WRITING, ordered: false }))
    written += matchedCount
    if (matchedCount === updates.length) return { written, damage }
    idle = matchedCount === 0 ? idle + 1 : 0
    if (idle === MOST_TRIES) return { written, damage: damage ?? notWritten() }
    // Somebody else was first with one of them: what is there now is looked at.
    const reading = { ...READING, readConcern: 'local', projection: fetching(layout, [...layout.sealed.values()]) } as const
    left = await collection.find({ $and: [theirs, { _id: { $in: ids } }] }, reading).toArray()
  }
}

// The database may hold what no filter finds again as it was read, such as a name that a document has twice.
function notWritten(): StrongroomError {
  return new StrongroomError(
    'conflict',
    `some documents were another each of ${MOST_TRIES} times between reading and writing them: what else there was is written; run it again`,
  )
}

interface Plan {
  /** One for each document that holds values of an old key. */
  readonly updates: readonly AnyBulkWriteOperation[]
  readonly ids: readonly unknown[]
  readonly damage: Error | undefined
}

function planOf(layout: Layout, documents: readonly Tree[], owner: Owner, keys: BatchKeys): Plan {
  const updates: AnyBulkWriteOperation[] = []
  const ids: unknown[] = []
  let damage: Error | undefined
  const active = headerOfActive(layout, keys.subject(owner))
  for (const document of documents) {
    const id = document['_id']
    const asRead: Document[] = []
    const set: Document = {}
    let opening: Opening | undefined
    mapDocument(layout.root, document, {
      value(stored, node, path) {
        try {
          const { c } = partsOf(stored)
          if (c === undefined) throw decryptFailed()
          if (equalBytes(c.subarray(0, HEADER), active)) return
          opening ??= openingOf(layout, id, owner, keys)
          const again = encryptedAgain(opening, sealedOf(layout, node), c)
          if (again === undefined) return
          // What is beside it, its index value, says the same of the same value under whichever key.
          const at = isTree(stored) ? `${path}.c` : path
          asRead.push({ [at]: { $eq: isTree(stored) ? stored['c'] : stored } })
          set[at] = new Binary(again, SUBTYPE)
        } catch (error) {
          if (!isUnreadable(error)) throw error
          damage ??= located(error, id, path)
        }
      },
      plain: () => undefined,
      mismatch(path, node) {
        if (holdsEncrypted(node)) damage ??= located(decryptFailed(), id, path)
        return undefined
      },
    })
    if (asRead.length === 0) continue
    // As they were read: of two who change a value at the same time, one has to look again.
    const filter: Document = { _id: { $eq: id }, $and: [same(layout, document), ...asRead] }
    updates.push({ updateOne: { filter, update: { $set: set }, collation: EXACT } })
    ids.push(id)
  }
  return { updates, ids, damage }
}

// Version byte and tag: the same for all values of a key and a context (docs/format.md).
const HEADER = 17

function headerOfActive({ sealed }: Layout, keys: UnlockedKeys): Uint8Array {
  const [one] = sealed.values()
  return keys.encrypt((one as SealedPath).field, '').subarray(0, HEADER)
}

/** The value under the active key; `undefined` where its own is destroyed. @throws StrongroomError `decrypt_failed` */
function encryptedAgain({ subject, bound }: Opening, { field }: SealedPath, c: Uint8Array): Uint8Array | undefined {
  try {
    return subject.encrypt(field, subject.decrypt(field, c, bound), bound)
  } catch (error) {
    if (isShredded(error)) return undefined
    throw error
  }
}
