/** Loading and calling the configuration. */

import { openVault, type Sweepable, type Vault, type VaultOptions } from '@strongroom/core'

import { CliError, Interrupted } from '../cli-error.ts'
import { isVaultError } from '../vault-error.ts'
import type { ConfigurationContext, ConfiguredOptions, ConfiguredVault, Services } from './define-config.ts'
import { MINIMAL_CONFIGURATION } from './minimal.ts'

/** What a configuration gave, and where it is. */
export type Configured = ({ readonly vault: Vault } | { readonly options: VaultOptions }) & {
  readonly path: string
  readonly services: (vault: Vault) => Services | Promise<Services>
}

/**
 * Runs a configuration. What its function throws is passed on, but for arguments that the library refuses.
 *
 * @throws CliError `config_invalid` where it does not load, it exports no function, or the function returns neither a vault nor options
 */
export async function loadConfiguration(path: string, context: ConfigurationContext): Promise<Configured> {
  const { createJiti } = await import('jiti')
  // Compiled code is kept in memory only: a cache in a folder for temporary files would be code that others may write.
  const jiti = createJiti(import.meta.url, { fsCache: false })
  const exported = await evaluate(path, () => jiti.import(path, { default: true }))
  if (typeof exported !== 'function' || isClass(exported)) throw invalid(`${path}: its default export must be a function`)
  const given: unknown = await inConfiguration(path, () => (exported as (context: ConfigurationContext) => unknown)(context))
  if (isVault(given)) return { vault: given, path, services: () => ({}) }
  if (isConfiguredVault(given)) return { vault: given.vault, path, services: () => given }
  if (!isVaultOptions(given)) throw invalid(`${path}: its function must return the options of a vault, or an open vault`)
  const { services = () => ({}), ...options } = given
  if (typeof services !== 'function') throw invalid(`${path}: services must be a function of the open vault`)
  return { options, path, services }
}

/** What is done with the vault of a configuration from time to time. @throws CliError `config_invalid` */
export async function servicesOf({ path, services }: Configured, vault: Vault): Promise<Services> {
  const given: unknown = await inConfiguration(path, () => services(vault))
  const { erasure, sweepables = [] } = (given ?? {}) as Services
  if (erasure !== undefined && (typeof erasure !== 'object' || erasure === null || !('request' in erasure && 'list' in erasure)))
    throw invalid(`${path}: erasure must be what createErasure(vault, …) returns`)
  if (!Array.isArray(sweepables) || !sweepables.every(isSweepable))
    throw invalid(`${path}: sweepables must be a list of what has a name and sweep`)
  return { ...(erasure === undefined ? {} : { erasure }), sweepables }
}

// What is wrong with the file itself, such as its syntax or what it imports. What a vault says while the file is read is its own.
async function evaluate(path: string, load: () => Promise<unknown>): Promise<unknown> {
  try {
    return await load()
  } catch (error) {
    if (error instanceof CliError || error instanceof Interrupted || isVaultError(error)) throw error
    throw invalid(`${path} cannot be loaded: ${firstLine(error)}`, error)
  }
}

/** And where it is, which the compiler says in a line of its own. */
function firstLine(error: unknown): string {
  try {
    if (!(error instanceof Error)) return 'it throws something that is not an error'
    const [first = '', second = ''] = `${error.name}: ${error.message}`.split('\n').map((line) => line.trim())
    return /^\/\S*:\d+:\d+$/.test(second) ? `${first} at ${second}` : first
  } catch {
    return 'it throws what cannot be read'
  }
}

function isClass(exported: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(exported))
}

/** The vault of a configuration, open. @throws CliError `config_invalid` where no vault takes its options */
export async function openConfigured(configured: Configured): Promise<Vault> {
  return 'vault' in configured ? configured.vault : inConfiguration(configured.path, () => openVault(configured.options))
}

/** Does what only the configuration has a say in: an argument that is refused there is its own. @throws CliError `config_invalid` */
export async function inConfiguration<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isVaultError(error) || error.code !== 'invalid_argument') throw error
    throw invalid(`${path}: ${error.message}`, error)
  }
}

function isVault(given: unknown): given is Vault {
  return typeof given === 'object' && given !== null && 'rotateRootKey' in given && 'close' in given
}

function isSweepable(given: unknown): given is Sweepable {
  return typeof given === 'object' && given !== null && 'name' in given && 'sweep' in given
}

function isConfiguredVault(given: unknown): given is ConfiguredVault {
  return typeof given === 'object' && given !== null && 'vault' in given && isVault(given.vault)
}

// Core checks them: this only tells them from a vault and from nothing.
function isVaultOptions(given: unknown): given is ConfiguredOptions {
  return typeof given === 'object' && given !== null && 'keyProviders' in given
}

function invalid(what: string, cause?: unknown): CliError {
  return new CliError('config_invalid', `${what}; one that works:`, { cause, example: MINIMAL_CONFIGURATION })
}
