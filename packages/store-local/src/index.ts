export { type LocalStores, localStores, type LocalStoresOptions } from './local-stores.ts'
