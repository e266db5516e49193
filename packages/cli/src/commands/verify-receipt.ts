/** `strongroom verify-receipt`. */

import { verifyReceipt as verify } from '@strongroom/core'
import type { Command } from 'commander'

import { type SharedFlags, withVaultFlags } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { minute } from '../terminal/time.ts'
import { keptLines, keptSummary } from './kept.ts'
import { readSigned, trustedKeys, withTrustedKeys } from './signed-text.ts'

interface Flags extends SharedFlags {
  readonly trustedKeys?: string
}

const MOST_BYTES = 64 * 1024

export function addVerifyReceipt(program: Command, runner: Runner): void {
  const command = program
    .command('verify-receipt')
    .summary('check the receipt of a shred')
    .description(
      `check the receipt of a shred: that a trusted key has signed it, and that no byte was changed. A key that a receipt brings along is never believed`,
    )
    .argument('<file>', 'the receipt; - reads it from stdin')
  withVaultFlags(withTrustedKeys(command)).action((file: string, flags: Flags) =>
    runner.run('verify-receipt', flags, (session) => verifyReceipt(session, file, flags)),
  )
}

async function verifyReceipt(session: Session, file: string, flags: Flags): Promise<Outcome> {
  const text = await readSigned(session, file, MOST_BYTES)
  const receipt = verify(text, await trustedKeys(session, flags.trustedKeys))
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
