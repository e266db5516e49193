export { backupLocalStore, type LocalBackup, type LocalBackupOptions } from './backup.ts'
export { type LocalStores, localStores, type LocalStoresOptions } from './local-stores.ts'
export { localKeyStoreCopy, type LocalKeyStoreCopy, type LocalKeyStoreCopyOptions } from './local-key-store-copy.ts'
