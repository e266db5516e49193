// The stores of a vault in a folder, as forked processes open them: what is there says of which kind they are.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const databaseFile = (directory, store) => join(directory, store, 'mongodb.json')

/** `{ keyStore, stateStore, close() }` */
export async function openStores(directory) {
  if (existsSync(databaseFile(directory, 'keys'))) return onMongoDB(directory)
  const { localStores } = await import('@strongroom/store-local')
  return localStores({ directory })
}

async function onMongoDB(directory) {
  const { mongoKeyStore, mongoStateStore } = await import('@strongroom/mongo-adapter')
  const { MongoClient } = await import('mongodb')
  const [keys, state] = ['keys', 'state'].map((store) => JSON.parse(readFileSync(databaseFile(directory, store), 'utf8')))
  const client = new MongoClient(keys.uri)
  return {
    keyStore: mongoKeyStore({ db: client.db(keys.name) }),
    stateStore: mongoStateStore({ db: client.db(state.name) }),
    close: () => client.close(),
  }
}
