export {
  type ConfigurationContext,
  type ConfigurationFunction,
  type ConfiguredOptions,
  type ConfiguredVault,
  defineConfig,
  type Services,
} from './configuration/define-config.ts'
export type { ErasureService } from './configuration/erasure-service.ts'
export type { AskPassphrase, PassphraseOptions } from './passphrase/ask-passphrase.ts'
