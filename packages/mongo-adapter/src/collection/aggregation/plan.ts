/** A pipeline that was checked, and what it takes to send it. */

import { shownName, StrongroomError } from '@strongroom/core'
import { Binary, BSON, type BSONSerializeOptions } from 'mongodb'

import { bsonScalar } from '../../values/bson-scalar.ts'
import type { Tree } from '../../values/resolve.ts'
import { type Pins, pinsOf } from '../filters/pins.ts'
import { type NeededIndex, withKeys } from '../keys.ts'
import { fetchedPath, type SealedPath } from '../layout.ts'
import { indexValueOf, neededIndex } from '../seal.ts'
import { SUBTYPE } from '../stored-form.ts'
import { type FilterPlan, planFilter, type Source, tenantsOf } from '../source.ts'
import { verifiedIds, type VerifyingOptions } from '../verified-hits.ts'
import { type Context, record, type Step } from './context.ts'
import { findPath } from './reference.ts'
import { type Check, documentsOf, HIDDEN, refusedInPipeline, type RootShape } from './shape.ts'
import { GATHERING, leadingMatches, nameOf } from './stages.ts'
import { translate } from './translate.ts'

export interface PipelinePlan {
  /** The documents that come out. */
  readonly shape: RootShape
  /** What decides about the collation. */
  readonly touches: boolean
  readonly searched: readonly SealedPath[]
  /** As it is sent; asks the key store for index keys, and makes none; looks for hits that have to be compared before. */
  readonly physical: (reading: VerifyingOptions) => Promise<readonly Tree[]>
}

/** The stored index values of a value for these tenants. */
type IndexValuesOf = (sealed: SealedPath, value: unknown, tenants: readonly string[]) => readonly Binary[]

/** All that is compared before goes with the pipeline: 16 MiB is as much as a document of BSON may have. */
const MOST_BYTES_OF_IDS = 8 * 1024 * 1024

/**
 * @param stages - resolved
 * @throws StrongroomError `unsupported_operation`, `tenant_required`, `invalid_argument`
 */
export function planPipeline(source: Source, stages: readonly Tree[], options: BSONSerializeOptions = {}): PipelinePlan {
  const matches = leadingMatches(stages)
  const [only] = matches
  const front = planFilter(source, matches.length === 1 ? only : matches.length === 0 ? {} : { $and: matches }, options)
  const rest = stages.slice(matches.length)
  // Where documents are counted or joined to one, those that only seem to be hits must not be among them.
  const before = rest.some((stage) => GATHERING.includes(nameOf(stage)[0]))
  const needs: NeededIndex[] = []
  const verified = new Set<SealedPath>(before ? front.searched : [])
  const built = (values: IndexValuesOf): Step =>
    build(
      source,
      front,
      rest,
      before,
      contextOf(source, front.pins, values, (sealed) => void verified.add(sealed)),
    )
  const { shape } = built((sealed, _, tenants) => {
    for (const tenant of tenants) if (sealed.index !== undefined) needs.push(neededIndex(sealed.index, tenant))
    return []
  })
  const indexed = [...new Set(needs.map(({ index }) => index))]
  return {
    shape,
    touches: front.touches || needs.length > 0 || verified.size > 0,
    searched: [...new Set([...front.searched, ...verified])],
    async physical(reading) {
      const filter = await front.physical()
      const ids = verified.size === 0 ? undefined : await idsOf(source, { ...front, searched: [...verified] }, reading)
      const chosen = ids === undefined ? filter : { $and: [filter, { _id: { $in: ids } }] }
      const { stages: sent } =
        indexed.length === 0
          ? built(() => [])
          : await withKeys(source.vault, { owners: [], indexes: needs, mint: false }, (keys) =>
              built((sealed, value, tenants) =>
                tenants.flatMap((tenant) => {
                  const bytes = indexValueOf(sealed, bsonScalar(value, sealed.path), tenant, keys)
                  return bytes === undefined ? [] : [new Binary(bytes, SUBTYPE)]
                }),
              ),
            )
      return Object.keys(chosen).length === 0 ? sent : [{ $match: chosen }, ...sent]
    },
  }
}

function build(source: Source, front: FilterPlan, rest: readonly Tree[], before: boolean, context: Context): Step {
  const { layout } = source
  const documents = documentsOf(layout, [], before)
  const check = before || front.searched.length === 0 ? undefined : checkOf(documents, front)
  // Behind these the server still finds an index for the order.
  const end = rest.findIndex((stage) => !['$sort', '$limit', '$skip'].includes(nameOf(stage)[0]))
  const [ordering, others] = end === -1 ? [rest, []] : [rest.slice(0, end), rest.slice(end)]
  const ordered = translate(documents, ordering, context)
  const copies = check === undefined ? {} : { [check.name]: front.searched.map((sealed) => `$${fetchedPath(sealed)}`) }
  const shape = documentsOf(layout, check === undefined ? [] : [check], before)
  const then = translate(shape, others, context)
  return {
    stages: [...ordered.stages, { $set: { [HIDDEN]: record(layout.tenant, layout.subject, copies) } }, ...then.stages],
    shape: then.shape,
  }
}

function checkOf(documents: ReturnType<typeof documentsOf>, { searched, required }: FilterPlan): Check {
  return { name: 'm0', places: searched.map((sealed) => findPath(documents, fetchedPath(sealed)).shape), searched, required }
}

function contextOf(source: Source, pins: Pins, values: IndexValuesOf, verify: (sealed: SealedPath) => void): Context {
  return {
    scope: source.scope,
    owners: source.layout,
    tenants: pins.tenants,
    verify,
    values: (sealed, value) => values(sealed, value, tenantsOf(sealed, pins)),
    other(name) {
      if (name === source.collection.collectionName) return { name, source }
      const others = source.others
      if (others === undefined || !others.has(name))
        throw refusedInPipeline(
          `${shownName(name)}, which encryptedDb() was not told of,`,
          'name it there, with plain() where nothing in it is encrypted',
        )
      return { name, source: others.get(name) }
    },
    within(other, stages) {
      const inner = contextOf(other, pinsOf(other.layout, { $and: leadingMatches(stages) }), values, verify)
      return { ...inner, scope: source.scope, owners: source.layout, other: this.other, within: this.within }
    },
  }
}

async function idsOf(source: Source, front: FilterPlan, reading: VerifyingOptions): Promise<readonly unknown[]> {
  const all: unknown[] = []
  let bytes = 0
  for await (const ids of verifiedIds(source, front, reading)) {
    all.push(...ids)
    bytes += BSON.calculateObjectSize({ ids })
    if (bytes > MOST_BYTES_OF_IDS)
      throw new StrongroomError(
        'unsupported_operation',
        'an index has found more documents than can be compared before they are counted or grouped: narrow the first $match; the pipeline was not sent',
      )
  }
  return all
}
