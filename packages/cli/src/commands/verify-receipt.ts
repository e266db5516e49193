/** `strongroom verify-receipt`. */

import { resolve } from 'node:path'

import { verifyReceipt as verify } from '@strongroom/core'
import type { Command } from 'commander'

import { CliError } from '../cli-error.ts'
import { type SharedFlags, withVaultFlags } from '../flags.ts'
import { type Reading, readPath, readStream } from '../read-whole.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { minute } from '../terminal/time.ts'
import { keptLines, keptSummary } from './kept.ts'

interface Flags extends SharedFlags {
  readonly trustedKeys?: string
}

const STDIN = '-'
const MOST_BYTES = 64 * 1024
const PUBLIC_KEY = /^[0-9a-f]{64}$/i

export function addVerifyReceipt(program: Command, runner: Runner): void {
  const command = program
    .command('verify-receipt')
    .summary('check the receipt of a shred')
    .description(
      `check the receipt of a shred: that a trusted key has signed it, and that no byte was changed. A key that a receipt brings along is never believed`,
    )
    .argument('<file>', 'the receipt; - reads it from stdin')
    .option(
      '--trusted-keys <file>',
      "public keys in hexadecimal, one a line, as receipt-keys prints them (default: the vault's own; then the configuration is needed)",
    )
  withVaultFlags(command).action((file: string, flags: Flags) =>
    runner.run('verify-receipt', flags, (session) => verifyReceipt(session, file, flags)),
  )
}

async function verifyReceipt(session: Session, file: string, { trustedKeys }: Flags): Promise<Outcome> {
  const text = await readText(session, file)
  const keys = trustedKeys === undefined ? await ownKeys(session) : parseKeys(await readFile(session, trustedKeys))
  const receipt = verify(text.trim(), keys)
  const { kind, region, versions, rootVersion, instant, reason } = receipt
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  const refs = { ref: hex(receipt.ref), parentRef: hex(receipt.parentRef), tenantRef: hex(receipt.tenantRef) }
  const ledger = { n: receipt.ledger.n, hash: hex(receipt.ledger.hash) }
  return {
    lines: [
      `valid: a trusted key has signed it`,
      ...(versions === 0
        ? [
            `no key was destroyed: there was none; the name was occupied ${minute(instant)}, a ${kind} of region ${region}; reason ${reason}`,
          ]
        : [
            `shredded ${minute(instant)}, a ${kind} of region ${region}; reason ${reason}`,
            `dead in every backup once all root versions up to ${rootVersion} of the region are destroyed`,
          ]),
      ...keptLines(receipt.kept),
      `ref ${refs.ref}`,
      `tenant ref ${refs.tenantRef}`,
    ],
    summary: {
      valid: true,
      vaultId: hex(receipt.vaultId),
      kind,
      ...refs,
      region,
      versions,
      rootVersion,
      instant,
      reason,
      ledger,
      kept: keptSummary(receipt.kept),
    },
    isOutput: true,
  }
}

async function ownKeys(session: Session): Promise<readonly Uint8Array[]> {
  const vault = await session.openVault()
  return vault.receiptKeys()
}

function parseKeys(text: string): readonly Uint8Array[] {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (lines.length === 0 || !lines.every((line) => PUBLIC_KEY.test(line)))
    throw new CliError(
      'file_unusable',
      'the file of --trusted-keys must hold public keys of 64 hexadecimal digits, one a line, and nothing else',
    )
  return lines.map((line) => Buffer.from(line, 'hex'))
}

async function readText(session: Session, file: string): Promise<string> {
  if (file !== STDIN) return readFile(session, file)
  return (await readStream(session.stdin, readingOf('stdin', session))).toString()
}

async function readFile(session: Session, file: string): Promise<string> {
  const path = resolve(session.directory, file)
  return (await readPath(path, readingOf(path, session))).toString()
}

function readingOf(name: string, { signal }: Session): Reading {
  return {
    mostBytes: MOST_BYTES,
    tooLong: 'holds more than 64 KiB: it is neither a receipt nor keys',
    signal,
    refusal: (why, cause) => new CliError('file_unusable', `${name} ${why}`, { cause }),
  }
}
