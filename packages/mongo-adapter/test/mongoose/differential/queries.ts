// What Mongoose's own tests do with queries: how they select, what they answer, and what an update changes.
import { CANARY } from '../heard.ts'
import { ada, bob, eve } from './people.ts'
import { chosen } from './seen.ts'
import type { AnyModel } from '../support.ts'
import type { Models } from './sides.ts'

/** The same without arguments, which its types do not say. */
interface Builder {
  updateOne(): Query
}
interface Query {
  set(path: unknown, value?: unknown): Query
}
type Situation = (models: Models) => unknown

const on =
  (call: (people: AnyModel) => unknown, model = 'Person'): Situation =>
  (models) =>
    call(models[model] as AnyModel)

const after = { returnDocument: 'after' } as const
const EMAIL = `bob-${CANARY}@example.com`

export const QUERIES: Readonly<Record<string, Situation>> = {
  'where and equals': on((all) => all.where('email').equals(EMAIL)),
  'where and in': on((all) => all.where('email').in([EMAIL, 'none@example.com'])),
  'where and ne': on((all) => all.find().where('email').ne(EMAIL).sort('_id')),
  'where and nin': on((all) =>
    all
      .find()
      .where('codes')
      .nin([`c1 ${CANARY}`])
      .sort('_id'),
  ),
  'where, all and size': on((all) =>
    all
      .find()
      .where('codes')
      .all([`c1 ${CANARY}`, `c2 ${CANARY}`]),
  ),
  'where and exists': on((all) => all.find().where('born').exists(true)),
  'or, nor, and': on((all) =>
    all
      .find()
      .or([{ email: EMAIL }, { _id: 'eve' }])
      .nor([{ score: 7 }])
      .and([{ orgId: 'acme' }])
      .sort('_id'),
  ),
  'a path without a value': on((all) => all.find({ name: null })),
  'a filter that is cast': on((all) => all.find({ orgId: 'acme', age: '36' }).sort('_id')),
  'a filter with a setter': on((all) => all.find({ email: ` BOB-${CANARY}@Example.com ` })),
  'a filter with undefined': on((all) => all.find({ plan: undefined })),
  'a filter of what is not in the schema': on((all) => all.find({ nothing: 1 }).sort('_id')),
  strictQuery: on((all) => all.find({ nothing: 1 }).setOptions({ strictQuery: true }).sort('_id')),
  'strictQuery that throws': on((all) => all.find({ nothing: 1 }).setOptions({ strictQuery: 'throw' })),
  'select of some': on((all) => all.find().select('name email tags').sort('_id')),
  'select of some, without an id': on((all) => all.find().select('name -_id').sort('_id').lean()),
  'select of all but some': on((all) => all.find().select('-name -tags -nested.deep.secret').sort('_id')),
  'select of nested paths': on((all) => all.find().select('nested.deep.secret address.street notes.text').sort('_id')),
  'select of what is hidden': on((all) => all.find().select('+hidden').sort('_id')),
  'select of the tenant alone': on((all) => all.find().select('orgId').sort('_id')),
  'select but the tenant': on((all) => all.find().select('-orgId').sort('_id')),
  'select twice': on((all) => all.find().select('name').select('email').sort('_id')),
  'sort, skip and limit': on((all) => all.find().sort({ score: -1, _id: 1 }).skip(1).limit(1)),
  'lean with virtuals of none': on((all) => all.findOne({ _id: 'ada' }).lean()),
  'lean and select': on((all) => all.find().select('name').lean().sort('_id')),
  'lean and transform': on((all) =>
    all
      .find()
      .sort('_id')
      .lean()
      .transform((found) => found.map(({ _id }) => _id as unknown)),
  ),
  orFail: on((all) => all.findOne({ _id: 'none' }).orFail()),
  'orFail with an error of its own': on((all) => all.findOne({ _id: 'none' }).orFail(() => new TypeError('none'))),
  'orFail of many': on((all) => all.find({ plan: 'none' }).orFail()),
  'a query twice': on(async (all) => {
    const query = all.find().sort('_id')
    await query
    return query
  }),
  'a clone of a query': on(async (all) => {
    const query = all.find({ plan: 'pro' })
    return [await query, await query.clone()]
  }),
  'a query merged': on((all) => all.find({ plan: 'pro' }).merge(all.find({ email: EMAIL }))),
  'findById of nothing': on((all) => all.findById(undefined)),
  'exists by an index': on((all) => all.exists({ email: EMAIL })),
  'count by an index': on((all) => all.countDocuments({ orgId: 'acme', age: 36 })),
  estimatedDocumentCount: on((all) => all.estimatedDocumentCount()),
  'distinct of a plain path': on(async (all) => ((await all.distinct('plan')) as string[]).sort()),
  'distinct of an index': on(async (all) => ((await all.distinct('email')) as string[]).sort()),
  'a cursor': on(async (all) => {
    const found: unknown[] = []
    const cursor = all.find().sort('_id').cursor()
    for (let each = await cursor.next(); each !== null; each = await cursor.next()) found.push(each)
    return found
  }),
  'a cursor that is lean': on(async (all) => {
    const found: unknown[] = []
    for await (const each of all.find().sort('_id').lean().cursor()) found.push(each)
    return found
  }),
  'eachAsync, in batches': on(async (all) => {
    const found: unknown[] = []
    await all
      .find()
      .sort('_id')
      .cursor()
      .eachAsync((batch) => void found.push(batch), { batchSize: 2 })
    return found
  }),
  'a cursor that is mapped': on(async (all) => {
    const cursor = all
      .find()
      .sort('_id')
      .cursor()
      .map((each) => (each as unknown as { readonly name: string }).name)
    const found: unknown[] = []
    for await (const each of cursor) found.push(each)
    return found
  }),
  'a cursor, closed': on(async (all) => {
    const cursor = all.find().sort('_id').cursor()
    const first: unknown = await cursor.next()
    await cursor.close()
    return first
  }),
  'updateOne by its parts': on((all) =>
    (all.where({ _id: 'bob' }) as unknown as Builder).updateOne().set('name', `Set ${CANARY}`).set({ score: 3 }),
  ),
  'updateOne with options of findOneAndUpdate': on((all) =>
    all.updateOne({ _id: 'bob' }, { name: `Set ${CANARY}` }, { new: true, returnDocument: 'after', includeResultMetadata: true } as never),
  ),
  'updateOne that casts': on((all) => all.updateOne({ _id: 'bob' }, { age: '41', salary: '12', active: 'true' })),
  'updateOne with a setter': on((all) => all.updateOne({ _id: 'bob' }, { email: ` BOB2-${CANARY}@Example.com ` })),
  'updateOne of what is immutable': on((all) => all.updateOne({ _id: 'ada' }, { frozen: `melted ${CANARY}`, name: `Set ${CANARY}` })),
  'updateOne of what it does not have': on((all) => all.updateOne({ _id: 'bob' }, { unknown: 1, name: `Set ${CANARY}` })),
  'updateOne of what a strict one does not have': on((all) => all.updateOne({ _id: 'ada' }, { unknown: 1 }), 'Strict'),
  'updateOne of what a loose one takes': on((all) => all.updateOne({ _id: 'ada' }, { unknown: { a: 1 } }), 'Loose'),
  'updateOne with $unset': on((all) => all.updateOne({ _id: 'ada' }, { $unset: { name: 1, 'nested.deep.secret': 1 } })),
  'updateOne with null': on((all) => all.updateOne({ _id: 'ada' }, { name: null, born: null })),
  'updateOne with undefined': on((all) => all.updateOne({ _id: 'ada' }, { name: undefined, score: 2 })),
  'updateOne with $push': on((all) => all.updateOne({ _id: 'ada' }, { $push: { tags: `p ${CANARY}` } })),
  'updateOne with $push of several': on((all) =>
    all.updateOne({ _id: 'ada' }, { $push: { tags: { $each: [`p ${CANARY}`, `q ${CANARY}`], $position: 1, $slice: 4 } } }),
  ),
  'updateOne with $push of a subdocument': on((all) =>
    all.updateOne({ _id: 'ada' }, { $push: { notes: { _id: chosen(30), title: 'p', text: `p ${CANARY}` } } }),
  ),
  'updateOne with $pop': on((all) => all.updateOne({ _id: 'ada' }, { $pop: { tags: 1 } })),
  'updateOne with $pull by an index': on((all) => all.updateOne({ _id: 'ada' }, { $pull: { codes: `c1 ${CANARY}` } })),
  'updateOne with $pull of plain ones': on((all) => all.updateOne({ _id: 'ada' }, { $pull: { open: 'y' } })),
  'updateOne of an element': on((all) => all.updateOne({ _id: 'ada' }, { 'tags.1': `e ${CANARY}`, 'notes.0.text': `e ${CANARY}` })),
  'updateOne of what was found': on((all) => all.updateOne({ _id: 'ada', 'notes._id': chosen(12) }, { 'notes.$.text': `f ${CANARY}` })),
  'updateOne of all elements': on((all) => all.updateOne({ _id: 'ada' }, { 'notes.$[].text': `all ${CANARY}` })),
  'updateOne with arrayFilters': on((all) =>
    all.updateOne({ _id: 'ada' }, { 'notes.$[n].text': `flt ${CANARY}` }, { arrayFilters: [{ 'n.title': 'third' }] }),
  ),
  'updateOne of a whole nested object': on((all) => all.updateOne({ _id: 'ada' }, { nested: { deep: { secret: `whole ${CANARY}` } } })),
  'updateOne of a whole subdocument': on((all) => all.updateOne({ _id: 'ada' }, { address: { city: 'Bern', street: CANARY } })),
  'updateOne of a map': on((all) => all.updateOne({ _id: 'ada' }, { facts: { shape: `square ${CANARY}` } })),
  'updateOne without timestamps': on((all) => all.updateOne({ _id: 'bob' }, { name: `Set ${CANARY}` }, { timestamps: false })),
  'updateOne with validators': on((all) => all.updateOne({ _id: 'bob' }, { name: 'x' }, { runValidators: true })),
  'updateOne with validators that pass': on((all) => all.updateOne({ _id: 'bob' }, { name: `Ok ${CANARY}` }, { runValidators: true })),
  'updateOne of none': on((all) => all.updateOne({ _id: 'none' }, { name: `Set ${CANARY}` })),
  'updateOne with nothing': on((all) => all.updateOne({ _id: 'bob' }, {})),
  'updateOne to one that is taken': on((all) => all.updateOne({ _id: 'bob' }, { email: eve.email })),
  'updateOne that inserts': on((all) => all.updateOne({ _id: 'ups', orgId: 'acme' }, { name: `Ups ${CANARY}` }, { upsert: true })),
  'updateOne that inserts, with defaults': on((all) =>
    all.updateOne({ _id: 'ups', orgId: 'acme' }, { name: `Ups ${CANARY}` }, { upsert: true, setDefaultsOnInsert: true }),
  ),
  'updateOne that inserts, without defaults': on((all) =>
    all.updateOne({ _id: 'ups', orgId: 'acme' }, { name: `Ups ${CANARY}` }, { upsert: true, setDefaultsOnInsert: false }),
  ),
  'updateOne with $setOnInsert': on((all) =>
    all.updateOne({ _id: 'ups', orgId: 'acme' }, { $set: { score: 1 }, $setOnInsert: { name: `Ups ${CANARY}` } }, { upsert: true }),
  ),
  'updateOne that would insert and finds': on((all) =>
    all.updateOne({ _id: 'bob', orgId: 'acme' }, { name: `Ups ${CANARY}` }, { upsert: true }),
  ),
  'updateMany of plain paths': on((all) => all.updateMany({ plan: 'free' }, { score: 8 })),
  'updateMany of encrypted ones': on((all) =>
    all.updateMany({ orgId: 'acme', age: 36 }, { name: `Many ${CANARY}`, $push: { tags: CANARY } }),
  ),
  'updateMany of none': on((all) => all.updateMany({ plan: 'team' }, { name: `Many ${CANARY}` })),
  'findOneAndUpdate, before': on((all) => all.findOneAndUpdate({ email: EMAIL }, { name: `Fnd ${CANARY}` }, { returnDocument: 'before' })),
  'findOneAndUpdate, after': on((all) => all.findOneAndUpdate({ email: EMAIL }, { name: `Fnd ${CANARY}` }, after)),
  'findOneAndUpdate, new': on((all) => all.findOneAndUpdate({ _id: 'bob' }, { name: `Fnd ${CANARY}` }, { new: true })),
  'findOneAndUpdate, lean': on((all) => all.findOneAndUpdate({ _id: 'bob' }, { name: `Fnd ${CANARY}` }, { ...after, lean: true })),
  'findOneAndUpdate, of some paths': on((all) => all.findOneAndUpdate({ _id: 'bob' }, { name: `Fnd ${CANARY}` }, after).select('name')),
  'findOneAndUpdate, sorted': on((all) =>
    all.findOneAndUpdate({ orgId: 'acme' }, { name: `Fnd ${CANARY}` }, { ...after, sort: { _id: -1 } }),
  ),
  'findOneAndUpdate of nothing, that would insert': on((all) =>
    all.findOneAndUpdate({ _id: 'bob', orgId: 'acme' }, {}, { ...after, upsert: true, timestamps: false, setDefaultsOnInsert: false }),
  ),
  'findOneAndUpdate that inserts': on((all) =>
    all.findOneAndUpdate({ _id: 'ups', orgId: 'acme' }, { name: `Ups ${CANARY}` }, { ...after, upsert: true }),
  ),
  'findOneAndUpdate that inserts, before': on((all) =>
    all.findOneAndUpdate({ _id: 'ups', orgId: 'acme' }, { name: `Ups ${CANARY}` }, { upsert: true, returnDocument: 'before' }),
  ),
  'findOneAndUpdate of none': on((all) => all.findOneAndUpdate({ _id: 'none' }, { name: `Fnd ${CANARY}` }, after)),
  'findOneAndUpdate, orFail': on((all) => all.findOneAndUpdate({ _id: 'none' }, { name: `Fnd ${CANARY}` }).orFail()),
  'findOneAndUpdate with validators': on((all) => all.findOneAndUpdate({ _id: 'bob' }, { age: 1000 }, { runValidators: true })),
  'findOneAndUpdate with its metadata': on((all) =>
    all
      .findOneAndUpdate({ _id: 'bob' }, { name: `Fnd ${CANARY}` }, { ...after, includeResultMetadata: true })
      .then((result) => result.value),
  ),
  findByIdAndUpdate: on((all) => all.findByIdAndUpdate('bob', { $set: { name: `Fnd ${CANARY}` }, $inc: { score: 2 } }, after)),
  findByIdAndDelete: on((all) => all.findByIdAndDelete('bob')),
  'findOneAndDelete by an index': on((all) => all.findOneAndDelete({ email: EMAIL })),
  findOneAndReplace: on((all) => all.findOneAndReplace({ _id: 'bob' }, { orgId: 'acme', name: `Rep ${CANARY}`, unknown: 1 }, after)),
  replaceOne: on((all) => all.replaceOne({ _id: 'bob' }, { orgId: 'acme', name: `Rep ${CANARY}` })),
  'replaceOne with validators': on((all) => all.replaceOne({ _id: 'bob' }, { orgId: 'acme', name: 'x' }, { runValidators: true })),
  'deleteOne by an index': on((all) => all.deleteOne({ email: EMAIL })),
  'deleteMany by an index': on((all) => all.deleteMany({ orgId: 'acme', age: 36 })),
  'bulkWrite of all kinds': on((all) =>
    all.bulkWrite([
      { insertOne: { document: { _id: 'blk', orgId: 'acme', name: `Blk ${CANARY}` } } },
      { updateOne: { filter: { _id: 'bob' }, update: { name: `Blk ${CANARY}` } } },
      { updateMany: { filter: { plan: 'free' }, update: { score: 9 } } },
      { replaceOne: { filter: { _id: 'eve' }, replacement: { orgId: 'acme', name: `Blk ${CANARY}` } } },
      { deleteOne: { filter: { _id: 'ada' } } },
    ]),
  ),
  'bulkWrite, one of which cannot be cast': on((all) =>
    all.bulkWrite(
      [{ updateOne: { filter: { _id: 'bob' }, update: { age: 'no' } } }, { updateOne: { filter: { _id: 'eve' }, update: { score: 1 } } }],
      {
        ordered: false,
      },
    ),
  ),
  'bulkWrite, one of which is there': on((all) =>
    all.bulkWrite([{ insertOne: { document: { ...bob, _id: 'blk' } } }, { updateOne: { filter: { _id: 'eve' }, update: { score: 1 } } }], {
      ordered: false,
    }),
  ),
  'bulkWrite of nothing': on((all) => all.bulkWrite([])),
  aggregate: on((all) =>
    all.aggregate([{ $match: { orgId: 'acme' } }, { $sort: { _id: 1 } }, { $project: { name: 1, tags: 1, said: '$email' } }]),
  ),
  'aggregate by its parts': on((all) => all.aggregate().match({ plan: 'free' }).sort({ _id: 1 }).unwind('tags').project({ tags: 1 })),
  'aggregate of groups': on((all) =>
    all
      .aggregate()
      .group({ _id: '$plan', count: { $sum: 1 } })
      .sort({ _id: 1 }),
  ),
  'aggregate, with a cursor': on(async (all) => {
    const found: unknown[] = []
    for await (const each of all.aggregate().sort({ _id: 1 }).project({ name: 1 }).cursor({ batchSize: 1 })) found.push(each)
    return found
  }),
  'a transaction': on(async (all) => {
    await all.db.transaction(async (session) => {
      const document = await all.findById('bob').session(session).orFail()
      document.set('name', `Tx ${CANARY}`)
      await document.save()
      await all.create([{ ...bob, _id: 'tx', email: `tx-${CANARY}@example.com` }], { session })
    })
    return all.find().sort('_id')
  }),
  'a transaction that fails': on(async (all) => {
    const document = await all.findById('bob').orFail()
    await all.db
      .transaction(async (session) => {
        document.set('name', `Tx ${CANARY}`)
        document.get('tags').push(`tx ${CANARY}`)
        await document.save({ session })
        throw new Error('no')
      })
      .catch(() => undefined)
    return [document, await document.save()]
  }),
}

