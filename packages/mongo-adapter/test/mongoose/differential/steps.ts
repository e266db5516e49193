// Random steps of a program with models: documents that are loaded, changed and saved, and queries beside them.
import fc from 'fast-check'
import type { Document } from 'mongodb'

import { CANARY } from '../heard.ts'
import type { AnyModel } from '../support.ts'
import { chosen } from './seen.ts'

/** The documents that a program holds, by their ids. */
export type Held = Map<string, Document>
export interface Step {
  readonly name: string
  readonly call: (people: AnyModel, held: Held) => unknown
}

const IDS = ['ada', 'bob', 'eve', 'joe'] as const
const id = fc.constantFrom(...IDS)
const text = fc.constantFrom(CANARY, `a ${CANARY}`, `b ${CANARY}`, `c ${CANARY}`, null, undefined, '', 'x')
const some = fc.constantFrom(`a ${CANARY}`, `b ${CANARY}`, `c ${CANARY}`)
const number = fc.constantFrom(0, 1, 2.5, 36, -7, '40', null, undefined, 'none', 1000)
const list = fc.array(some, { maxLength: 3 })
const noteId = fc.integer({ min: 0, max: 3 }).map(chosen)
const note = fc.record({ _id: noteId, title: fc.constantFrom('t', 'u'), text: some, marks: list }, { requiredKeys: ['_id'] })

/** A path, and what it may be set to: right, wrong, nothing. */
const assignment: fc.Arbitrary<readonly [string, unknown]> = fc.oneof(
  fc.tuple(fc.constantFrom('name', 'nick', 'whisper', 'frozen', 'alias', 'hidden', 'nested.deep.secret', 'address.street'), text),
  fc.tuple(fc.constantFrom('score', 'salary', 'age', 'nested.count', 'born', 'large'), number),
  fc.tuple(fc.constantFrom('tags', 'codes', 'whole', 'nested.list', 'notes.0.marks'), fc.option(list)),
  fc.tuple(fc.constant('notes'), fc.uniqueArray(note, { maxLength: 3, selector: (each) => each._id.toHexString() })),
  fc.tuple(fc.constant('address'), fc.constantFrom(undefined, null, { city: 'x' }, { street: CANARY }, { floors: [1] })),
  fc.tuple(fc.constant('nested'), fc.constantFrom(undefined, {}, { deep: { secret: CANARY } }, { list: [CANARY] })),
  fc.tuple(fc.constantFrom('plan', 'nested.deep.open'), fc.constantFrom('pro', 'none', null, undefined)),
  fc.tuple(fc.constant('open'), fc.constantFrom(['x'], [], undefined, ['y', 'z'])),
  fc.tuple(fc.constant('plainFacts'), fc.constantFrom(undefined, {}, { a: 'a' }, { b: 'b' })),
  fc.tuple(fc.constantFrom('anything', 'loose'), fc.constantFrom(undefined, null, {}, [1], { a: { b: 1 } })),
  fc.tuple(fc.constantFrom('notes.0.text', 'notes.1.text', 'notes.0.inner.deep', 'tags.0', 'tags.1'), some),
)
const email = fc.constantFrom('a', 'b', 'c').map((each) => `${each}-${CANARY}@example.com`)

const onHeld = (name: string, change: (document: Document) => unknown): fc.Arbitrary<Step> =>
  id.map((which) => ({
    name: `${name} of ${which}`,
    call: (_, held) => {
      const document = held.get(which)
      return document === undefined ? 'not held' : change(document)
    },
  }))
const withValue = <T>(values: fc.Arbitrary<T>, step: (value: T) => fc.Arbitrary<Step>): fc.Arbitrary<Step> => values.chain(step)
const listed = (document: Document, path: string): Document | undefined => document['get'](path) as Document | undefined

