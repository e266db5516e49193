/** Loading and calling the configuration. */

import { openVault, type Vault, type VaultOptions } from '@strongroom/core'

import { CliError, Interrupted } from '../cli-error.ts'
import { isVaultError } from '../vault-error.ts'
import type { ConfigurationContext } from './define-config.ts'
import { MINIMAL_CONFIGURATION } from './minimal.ts'

/** What a configuration gave. */
export type Configured = { readonly vault: Vault } | { readonly options: VaultOptions }

/**
 * Runs a configuration. What its function throws is passed on.
 *
 * @throws CliError `config_invalid` where it does not load, it exports no function, or the function returns neither a vault nor options
 */
export async function loadConfiguration(path: string, context: ConfigurationContext): Promise<Configured> {
  const { createJiti } = await import('jiti')
  // Compiled code is kept in memory only: a cache in a folder for temporary files would be code that others may write.
  const jiti = createJiti(import.meta.url, { fsCache: false })
  const exported = await evaluate(path, () => jiti.import(path, { default: true }))
  if (typeof exported !== 'function' || isClass(exported)) throw invalid(path, 'its default export must be a function')
  const given: unknown = await (exported as (context: ConfigurationContext) => unknown)(context)
  if (isVault(given)) return { vault: given }
  if (isVaultOptions(given)) return { options: given }
  throw invalid(path, 'its function must return the options of a vault, or an open vault')
}

// What is wrong with the file itself, such as its syntax or what it imports. What a vault says while the file is read is its own.
async function evaluate(path: string, load: () => Promise<unknown>): Promise<unknown> {
  try {
    return await load()
  } catch (error) {
    if (error instanceof CliError || error instanceof Interrupted || isVaultError(error)) throw error
    throw new CliError('config_invalid', `${path} cannot be loaded: ${firstLine(error)}`, { cause: error })
  }
}

function firstLine(error: unknown): string {
  try {
    return error instanceof Error ? (`${error.name}: ${error.message}`.split('\n')[0] ?? '') : 'it throws something that is not an error'
  } catch {
    return 'it throws what cannot be read'
  }
}

function isClass(exported: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(exported))
}

/** The vault of a configuration, open. */
export async function openConfigured(configured: Configured): Promise<Vault> {
  return 'vault' in configured ? configured.vault : openVault(configured.options)
}

function isVault(given: unknown): given is Vault {
  return typeof given === 'object' && given !== null && 'rotateRootKey' in given && 'close' in given
}

// Core checks them: this only tells them from a vault and from nothing.
function isVaultOptions(given: unknown): given is VaultOptions {
  return typeof given === 'object' && given !== null && 'keyProviders' in given
}

function invalid(path: string, why: string): CliError {
  return new CliError('config_invalid', `${path}: ${why}, like this one:`, { example: MINIMAL_CONFIGURATION })
}
