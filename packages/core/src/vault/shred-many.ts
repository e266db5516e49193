/** `tenant.shredMany`. */

import { invalidArgument } from '../errors.ts'
import type { LastWord } from '../keys/shred.ts'
import { SHREDS_PER_BATCH, shredNodes } from '../keys/shred-many.ts'
import { readOptions } from '../read-options.ts'
import { requireName } from './names.ts'
import type { Place } from './place.ts'
import { reasonCode } from './reason.ts'
import { checkDespiteHold, type ShredOptions } from './shred-place.ts'
import { type Shredded, type PlaceOf, shredWithReceipts } from './shredded.ts'

/** Options of shredMany. */
export interface ShredManyOptions extends ShredOptions {
  /** Ends it between two batches, with the signal's reason. */
  readonly signal?: AbortSignal
}

/** @param tenant - the tenant's place */
export function shredMany(
  tenant: Place,
  subjects: Iterable<string> | AsyncIterable<string>,
  options: ShredManyOptions | undefined,
): AsyncGenerator<Shredded & { readonly subject: string }> {
  const { reason, signal, dangerouslyDespiteHold } = readOptions(options, ['reason', 'signal', 'dangerouslyDespiteHold'])
  const isDespiteHold = checkDespiteHold(dangerouslyDespiteHold)
  const why = reasonCode(reason ?? 'unspecified')
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalidArgument('signal', 'must be an AbortSignal')
  if (typeof subjects !== 'object' || subjects === null || !(Symbol.iterator in subjects || Symbol.asyncIterator in subjects))
    throw invalidArgument('subjects', 'must be an iterable of names')
  return run()

  async function* run(): AsyncGenerator<Shredded & { readonly subject: string }> {
    let batch: string[] = []
    for await (const subject of subjects) {
      requireName(subject, 'subjects')
      batch.push(subject)
      if (batch.length < SHREDS_PER_BATCH) continue
      yield* shredBatch(batch)
      batch = []
    }
    yield* shredBatch(batch)
  }

  async function* shredBatch(names: readonly string[]): AsyncGenerator<Shredded & { readonly subject: string }> {
    signal?.throwIfAborted()
    // A name that comes twice is one subject.
    const places = new Map<string, PlaceOf>()
    for (const subject of new Set(names)) {
      const place = tenant.subject(subject, 'subjects')
      const node = await place.references()
      tenant.gate.authorize('shred', place.whose, node.region)
      places.set(subject, { node, names: place.whose })
    }
    const all = [...places.values()]
    const shred = (lastWord: LastWord): ReturnType<typeof shredNodes> =>
      shredNodes(
        tenant.keys,
        all.map(({ node }) => node),
        why,
        lastWord,
      )
    const done = await shredWithReceipts(tenant.keys, all, shred, { heard: 'required', isDespiteHold })
    const bySubject = new Map([...places.keys()].map((subject, i) => [subject, done[i] as Shredded]))
    for (const subject of names) yield { subject, ...(bySubject.get(subject) as Shredded) }
  }
}
