import { decryptFailed, equalBytes, invalidArgument, type KeyProvider, StrongroomError } from '@strongroom/core'

import { bytes, bytesOf, signalOf, versionNumber } from './call-arguments.ts'
import type { DestroyedEntry } from './header.ts'
import { type LocalKeyProviderOptions, property, readCopiesLife, readFile, readProtector, readRegion, requireKnown } from './options.ts'
import { RootFile } from './root-file.ts'
import { newestLive, versionOf, withoutKey, withVersion, wrongRootKey } from './version-changes.ts'
import { unwrapUnder, wrapUnder } from './version-wrap.ts'

/** A {@link KeyProvider} over a root key file. */
export interface LocalKeyProvider extends KeyProvider {
  /** Wipes every key in memory. Calls after it throw `key_provider_unavailable`. */
  close(): void
}

/**
 * Opens a root key file, which must exist. The passphrase is not kept; the key made from it is, until `close()`.
 *
 * The file is read anew before each use: a version that another process made or destroyed is made or destroyed here too, and a
 * file that went back in time is refused with `root_key_file_invalid`. `destroyVersion` refuses the only live version with `conflict`.
 *
 * @throws StrongroomError `root_key_file_invalid` if it is missing, damaged or open to others; `wrong_passphrase` if it does not open;
 *   `region_refused` if it was made for another region; `invalid_argument`, before anything is read
 *
 * @example
 * ```ts
 * import { localKeyProvider } from '@strongroom/kms-local'
 *
 * const provider = await localKeyProvider({ file: 'root.key', passphrase: 'correct horse battery staple' })
 * const { rootVersion } = await provider.wrap(new Uint8Array(64), { aad: new Uint8Array(0) })
 * console.log(rootVersion.number)   // 1
 * provider.close()
 * ```
 */
export async function localKeyProvider(options: LocalKeyProviderOptions): Promise<LocalKeyProvider> {
  const file = readFile(options)
  const expectedRegion = readRegion(options)
  const copiesLife = readCopiesLife(options)
  requireKnown(options, ['file', 'passphrase', 'rawKey', 'region', 'copiesLife'])
  const root = await RootFile.open(file, readProtector(options))
  const { region } = root.header
  if (expectedRegion !== undefined && expectedRegion !== region) {
    root.close()
    throw new StrongroomError('region_refused', 'the root key file was not made for that region')
  }

  return {
    region,

    async versions(call) {
      return root.use(signalOf(call), ({ header }) => header.versions.map(({ number, id, state }) => ({ number, id: id.slice(), state })))
    },

    async wrap(plaintext, call) {
      bytes(plaintext, 'plaintext')
      const aad = bytesOf(call, 'aad')
      return root.use(signalOf(call), ({ header, keys }) => {
        const { number, id } = newestLive(header.versions)
        const wrap = wrapUnder(keys.get(number) as Uint8Array, { fileId: header.fileId, number, id, aad }, plaintext)
        return { rootVersion: { number, id: id.slice() }, wrap }
      })
    },

    async unwrap(wrapped, call) {
      const wrap = bytesOf(wrapped, 'wrap')
      const { number, id } = property(wrapped, 'rootVersion', (version) => ({
        number: property(version, 'number', versionNumber),
        id: bytesOf(version, 'id'),
      }))
      const aad = bytesOf(call, 'aad')
      return root.use(signalOf(call), ({ header, keys }) => {
        const version = versionOf(header.versions, number)
        if (!equalBytes(version.id, id)) throw wrongRootKey()
        if (version.state === 'destroyed')
          throw new StrongroomError(
            'root_version_destroyed',
            'the root version that wrapped this key was destroyed: a key store from before that opens no more; restore the backup that was taken after the last rotation',
          )
        const plaintext = unwrapUnder(keys.get(number) as Uint8Array, { fileId: header.fileId, number, id, aad }, wrap)
        if (plaintext === undefined) throw decryptFailed()
        return plaintext
      })
    },

    async createVersion(number, call) {
      versionNumber(number)
      const { versions } = await root.change(signalOf(call), (current) => withVersion(current, number, Date.now()))
      return { number, id: versionOf(versions, number).id }
    },

    async destroyVersion(number, call) {
      versionNumber(number)
      if (copiesLife === undefined) {
        throw invalidArgument(
          'copiesLife',
          'must be given to localKeyProvider: only the owner of the file knows how long copies of it live',
        )
      }
      const { versions } = await root.change(signalOf(call), (current) => withoutKey(current, number, Date.now(), copiesLife))
      const { destroyed, copiesUntil } = versionOf(versions, number) as DestroyedEntry
      return { level: 'operator-asserted', effectiveAt: destroyed, copiesUntil }
    },

    close: () => root.close(),
  }
}
