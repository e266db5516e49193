// What the contract suites fork: opens the stores in the database that they name.
import { mongoKeyStore, mongoStateStore } from '@strongroom/mongo-adapter'
import { MongoClient } from 'mongodb'

export async function openStores({ uri, database }) {
  const client = new MongoClient(uri)
  const db = client.db(database)
  const keyStore = mongoKeyStore({ db })
  const stateStore = mongoStateStore({ db })
  await keyStore.prepare()
  await stateStore.prepare()
  return { keyStore, stateStore, close: () => client.close() }
}
