/** A file that is made before the work it records, so that the work is not done if the record cannot be kept. */

import { open, rm } from 'node:fs/promises'

import { CliError } from './cli-error.ts'

/** A file that nobody else had. */
export interface ReservedFile {
  /** Writes it whole, and down to the disk. @throws CliError `file_unusable` */
  write(text: string): Promise<void>
  /** Takes it away again. */
  discard(): Promise<void>
}

/** @throws CliError `file_unusable` where there is such a file, or none can be made */
export async function reserveFile(path: string): Promise<ReservedFile> {
  const handle = await open(path, 'wx', 0o600).catch((error: unknown) => {
    throw unusable(path, error)
  })
  return {
    async write(text) {
      try {
        await handle.writeFile(text)
        await handle.sync()
      } catch (error) {
        throw unusable(path, error)
      } finally {
        await handle.close()
      }
    },
    async discard() {
      await handle.close()
      await rm(path, { force: true })
    },
  }
}

function unusable(path: string, cause: unknown): CliError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException
  const why = code === 'EEXIST' ? 'is there already, and is not written over' : `cannot be written (${code})`
  return new CliError('file_unusable', `${path} ${why}`, { cause })
}
