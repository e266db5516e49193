// What Mongoose's own tests populate, and what they do with discriminators.
import type { Document } from 'mongodb'

import { CANARY } from '../heard.ts'
import type { AnyModel } from '../support.ts'
import { click, sign } from './library.ts'
import { chosen } from './seen.ts'
import type { Models } from './sides.ts'

type Situation = (models: Models) => unknown

const posts =
  (call: (posts: AnyModel, models: Models) => unknown): Situation =>
  (models) =>
    call(models['Post'] as AnyModel, models)
const events =
  (call: (events: AnyModel, models: Models) => unknown): Situation =>
  (models) =>
    call(models['Event'] as AnyModel, models)
const drawn =
  (change: (drawing: Document) => unknown): Situation =>
  async ({ Drawing }) => {
    const drawing = (await Drawing?.findOne().orFail()) as unknown as Document
    const answer = await change(drawing)
    const modified: unknown = drawing['modifiedPaths']()
    return [answer, modified, await drawing['save'](), await Drawing?.findOne()]
  }

export const POPULATED: Readonly<Record<string, Situation>> = {
  one: posts((all) => all.find().sort('rank').populate('author')),
  'one that is gone': posts((all) => all.find().sort('rank').populate('comments.by')),
  'an array': posts((all) => all.find().sort('rank').populate('editors')),
  'an array, keeping what is gone': posts((all) =>
    all
      .find()
      .sort('rank')
      .populate({ path: 'editors', options: { retainNullValues: true } }),
  ),
  'some of its paths': posts((all) => all.find().sort('rank').populate('author', 'name -_id')),
  'a path within an object': posts((all) => all.find().sort('rank').populate('review.by')),
  several: posts((all) =>
    all
      .find()
      .sort('rank')
      .populate(['author', { path: 'editors', select: 'name' }]),
  ),
  'several by one text': posts((all) => all.find().sort('rank').populate('author editors')),
  'of those that match': posts((all) =>
    all
      .find()
      .sort('rank')
      .populate({ path: 'editors', match: { _id: { $ne: 'bob' } } }),
  ),
  'sorted and limited': posts((all) =>
    all
      .find()
      .sort('rank')
      .populate({ path: 'editors', options: { sort: { _id: -1 }, limit: 1 } }),
  ),
  'each a copy': posts((all) =>
    all
      .find()
      .sort('rank')
      .populate({ path: 'author', options: { clone: true } }),
  ),
  anew: posts((all) => all.find().sort('rank').populate({ path: 'author', forceRepopulate: true })),
  'limited for each': posts((all) => all.find().sort('rank').populate({ path: 'editors', perDocumentLimit: 1 })),
  'what is populated itself': posts((all) =>
    all
      .find()
      .sort('rank')
      .populate({ path: 'author', populate: { path: 'mentor', populate: 'mentor' } }),
  ),
  'within subdocuments': posts((all) => all.find().sort('rank').populate('comments.by comments.likes')),
  'by the kind that a path says': posts((all) => all.find().sort('rank').populate('about.item')),
  'values of a map': posts((all) => all.find().sort('rank').populate('authors.$*')),
  lean: posts((all) => all.find().sort('rank').populate('author editors').lean()),
  'with a transform': posts((all) =>
    all
      .find()
      .sort('rank')
      .populate({ path: 'author', transform: (found: { name?: string } | null) => found?.name }),
  ),
  'with a cursor': posts(async (all) => {
    const found: unknown[] = []
    for await (const each of all.find().sort('rank').populate('author').cursor()) found.push(each)
    return found
  }),
  'of a document that is there': posts(async (all) => {
    const post = await all.findOne({ rank: 1 }).orFail()
    return post.populate(['author', 'editors'])
  }),
  'and taken back': posts(async (all) => {
    const post = await all.findOne({ rank: 1 }).populate('author').orFail()
    return [post.populated('author'), post['$populated']('author'), post.depopulate('author')]
  }),
  'and saved': posts(async (all) => {
    const post = (await all.findOne({ rank: 1 }).populate('author editors').orFail()) as unknown as Document
    post['author'].name = `Changed ${CANARY}`
    post['title'] = `Changed ${CANARY}`
    return [await post['save'](), await post['author'].save()]
  }),
  'and set to another': posts(async (all, { Author }) => {
    const post = (await all.findOne({ rank: 1 }).populate('author').orFail()) as unknown as Document
    post['author'] = await Author?.findById('bob')
    return [post, await post['save'](), await all.findOne({ rank: 1 })]
  }),
  'and pushed to': posts(async (all, { Author }) => {
    const post = (await all.findOne({ rank: 3 }).populate('editors').orFail()) as unknown as Document
    post['editors'].push(await Author?.findById('eve'))
    return [post, await post['save'](), await all.findOne({ rank: 3 })]
  }),
  'by the model': posts(async (all, { Author }) => Author?.populate(await all.find().sort('rank').lean(), { path: 'author' } as never)),
  'what was made of documents': posts(
    (all, { Author }) => new all({ _id: chosen(150), author: new (Author as AnyModel)({ _id: 'new', name: `New ${CANARY}` }) }),
  ),
  'after findOneAndUpdate': posts((all) =>
    all.findOneAndUpdate({ rank: 1 }, { title: `Found ${CANARY}` }, { new: true }).populate('author'),
  ),
  'a path that there is not': posts((all) => all.find().sort('rank').populate('nothing')),
  'a model that there is not': posts((all) => all.find().sort('rank').populate({ path: 'title', model: 'Nothing' })),
  'a virtual': ({ Author }) =>
    Author?.find()
      .sort('_id')
      .populate({ path: 'posts', options: { sort: { rank: 1 } } }),
  'a virtual of one': ({ Author }) => Author?.find().sort('_id').populate('latest'),
  'a virtual that counts': ({ Author }) => Author?.find().sort('_id').populate('postCount'),
  'a virtual with a match': ({ Author }) =>
    Author?.find()
      .sort('_id')
      .populate({ path: 'posts', match: { rank: { $gt: 1 } }, select: 'title author', options: { sort: { rank: 1 } } }),
  'a virtual, limited for each': ({ Author }) =>
    Author?.find()
      .sort('_id')
      .populate({ path: 'posts', perDocumentLimit: 1, options: { sort: { rank: -1 } } }),
  'a virtual, lean': ({ Author }) =>
    Author?.find()
      .sort('_id')
      .populate({ path: 'posts', options: { sort: { rank: 1 } } })
      .lean(),
  'a virtual and what it holds': ({ Author }) =>
    Author?.find()
      .sort('_id')
      .populate({ path: 'posts', options: { sort: { rank: 1 } }, populate: { path: 'editors' } }),
  'of discriminators': events((all) => all.find().sort('_id').populate('author')),
}

