/** After a restore: what is there again of people who are dead is removed again. */

import type { DeadPlaces, PlaceFate, Replayed } from '@strongroom/core'

import { ownerName } from '../../schema/owner-path.ts'
import type { Tree } from '../../values/resolve.ts'
import { valueAt } from '../documents.ts'
import type { Owner } from '../keys.ts'
import type { Layout } from '../layout.ts'
import { livesOf } from '../open.ts'
import type { Source } from '../source.ts'
import { batches, eraseTheseDocuments, eraseValuesIn } from './erase.ts'

export async function replay(
  source: Source,
  erase: 'documents' | 'values',
  dead: DeadPlaces,
  signal: AbortSignal | undefined,
): Promise<Replayed> {
  const { vault, layout } = source
  const found = { looked: 0, removed: 0, suspended: 0, retired: 0 }
  for await (const batch of batches(source, {})) {
    signal?.throwIfAborted()
    const fates = await fatesOf(layout, batch, dead)
    const living = batch.filter((_, i) => fates[i] === 'alive')
    const { earlier, retired } = await livesOf(vault, layout, living)
    const gone = batch.filter((document, i) => fates[i] === 'dead' || earlier.has(document))
    found.looked += batch.length
    found.suspended += fates.filter((fate) => fate === 'suspended').length
    found.retired += retired.size
    found.removed += await (erase === 'values' ? eraseValuesIn(source, gone) : eraseTheseDocuments(source, gone))
  }
  return found
}

/** For each document; `undefined` for what does not say whose it is. */
async function fatesOf(layout: Layout, documents: readonly Tree[], dead: DeadPlaces): Promise<readonly (PlaceFate | undefined)[]> {
  const owners = documents.map((document) => ownerOf(layout, document))
  const places = new Map(owners.flatMap((owner) => (owner === undefined ? [] : [[keyOf(owner), owner] as const])))
  const fates = await dead.fates([...places.values()])
  const byOwner = new Map([...places.keys()].map((key, i) => [key, fates[i]]))
  return owners.map((owner) => (owner === undefined ? undefined : byOwner.get(keyOf(owner))))
}

function ownerOf({ tenant, subject }: Layout, document: Tree): Owner | undefined {
  const names = [tenant, subject].map(({ type, steps }) => ownerName(type, valueAt(document, steps)))
  const [ofTenant, ofSubject] = names
  return ofTenant === undefined || ofSubject === undefined ? undefined : { tenant: ofTenant, subject: ofSubject }
}

function keyOf({ tenant, subject }: Owner): string {
  return JSON.stringify([tenant, subject])
}
