// Random pipelines of what an encrypted collection can do, drawn stage by stage: what a stage may name is what those before it have left.
import fc, { type GeneratorValue } from 'fast-check'
import type { Document } from 'mongodb'

import { filterOf, unpinnedOf } from './filters.ts'
import type { Path, Shape } from './shape.ts'

/** Stands for the collection itself, whose name is another on each side. */
export const OWN = 'the collection itself'

export interface Pipeline {
  /** The tenant whose collection it is done on; `undefined` for the whole. */
  readonly scope: unknown
  readonly stages: readonly Document[]
}

/** Something that a stage can name. */
interface Entry extends Pick<Path, 'path' | 'kind' | 'array' | 'value' | 'within'> {
  /** Whether it is where it was in the collection, so that documents can be grouped by it. */
  readonly own: boolean
}

/** What the documents are after some stages. */
interface State {
  readonly entries: readonly Entry[]
  /** Whether they are documents of the collection still. */
  readonly own: boolean
  /** Whether stages may follow that go by number and order: not where an index has joined something, or a group has none. */
  readonly counts: boolean
  /** Whether a document is told apart from all others, so that they have an order. */
  readonly ordered: boolean
}

/** What a pipeline is drawn of. */
interface Of {
  readonly shape: Shape
  readonly scoped: boolean
  readonly oneTenant: boolean
}

type Drawn = readonly [readonly Document[], State]

export function drawPipeline(g: GeneratorValue, shape: Shape): Pipeline {
  const scoped = g(fc.boolean)
  const pinned = { [shape.tenant]: g(() => fc.constantFrom(...shape.tenants)) }
  const free = scoped ? unpinnedOf(shape.paths) : filterOf(shape)
  const one = unpinnedOf(shape.paths).map((filter) => ({ $and: [filter, pinned] }))
  const [front, oneTenant] = g(() =>
    fc.oneof(
      fc.constant<readonly [Document, boolean]>([scoped ? {} : pinned, true]),
      free.map((filter) => [filter, scoped] as const),
      one.map((filter) => [filter, true] as const),
    ),
  )
  const of: Of = { shape, scoped, oneTenant }
  let state: State = { entries: entriesOf(shape), own: true, counts: true, ordered: true }
  const stages: Document[] = [{ $match: front }, { $sort: { _id: 1 } }]
  const count = g(fc.nat, { max: 4 })
  for (let i = 0; i < count; i++) {
    const [more, next] = drawStage(g, of, state, i)
    stages.push(...more)
    state = next
  }
  return { scope: scoped ? pinned[shape.tenant] : undefined, stages }
}

function entriesOf({ paths, ids, subject }: Shape): readonly Entry[] {
  // Of what is in the elements of an array, secantusd drops and moves nothing.
  const arrays = paths.filter(({ array }) => array).map(({ path }) => `${path}.`)
  const named = paths.filter(({ path }) => path !== subject && !arrays.some((above) => path.startsWith(above)))
  const id: Entry = { path: '_id', kind: 'plain', array: false, value: fc.constantFrom(...ids), within: [], own: true }
  return [id, ...named.map((path) => ({ ...path, own: true }))]
}