const arrays = fc.constantFrom('tags', 'codes', 'nested.list')
const CHANGES: readonly fc.Arbitrary<Step>[] = [
  withValue(assignment, ([path, value]) => onHeld(`set ${path}`, (it) => void it['set'](path, value))),
  withValue(assignment, ([path, value]) => onHeld(`set ${path} again`, (it) => void it['set'](path, value))),
  withValue(fc.tuple(arrays, list), ([path, all]) => onHeld(`push to ${path}`, (it) => listed(it, path)?.['push'](...all))),
  withValue(arrays, (path) => onHeld(`pop of ${path}`, (it) => listed(it, path)?.['pop']())),
  withValue(arrays, (path) => onHeld(`shift of ${path}`, (it) => listed(it, path)?.['shift']())),
  withValue(fc.tuple(arrays, some), ([path, one]) => onHeld(`unshift to ${path}`, (it) => listed(it, path)?.['unshift'](one))),
  withValue(fc.tuple(arrays, some), ([path, one]) => onHeld(`splice of ${path}`, (it) => listed(it, path)?.['splice'](0, 1, one))),
  withValue(arrays, (path) => onHeld(`sort of ${path}`, (it) => void listed(it, path)?.['sort']())),
  withValue(fc.tuple(arrays, some), ([path, one]) => onHeld(`set in ${path}`, (it) => void listed(it, path)?.['set'](1, one))),
  withValue(some, (one) => onHeld('pull of codes', (it) => void listed(it, 'codes')?.['pull'](one))),
  withValue(note, (one) => onHeld('push of a note', (it) => listed(it, 'notes')?.['push'](one))),
  withValue(fc.tuple(noteId, some), ([which, value]) =>
    onHeld('text of a note', (it) => {
      const found = listed(it, 'notes')?.['id'](which) as Document | null
      if (found !== null) found['text'] = value
    }),
  ),
  onHeld('splice of notes', (it) => listed(it, 'notes')?.['splice'](0, 1)),
  withValue(fc.constantFrom('name', 'tags', 'notes', 'anything', 'nested'), (path) =>
    onHeld(`mark ${path}`, (it) => void it['markModified'](path)),
  ),
  withValue(fc.constantFrom('name', 'tags', 'plan'), (path) => onHeld(`unmark ${path}`, (it) => void it['unmarkModified'](path))),
  onHeld('increment', (it) => void it['increment']()),
  onHeld('validate', (it) => it['validate']()),
  onHeld('a look', (it) => [it['$isEmpty'](), it['isModified']('notes'), it['isDirectModified']('tags'), it['toJSON']()]),
  id.map((which) => ({
    name: `new ${which}`,
    call: (people, held) =>
      void held.set(
        which,
        new (people as never as new (of: object) => Document)({
          _id: which,
          orgId: 'acme',
          name: `New ${CANARY}`,
          email: `${which}@example.com`,
        }),
      ),
  })),
]

const selection = fc.constantFrom(undefined, 'name tags', '-name', '+hidden', 'notes.text nested.deep.secret __v', '-notes')
const loaded = fc.tuple(id, selection).map(([which, select]): Step => ({
  name: `load ${which}, ${select}`,
  call: async (people, held) => {
    const query = people.findById(which)
    const found = await (select === undefined ? query : query.select(select))
    if (found === null) held.delete(which)
    else held.set(which, found as unknown as Document)
  },
}))
export const SAVES: readonly fc.Arbitrary<Step>[] = [
  onHeld('save', (it) => it['save']()),
  onHeld('save, what is modified validated', (it) => it['save']({ validateModifiedOnly: true })),
  onHeld('save without validation', (it) => it['save']({ validateBeforeSave: false })),
  onHeld('delete', (it) => it['deleteOne']()),
]

