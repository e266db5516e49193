export type { Argon2Parameters } from './argon2id.ts'
export { createLocalKeyFile } from './create-local-key-file.ts'
export { type LocalKeyProvider, localKeyProvider } from './local-key-provider.ts'
export type { CreateLocalKeyFileOptions, LocalKeyFile, LocalKeyProviderOptions } from './options.ts'
