export { encrypted, type EncryptedOptions, type IndexOptions } from './schema/encrypted.ts'
export { type MongoKeyStore, mongoKeyStore } from './stores/key-store.ts'
export { type MongoStateStore, mongoStateStore } from './stores/state-store.ts'
export type { MongoStoreOptions } from './stores/options.ts'