const filter = fc.oneof(
  id.map((_id) => ({ _id })),
  email.map((each) => ({ email: each })),
  fc.constantFrom({ orgId: 'acme', age: 36 }, { plan: 'free' }, { name: null }, { 'notes.title': 't' }, {}),
  some.map((code) => ({ codes: code })),
)
const update = fc.oneof(
  fc
    .array(assignment, { minLength: 1, maxLength: 2 })
    .map((all) => ({ $set: Object.fromEntries(all.filter(([path]) => !/\.\d/u.test(path))) })),
  fc.constantFrom('name', 'tags', 'notes', 'nested.deep.secret', 'anything').map((path) => ({ $unset: { [path]: 1 } })),
  list.map((all) => ({ $push: { tags: { $each: all } } })),
  note.map((one) => ({ $push: { notes: one }, $set: { plan: 'pro' } })),
  some.map((one) => ({ $pull: { codes: one } })),
  some.map((one) => ({ $set: { 'notes.$[].text': one } })),
  fc.constant({ $inc: { score: 1 }, $set: { name: `Inc ${CANARY}` } }),
)
const options = fc.record(
  { upsert: fc.constant(false), runValidators: fc.boolean(), timestamps: fc.boolean(), returnDocument: fc.constantFrom('before', 'after') },
  { requiredKeys: [] },
)
const QUERIES: readonly fc.Arbitrary<Step>[] = [
  fc.tuple(filter, selection, fc.boolean()).map(([where, select, lean]) => ({
    name: `find ${JSON.stringify(where)}`,
    call: (people) => {
      const query = people.find(where).sort('_id')
      const selected = select === undefined ? query : query.select(select)
      return lean ? selected.lean() : selected
    },
  })),
  filter.map((where) => ({ name: `count ${JSON.stringify(where)}`, call: (people) => people.countDocuments(where) })),
  filter.map((where) => ({
    name: `exists ${JSON.stringify(where)}`,
    call: async (people) => (await people.exists(where).sort('_id')) !== null,
  })),
  fc.tuple(id, update, options).map(([_id, change, given]) => ({
    name: `updateOne ${JSON.stringify(change)}`,
    call: (people) => people.updateOne({ _id }, change as never, given as never),
  })),
  fc.tuple(filter, update, options).map(([where, change, given]) => ({
    name: `updateMany ${JSON.stringify([where, change])}`,
    call: (people) => people.updateMany(where, change as never, given as never),
  })),
  fc.tuple(id, update, options).map(([_id, change, given]) => ({
    name: `findOneAndUpdate ${JSON.stringify(change)}`,
    call: (people) => people.findOneAndUpdate({ _id }, change as never, given as never),
  })),
  fc.tuple(id, update).map(([_id, change]) => ({
    name: `findOneAndUpdate that inserts ${JSON.stringify(change)}`,
    call: (people) => people.findOneAndUpdate({ _id, orgId: 'acme' }, change as never, { upsert: true, returnDocument: 'after' }),
  })),
  fc.tuple(id, some).map(([_id, name]) => ({
    name: `replaceOne ${_id}`,
    call: (people) => people.replaceOne({ _id }, { orgId: 'acme', name, tags: [name] }),
  })),
  fc.tuple(id, email).map(([_id, each]) => ({
    name: `insertMany ${_id}`,
    call: (people) =>
      people.insertMany([{ _id, orgId: 'acme', email: each, name: `Ins ${CANARY}`, notes: [{ _id: chosen(0), text: CANARY }] }]),
  })),
  id.map((_id) => ({ name: `findOneAndDelete ${_id}`, call: (people) => people.findOneAndDelete({ _id }) })),
  fc.constant({
    name: 'bulkSave of all',
    call: (people: AnyModel, held: Held) =>
      people.bulkSave([...held.values()] as never).then(({ insertedCount, modifiedCount }) => [insertedCount, modifiedCount]),
  }),
]

/** Changes are many, saves follow. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: loaded },
    { weight: 6, arbitrary: fc.oneof(...CHANGES) },
    { weight: 4, arbitrary: fc.oneof(...SAVES) },
    { weight: 4, arbitrary: fc.oneof(...QUERIES) },
  ),
  { minLength: 12, maxLength: 24 },
)
