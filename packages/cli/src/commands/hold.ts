/** `strongroom hold tenant`, `… subject`, `… item`: while it stands, nothing of it is destroyed. */

import type { Command } from 'commander'

import { CliError } from '../cli-error.ts'
import { ExitCode } from '../exit-code.ts'
import { type SharedFlags, withVaultFlags } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { openErasure } from './erasure-of.ts'
import { handleOf, type NamedPlace, NO_KEY, stateOf, whole } from './named-place.ts'
import { addPlaceCommands } from './place-commands.ts'
import { tenantInfo } from './tenant-info.ts'

interface Flags extends SharedFlags {
  readonly reason: string
  readonly evenIfAbsent?: boolean
}

const WHAT = 'while it stands nothing of it is destroyed, nor of what is above it or beneath it: by no erasure, and by no shred'

export function addHold(program: Command, runner: Runner): void {
  const hold = program
    .command('hold')
    .summary('put a legal hold on a tenant, a subject or an item')
    .description(`put a legal hold on a tenant, a subject or an item: ${WHAT}`)
  addPlaceCommands<Flags>(hold, {
    descriptions: {
      tenant: `put a legal hold on a tenant: ${WHAT}`,
      subject: `put a legal hold on a subject: ${WHAT}`,
      item: `put a legal hold on an item: ${WHAT}`,
    },
    withFlags: (command, kind) => (kind === 'tenant' ? withFlags(command) : withAbsent(withFlags(command))),
    act: (kind, place, flags) => runner.run(`hold ${kind}`, flags, (session) => holdPlace(session, place, flags)),
  })
}

function withFlags(command: Command): Command {
  return withVaultFlags(withReason(command))
}

/** Why, in words. */
export function withReason(command: Command): Command {
  return command.requiredOption(
    '--reason <text>',
    'why, in words: 1 to 1,000 characters, kept encrypted and for good; name cases, not people',
  )
}

function withAbsent(command: Command): Command {
  return command.option('--even-if-absent', 'where there is no key: hold the name all the same (default: refused)')
}

async function holdPlace(session: Session, place: NamedPlace, { reason, evenIfAbsent }: Flags): Promise<Outcome> {
  const { vault, erasure } = await openErasure(session)
  await tenantInfo(vault, place.tenant)
  const state = await stateOf(vault, place)
  if (state === 'absent' && evenIfAbsent !== true)
    throw new CliError('no_key', `${whole(place)}: ${NO_KEY}; to hold the name all the same, give --even-if-absent`)
  session.begin('the hold may stand: strongroom holds shows it')
  const { mayBeTooLate, unreadable } = await erasure.hold(handleOf(vault, place), { reason })
  const isGone = state === 'shredded' || state === 'gone'
  const isSure = mayBeTooLate.length + unreadable.length === 0 && !isGone
  return {
    lines: [
      `held: ${whole(place)}`,
      ...(isGone ? ['its key was destroyed before: what is held is what resources still have of it'] : []),
      ...mayBeTooLate.map((id) => `${id}: its destruction had begun, and it may be too late; strongroom erasures says how far it is`),
      ...unreadable.map(
        (id) => `${id}: the record of this erasure does not open, and nobody can say how far it was; nothing is destroyed by it`,
      ),
    ],
    summary: { ...place, state, mayBeTooLate, unreadable },
    exitCode: isSure ? ExitCode.done : ExitCode.failed,
  }
}