/** What docs/operations.md says is refused. */
export const REFUSED_QUERIES: Readonly<Record<string, Situation>> = {
  'a range': on((all) => all.find({ orgId: 'acme', age: { $gt: 3 } })),
  'a pattern': on((all) => all.find({ email: /bob/u })),
  'a search without an index': on((all) => all.find({ name: ada.name })),
  'a search within a subdocument': on((all) => all.find({ 'notes.text': `note ${CANARY}` })),
  'a sort': on((all) => all.find().sort('email')),
  'distinct without an index': on((all) => all.distinct('name')),
  explain: on((all) => all.find().explain()),
  'select of a part of an array': on((all) => all.find({ _id: 'ada' }, { notes: { $slice: 1 } })),
  $where: on((all) => all.find().$where('this.name')),
  $inc: on((all) => all.updateOne({ _id: 'ada' }, { $inc: { age: 1 } })),
  $rename: on((all) => all.updateOne({ _id: 'ada' }, { $rename: { name: 'alias' } })),
  'an update with the owners that it has': on((all) => all.updateOne({ _id: 'bob' }, { orgId: 'acme', name: `Set ${CANARY}` })),
  'an update with the _id that it has': on((all) => all.updateOne({ _id: 'bob' }, { _id: 'bob', name: `Set ${CANARY}` })),
  '$pull without an index': on((all) => all.updateOne({ _id: 'ada' }, { $pull: { tags: `one ${CANARY}` } })),
  'a pipeline': on((all) => all.updateOne({ _id: 'ada' }, [{ $set: { plan: '$name' } }], { updatePipeline: true })),
}

/** What is wrong by itself: of this the server says nothing, since it is not asked. */
export const INVALID_QUERIES: Readonly<Record<string, Situation>> = {
  'an upsert that does not say whose it is': on((all) => all.updateOne({ _id: 'bob' }, { name: `Ups ${CANARY}` }, { upsert: true })),
  'select of what does not go together': on((all) => all.find().select('name -email')),
}
