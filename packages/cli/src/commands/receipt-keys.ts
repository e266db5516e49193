/** `strongroom receipt-keys`. */

import type { Command } from 'commander'

import { type SharedFlags, withVaultFlags } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'

export function addReceiptKeys(program: Command, runner: Runner): void {
  const command = program
    .command('receipt-keys')
    .summary('print the public keys that sign receipts')
    .description(
      'print the public keys that sign receipts, each behind the id of the vault, one a line, in hexadecimal: publish them, for verify-receipt --trusted-keys',
    )
  withVaultFlags(command).action((flags: SharedFlags) => runner.run('receipt-keys', flags, receiptKeys))
}

async function receiptKeys(session: Session): Promise<Outcome> {
  const vault = await session.openVault()
  const keys = (await vault.receiptKeys()).map((key) => Buffer.from(key).toString('hex'))
  return { lines: keys, summary: { receiptKeys: keys }, isOutput: true }
}
