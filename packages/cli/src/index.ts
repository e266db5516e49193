export { type ConfigurationContext, type ConfigurationFunction, defineConfig } from './configuration/define-config.ts'
export type { AskPassphrase, PassphraseOptions } from './passphrase/ask-passphrase.ts'
