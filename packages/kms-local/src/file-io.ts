/** The root key file on disk: read whole or not at all, replaced whole or not at all. */

import { constants, type FileHandle, link, lstat, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

import { fileInvalid, systemCode, unavailable } from './errors.ts'
import { FILE_BYTES } from './limits.ts'

const OWNER_ONLY = 0o600
const GROUP_AND_OTHERS = 0o077
const POSIX = process.platform !== 'win32'
const MISSING = ['ENOENT', 'ENOTDIR', 'ELOOP']

/**
 * The bytes of the file. Symbolic links are followed.
 *
 * @throws StrongroomError `root_key_file_invalid` if it is missing, too large, not a file, or open to others than its owner;
 *   `key_provider_unavailable` if it cannot be read
 */
export async function readRootFile(path: string): Promise<Uint8Array> {
  try {
    // Non-blocking, or opening a pipe would wait for its writer.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      return await readAll(handle)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw notReadable(error)
  }
}

/** The file that a path leads to through any symbolic links. Throws as {@link readRootFile} does. */
export async function realFile(path: string): Promise<string> {
  return realpath(path).catch((error: unknown) => {
    throw notReadable(error)
  })
}

function notReadable(error: unknown): unknown {
  const code = systemCode(error)
  if (code === undefined) return error
  if (MISSING.includes(code))
    return fileInvalid(
      'does not exist at that path: restore its copy; createLocalKeyFile makes a new root, which opens nothing that was stored before',
      error,
    )
  return unavailable(`the root key file cannot be read (${code})`, error)
}

async function readAll(handle: FileHandle): Promise<Uint8Array> {
  const stats = await handle.stat()
  const { mode, size } = stats
  if (!stats.isFile()) throw fileInvalid('is not a file')
  // Windows has no such bits: there, the folder's access control list has to do it.
  if (POSIX && (mode & GROUP_AND_OTHERS) !== 0)
    throw fileInvalid('can be used by others than its owner: run `chmod 600` on it, and ask who has read it')
  if (size > FILE_BYTES) throw fileInvalid('is larger than any root key file')
  const buffer = new Uint8Array(size + 1)
  let length = 0
  for (;;) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  if (length !== size) throw fileInvalid('changed while it was read: it must only be replaced as a whole')
  return buffer.subarray(0, size)
}

/** True if there is anything of that name, a broken link too. */
export async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/**
 * Makes the file, or replaces it, as one step: a crash leaves the old file or the new one, whole, and it survives a power cut
 * once this has resolved. The caller holds the lock, so the temporary file has one fixed name: whatever a killed process left
 * there, sealed root keys that may since have been destroyed, goes with the next write.
 *
 * @returns false if `how` is `create` and there is such a file
 * @throws StrongroomError `key_provider_unavailable`; the file is then as it was, unless the last step, making the change durable, failed
 */
export async function writeRootFile(path: string, bytes: Uint8Array, how: 'create' | 'replace'): Promise<boolean> {
  const temporary = `${path}.tmp`
  try {
    await rm(temporary, { force: true })
    try {
      await writeTemporary(temporary, bytes, how === 'replace' ? path : undefined)
      // A link fails if the name is taken; a rename would replace it.
      await (how === 'create' ? link(temporary, path) : rename(temporary, path))
    } finally {
      await rm(temporary, { force: true })
    }
    if (POSIX) await syncFolder(dirname(path))
    return true
  } catch (error) {
    if (how === 'create' && systemCode(error) === 'EEXIST') return false
    throw unavailable(`the root key file cannot be written (${systemCode(error)})`, error)
  }
}

async function writeTemporary(temporary: string, bytes: Uint8Array, replaced: string | undefined): Promise<void> {
  const handle = await open(temporary, 'wx', OWNER_ONLY)
  try {
    // An administrator's command must not take the file away from the service that owns it.
    if (replaced !== undefined && process.geteuid?.() === 0) {
      const { uid, gid } = await stat(replaced)
      await handle.chown(uid, gid)
    }
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
