/** aggregate: a pipeline that was checked, and its cursor. */

import type { Abortable, AggregateOptions, AggregationCursor, BSONSerializeOptions, CollationOptions, Hint } from 'mongodb'

import { readList, resolveDocument, type Tree } from '../../values/resolve.ts'
import type { CursorOptions } from '../decrypted-batches.ts'
import { readingAs } from '../find.ts'
import { hintOf } from '../indexes/index-keys.ts'
import { type OnShredded, requireOnShredded } from '../open.ts'
import { type BsonReading, AGGREGATE_OPTIONS, readDriverOptions } from '../options.ts'
import { collationOf, ignoresUndefined, type Source } from '../source.ts'
import type { VerifyingOptions } from '../verified-hits.ts'
import { EncryptedAggregationCursor } from './aggregation-cursor.ts'
import { openPipelineDocuments } from './open-pipeline.ts'
import { planPipeline } from './plan.ts'

/** Options of aggregate: the driver's that work on what is encrypted, and what to do about shredded values. */
export interface EncryptedAggregateOptions
  extends
    Pick<
      AggregateOptions,
      | 'session'
      | 'readConcern'
      | 'readPreference'
      | 'batchSize'
      | 'hint'
      | 'comment'
      | 'collation'
      | 'maxTimeMS'
      | 'timeoutMS'
      | 'allowDiskUse'
      | 'ignoreUndefined'
      | BsonReading
    >,
    Abortable {
  /** Values whose keys are destroyed: `throw`, or stand as `SHREDDED`, which is the default. */
  readonly shredded?: OnShredded
}

/** What a cursor of a pipeline is made with. All that it refuses it refuses at once. */
export interface PipelineSource {
  readonly collection: Source['collection']
  /** The same pipeline, and a stage behind it. */
  readonly followed: (stage: unknown) => PipelineSource
  /** The driver's cursor, with these options; the first thing that is sent. */
  readonly open: (options: CursorOptions) => Promise<AggregationCursor>
  readonly decrypt: (documents: readonly Tree[]) => Promise<readonly (Tree | undefined)[]>
}

/** @throws StrongroomError at once for what is refused */
export function aggregate<T>(
  source: Source,
  pipeline: unknown,
  options: EncryptedAggregateOptions | undefined,
): EncryptedAggregationCursor<T> {
  const { shredded = source.shredded ?? 'mark', ...sent } = readDriverOptions(options, AGGREGATE_OPTIONS)
  requireOnShredded(shredded)
  const stages = readList(pipeline, 'pipeline', 'stages').map((stage) => stageOf(source, stage, sent))
  const { hint, collation, ...rest } = sent
  return new EncryptedAggregationCursor<T>(pipelineSource(source, stages, { hint, collation, bson: sent, shredded }), rest)
}

interface Asked {
  readonly hint: Hint | undefined
  readonly collation: CollationOptions | undefined
  readonly bson: BSONSerializeOptions
  readonly shredded: OnShredded
}

function pipelineSource(source: Source, stages: readonly Tree[], asked: Asked): PipelineSource {
  const { collection, layout, vault } = source
  const { bson, shredded, hint } = asked
  const plan = planPipeline(source, stages, bson)
  const shared = { ...collationOf(source, plan, asked.collation), ...(hint === undefined ? {} : { hint: hintOf(layout, hint) }) }
  const reading = readingAs(source, bson)
  return {
    collection,
    followed: (stage) => pipelineSource(source, [...stages, stageOf(source, stage, bson)], asked),
    async open(options) {
      const physical = await plan.physical(verifyingOptions({ ...options, ...shared }))
      return collection.aggregate([...physical], { ...options, ...shared, promoteBuffers: false })
    },
    decrypt: (documents) => openPipelineDocuments(vault, plan.shape, documents, { bson: reading, shredded }),
  }
}

function stageOf(source: Source, stage: unknown, bson: BSONSerializeOptions): Tree {
  return resolveDocument(stage, { argument: 'pipeline', operators: true, ignoreUndefined: ignoresUndefined(source, bson) })
}

const VERIFYING = ['session', 'comment', 'maxTimeMS', 'timeoutMS', 'readConcern', 'readPreference', 'collation', 'hint', 'signal'] as const

function verifyingOptions(options: VerifyingOptions): VerifyingOptions {
  return Object.fromEntries(VERIFYING.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]))
}
