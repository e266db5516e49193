// Updates of one encrypted value, alone and many at once: the contenders of rows of bench/mongo/run.mjs.
import { text } from '../fields.mjs'

/** @param pinned - whether the filter says whose document it is; else it is looked up, which by hand is a query as well */
export function updateOnes({ ground, people, all, stored, hand }, pinned, calls, cold) {
  const plain = ground.db.collection('plain')
  const raw = ground.db.collection('stored')
  const filterOf = ({ _id, orgId, userId }) => (pinned ? { _id, orgId, userId } : { _id })
  const of = (update) => async () => {
    const names = Array.from({ length: calls }, () => text(16))
    return async () => {
      for (const [i, name] of names.entries()) await update(all[i], name, stored[i])
    }
  }
  const found = async (one) =>
    pinned ? one : raw.findOne({ _id: one._id }, { projection: { _id: 1, orgId: 1, userId: 1 }, readPreference: 'primary' })
  return {
    ours: of((one, name) => people.updateOne(filterOf(one), { $set: { name } })),
    hand: of(async (one, name) => {
      const whose = await found(one)
      await raw.updateOne({ _id: whose._id, orgId: whose.orgId, userId: whose.userId }, { $set: { name: hand.value(whose, 'name', name) } })
    }),
    plain: of((one, name) => plain.updateOne(filterOf(one), { $set: { name } })),
    stored: of((one, _, { name }) => raw.updateOne(filterOf(one), { $set: { name } })),
    cipher: of(async (one, name) => hand.value(one, 'name', name)),
    cold: () => cold((other) => other.updateOne(filterOf(all[0]), { $set: { name: text(16) } })),
  }
}

/** Updates of one document each, in one call. */
export function bulkWrites({ ground, people, all, stored, hand }, count, cold) {
  const some = all.slice(0, count)
  const operations = (nameOf) =>
    some.map(({ _id, orgId, userId }, i) => ({ updateOne: { filter: { _id, orgId, userId }, update: { $set: { name: nameOf(i) } } } }))
  const of = (collection, nameOf) => async () => {
    const names = some.map(() => text(16))
    return () => collection.bulkWrite(operations((i) => nameOf(i, names[i])))
  }
  const raw = ground.db.collection('stored')
  const given = (_, name) => name
  return {
    ours: of(people, given),
    hand: of(raw, (i, name) => hand.value(some[i], 'name', name)),
    plain: of(ground.db.collection('plain'), given),
    stored: of(raw, (i) => stored[i].name),
    cipher: async () => async () => {
      for (const one of some) hand.value(one, 'name', text(16))
    },
    cold: () => cold((other) => other.bulkWrite(operations(() => text(16)))),
  }
}