function drawStage(g: GeneratorValue, { shape, scoped, oneTenant }: Of, state: State, number: number): Drawn {
  const kinds = ['match', 'project', 'drop', 'set', 'compute', 'unwind', 'sort']
  if (state.counts) kinds.push('limit', 'skip', 'count', 'group', 'group')
  // No more within another.
  if (state.counts && number < 10) kinds.push('facet')
  if (state.own) kinds.push('lookup')
  if (state.own && !scoped) kinds.push('union')
  // Where there is a list: most shapes have none.
  if (state.entries.some(({ array }) => array)) kinds.push('unwind', 'unwind')
  const kind = g(() => fc.constantFrom(...kinds))
  const pick = (entries: readonly Entry[]): Entry | undefined => (entries.length === 0 ? undefined : g(() => fc.constantFrom(...entries)))
  const nothing: Drawn = [[], state]
  const { entries } = state
  switch (kind) {
    case 'match': {
      const entry = pick(entries.filter(({ kind: of }) => of !== 'holder'))
      if (entry === undefined) return nothing
      return [[{ $match: { [entry.path]: g(() => conditionOf(entry)) } }], state]
    }
    case 'project': {
      if (entries.length === 0) return nothing
      const kept = g(() => fc.subarray([...entries], { minLength: 1 })).filter(({ path }) => path !== '_id')
      const renamed = pick(entries.filter(({ path }) => path !== '_id'))
      if (renamed === undefined) return nothing
      const name = `r${number}`
      const spec = { ...Object.fromEntries(kept.map(({ path }) => [path, 1])), [name]: `$${renamed.path}` }
      const id = entries.filter(({ path }) => path === '_id')
      return [[{ $project: spec }], { ...state, entries: [...id, ...kept, { ...renamed, path: name }] }]
    }
    case 'drop': {
      const entry = pick(entries.filter(({ path }) => path !== '_id'))
      if (entry === undefined) return nothing
      const stage = g(() => fc.constantFrom<Document>({ $unset: entry.path }, { $unset: [entry.path] }, { $project: { [entry.path]: 0 } }))
      return [[stage], { ...state, entries: entries.filter((each) => each !== entry) }]
    }
    case 'set': {
      const entry = pick(entries)
      if (entry === undefined) return nothing
      const name = `s${number}`
      const stage = g(() => fc.constantFrom('$set', '$addFields'))
      return [[{ [stage]: { [name]: `$${entry.path}` } }], { ...state, entries: [...entries, { ...entry, path: name }] }]
    }
    case 'compute': {
      const entry = pick(entries.filter(({ kind: of, array }) => of === 'plain' && !array))
      if (entry === undefined) return nothing
      const path = `$${entry.path}`
      const expression = g(() =>
        fc.constantFrom<unknown>({ $ifNull: [path, 'none'] }, { $cond: [{ $eq: [path, 'pro'] }, 1, 2] }, { $type: path }, 7, 'fixed'),
      )
      const computed: Entry = { path: `c${number}`, kind: 'plain', array: false, value: fc.constantFrom(1, 'none'), within: [], own: false }
      return [[{ $set: { [computed.path]: expression } }], { ...state, entries: [...entries, computed] }]
    }
    case 'unwind': {
      const entry = pick(entries.filter(({ array }) => array))
      if (entry === undefined) return nothing
      const preserveNullAndEmptyArrays = g(fc.boolean)
      const elements = entry.within.map((inner): Entry => ({ ...inner, path: `${entry.path}.${inner.path}`, own: entry.own }))
      const unwound = entry.kind === 'holder' ? elements : [{ ...entry, array: false }]
      return [
        [{ $unwind: { path: `$${entry.path}`, preserveNullAndEmptyArrays } }],
        { ...state, entries: [...entries.filter((each) => each !== entry), ...unwound], ordered: false },
      ]
    }
    case 'sort':
      return state.ordered ? [[{ $sort: { _id: g(() => fc.constantFrom(1, -1)) } }], state] : nothing
    case 'limit':
      return [[{ $limit: g(() => fc.integer({ min: 1, max: 4 })) }], state]
    case 'skip':
      return [[{ $skip: g(fc.nat, { max: 2 }) }], state]
    case 'count':
      return [[{ $count: 'n' }], NOTHING_LEFT]
    case 'group':
      return drawGroup(g, state, oneTenant)
    case 'facet': {
      const inner = (i: number): readonly Document[] =>
        drawStage(g, { shape, scoped, oneTenant }, { ...state, own: false }, 10 * (number + 1) + i)[0]
      return [[{ $facet: { a: inner(1), b: inner(2) } }], NOTHING_LEFT]
    }
    case 'union':
      return [[{ $unionWith: OWN }, ...g(() => fc.constantFrom([], [{ $count: 'n' }]))], NOTHING_LEFT]
    default: {
      const key = pick(entries.filter(({ path, own }) => own && (path === '_id' || (!scoped && (JOINS[shape.name] ?? []).includes(path)))))
      if (key === undefined) return nothing
      const stage = { $lookup: { from: OWN, localField: key.path, foreignField: key.path, as: `l${number}` } }
      // What an index has joined is read before it goes away, or is counted.
      return [[stage], key.path === '_id' ? state : { ...state, entries: [], own: false, counts: false }]
    }
  }
}

const NOTHING_LEFT: State = { entries: [], own: false, counts: false, ordered: false }

/** Paths that have an index of the application. */
const JOINS: Readonly<Record<string, readonly string[]>> = { flat: ['email'], 'nested, with ObjectIds': ['manager'] }

function isKey({ kind, array, own }: Entry): boolean {
  return kind === 'indexed' && !array && own
}

function drawGroup(g: GeneratorValue, { entries }: State, oneTenant: boolean): Drawn {
  const keys = entries.filter((entry) => entry.path !== '_id' && !entry.array && (entry.kind === 'plain' || (oneTenant && isKey(entry))))
  const key = g(() => fc.constantFrom<Entry | undefined>(undefined, ...keys))
  const carried = g(() => fc.subarray([...entries], { maxLength: Math.min(3, entries.length) })).filter(({ path }) => path !== '_id')
  const group: Document = { _id: key === undefined ? null : `$${key.path}`, n: { $sum: 1 } }
  const made: Entry[] = []
  carried.forEach((entry, i) => {
    const accumulator = g(() => fc.constantFrom('$first', '$last', '$push'))
    group[`g${i}`] = { [accumulator]: `$${entry.path}` }
    // A list of lists is no array of values.
    if (accumulator !== '$push') made.push({ ...entry, path: `g${i}`, own: false })
    else if (!entry.array && entry.kind !== 'holder')
      made.push({ ...entry, path: `g${i}`, array: true, own: false, kind: entry.kind === 'plain' ? 'plain' : 'sealed' })
  })
  const n: Entry = { path: 'n', kind: 'plain', array: false, value: fc.constantFrom(1, 2), within: [], own: false }
  return [[{ $group: group }], { entries: [n, ...made], own: false, counts: false, ordered: false }]
}

function conditionOf({ kind, array, value }: Entry): fc.Arbitrary<unknown> {
  const list = fc.array(value, { maxLength: 3 })
  const absent = [fc.constant(null), fc.constant({ $ne: null }), fc.boolean().map(($exists) => ({ $exists }))]
  if (array)
    return kind === 'sealed'
      ? fc.integer({ min: 0, max: 2 }).map(($size) => ({ $size }))
      : fc.oneof(
          value,
          list.map(($in) => ({ $in })),
        )
  if (kind === 'sealed') return fc.oneof(...absent)
  return fc.oneof(
    value,
    value.map(($ne) => ({ $ne })),
    list.map(($in) => ({ $in })),
    list.map(($nin) => ({ $nin })),
    ...absent,
  )
}
