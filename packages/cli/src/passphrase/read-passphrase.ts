/** Passphrases from a file or a file descriptor, where no one is there to type them. */

import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { isatty } from 'node:tty'

import { Secret } from '@strongroom/core'

import { CliError } from '../cli-error.ts'

const MOST_BYTES = 4096
const GROUP_AND_OTHERS = 0o077
const POSIX = process.platform !== 'win32'

/**
 * All of a file, but for one line feed at its end.
 *
 * @throws CliError `passphrase_unusable` where it cannot be read, others than its owner can use it, or it holds no passphrase
 */
export async function readPassphraseFile(path: string): Promise<Secret<string>> {
  const what = `the passphrase file ${path}`
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(what, error)
  })
  try {
    await requirePrivate(handle, what)
    return parse(await collect(handle.createReadStream({ autoClose: false, highWaterMark: MOST_BYTES }), what), what)
  } finally {
    await handle.close()
  }
}

/**
 * All that comes from an open file descriptor, but for one line feed at its end.
 *
 * @throws CliError `passphrase_unusable` where it is a terminal, which would echo, cannot be read, or gives no passphrase
 */
export async function readPassphraseDescriptor(descriptor: number): Promise<Secret<string>> {
  const what = `file descriptor ${descriptor}`
  if (isatty(descriptor))
    throw new CliError(
      'passphrase_unusable',
      `${what} is a terminal, which would show what is typed; leave --passphrase-fd out to be asked without echo`,
    )
  return parse(await collect(createReadStream('', { fd: descriptor, autoClose: false, highWaterMark: MOST_BYTES }), what), what)
}

async function requirePrivate(handle: FileHandle, what: string): Promise<void> {
  const stats = await handle.stat()
  if (stats.isDirectory()) throw new CliError('passphrase_unusable', `${what} is a folder`)
  if (POSIX && stats.isFile() && (stats.mode & GROUP_AND_OTHERS) !== 0)
    throw new CliError(
      'passphrase_unusable',
      `${what} can be used by others than its owner: run \`chmod 600\` on it, and ask who has read it`,
    )
}

async function collect(stream: AsyncIterable<Buffer>, what: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of stream) {
      chunks.push(chunk)
      length += chunk.length
      if (length > MOST_BYTES) break
    }
  } catch (error) {
    throw unreadable(what, error)
  }
  if (length > MOST_BYTES) throw new CliError('passphrase_unusable', `${what} holds more than ${MOST_BYTES} bytes: that is no passphrase`)
  return Buffer.concat(chunks)
}

function parse(bytes: Buffer, what: string): Secret<string> {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new CliError('passphrase_unusable', `${what} does not hold UTF-8`)
  } finally {
    bytes.fill(0)
  }
  const passphrase = text.replace(/\r?\n$/, '')
  if (passphrase === '') throw new CliError('passphrase_unusable', `${what} is empty`)
  return new Secret(passphrase)
}

function unreadable(what: string, cause: unknown): CliError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException
  return new CliError('passphrase_unusable', `${what} cannot be read (${code})`, { cause })
}
