/** `$lookup` and `$unionWith`: documents of other collections that `encryptedDb` names, each with its own record of whose it is. */

import { invalidArgument, shownName } from '@strongroom/core'

import { ownerName, type OwnerPath, ownerValue } from '../../schema/owner-path.ts'
import { isTree, readList, type Tree } from '../../values/resolve.ts'
import { type SealedPath, sealedOf } from '../layout.ts'
import type { Scope, Source } from '../source.ts'
import { type Context, type Other, record, type Step } from './context.ts'
import { compared } from './match.ts'
import { withMember } from './members.ts'
import { type Found, findPath, requireCertain, valuePath, valueShape } from './reference.ts'
import {
  asMember,
  type DocumentShape,
  documentsOf,
  HIDDEN,
  isPlain,
  isVerified,
  madeOf,
  refusedInPipeline,
  refusedPath,
  requireName,
  type RootShape,
} from './shape.ts'
import { leadingMatches } from './stages.ts'

/** Translates the stages of an inner pipeline. */
export type Translate = (shape: RootShape, stages: readonly Tree[], context: Context) => Step

/** @throws StrongroomError `unsupported_operation`, `invalid_argument`, `tenant_required` */
export function lookupStage(root: DocumentShape, spec: unknown, context: Context, translate: Translate): Step {
  if (!isTree(spec)) throw invalidArgument('pipeline', 'must have a document in $lookup')
  const { from, localField, foreignField, as, pipeline = [], ...rest } = spec
  if ('let' in rest)
    throw refusedInPipeline('let in $lookup', 'join by localField and foreignField; a pipeline beside them works without let')
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw invalidArgument('pipeline', `must have no such member in $lookup as ${shownName(unknown)}`)
  if (typeof localField !== 'string' || typeof foreignField !== 'string')
    throw refusedInPipeline('$lookup without localField and foreignField', 'join by equality')
  requireName(as, 'as of $lookup')
  const stages = stagesOf(pipeline)
  const other = otherOf(from, context)
  const begun = beginning(other, stages, context, stages.length > 0)
  const keys = keysOf(findPath(root, localField), findPath(begun.shape, foreignField), context)
  let shape = root
  const before: Tree[] = []
  let inner: Step = { stages: begun.stages, shape: begun.shape }
  if (keys.sealed !== undefined) {
    const [local, foreign] = keys.sealed
    if (isVerified(keys.local.shape, keys.local.owner?.verified === true)) context.verify(local)
    else {
      const check = compared(root, [keys.local], [local], [])
      before.push(...check.stages)
      shape = check.shape
    }
    const check = compared(begun.shape, [keys.foreign], [foreign], [])
    inner = { stages: [...begun.stages, ...check.stages], shape: check.shape }
  }
  const result = translate(inner.shape, stages, begun.context)
  const lookup: Tree = { from: other.name, localField: keys.paths[0], foreignField: keys.paths[1], as }
  const all = [...inner.stages, ...result.stages]
  if (all.length > 0) lookup['pipeline'] = all
  return { stages: [...before, { $lookup: lookup }], shape: withMember(shape, as, { kind: 'array', element: asMember(result.shape) }) }
}

/** @throws StrongroomError as {@link lookupStage} */
export function unionStage(root: RootShape, spec: unknown, context: Context, translate: Translate): Step {
  const { coll, pipeline = [], ...rest } = typeof spec === 'string' ? { coll: spec } : isTree(spec) ? spec : {}
  if (Object.keys(rest).length > 0) throw invalidArgument('pipeline', 'must have coll and pipeline in $unionWith, and nothing else')
  const stages = stagesOf(pipeline)
  const other = otherOf(coll, context)
  const begun = beginning(other, stages, context, true)
  const inner = translate(begun.shape, stages, begun.context)
  if (inner.shape.kind === 'either') throw refusedInPipeline('$unionWith within $unionWith', 'put one behind the other')
  const first = root.kind === 'either' ? root.of : [root]
  const tag = { [`${HIDDEN}.k`]: first.length }
  return {
    stages: [{ $unionWith: { coll: other.name, pipeline: [...begun.stages, ...inner.stages, { $set: tag }] } }],
    shape: { kind: 'either', of: [...first, inner.shape] },
  }
}

