/** `strongroom erasures cancel`: a request is taken back while its grace lasts. */

import { StrongroomError } from '@strongroom/core'
import type { Command } from 'commander'

import { erasureId, type SharedFlags, withVaultFlags } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { openErasure } from './erasure-of.ts'

/** @param erasures - the command that it is beneath */
export function addCancelErasure(erasures: Command, runner: Runner): void {
  const command = erasures
    .command('cancel')
    .summary('take a request back')
    .description('take a request for an erasure back, while its grace lasts: who was suspended by it encrypts and decrypts again')
    .argument('<id>', 'the id of the erasure, as strongroom erasures lists it', erasureId)
  // The command that it is beneath has the same flags, and takes them first.
  withVaultFlags(command).action((id: string) =>
    runner.run('erasures cancel', command.optsWithGlobals<SharedFlags>(), (session) => cancelErasure(session, id)),
  )
}

async function cancelErasure(session: Session, id: string): Promise<Outcome> {
  const { erasure } = await openErasure(session)
  const request = await erasure.get(id)
  if (request === undefined) throw new StrongroomError('not_found', 'there is no erasure of that id: it was taken back, or never asked for')
  session.begin()
  await request.cancel()
  return {
    lines: [`${id}: taken back; what it had suspended is in use again, and what was suspended before it stays so`],
    summary: { id, state: 'cancelled' },
  }
}
