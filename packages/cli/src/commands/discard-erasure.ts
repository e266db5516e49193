/** `strongroom erasures discard`: the record of a request that does not open is taken away. */

import type { Command } from 'commander'

import { referencesId, type SharedFlags, withVaultFlags } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { openErasure } from './erasure-of.ts'

/** @param erasures - the command that it is beneath */
export function addDiscardErasure(erasures: Command, runner: Runner): void {
  const command = erasures
    .command('discard')
    .summary('take a record away that does not open')
    .description(
      'take away the record of an erasure that does not open. What was suspended stays so, and nothing is destroyed. Where you know whose it is, ask for the same erasure again instead: that replaces it',
    )
    .argument('<id>', 'references joined by dots, as strongroom erasures names it', referencesId)
  // The command that it is beneath has the same flags, and takes them first.
  withVaultFlags(command).action((id: string) =>
    runner.run('erasures discard', command.optsWithGlobals<SharedFlags>(), (session) => discardErasure(session, id)),
  )
}

async function discardErasure(session: Session, id: string): Promise<Outcome> {
  const { erasure } = await openErasure(session)
  session.begin()
  await erasure.discardDamaged(id)
  return { lines: [`${id}: its record is taken away; what was suspended stays so`], summary: { id } }
}
