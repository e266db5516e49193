export { backupLocalStore, type LocalBackup, type LocalBackupOptions } from './backup.ts'
export { type LocalStores, localStores, type LocalStoresOptions } from './local-stores.ts'
