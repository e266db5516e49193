/** What `strongroom.config.ts` exports, and the helper that checks its types. */

import type { Sweepable, Vault, VaultOptions } from '@strongroom/core'

import type { AskPassphrase } from '../passphrase/ask-passphrase.ts'
import type { ErasureService } from './erasure-service.ts'

/** What a configuration is given. */
export interface ConfigurationContext {
  readonly passphrase: AskPassphrase
}

/** What is done with a vault from time to time, beside its keys. */
export interface Services {
  /** `createErasure(vault, …)`: for `strongroom erase`, `erasures`, `hold`, `release`, `holds`, `certificate`, `replay` and `sweep`. */
  readonly erasure?: ErasureService
  /** What else `strongroom sweep` sweeps, such as credentials and pseudonyms, in this order. The erasure comes first. */
  readonly sweepables?: readonly Sweepable[]
}

/** The options of a vault, and what there is once it is open. */
export interface ConfiguredOptions extends VaultOptions {
  /** Called by the commands that need them, and by `strongroom shred`: what guards shreds, such as `createCredentials`, is called here. */
  readonly services?: (vault: Vault) => Services | Promise<Services>
}

/** A vault that is open already, with its services. */
export interface ConfiguredVault extends Services {
  readonly vault: Vault
}

/**
 * Gives the command its vault: the options that open it, or open, as `openVault` returns it. `strongroom init` needs the options, because
 * there is no vault to open yet.
 */
export type ConfigurationFunction = (
  context: ConfigurationContext,
) => Vault | ConfiguredOptions | ConfiguredVault | Promise<Vault | ConfiguredOptions | ConfiguredVault>

/**
 * Returns what it is given: for the default export of `strongroom.config.ts`, so that its types are checked.
 *
 * @example
 * ```ts
 * import { defineConfig } from '@strongroom/cli'
 * import { localKeyProvider } from '@strongroom/kms-local'
 * import { localStores } from '@strongroom/store-local'
 *
 * const configuration = defineConfig(async ({ passphrase }) => ({
 *   keyProviders: { eu: await localKeyProvider({ file: 'root.key', passphrase: await passphrase(), copiesLife: 30 * 86_400_000 }) },
 *   defaultRegion: 'eu',
 *   ...localStores({ directory: 'vault' }),
 * }))
 * ```
 */
export function defineConfig(configuration: ConfigurationFunction): ConfigurationFunction {
  return configuration
}
