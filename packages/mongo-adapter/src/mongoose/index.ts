export { type EncryptedFieldsOptions, encryptedFields } from './plugin.ts'
