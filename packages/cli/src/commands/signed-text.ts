/** Texts that a vault has signed, checked with keys from somewhere else. */

import { resolve } from 'node:path'

import type { Command } from 'commander'

import { CliError } from '../cli-error.ts'
import { type Reading, readPath, readStream } from '../read-whole.ts'
import type { Session } from '../session.ts'

const STDIN = '-'
const KIB = 1024
const MOST_OF_KEYS = 64 * KIB
/** A vault's id and its public key. */
const TRUSTED_KEY = /^[0-9a-f]{96}$/i

/** Names the keys that are trusted. */
export function withTrustedKeys(command: Command): Command {
  return command.option(
    '--trusted-keys <file>',
    "keys in hexadecimal, one a line, as receipt-keys prints them (default: the vault's own; then the configuration is needed)",
  )
}

/** @param file - as `--trusted-keys` has it; without it the vault's own */
export async function trustedKeys(session: Session, file: string | undefined): Promise<readonly Uint8Array[]> {
  if (file !== undefined) return parseKeys(await readFile(session, file, MOST_OF_KEYS))
  const vault = await session.openVault()
  return vault.receiptKeys()
}

/** @param file - `-`: stdin. @throws CliError `file_unusable` */
export async function readSigned(session: Session, file: string, mostBytes: number): Promise<string> {
  const text =
    file === STDIN
      ? (await readStream(session.stdin, readingOf('stdin', session, mostBytes))).toString()
      : await readFile(session, file, mostBytes)
  return text.trim()
}

function parseKeys(text: string): readonly Uint8Array[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (lines.length === 0 || !lines.every((line) => TRUSTED_KEY.test(line)))
    throw new CliError(
      'file_unusable',
      'the file of --trusted-keys must hold keys of 96 hexadecimal digits, as receipt-keys prints them, one a line, and nothing else',
    )
  return lines.map((line) => Buffer.from(line, 'hex'))
}

async function readFile(session: Session, file: string, mostBytes: number): Promise<string> {
  const path = resolve(session.directory, file)
  return (await readPath(path, readingOf(path, session, mostBytes))).toString()
}

function readingOf(name: string, { signal }: Session, mostBytes: number): Reading {
  return {
    mostBytes,
    tooLong: `holds more than ${mostBytes / KIB} KiB: it is neither what is to be checked nor keys`,
    signal,
    refusal: (why, cause) => new CliError('file_unusable', `${name} ${why}`, { cause }),
  }
}
