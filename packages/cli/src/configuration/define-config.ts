/** What `strongroom.config.ts` exports, and the helper that checks its types. */

import type { Vault, VaultOptions } from '@strongroom/core'

import type { AskPassphrase } from '../passphrase/ask-passphrase.ts'

/** What a configuration is given. */
export interface ConfigurationContext {
  readonly passphrase: AskPassphrase
}

/**
 * Gives the command its vault: open, as `openVault` returns it, or the options that open it. `strongroom init` needs the options, because
 * there is no vault to open yet.
 */
export type ConfigurationFunction = (context: ConfigurationContext) => Vault | VaultOptions | Promise<Vault | VaultOptions>

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
