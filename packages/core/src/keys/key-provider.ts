import type { Destruction, ProviderWrap, RootVersion } from '../format/records.ts'

/** A root version as its provider lists it. Destroyed ones stay listed: their numbers are never used again. */
export interface ProviderVersion extends RootVersion {
  readonly state: 'live' | 'destroyed'
}

/**
 * Holds root keys that never leave it, in numbered versions, and wraps the tenants' wrapping keys: 64 bytes each.
 * One provider serves one region of one vault. The ids of its versions are never those of another root key: by them a root key is
 * refused that another region has.
 *
 * Contract, checked by `keyProviderContract` in `@strongroom/core/testing`: what `wrap` returned, `unwrap` opens with the
 * same `aad`, in every process that holds the same root, until the version is destroyed. A provider without native
 * associated data ignores `aad`: core checks the place of each key itself as well.
 *
 * Errors: `key_provider_unavailable`, `key_provider_throttled`, `key_provider_timeout`, `wrong_root_key` (no such version or id here),
 * `root_version_destroyed`, `decrypt_failed` (the wrap was altered), `conflict` (`createVersion`: that number was used;
 * `destroyVersion`: it is the only live one), `region_refused`, `root_key_file_invalid`, `wrong_passphrase`, `invalid_argument`.
 * Anything else is reported as `key_provider_unavailable`. Heed `signal`: core gives up after its time limit in any case.
 */
export interface KeyProvider {
  /** The region that the provider says it serves. Where given, it must be the name that it is registered under. */
  readonly region?: string | undefined

  /** Every version there ever was, in ascending order of number. */
  versions(options?: { readonly signal?: AbortSignal }): Promise<readonly ProviderVersion[]>

  /** Wraps under the newest live version and says which that was. */
  wrap(plaintext: Uint8Array, options: { readonly aad: Uint8Array; readonly signal?: AbortSignal }): Promise<ProviderWrap>

  /** Opens what `wrap` returned. The bytes are the caller's, who wipes them: never return an array that is kept. */
  unwrap(wrapped: ProviderWrap, options: { readonly aad: Uint8Array; readonly signal?: AbortSignal }): Promise<Uint8Array>

  /** Makes the version with exactly this number, which must be above every number ever used. */
  createVersion(number: number, options?: { readonly signal?: AbortSignal }): Promise<RootVersion>

  /** Destroys a version for good, or asks for it. Repeating it repeats the answer; its instants may become later, never earlier. */
  destroyVersion(number: number, options?: { readonly signal?: AbortSignal }): Promise<Destruction>
}
