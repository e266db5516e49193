/** Passphrases from a file or a file descriptor, where no one is there to type them. */

import { realpathSync, type Stats } from 'node:fs'
import { sep } from 'node:path'
import { isatty } from 'node:tty'

import { Secret } from '@strongroom/core'

import { CliError } from '../cli-error.ts'
import { readDescriptor, type Reading, readPath } from '../read-whole.ts'

export interface PassphraseFileOptions {
  /** Ends the waiting for a pipe that nobody writes to. */
  readonly signal: AbortSignal
  /** Where systemd puts credentials, readable for the group of the service: `CREDENTIALS_DIRECTORY`. */
  readonly credentials: string | undefined
}

const MOST_BYTES = 4096
const GROUP_AND_OTHERS = 0o077
const READABLE_BY_ALL = 0o044
const POSIX = process.platform !== 'win32'
const BYTE_ORDER_MARK = '\uFEFF'

/**
 * All of a file, but for one line feed at its end.
 *
 * @throws CliError `passphrase_unusable` where it cannot be read, others than its owner can use it, or it holds no passphrase; Interrupted
 */
export async function readPassphraseFile(path: string, { signal, credentials }: PassphraseFileOptions): Promise<Secret<string>> {
  const what = `the passphrase file ${path}`
  const requireOwn = (stats: Stats): void => requirePrivate(stats, what, isCredential(path, credentials))
  return parse(await readPath(path, readingOf(what, signal), requireOwn), what)
}

/**
 * All that comes from an open file descriptor, but for one line feed at its end.
 *
 * @throws CliError `passphrase_unusable` where it is a terminal, which would echo, cannot be read, or gives no passphrase; Interrupted
 */
export async function readPassphraseDescriptor(descriptor: number, signal: AbortSignal): Promise<Secret<string>> {
  const what = `file descriptor ${descriptor}`
  if (isatty(descriptor))
    throw new CliError(
      'passphrase_unusable',
      `${what} is a terminal, which would show what is typed; leave --passphrase-fd out to be asked without echo`,
    )
  return parse(await readDescriptor(descriptor, readingOf(what, signal)), what)
}

function readingOf(what: string, signal: AbortSignal): Reading {
  return {
    mostBytes: MOST_BYTES,
    tooLong: `holds more than ${MOST_BYTES} bytes: that is no passphrase`,
    signal,
    refusal: (why, cause) => new CliError('passphrase_unusable', `${what} ${why}`, { cause }),
  }
}

function isCredential(path: string, credentials: string | undefined): boolean {
  if (credentials === undefined || credentials === '') return false
  try {
    return realpathSync(path).startsWith(`${realpathSync(credentials)}${sep}`)
  } catch {
    return false
  }
}

function requirePrivate(stats: Stats, what: string, mayBeReadable: boolean): void {
  if (!POSIX || !(stats.isFile() || stats.isFIFO())) return
  if (![0, process.geteuid?.()].includes(stats.uid))
    throw new CliError('passphrase_unusable', `${what} belongs to someone else, who may change it`)
  const more = stats.mode & GROUP_AND_OTHERS
  if ((mayBeReadable ? more & ~READABLE_BY_ALL : more) === 0) return
  throw new CliError(
    'passphrase_unusable',
    `${what} can be used by others than its owner: run \`chmod 600\` on it, and ask who has read it`,
  )
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
  if (text.startsWith(BYTE_ORDER_MARK))
    throw new CliError('passphrase_unusable', `${what} begins with a byte order mark, which no one types: save it without`)
  const passphrase = text.replace(/\r?\n$/, '')
  if (passphrase === '') throw new CliError('passphrase_unusable', `${what} is empty`)
  return new Secret(passphrase)
}
