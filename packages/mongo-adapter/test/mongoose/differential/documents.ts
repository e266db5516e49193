// What Mongoose's own tests do with documents: what is changed, how it is told, and what is saved of it.
import type { Document } from 'mongodb'

import { CANARY } from '../heard.ts'
import { ada, BORN, eve } from './people.ts'
import { chosen } from './seen.ts'
import type { Models } from './sides.ts'

type Situation = (models: Models) => unknown

/** Ada as a document, changed, looked at, saved, looked at, and loaded anew. */
function edited(change: (document: Document) => unknown, model = 'Person'): Situation {
  return async (models) => {
    const document = (await models[model]?.findById('ada').orFail()) as unknown as Document
    const answer = await change(document)
    const before = [document['modifiedPaths'](), document['directModifiedPaths'](), document['$isValid']?.('name')]
    const saved = await document['save']()
    return [answer, before, document, saved === document, await models[model]?.findById('ada')]
  }
}

/** Two copies of Ada, saved one after the other. */
function raced(first: (document: Document) => unknown, second: (document: Document) => unknown, model = 'Person'): Situation {
  return async (models) => {
    const [one, two] = [await models[model]?.findById('ada').orFail(), await models[model]?.findById('ada').orFail()] as unknown as [
      Document,
      Document,
    ]
    await first(one)
    await second(two)
    await one['save']()
    return two['save']() as unknown
  }
}

