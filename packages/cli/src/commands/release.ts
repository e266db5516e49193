/** `strongroom release tenant`, `… subject`, `… item`, `… id`: a legal hold stands no more. */

import type { Command } from 'commander'

import { referencesId, type SharedFlags, withVaultFlags, withYes } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { openErasure } from './erasure-of.ts'
import { withReason } from './hold.ts'
import { handleOf, whole } from './named-place.ts'
import { addPlaceCommands } from './place-commands.ts'
import { tenantInfo } from './tenant-info.ts'

interface Flags extends SharedFlags {
  readonly reason: string
}

const WHAT = 'what was asked for and is due is destroyed for good by the next sweep, unless another hold stands'
const WORD = 'release'

export function addRelease(program: Command, runner: Runner): void {
  const release = program
    .command('release')
    .summary('end a legal hold')
    .description(`end the legal hold on a tenant, a subject or an item: ${WHAT}`)
  addPlaceCommands<Flags>(release, {
    descriptions: {
      tenant: `end the legal hold on a tenant: ${WHAT}`,
      subject: `end the legal hold on a subject: ${WHAT}`,
      item: `end the legal hold on an item: ${WHAT}`,
    },
    withFlags,
    act: (kind, place, flags) =>
      runner.run(`release ${kind}`, flags, async (session) => {
        const { vault, erasure } = await openErasure(session)
        await tenantInfo(vault, place.tenant)
        await session.confirm(`No longer held: ${whole(place)}; ${WHAT}.`, place.item ?? place.subject ?? place.tenant)
        session.begin()
        await erasure.release(handleOf(vault, place), { reason: flags.reason })
        return { lines: [`released: ${whole(place)}`], summary: { ...place } }
      }),
  })
  const byId = release
    .command('id')
    .summary('a hold by its id, as strongroom holds lists it')
    .description(`end a legal hold by its id, as strongroom holds lists it, such as one beneath a tenant whose keys are gone: ${WHAT}`)
    .argument('<id>', 'the id of the hold', referencesId)
  withFlags(byId).action((id: string, flags: Flags) => runner.run('release id', flags, (session) => releaseById(session, id, flags)))
}

function withFlags(command: Command): Command {
  return withVaultFlags(withYes(withReason(command)))
}

async function releaseById(session: Session, id: string, { reason }: Flags): Promise<Outcome> {
  const { erasure } = await openErasure(session)
  await session.confirm(`No longer held: ${id}; ${WHAT}.`, WORD)
  session.begin()
  await erasure.release({ references: id.split('.') }, { reason })
  return { lines: [`released: ${id}`], summary: { id } }
}
