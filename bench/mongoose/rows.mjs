// The rows: what each does with a model in a round, and whether it has done what was asked.
import { isDeepStrictEqual } from 'node:util'

import { BSON } from 'mongodb'

import { NAMES } from './people.mjs'

/** Why a row has no figure: what the contender does is not the same thing. */
export class NotTheSame extends Error {}

/**
 * Each `{ collection, writes, part(count), rounds(most), prepare(of, given) }`: `prepare` makes ready, and gives back `{ work(), check(outcome) }`, of which the first alone is
 * timed, and the second fails where it was not what was asked for. `given` are the documents of the round; `of` is `{ model, raw, all }`: a model, its collection to a client that knows nothing of encryption, and
 * what was saved there.
 */
export const rows = {
  'save, one by one': {
    collection: 'saved',
    writes: true,
    part: (count) => Math.ceil(count / 100),
    rounds: () => 100,
    async prepare({ model: Model, raw, all }, given) {
      all.push(...given)
      return {
        async work() {
          for (const each of given) await new Model(each).save()
        },
        check: () => requireEncrypted(raw, all),
      }
    },
  },
  insertMany: {
    collection: 'inserted',
    writes: true,
    part: (count) => count,
    rounds: (most) => Math.min(most, 7),
    async prepare({ model, raw }, given) {
      await raw.deleteMany({})
      // A copy: one of them encrypts what it is given in place.
      const copies = given.map((each) => ({ ...each }))
      return { work: () => model.insertMany(copies), check: () => requireEncrypted(raw, given) }
    },
  },
  'find, documents': {
    collection: 'saved',
    part: () => 0,
    rounds: (most) => most,
    prepare: ({ model, all }) => ({ work: () => model.find().exec(), check: (found) => requireSame(found, all) }),
  },
  'find, lean': {
    collection: 'saved',
    part: () => 0,
    rounds: (most) => most,
    prepare: ({ model, all }) => ({ work: () => model.find().lean().exec(), check: (found) => requireSame(found, all) }),
  },
}

// Each of them, as it is stored, holds none of its values.
async function requireEncrypted(raw, given) {
  const stored = await raw.find().sort({ _id: 1 }).toArray()
  if (stored.length !== given.length) throw new Error(`${stored.length} documents of ${given.length} are stored`)
  for (const [i, each] of stored.entries()) {
    if (each.userId !== given[i].userId) throw new Error('documents are stored in another order')
    const bytes = Buffer.from(BSON.serialize(each)).toString('latin1')
    if (NAMES.some((name) => bytes.includes(given[i][name]))) throw new NotTheSame('stores plaintext')
  }
}

function requireSame(found, all) {
  const values = (each) => NAMES.map((name) => each[name])
  if (found.length !== all.length) throw new Error(`${found.length} documents of ${all.length} were found`)
  const byPlace = found.map(values)
  if (!isDeepStrictEqual(byPlace, all.map(values))) throw new NotTheSame('gives what is stored, not decrypted')
}
