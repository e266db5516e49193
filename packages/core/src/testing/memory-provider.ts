/** A key provider in process memory: the reference for the contract, and for tests of everything above it. Never for data that matters. */

import { equalBytes } from '../crypto/hash.ts'
import { randomBytes } from '../crypto/random.ts'
import { xaesOpen, xaesSeal } from '../crypto/xaes-256-gcm.ts'
import { decryptFailed, invalidArgument, StrongroomError } from '../errors.ts'
import { concat, u32 } from '../format/bytes.ts'
import type { Destruction, RootVersion } from '../format/records.ts'
import type { KeyProvider } from '../keys/key-provider.ts'

/** How often each method was called, refused calls included. */
export interface ProviderCalls {
  versions: number
  wrap: number
  unwrap: number
  createVersion: number
  destroyVersion: number
}

/** A {@link KeyProvider} whose root keys end with the process. */
export interface MemoryKeyProvider extends KeyProvider {
  readonly calls: Readonly<ProviderCalls>
}

export interface MemoryKeyProviderOptions {
  /** The region that it says it serves. */
  readonly region?: string
}

interface MemoryVersion extends RootVersion {
  key: Uint8Array | undefined
  destruction: Destruction | undefined
}

/**
 * Makes a provider with version 1. Destroying is `confirmed` and at once; the last live version can be destroyed too.
 *
 * @example
 * ```ts
 * import { memoryKeyProvider } from '@strongroom/core/testing'
 *
 * const eu = memoryKeyProvider({ region: 'eu' })
 * const wrapped = await eu.wrap(new Uint8Array(64), { aad: new Uint8Array(0) })
 * console.log(wrapped.rootVersion.number, eu.calls.wrap)   // 1 1
 * ```
 */
export function memoryKeyProvider(options: MemoryKeyProviderOptions = {}): MemoryKeyProvider {
  const all: MemoryVersion[] = [newVersion(1)]
  const calls: ProviderCalls = { versions: 0, wrap: 0, unwrap: 0, createVersion: 0, destroyVersion: 0 }

  return {
    region: options.region,
    calls,

    async versions() {
      calls.versions++
      return all.map(({ number, id, key }) => ({ number, id: id.slice(), state: key === undefined ? 'destroyed' : 'live' }))
    },

    async wrap(plaintext, { aad }) {
      calls.wrap++
      const newest = all.findLast(({ key }) => key !== undefined)
      if (newest?.key === undefined) throw versionDestroyed()
      const wrap = xaesSeal(newest.key, place(newest, aad), plaintext)
      return { rootVersion: { number: newest.number, id: newest.id.slice() }, wrap }
    },

    async unwrap({ rootVersion, wrap }, { aad }) {
      calls.unwrap++
      const version = find(all, rootVersion.number)
      if (!equalBytes(version.id, rootVersion.id)) throw wrongRootKey()
      if (version.key === undefined) throw versionDestroyed()
      const plaintext = xaesOpen(version.key, place(version, aad), wrap)
      if (plaintext === undefined) throw decryptFailed()
      return plaintext
    },

    async createVersion(number) {
      calls.createVersion++
      if (!Number.isInteger(number) || number < 1 || number > 0xffff_ffff)
        throw invalidArgument('number', 'must be a whole number from 1 to 2^32 − 1')
      if (all.some((version) => version.number >= number)) throw new StrongroomError('conflict', 'that number or a higher one was used')
      const version = newVersion(number)
      all.push(version)
      return { number, id: version.id.slice() }
    },

    async destroyVersion(number) {
      calls.destroyVersion++
      const version = find(all, number)
      version.key?.fill(0)
      version.key = undefined
      const now = Date.now()
      version.destruction ??= { level: 'confirmed', effectiveAt: now, copiesUntil: now }
      return version.destruction
    },
  }
}

function newVersion(number: number): MemoryVersion {
  return { number, id: randomBytes(16), key: randomBytes(32), destruction: undefined }
}

// Number and id have fixed lengths, so the caller's bytes cannot be taken for part of them.
function place(version: RootVersion, aad: Uint8Array): Uint8Array {
  return concat(u32(version.number), version.id, aad)
}

function find(all: readonly MemoryVersion[], number: number): MemoryVersion {
  const version = all.find((each) => each.number === number)
  if (version === undefined) throw wrongRootKey()
  return version
}

function wrongRootKey(): StrongroomError {
  return new StrongroomError('wrong_root_key', 'this provider has no such root version')
}

function versionDestroyed(): StrongroomError {
  return new StrongroomError('root_version_destroyed', 'the root version was destroyed')
}
