/** `strongroom rotate subject`. */

import { type PlaceState, StrongroomError, type StrongroomErrorCode } from '@strongroom/core'
import type { Command } from 'commander'

import { type SharedFlags, withConcurrency, withDryRun, withVaultFlags } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { livingTenant } from './tenant-info.ts'

interface Flags extends SharedFlags {
  readonly concurrency: number
  readonly dryRun?: boolean
}

const CODES: Readonly<Record<Exclude<PlaceState, 'active'>, StrongroomErrorCode>> = {
  absent: 'not_found',
  suspended: 'suspended',
  shredded: 'shredded',
  gone: 'shredded',
}
const ONE_MORE = 'a new key may be there by now, and another run may make one more: strongroom status counts the old ones'

export function addRotateSubject(parent: Command, runner: Runner): void {
  const command = parent
    .command('subject')
    .summary('a new key for a person')
    .description(
      'a new key for one person: it encrypts from now on, the old one only decrypts. Re-encrypting the data and retiring the old key are up to your application. Each run makes one more key; on someone without items so does one after an end by Ctrl-C',
    )
    .argument('<tenant>', 'the name of the tenant')
    .argument('<id>', 'the name of the subject')
  withVaultFlags(withDryRun(withConcurrency(command))).action((tenant: string, id: string, flags: Flags) =>
    runner.run('rotate subject', flags, (session) => rotateSubject(session, tenant, id, flags)),
  )
}

async function rotateSubject(session: Session, tenant: string, subject: string, { concurrency, dryRun }: Flags): Promise<Outcome> {
  const vault = await session.openVault()
  const place = `subject ${subject} of tenant ${tenant}`
  const whose = vault.tenant(tenant).subject(subject)
  if (dryRun === true) {
    const { region } = await livingTenant(vault, tenant)
    const state = await whose.state()
    // What rotateSubjectKey itself would answer.
    if (state !== 'active') throw new StrongroomError(CODES[state], `${place} cannot be rotated: its key is ${state}`)
    const lines = [`would give ${place} (region ${region}) a new key; values of the old one go on to open`, 'nothing was done']
    return { lines, summary: { dryRun: true, tenant, subject, region } }
  }
  const { signal } = session
  await session.follow(vault.rotateSubjectKey(whose, { concurrency, signal }), ONE_MORE)
  return {
    lines: [
      `${place} has a new key; the old one only decrypts`,
      'next: re-encrypt the data, then vault.retireVersion(…) in your application',
    ],
    summary: { tenant, subject },
  }
}
