// A collection of requests on the test server, empty before each test.
import { type Collection, MongoClient } from 'mongodb'
import { afterAll, beforeAll, beforeEach, inject } from 'vitest'

/** @param name - of the database. @returns what gives the collection, within tests */
export function requestsIn(name: string): () => Collection {
  let client: MongoClient
  beforeAll(async () => {
    const { uri, description } = inject('mongoServer')
    if (uri === undefined) throw new Error(description)
    client = await MongoClient.connect(uri)
  })
  beforeEach(async () => {
    await client.db(name).dropDatabase()
  })
  afterAll(async () => {
    await client.db(name).dropDatabase()
    await client.close()
  })
  return () => client.db(name).collection('requests')
}
