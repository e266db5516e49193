import { realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

import { invalidArgument, randomBytes, StrongroomError, wipe } from '@strongroom/core'

import { ARGON2_FLOOR, type Argon2Parameters } from './argon2id.ts'
import { systemCode, unavailable } from './errors.ts'
import { exists, writeRootFile } from './file-io.ts'
import { withFileLock } from './file-lock.ts'
import { type Header, ID_BYTES, type Protection, SALT_BYTES } from './header.ts'
import { type CreateLocalKeyFileOptions, readArgon2, readFile, readProtector, readRegion, requireKnown } from './options.ts'
import { fileKey, type Protector } from './protector.ts'
import { sealFile } from './sealed-file.ts'
import { newVersion } from './version-changes.ts'

/**
 * Makes a root key file with version 1, readable by its owner only. Of any number of processes that make it at once, one succeeds.
 * Losing the file, or what opens it, loses all data under it: copy it before the first use.
 *
 * @throws StrongroomError `already_exists`, and nothing is changed; `invalid_argument`, before anything is read or written;
 *   `key_provider_unavailable` if the file cannot be written
 *
 * @example
 * ```ts
 * import { createLocalKeyFile } from '@strongroom/kms-local'
 *
 * await createLocalKeyFile({ file: 'root.key', passphrase: 'correct horse battery staple', region: 'eu' })
 * ```
 */
export async function createLocalKeyFile(options: CreateLocalKeyFileOptions): Promise<void> {
  const file = readFile(options)
  const region = readRegion(options)
  const argon2 = readArgon2(options)
  requireKnown(options, ['file', 'passphrase', 'rawKey', 'region', 'argon2'])
  const protector = readProtector(options)
  try {
    const protection = newProtection(protector, argon2)
    const path = await resolve(file)
    // Only the final link decides; this spares the work.
    if (await exists(path)) throw alreadyExists()
    const bytes = await newFile(protector, protection, region)
    const made = await withFileLock(`${path}.lock`, undefined, () => writeRootFile(path, bytes, 'create'))
    if (!made) throw alreadyExists()
  } finally {
    wipe(protector.bytes)
  }
}

function newProtection({ kind }: Protector, argon2: Argon2Parameters | undefined): Protection {
  const salt = randomBytes(SALT_BYTES)
  if (kind === 'argon2id') return { kind, salt, ...(argon2 ?? ARGON2_FLOOR) }
  if (argon2 !== undefined) throw invalidArgument('argon2', 'has no use with a raw key')
  return { kind, salt }
}

async function newFile(protector: Protector, protection: Protection, region: string | undefined): Promise<Uint8Array> {
  const key = await fileKey(protector, protection)
  const { entry, key: rootKey } = newVersion(1, Date.now())
  const header: Header = { fileId: randomBytes(ID_BYTES), generation: 1, region, protection, versions: [entry] }
  try {
    return sealFile(key, header, new Map([[entry.number, rootKey]]))
  } finally {
    wipe(key, rootKey)
  }
}

// The same name for the lock as when the file is opened later, through whatever link its folder is reached.
async function resolve(file: string): Promise<string> {
  try {
    return join(await realpath(dirname(file)), basename(file))
  } catch (error) {
    throw unavailable(`the folder of the root key file cannot be used (${systemCode(error)})`, error)
  }
}

function alreadyExists(): StrongroomError {
  return new StrongroomError('already_exists', 'there is a file of that name: a root key file is never replaced')
}
