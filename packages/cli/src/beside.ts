/** A file that a filter appends to, beside its output. */

import { fstatSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'

import { CliError } from './cli-error.ts'
import { STDIN } from './inputs.ts'
import type { Session } from './session.ts'

/** Such a file, open. */
export interface FileBeside {
  /** Writes all of it. @throws CliError `file_unusable` */
  append(bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

const [STDIN_DESCRIPTOR, STDOUT_DESCRIPTOR] = [0, 1]

/** @param flag - that names the file. @throws CliError `file_unusable` */
export async function openBeside(
  { directory }: Session,
  flag: string,
  path: string,
): Promise<FileBeside & { readonly descriptor: number }> {
  const attempt = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
      throw new CliError('file_unusable', `the file of ${flag} cannot be written (${code})`, { cause })
    }
  }
  const handle: FileHandle = await attempt(open(resolve(directory, path), 'a', 0o600))
  return {
    descriptor: handle.fd,
    append: (bytes) => attempt(handle.appendFile(bytes)),
    close: () => attempt(handle.close()),
  }
}

/**
 * Sees to it that no file is read and written at once: it would never come to its end, or is empty by now.
 *
 * @param names - as for `inputs`
 * @throws CliError `usage`
 */
export function requireApart({ directory }: Session, names: readonly string[], flag: string, beside: number | undefined): void {
  const stdout = fileOf(() => fstatSync(STDOUT_DESCRIPTOR, { bigint: true }))
  const other = beside === undefined ? undefined : fileOf(() => fstatSync(beside, { bigint: true }))
  if (other !== undefined && other === stdout) throw new CliError('usage', `the file of ${flag} must be another one than stdout goes to`)
  for (const name of names.length === 0 ? [STDIN] : names) {
    const input = fileOf(() =>
      name === STDIN ? fstatSync(STDIN_DESCRIPTOR, { bigint: true }) : statSync(resolve(directory, name), { bigint: true }),
    )
    if (input === undefined) continue
    const shown = name === STDIN ? 'stdin' : name
    if (input === other) throw new CliError('usage', `the file of ${flag} must be another one than ${shown}`)
    if (input === stdout) throw new CliError('usage', `stdout must go to another file than ${shown}`)
  }
}

/** Which file it is; `undefined` for pipes and devices, and for what cannot be looked at: whoever reads it will say so. */
function fileOf(look: () => { readonly dev: bigint; readonly ino: bigint; isFile(): boolean }): string | undefined {
  try {
    const stats = look()
    return stats.isFile() ? `${stats.dev}:${stats.ino}` : undefined
  } catch {
    return undefined
  }
}