export const DISCRIMINATED: Readonly<Record<string, Situation>> = {
  'find of all': events((all) => all.find().sort('_id')),
  'find of all, lean': events((all) => all.find().sort('_id').lean()),
  'find of one kind': events((_, { Click }) => Click?.find()),
  'find by the key': events((all) => all.find({ kind: 'Click' })),
  'find of a kind by an index of another': events((all) => all.find({ kind: 'Sign', email: sign.email.toLowerCase() })),
  'find by an index of its own': events((_, { Sign }) => Sign?.findOne({ email: sign.email })),
  'find of a kind that is another': events((_, { Sign }) => Sign?.findOne({ _id: click._id })),
  'find of a kind with the key of another': events((_, { Sign }) => Sign?.find({ kind: 'Click' })),
  'select of a path of a kind': events((all) => all.find().select('url email').sort('_id')),
  'select without the key': events((all) => all.find().select('-kind').sort('_id')),
  'count and exists': events(async (all, { Click, Sign }) => [
    await all.countDocuments(),
    await Click?.countDocuments(),
    await Sign?.exists({}),
  ]),
  'distinct of the key': events(async (all) => ((await all.distinct('kind')) as string[]).sort()),
  'create by the base': events((all) => all.create({ ...click, _id: chosen(210) })),
  'create by a kind': events((_, { Click }) => Click?.create({ ...click, _id: chosen(210), kind: undefined })),
  'create of a kind that there is not': events((all) => all.create({ ...click, _id: chosen(210), kind: 'Nothing' })),
  'create by a kind, of another': events((_, { Click }) => Click?.create({ ...sign, _id: chosen(210) })),
  'insertMany of several kinds': events((all) =>
    all.insertMany([
      { ...click, _id: chosen(210) },
      { ...sign, _id: chosen(211), email: `o${CANARY}` },
    ]),
  ),
  'save of a path of its own': events(async (_, { Click }) => {
    const document = await Click?.findOne().orFail()
    document?.set({ url: `changed ${CANARY}`, x: 9, note: `note ${CANARY}` })
    return document?.save()
  }),
  'save of a path of another kind': events(async (_, { Click }) => {
    const document = await Click?.findOne().orFail()
    document?.set({ email: `x-${CANARY}@example.com` })
    return document?.save()
  }),
  'save of the key': events(async (all) => {
    const document = await all.findById(click._id).orFail()
    document.set('kind', 'Sign')
    return document.save()
  }),
  'update by the base': events((all) => all.updateOne({ _id: click._id }, { note: `up ${CANARY}`, url: `up ${CANARY}` })),
  'update by the base and the key': events((all) => all.updateOne({ _id: click._id, kind: 'Click' }, { url: `up ${CANARY}` })),
  'update by a kind': events((_, { Click }) => Click?.updateOne({}, { url: `up ${CANARY}` })),
  'update of the key': events((_, { Click }) => Click?.updateOne({ _id: click._id }, { kind: 'Sign' })),
  'update of the key, overwritten': events((_, { Click }) =>
    Click?.updateOne({ _id: click._id }, { kind: 'Sign', email: `k-${CANARY}@example.com` }, { overwriteDiscriminatorKey: true }),
  ),
  'updateMany by a kind': events((_, { Sign }) => Sign?.updateMany({}, { plan: 'pro', note: `many ${CANARY}` })),
  'findOneAndUpdate by a kind': events((_, { Sign }) =>
    Sign?.findOneAndUpdate({ email: sign.email }, { note: `fnd ${CANARY}` }, { new: true }),
  ),
  'findOneAndUpdate by the base': events((all) => all.findOneAndUpdate({ _id: sign._id }, { note: `fnd ${CANARY}` }, { new: true })),
  'findOneAndReplace by a kind': events((_, { Click }) =>
    Click?.findOneAndReplace({ _id: click._id }, { orgId: 'acme', owner: 'ada', url: `rep ${CANARY}` }, { new: true }),
  ),
  'an upsert by a kind': events((_, { Sign }) =>
    Sign?.findOneAndUpdate({ _id: chosen(212), orgId: 'acme', owner: 'ada' }, { note: `ups ${CANARY}` }, { new: true, upsert: true }),
  ),
  'deleteMany by a kind': events((_, { Click }) => Click?.deleteMany()),
  'bulkWrite by the base': events((all) =>
    all.bulkWrite([
      { insertOne: { document: { ...click, _id: chosen(210) } as never } },
      { updateOne: { filter: { _id: sign._id, kind: 'Sign' }, update: { plan: 'pro', note: `blk ${CANARY}` } } },
      { deleteOne: { filter: { _id: click._id } } },
    ] as never),
  ),
  'aggregate by a kind': events((_, { Click }) => Click?.aggregate([{ $project: { note: 1, url: 1 } }])),
  'a cursor over all': events(async (all) => {
    const found: unknown[] = []
    for await (const each of all.find().sort('_id').cursor()) found.push(each)
    return found
  }),
  'hydrate by the base': events((all) => all.hydrate({ ...click })),
  'embedded, read': drawn(() => undefined),
  'embedded, a path of its own': drawn((it) => (it['shapes'][0].radius = 8)),
  'embedded, another of them': drawn((it) => it['shapes'][1].set({ secret: `new ${CANARY}`, side: 2 })),
  'embedded, pushed': drawn((it) =>
    it['shapes'].push({ kind: 'circle', label: `p ${CANARY}`, radius: 1 }, { kind: 'Square', secret: CANARY }),
  ),
  'embedded, of no kind': drawn((it) => it['shapes'].push({ kind: 'Nothing', label: `p ${CANARY}` })),
  'embedded, spliced': drawn((it) => it['shapes'].splice(1, 1)),
  'embedded, set to another kind': drawn((it) => it['shapes'].set(0, { kind: 'Square', secret: `k ${CANARY}` })),
  'embedded, all of them': drawn((it) => (it['shapes'] = [{ kind: 'circle', radius: 2, label: `a ${CANARY}` }])),
  'single, a path of its own': drawn((it) => (it['main'].secret = `new ${CANARY}`)),
  'single, of another kind': drawn((it) => (it['main'] = { kind: 'circle', radius: 2, label: `m ${CANARY}` })),
  'single, gone': drawn((it) => (it['main'] = undefined)),
  'embedded, pulled': drawn((it) => it['shapes'].pull({ kind: 'circle' })),
  'embedded, updated': ({ Drawing }) => Drawing?.updateOne({}, { 'shapes.1.secret': `u ${CANARY}`, 'main.secret': `u ${CANARY}` }),
  'embedded, updated by the key': ({ Drawing }) => Drawing?.updateOne({ 'shapes.kind': 'Square' }, { 'shapes.$.secret': `u ${CANARY}` }),
  'embedded, updated by arrayFilters': ({ Drawing }) =>
    Drawing?.updateOne({}, { 'shapes.$[s].label': `u ${CANARY}` }, { arrayFilters: [{ 's.kind': 'circle' }] }),
  'embedded, pushed by an update': ({ Drawing }) =>
    Drawing?.updateOne({}, { $push: { shapes: { kind: 'Square', secret: `u ${CANARY}`, radius: 1 } } }),
  'embedded, replaced': ({ Drawing }) =>
    Drawing?.findOneAndReplace({}, { orgId: 'acme', owner: 'ada', shapes: [{ kind: 'circle', radius: 7 }] }, { new: true }),
}

export const REFUSED_REFERENCES: Readonly<Record<string, Situation>> = {
  'a join': ({ Author }) => Author?.aggregate().lookup({ from: 'posts', localField: '_id', foreignField: 'author', as: 'posts' }),
  'populate of an encrypted path that is searched': ({ Author }) =>
    Author?.find().populate({ path: 'posts', match: { title: `first ${CANARY}` } }),
}