function otherOf(name: unknown, context: Context): Other {
  if (typeof name !== 'string')
    throw invalidArgument('pipeline', 'must have the name of a collection in from of $lookup and coll of $unionWith')
  return context.other(name)
}

function stagesOf(given: unknown): readonly Tree[] {
  const stages = readList(given, 'pipeline', 'stages')
  if (!stages.every(isTree)) throw invalidArgument('pipeline', 'must be a list of stages')
  return stages
}

interface Beginning {
  readonly stages: readonly Tree[]
  readonly shape: DocumentShape
  readonly context: Context
}

/** The documents of another collection, of the scope of this one. */
function beginning({ name, source }: Other, stages: readonly Tree[], context: Context, hides: boolean): Beginning {
  if (source === undefined) {
    if (context.scope !== undefined)
      throw refusedInPipeline(
        `${shownName(name)}, which is plain, within for()`,
        'the collection that for() was called on; whose its documents are nobody says',
      )
    // What a document has there of that name would be taken for ours.
    return { stages: hides ? [{ $unset: HIDDEN }] : [], shape: madeOf(new Map(), true), context }
  }
  const { layout } = source
  const owned = context.scope === undefined ? undefined : scopeOf(source, context.scope, context)
  const scoped = owned === undefined ? [] : [{ $match: owned }]
  return {
    stages: [...scoped, { $set: { [HIDDEN]: record(layout.tenant, layout.subject) } }],
    shape: documentsOf(layout),
    context: context.within(source, [...scoped, ...leadingMatches(stages).map(($match) => ({ $match }))]),
  }
}

function scopeOf({ layout }: Source, { tenant, subject }: Scope, { owners }: Context): Tree {
  const named = (path: OwnerPath, own: OwnerPath, value: unknown): Tree => {
    const there = path.type === own.type ? value : ownerValue(path.type, ownerName(own.type, value))
    if (there === undefined)
      throw refusedInPipeline('joining within for()', `the ${path.path} of both collections must be names of one type`)
    return { [path.path]: there }
  }
  return {
    ...named(layout.tenant, owners.tenant, tenant),
    ...(subject === undefined ? {} : named(layout.subject, owners.subject, subject)),
  }
}

interface Keys {
  readonly local: Found
  readonly foreign: Found
  readonly paths: readonly [string, string]
  /** Where the join is by index values. */
  readonly sealed: readonly [SealedPath, SealedPath] | undefined
}

function keysOf(local: Found, foreign: Found, { scope }: Context): Keys {
  if (isPlain(local.shape)) requireCertain(local, '$lookup')
  if (isPlain(local.shape) && isPlain(foreign.shape)) return { local, foreign, paths: [local.path, foreign.path], sealed: undefined }
  const [one, two] = [indexedAt(local), indexedAt(foreign)]
  if (one?.index === undefined || two?.index === undefined || one.index.key !== two.index.key || one.index.scope !== two.index.scope)
    throw refusedPath(
      `$lookup by ${shownName(foreign.named)}`,
      local.named,
      'both must be plain, or both have an index of the same domain, scope and normaliser, and be no arrays',
    )
  if (one.index.scope === 'tenant' && scope === undefined)
    throw refusedPath('$lookup', local.named, 'its index has a key for each tenant: join within for(), or by an index of the application')
  return { local, foreign, paths: [`${valuePath(local)}.i`, `${valuePath(foreign)}.i`], sealed: [one, two] }
}

function indexedAt(found: Found): SealedPath | undefined {
  const shape = valueShape(found)
  if (shape.kind !== 'encrypted' || found.arrays > 0) return undefined
  const layout = found.shape.kind === 'carried' ? found.shape.layout : found.owner?.layout
  return layout === undefined ? undefined : sealedOf(layout, shape)
}
