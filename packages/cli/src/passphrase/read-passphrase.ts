/** Passphrases from a file or a file descriptor, where no one is there to type them. */

import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, type Stats } from 'node:fs'
import { Socket } from 'node:net'
import { sep } from 'node:path'
import { isatty } from 'node:tty'

import { Secret } from '@strongroom/core'

import { CliError, Interrupted } from '../cli-error.ts'

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
  // A pipe that nobody writes to would hold the opening, and with it the process.
  const descriptor = attempt(what, () => openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)))
  let isOurs = true
  try {
    const stats = attempt(what, () => fstatSync(descriptor))
    requirePrivate(stats, what, isCredential(path, credentials))
    if (stats.isFile()) return parse(readFile(descriptor, what), what)
    isOurs = false
    return parse(await readPipe(descriptor, stats, what, signal), what)
  } finally {
    if (isOurs) closeSync(descriptor)
  }
}

/**
 * All that comes from an open file descriptor, but for one line feed at its end.
 *
 * @throws CliError `passphrase_unusable` where it is a terminal, which would echo, cannot be read, or gives no passphrase; Interrupted
 */
export async function readPassphraseDescriptor(descriptor: number, signal: AbortSignal): Promise<Secret<string>> {
  const what = `file descriptor ${descriptor}`
  const stats = attempt(what, () => fstatSync(descriptor))
  if (isatty(descriptor))
    throw new CliError(
      'passphrase_unusable',
      `${what} is a terminal, which would show what is typed; leave --passphrase-fd out to be asked without echo`,
    )
  return parse(stats.isFile() ? readFile(descriptor, what) : await readPipe(descriptor, stats, what, signal), what)
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
  if (stats.isDirectory()) throw new CliError('passphrase_unusable', `${what} is a folder`)
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

function readFile(descriptor: number, what: string): Buffer {
  const bytes = Buffer.alloc(MOST_BYTES + 1)
  let length = 0
  for (;;) {
    const read = attempt(what, () => readSync(descriptor, bytes, length, bytes.length - length, null))
    length += read
    if (length > MOST_BYTES) throw tooLong(what)
    if (read === 0) return bytes.subarray(0, length)
  }
}

// Waits without a thread: what is read in one holds the process until someone writes.
async function readPipe(descriptor: number, stats: Stats, what: string, signal: AbortSignal): Promise<Buffer> {
  if (!stats.isFIFO() && !stats.isSocket()) throw new CliError('passphrase_unusable', `${what} is neither a file nor a pipe nor a socket`)
  const stream = attempt(what, () => new Socket({ fd: descriptor, readable: true, writable: false }))
  const onAbort = (): void => void stream.destroy(new Interrupted('interrupted'))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length > MOST_BYTES) throw tooLong(what)
    }
    return Buffer.concat(chunks)
  } catch (error) {
    if (error instanceof CliError || error instanceof Interrupted) throw error
    throw unreadable(what, error)
  } finally {
    signal.removeEventListener('abort', onAbort)
    for (const chunk of chunks) chunk.fill(0)
    stream.destroy()
  }
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

function attempt<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw unreadable(what, error)
  }
}

function tooLong(what: string): CliError {
  return new CliError('passphrase_unusable', `${what} holds more than ${MOST_BYTES} bytes: that is no passphrase`)
}

function unreadable(what: string, cause: unknown): CliError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException
  return new CliError('passphrase_unusable', `${what} cannot be read (${code})`, { cause })
}
