export { type CollectionOfModel, encryptedCollectionOf, type SomeModel } from './encrypted-collection-of.ts'
export { type EncryptedFieldsOptions, encryptedFields } from './plugin.ts'
