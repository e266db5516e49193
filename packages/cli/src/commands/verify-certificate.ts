/** `strongroom verify-certificate`. */

import type { Command } from 'commander'

import { type SharedFlags, withVaultFlags } from '../flags.ts'
import { optionalPackage } from '../optional-package.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { readSigned, trustedKeys, withTrustedKeys } from './signed-text.ts'

interface Flags extends SharedFlags {
  readonly trustedKeys?: string
}

const MOST_BYTES = 1024 * 1024

export function addVerifyCertificate(program: Command, runner: Runner): void {
  const command = program
    .command('verify-certificate')
    .summary('check the closure certificate of an erasure, and say it in words')
    .description(
      'check the closure certificate of an erasure: that a trusted key has signed it and the receipt in it, and that no byte was changed; then print what it says, to be sent to the person. A key that a certificate brings along is never believed',
    )
    .argument('<file>', 'the certificate; - reads it from stdin')
  withVaultFlags(withTrustedKeys(command)).action((file: string, flags: Flags) =>
    runner.run('verify-certificate', flags, (session) => verifyCertificate(session, file, flags)),
  )
}

async function verifyCertificate(session: Session, file: string, flags: Flags): Promise<Outcome> {
  const erasure = await optionalPackage('@strongroom/erasure', () => import('@strongroom/erasure'))
  const text = await readSigned(session, file, MOST_BYTES)
  const keys = await trustedKeys(session, flags.trustedKeys)
  const said = erasure.verifyCertificate(text, keys)
  const words = erasure.certificateToText(text, keys).trimEnd().split('\n')
  return { lines: ['valid: a trusted key has signed it', '', ...words], summary: { valid: true, ...said }, isOutput: true }
}
