/** A file that is made ready before the work it records, so that the work is not done if the record cannot be kept. */

import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, type FileHandle, link, lstat, open, readFile, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

import { CliError } from './cli-error.ts'

/** A file that has its name only once it is whole: a run that ends before leaves nothing that is in the way of the next. */
export interface NewFile {
  /** Writes it whole, and down to the disk. @throws CliError `file_unusable` */
  write(text: string): Promise<void>
  /** Takes away what was made ready. */
  discard(): Promise<void>
}

// File systems without hard links.
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

/**
 * A new file, or one that holds what is to be written already, such as that of a run that was killed when all was done: `write` then leaves
 * it as it is.
 *
 * @throws CliError `file_unusable` where there is no such file, and none can be made; `write` throws it where there is one that holds
 * anything else
 */
export async function newOrSameFile(path: string): Promise<NewFile> {
  if (!(await attempt(path, () => exists(path)))) return newFile(path)
  return {
    discard: () => Promise.resolve(),
    async write(text) {
      if (!(await attempt(path, () => holds(path, text))))
        throw new CliError('file_unusable', `${path} is there already, and is no file that holds just that: give another name`)
      await attempt(path, () => syncFolder(dirname(path)))
    },
  }
}

/** @throws CliError `file_unusable` where there is such a file, or none can be made */
export async function newFile(path: string): Promise<NewFile> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`)
  const handle = await attempt(path, async () => {
    if (await exists(path)) throw Object.assign(new Error('there is a file of that name'), { code: 'EEXIST' })
    return open(temporary, 'wx', 0o600)
  })
  const discard = async (): Promise<void> => {
    await handle.close().catch(() => undefined)
    await rm(temporary, { force: true }).catch(() => undefined)
  }
  return {
    discard,
    async write(text) {
      try {
        await attempt(path, async () => {
          await handle.writeFile(text)
          await handle.sync()
          await nameIt(temporary, path)
        })
      } finally {
        await discard()
      }
      await attempt(path, () => syncFolder(folder))
    },
  }
}

async function nameIt(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    if (!NO_LINKS.includes(codeOf(error))) throw error
    await copyFile(temporary, path, constants.COPYFILE_EXCL)
    await withHandle(await open(path, 'r+'), (handle) => handle.sync())
  }
}

async function holds(path: string, text: string): Promise<boolean> {
  const bytes = Buffer.from(text)
  const { size } = await lstat(path)
  return size === bytes.length && bytes.equals(await readFile(path))
}

// Its name is kept by the folder.
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  await withHandle(await open(folder, 'r'), (handle) => handle.sync())
}

async function withHandle(handle: FileHandle, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await work(handle)
  } finally {
    await handle.close()
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = codeOf(error)
    const why = code === 'EEXIST' ? 'is there already, and is not written over' : `cannot be written (${code})`
    throw new CliError('file_unusable', `${path} ${why}`, { cause: error })
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error'
}
