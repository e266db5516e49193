/** Looking up whose the documents are that a filter lets through, so that a write can be made for each of them. */

import { decryptFailed } from '@strongroom/core'

import { ownerName } from '../../schema/owner-path.ts'
import type { Tree } from '../../values/resolve.ts'
import { valueAt } from '../documents.ts'
import type { Layout } from '../layout.ts'
import type { FilterPlan, Source } from '../source.ts'
import { verifiedHits, type VerifyingOptions } from '../verified-hits.ts'
import type { Target } from './write.ts'

/** A document, and a filter that lets no other through, and this one only as long as it is the same person's. */
export interface Located extends Target {
  readonly only: Tree
}

/** The first document that a filter lets through now. */
export async function locateOne(source: Source, plan: FilterPlan, reading: VerifyingOptions): Promise<Located | undefined> {
  // Of what an index finds, the first may be none.
  const few: VerifyingOptions = plan.searched.length === 0 ? { limit: 1 } : { batchSize: 2 }
  for await (const [hit] of verifiedHits(source, plan, { ...reading, ...few, readPreference: 'primary' }))
    if (hit !== undefined) return located(source.layout, hit)
  return undefined
}

/** All of them, a batch at a time. */
export async function* locateAll(
  source: Source,
  plan: FilterPlan,
  reading: VerifyingOptions,
  batchSize: number,
): AsyncGenerator<readonly Located[], void> {
  for await (const hits of verifiedHits(source, plan, { ...reading, batchSize, readPreference: 'primary' }))
    yield hits.map((hit) => located(source.layout, hit))
}

function located(layout: Layout, document: Tree): Located {
  const { tenant, subject } = layout
  const values = { tenant: valueAt(document, tenant.steps), subject: valueAt(document, subject.steps) }
  const owner = { tenant: ownerName(tenant.type, values.tenant), subject: ownerName(subject.type, values.subject) }
  // Nothing can be encrypted for nobody.
  if (owner.tenant === undefined || owner.subject === undefined) throw decryptFailed()
  return {
    owner: { tenant: owner.tenant, subject: owner.subject },
    id: document['_id'],
    only: { [tenant.path]: { $eq: values.tenant }, [subject.path]: { $eq: values.subject }, _id: { $eq: document['_id'] } },
  }
}