export const DOCUMENTS: Readonly<Record<string, Situation>> = {
  'save of nothing': edited(() => undefined),
  'set of a path': edited((it) => (it['name'] = `Ada II ${CANARY}`)),
  'set to what it was': edited((it) => (it['name'] = ada.name)),
  'set by an object': edited((it) => it['set']({ name: `Set ${CANARY}`, 'nested.deep.secret': `set ${CANARY}`, age: 37 })),
  'set of all that it has': edited((it) => it['set']({ ...it['toObject'](), facts: undefined })),
  'set of a path that it does not have': edited((it) => it['set']('unknown', 1)),
  'set of a path that a strict one does not have': edited((it) => it['set']('unknown', 1), 'Strict'),
  'set of a path that a loose one takes': edited((it) => it['set']('unknown', { a: 1 }), 'Loose'),
  'set without casting to its own': edited((it) => it['set']('age', '37')),
  'set to null': edited((it) => (it['name'] = null)),
  'set to undefined': edited((it) => (it['name'] = undefined)),
  '$set and $unset of Mongoose': edited((it) => it['$set']('nested.deep.secret', undefined)),
  'unset of a nested object': edited((it) => (it['nested'] = undefined)),
  'set of a nested object': edited((it) => (it['nested'] = { deep: { secret: `new ${CANARY}` } })),
  'set of a nested object by merge': edited((it) => it['set']('nested', { deep: { open: 'other' } }, { merge: true })),
  'set of a nested path': edited((it) => (it['nested'].deep.secret = `deeper ${CANARY}`)),
  'set of a nested list': edited((it) => it['nested'].list.push(`b ${CANARY}`)),
  'set of an alias': edited((it) => (it['also'] = `other ${CANARY}`)),
  'set of a virtual': edited((it) => (it['first'] = 'Augusta')),
  'set through a setter': edited((it) => (it['whisper'] = `  Loud ${CANARY}  `)),
  'set of what is immutable': edited((it) => (it['frozen'] = `melted ${CANARY}`)),
  'set of what was not selected': edited((it) => (it['hidden'] = `found ${CANARY}`)),
  'set of a date, by mutation': edited((it) => (it['born'].setFullYear(1920), it['markModified']('born'))),
  'a date that was mutated and not marked': edited((it) => it['born'].setFullYear(1920)),
  'set of a date to an equal one': edited((it) => (it['born'] = new Date(BORN))),
  'set of bytes': edited((it) => (it['bytes'] = Buffer.from(`other ${CANARY}`))),
  'bytes that are written into': edited((it) => it['bytes'].writeUInt8(65, 0)),
  'set of numbers of all kinds': edited((it) => it['set']({ price: '1.5', large: 5n, salary: 1, active: false })),
  'set of a key and a code': edited((it) => it['set']({ key: chosen(2), code: '1b0e5d3a-7f2c-4d5e-8a9b-0c1d2e3f4a5b' })),
  overwrite: edited((it) =>
    it['overwrite']({ _id: 'ada', orgId: 'acme', name: `Over ${CANARY}`, notes: [{ _id: chosen(14), text: CANARY }] }),
  ),
  markModified: edited((it) => it['markModified']('name')),
  unmarkModified: edited((it) => ((it['name'] = `no ${CANARY}`), it['unmarkModified']('name'))),
  'a change that was taken back': edited((it) => ((it['name'] = `no ${CANARY}`), (it['name'] = ada.name))),
  'mixed, marked': edited((it) => (it['anything'].may.push(CANARY), it['markModified']('anything'))),
  'mixed, not marked': edited((it) => it['anything'].may.push(CANARY)),
  'mixed, by its path': edited((it) => it['set']('loose.free', [2])),
  'an empty object, minimized': edited((it) => it['set']({ loose: {}, plainFacts: {} })),
  'an empty object, kept': edited((it) => it['set']({ loose: {}, anything: {}, nested: {} }), 'Careful'),
  'push of a text': edited((it) => it['tags'].push(`four ${CANARY}`)),
  'push of several': edited((it) => it['tags'].push(`four ${CANARY}`, `five ${CANARY}`)),
  'push at a position': edited((it) => it['tags'].push({ $each: [`zero ${CANARY}`], $position: 0 })),
  concat: edited((it) => (it['tags'] = it['tags'].concat([`four ${CANARY}`]))),
  unshift: edited((it) => it['tags'].unshift(`zero ${CANARY}`)),
  shift: edited((it) => it['tags'].shift()),
  pop: edited((it) => it['tags'].pop()),
  nonAtomicPush: edited((it) => it['tags'].nonAtomicPush(`four ${CANARY}`)),
  splice: edited((it) => it['tags'].splice(1, 1, `spliced ${CANARY}`)),
  sort: edited((it) => it['tags'].sort()),
  reverse: edited((it) => it['tags'].reverse()),
  'set of an element': edited((it) => it['tags'].set(1, `set ${CANARY}`)),
  'an element by its index': edited((it) => (it['tags'][1] = `set ${CANARY}`)),
  'an element by its path': edited((it) => it['set']('tags.1', `set ${CANARY}`)),
  'an element beyond the end': edited((it) => it['tags'].set(4, `far ${CANARY}`)),
  'an element that is taken away': edited((it) => it['set']('tags.1', undefined)),
  'addToSet of one that is there': edited((it) => it['codes'].addToSet(`c1 ${CANARY}`)),
  'pull with an index': edited((it) => it['codes'].pull(`c1 ${CANARY}`)),
  'push and pull': edited((it) => (it['codes'].push(`c3 ${CANARY}`), it['codes'].pull(`c1 ${CANARY}`))),
  'push and then set': edited((it) => (it['tags'].push(`four ${CANARY}`), (it['tags'] = [`only ${CANARY}`]))),
  length: edited((it) => (it['tags'].length = 1)),
  'remove of an index': edited((it) => it['open'].remove('y')),
  'arrays of arrays': edited((it) => (it['rows'][0].push(9), it['rows'].push([7]), it['markModified']('rows'))),
  'a whole array, replaced': edited((it) => (it['whole'] = [`other ${CANARY}`, 'x'])),
  'a whole array, emptied': edited((it) => (it['whole'] = [])),
  'an array, emptied': edited((it) => (it['tags'] = [])),
  'an array, set to nothing': edited((it) => (it['tags'] = undefined)),
  'an array, set to one value': edited((it) => (it['tags'] = `alone ${CANARY}`)),
  'push of a subdocument': edited((it) => it['notes'].push({ _id: chosen(14), title: 'fourth', text: `pushed ${CANARY}` })),
  'push of a subdocument without an id': edited((it) => it['notes'].push({ text: `pushed ${CANARY}` })),
  'create and push of a subdocument': edited((it) => it['notes'].push(it['notes'].create({ text: `made ${CANARY}` }))),
  'a subdocument by its id': edited((it) => (it['notes'].id(chosen(12)).text = `found ${CANARY}`)),
  'a path within a subdocument': edited((it) => (it['notes'][0].inner.deep = `deeper ${CANARY}`)),
  'an array within a subdocument': edited((it) => it['notes'][0].marks.push(`n ${CANARY}`)),
  'a subdocument, by its whole': edited((it) => it['notes'].set(1, { _id: chosen(12), text: `whole ${CANARY}` })),
  'a subdocument, by set': edited((it) => it['notes'][0].set({ title: 'changed', text: `set ${CANARY}` })),
  'a subdocument, overwritten': edited((it) => it['notes'][0].overwrite({ _id: chosen(11), text: `over ${CANARY}` })),
  'subdocuments, spliced': edited((it) => it['notes'].splice(0, 1)),
  'subdocuments, popped': edited((it) => it['notes'].pop()),
  'subdocuments, in another order': edited((it) => (it['notes'] = [...it['notes']].reverse())),
  'subdocuments, filtered': edited((it) => (it['notes'] = it['notes'].filter((each: { title: string }) => each.title !== 'second'))),
  'subdocuments, all replaced': edited((it) => (it['notes'] = [{ _id: chosen(20), text: `new ${CANARY}` }])),
  'subdocuments, emptied': edited((it) => (it['notes'] = [])),
  'a change in a subdocument, and a push': edited(
    (it) => ((it['notes'][0].text = `a ${CANARY}`), it['notes'].push({ _id: chosen(14), text: `b ${CANARY}` })),
  ),
  'a single subdocument': edited((it) => (it['address'].street = `Road ${CANARY}`)),
  'a single subdocument, by its whole': edited((it) => (it['address'] = { city: 'Rome', street: `Via ${CANARY}` })),
  'a single subdocument, by nothing': edited((it) => (it['address'] = undefined)),
  'a single subdocument, null': edited((it) => (it['address'] = null)),
  'a single subdocument with a list': edited((it) => it['address'].floors.push(3)),
  'a subdocument that is one value, by its whole': edited((it) => (it['box'] = { size: 1, label: CANARY })),
  'a map, cleared': edited((it) => it['facts'].clear()),
  'a plain map': edited((it) => (it['plainFacts'].set('shape', 'round'), it['plainFacts'].delete('colour'))),
  increment: edited((it) => it['increment']()),
  'a validation that fails': edited((it) => (it['name'] = 'x')),
  'two that fail': edited((it) => it['set']({ name: 'x', plan: 'none', age: 1000 })),
  'a cast that fails': edited((it) => (it['age'] = `no ${CANARY}`)),
  'a cast that fails in a subdocument': edited((it) => (it['notes'][0].inner.open = 'no')),
  'a save that only validates what is changed': async (models) => {
    const document = (await models['Person']?.findById('ada').orFail()) as unknown as Document
    document['name'] = `Mod ${CANARY}`
    return document['save']({ validateModifiedOnly: true }) as unknown
  },
  'a save that does not validate': async (models) => {
    const document = (await models['Person']?.findById('ada').orFail()) as unknown as Document
    document['name'] = 'x'
    return document['save']({ validateBeforeSave: false }) as unknown
  },
  'a save of some paths': async (models) => {
    const document = (await models['Person']?.findById('ada').orFail()) as unknown as Document
    document['set']({ name: `Some ${CANARY}`, nick: `not ${CANARY}` })
    await document['save']({ pathsToSave: ['name'] })
    return [document, document['modifiedPaths']()]
  },
  'a save without timestamps': async (models) => {
    const document = (await models['Person']?.findById('ada').orFail()) as unknown as Document
    document['name'] = `Some ${CANARY}`
    return document['save']({ timestamps: false }) as unknown
  },
  'validate, and errors that stay': async (models) => {
    const document = new (models['Person'] as never as new (value: object) => Document)({ ...eve, _id: 'new', name: 'x', age: CANARY })
    await (document['validate'] as () => Promise<void>)().catch(() => undefined)
    return [document, document['errors']]
  },
  invalidate: edited((it) => it['invalidate']('name', 'is not nice', CANARY)),
  'two saves at once': edited((it) => ((it['name'] = `Twice ${CANARY}`), Promise.allSettled([it['save'](), it['save']()]))),
  'a document that is made of another': async (models) => {
    const document = (await models['Person']?.findById('ada').orFail()) as unknown as Document
    const copy = new (models['Person'] as never as new (value: object) => Document)(document['toObject']())
    return [copy, copy['equals'](document), copy['$isNew']]
  },
  'equals and get': async (models) => {
    const document = (await models['Person']?.findById('ada').orFail()) as unknown as Document
    const other = (await models['Person']?.findById('ada').orFail()) as unknown as Document
    const get = (path: string): unknown => document['get'](path)
    return [
      document['equals'](other),
      ['name', 'nested.deep.secret', 'notes.0.text', 'notes.text', 'whisper', 'facts.colour', 'shout'].map(get),
    ]
  },
  'isSelected, isInit, $isDefault, $isEmpty': async (models) => {
    const document = (await models['Person']?.findById('bob').select('name tags').orFail()) as unknown as Document
    return ['name', 'email', 'tags', 'nested', 'nick'].map((path) => [
      path,
      document['isSelected'](path),
      document['isDirectSelected'](path),
      document['isInit'](path),
      document['$isDefault'](path),
      document['$isEmpty'](path),
    ])
  },
  'forms of an object': async (models) => {
    const document = (await models['Person']?.findById('ada').orFail()) as unknown as Document
    return [
      document['toObject']({ getters: true, virtuals: true }),
      document['toObject']({ flattenMaps: true, versionKey: false }),
      document['toObject']({ flattenObjectIds: true, minimize: true }),
      document['toJSON']({ transform: (_: unknown, plain: { name: unknown }) => ({ name: plain.name }) }),
      document['$clone'](),
      document['$toObject'](),
    ]
  },
  'a partial document, saved': async (models) => {
    const document = (await models['Person']?.findById('ada').select('name notes').orFail()) as unknown as Document
    document['name'] = `Part ${CANARY}`
    document['notes'][0].text = `part ${CANARY}`
    return document['save']() as unknown
  },
  'a document without its version, saved': async (models) => {
    const document = (await models['Person']?.findById('ada').select('-__v').orFail()) as unknown as Document
    document['notes'].splice(0, 1)
    return document['save']() as unknown
  },
  'a document that is gone, saved': async (models) => {
    const document = (await models['Person']?.findById('ada').orFail()) as unknown as Document
    await models['Person']?.deleteOne({ _id: 'ada' })
    document['name'] = `Late ${CANARY}`
    return document['save']() as unknown
  },
  'deleteOne of a document, twice': async (models) => {
    const document = (await models['Person']?.findById('ada').orFail()) as unknown as Document
    return [await document['deleteOne'](), document['$isDeleted'](), await document['deleteOne']()]
  },
  'updateOne and replaceOne of a document': async (models) => {
    const document = (await models['Person']?.findById('eve').orFail()) as unknown as Document
    return [await document['updateOne']({ name: `Up ${CANARY}` }), await document['replaceOne']({ orgId: 'acme', name: `Rep ${CANARY}` })]
  },
  'a new document with a number that is taken': (models) => models['Person']?.create({ ...eve, _id: 'eve2' }),
  'a new document, saved again': async (models) => {
    const document = new (models['Person'] as never as new (value: object) => Document)({
      _id: 'new',
      orgId: 'acme',
      name: `New ${CANARY}`,
    })
    document['tags'].push(`first ${CANARY}`)
    await document['save']()
    document['tags'].push(`second ${CANARY}`)
    document['name'] = `Newer ${CANARY}`
    return document['save']() as unknown
  },
  'a new document with nothing in it': (models) => models['Loose']?.create({ _id: 'new', orgId: 'acme' }),
  'a new document with what is unknown': (models) => models['Loose']?.create({ _id: 'new2', orgId: 'acme', extra: { a: [1] } }),
  'a strict one with what is unknown': (models) => models['Strict']?.create({ _id: 'new', orgId: 'acme', extra: 1 }),
  hydrate: async (models) => {
    const document = models['Person']?.hydrate({ _id: 'ada', orgId: 'acme', name: `Hyd ${CANARY}` }) as unknown as Document
    document['name'] = `Hydrated ${CANARY}`
    return document['save']() as unknown
  },
  'init and a change': async (models) => {
    const document = new (models['Person'] as never as new () => Document)()
    document['init']({ _id: 'ada', orgId: 'acme', name: ada.name })
    document['name'] = `Init ${CANARY}`
    return document['save']() as unknown
  },
  'insertMany, one of which is wrong': (models) =>
    models['Person']?.insertMany(
      [
        { ...eve, _id: 'x1', email: 'x1@example.com' },
        { ...eve, _id: 'x2', name: 'x' },
      ],
      { ordered: false },
    ),
  'insertMany, one of which is there': (models) =>
    models['Person']?.insertMany([{ ...eve, _id: 'x1', email: `x1${CANARY}` }, eve, { ...eve, _id: 'x2', email: `x2${CANARY}` }], {
      ordered: false,
    }),
  'insertMany, lean': (models) => models['Person']?.insertMany([{ ...eve, _id: 'x1', email: `x1${CANARY}` }], { lean: true }),
  'create of several, in order': (models) =>
    models['Person']?.create(
      [
        { ...eve, _id: 'x1', email: `x1${CANARY}` },
        { ...eve, _id: 'x2', email: `x2${CANARY}` },
      ],
      { ordered: true },
    ),
  bulkSave: async (models) => {
    const all = (await models['Person']?.find().sort('_id')) as unknown as Document[]
    for (const each of all) each['name'] = `Bulk ${CANARY}`
    all[0]?.['notes'].push({ _id: chosen(15), text: `bulk ${CANARY}` })
    return [await models['Person']?.bulkSave(all as never), all]
  },
  'bulkSave, of one that was changed since': async (models) => {
    const all = (await models['Careful']?.find().sort('_id')) as unknown as Document[]
    await models['Careful']?.updateOne({ _id: 'ada' }, { $inc: { __v: 1 } })
    for (const each of all) each['name'] = `Bulk ${CANARY}`
    return models['Careful']?.bulkSave(all as never)
  },
  'versions: two pushes': raced(
    (it) => it['tags'].push(`a ${CANARY}`),
    (it) => it['tags'].push(`b ${CANARY}`),
  ),
  'versions: an element after a splice': raced(
    (it) => it['notes'].splice(0, 1),
    (it) => (it['notes'][1].text = `late ${CANARY}`),
  ),
  'versions: an element after a set': raced(
    (it) => (it['tags'] = [`new ${CANARY}`]),
    (it) => it['tags'].set(0, `late ${CANARY}`),
  ),
  'versions: a plain path after a splice': raced(
    (it) => it['notes'].splice(0, 1),
    (it) => (it['name'] = `late ${CANARY}`),
  ),
  'versions: optimistic concurrency': raced(
    (it) => (it['score'] = 1),
    (it) => (it['name'] = `late ${CANARY}`),
    'Careful',
  ),
  'versions: a key of its own': raced(
    (it) => it['notes'].splice(0, 1),
    (it) => (it['notes'][0].text = `late ${CANARY}`),
    'Strict',
  ),
  'versions: none': raced(
    (it) => it['notes'].splice(0, 1),
    (it) => (it['notes'][0].text = `late ${CANARY}`),
    'Loose',
  ),
  'pull without an index': edited((it) => it['tags'].pull(`one ${CANARY}`)),
  'pull of a subdocument': edited((it) => it['notes'].pull(chosen(11))),
  'deleteOne of a subdocument': edited((it) => it['notes'][0].deleteOne()),
  'addToSet without an index': edited((it) => it['tags'].addToSet(`four ${CANARY}`)),
  // Of these a version is raised, as docs/mongoose.md says.
  'a subdocument that is one value': edited((it) => (it['box'].label = `other ${CANARY}`), 'Loose'),
  'a map, set': edited((it) => it['facts'].set('shape', `round ${CANARY}`), 'Loose'),
  'a map, deleted from': edited((it) => it['facts'].delete('colour'), 'Loose'),
  'a map, by its path': edited((it) => it['set']('facts.colour', `green ${CANARY}`), 'Loose'),
  'addToSet of a new one': edited((it) => it['codes'].addToSet(`c3 ${CANARY}`)),
  'a path into what is encrypted as a whole': edited((it) => it['set']('anything.may', [CANARY])),
  'a whole Map, and the rest': edited((it) => it['set'](it['toObject']()), 'Loose'),
}

/** What docs/mongoose.md says is refused. */
export const REFUSED_DOCUMENTS: Readonly<Record<string, Situation>> = {
  'a change of the tenant': edited((it) => (it['orgId'] = 'rival')),
  $inc: (models) => models['Person']?.updateOne({ _id: 'ada' }, { $inc: { age: 1 } }),
}
