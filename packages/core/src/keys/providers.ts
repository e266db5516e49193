/** The key providers of a process, one for each region, behind a time limit and with typed errors only. */

import { hasCode, invalidArgument, StrongroomError } from '../errors.ts'
import { copy, isBytes } from '../format/bytes.ts'
import { isDestruction, isRootVersion, MAX_WRAP } from '../format/check-record.ts'
import type { Destruction, ProviderWrap, RootVersion } from '../format/records.ts'
import type { KeyProvider, ProviderVersion } from './key-provider.ts'

/** What a process can wrap and unwrap with. */
export class Providers {
  readonly #byRegion: ReadonlyMap<string, KeyProvider>
  readonly #timeout: number

  /** @param timeout - milliseconds that a provider has for one call */
  constructor(byRegion: Readonly<Record<string, KeyProvider>>, timeout: number) {
    this.#byRegion = new Map(Object.entries(byRegion))
    this.#timeout = timeout
    if (this.#byRegion.size === 0) throw invalidArgument('keyProviders', 'must name at least one region')
    for (const [region, provider] of this.#byRegion) {
      if (provider.region !== undefined && provider.region !== region) {
        throw new StrongroomError(
          'region_refused',
          `the key provider registered for one region says that it serves another; see keyProviders`,
        )
      }
    }
  }

  /** @throws StrongroomError `region_refused` if this process has no provider for the region. */
  require(region: string): void {
    this.#provider(region)
  }

  async wrap(region: string, plaintext: Uint8Array, aad: Uint8Array): Promise<ProviderWrap> {
    const wrapped = await this.#call(region, (provider, signal) => provider.wrap(plaintext, { aad, signal }))
    if (
      typeof wrapped !== 'object' ||
      wrapped === null ||
      !isRootVersion(wrapped.rootVersion) ||
      !isBytes(wrapped.wrap) ||
      wrapped.wrap.length > MAX_WRAP
    )
      throw malformed()
    const { rootVersion, wrap } = wrapped
    return { rootVersion: { number: rootVersion.number, id: copy(rootVersion.id) }, wrap: copy(wrap) }
  }

  async unwrap(region: string, wrapped: ProviderWrap, aad: Uint8Array): Promise<Uint8Array> {
    const plaintext = await this.#call(region, (provider, signal) => provider.unwrap(wrapped, { aad, signal }))
    if (!isBytes(plaintext)) throw malformed()
    return plaintext
  }

  async versions(region: string): Promise<readonly ProviderVersion[]> {
    const versions = await this.#call(region, (provider, signal) => provider.versions({ signal }))
    if (!Array.isArray(versions) || !versions.every((version): boolean => isRootVersion(version))) throw malformed()
    return versions
  }

  async createVersion(region: string, number: number): Promise<RootVersion> {
    const version = await this.#call(region, (provider, signal) => provider.createVersion(number, { signal }))
    if (!isRootVersion(version) || version.number !== number) throw malformed()
    return { number, id: copy(version.id) }
  }

  async destroyVersion(region: string, number: number): Promise<Destruction> {
    const destruction = await this.#call(region, (provider, signal) => provider.destroyVersion(number, { signal }))
    if (!isDestruction(destruction)) throw malformed()
    const { level, effectiveAt, copiesUntil } = destruction
    return { level, effectiveAt, copiesUntil }
  }

  #provider(region: string): KeyProvider {
    const provider = this.#byRegion.get(region)
    if (provider === undefined) {
      throw new StrongroomError('region_refused', 'this process has no key provider for the region of that data; see keyProviders')
    }
    return provider
  }

  async #call<T>(region: string, use: (provider: KeyProvider, signal: AbortSignal) => Promise<T>): Promise<T> {
    const provider = this.#provider(region)
    const abort = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new StrongroomError('key_provider_timeout', 'the key provider did not answer in time; try again, or raise providerTimeout'))
        abort.abort()
      }, this.#timeout)
    })
    try {
      return await Promise.race([use(provider, abort.signal), late])
    } catch (error) {
      if (hasCode(error, ...PASSED_ON)) throw error
      throw new StrongroomError(
        'key_provider_unavailable',
        'the key provider failed, and nothing was changed that it did not confirm: its error is the cause; run this again once it answers',
        { cause: error },
      )
    } finally {
      clearTimeout(timer)
    }
  }
}

function malformed(): StrongroomError {
  return new StrongroomError('key_provider_unavailable', 'the key provider answered with something that its contract does not allow')
}

const PASSED_ON = [
  'key_provider_unavailable',
  'key_provider_timeout',
  'key_provider_throttled',
  'wrong_root_key',
  'root_version_destroyed',
  'root_key_file_invalid',
  'wrong_passphrase',
  'region_refused',
  'decrypt_failed',
  'conflict',
  'invalid_argument',
] as const
