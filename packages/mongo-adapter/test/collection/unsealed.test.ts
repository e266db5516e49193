// Between the checks and the encryption of a document stands, for each value, something that the driver refuses to send.
import { BSON, type Document } from 'mongodb'
import { describe, expect, test } from 'vitest'

import { layoutOf } from '../../dist/collection/layout.js'
import { prepareTree } from '../../dist/collection/seal.js'
import { User } from './support.ts'

const layout = layoutOf({ schema: User, tenant: 'orgId', subject: '_id', context: 'users', bind: 'record' })
const PLAIN = { _id: 'ada', orgId: 'acme', plan: 'free', address: { city: 'London' }, notes: [{ title: 'first' }] }

const prepared = (document: object): Document => prepareTree(layout, layout.root, structuredClone(document), '').root.tree as Document

describe('a document that was checked, and not encrypted', () => {
  test.each<[string, object]>([
    ['email', { email: 'ada@example.com' }],
    ['age', { age: 36 }],
    ['address.street', { address: { city: 'London', street: 'St James' } }],
    ['phones[]', { phones: ['+442079460001'] }],
    ['notes[].text', { notes: [{ title: 'first', text: 'Bernoulli' }] }],
  ])('cannot be sent: %s', (_, changes) => {
    expect(() => BSON.serialize(prepared({ ...PLAIN, ...changes }))).toThrow('Unsupported BSON version')
  })

  test('can be, where nothing of it is to be encrypted', () => {
    expect(BSON.deserialize(BSON.serialize(prepared(PLAIN)))).toEqual(PLAIN)
  })
})
