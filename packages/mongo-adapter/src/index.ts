export { encrypted, type EncryptedOptions, type IndexOptions } from './schema/encrypted.ts'
