/** `strongroom erase tenant`, `… subject`, `… item`: a request, which sweeping carries out. */

import { Reason, type ReasonName } from '@strongroom/core'
import { type Command, Option } from 'commander'

import { CliError } from '../cli-error.ts'
import { ExitCode } from '../exit-code.ts'
import { type SharedFlags, withVaultFlags, withYes } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { minute } from '../terminal/time.ts'
import { openErasure } from './erasure-of.ts'
import { handleOf, type NamedPlace, NO_KEY, stateOf, whole } from './named-place.ts'
import { addPlaceCommands } from './place-commands.ts'
import { tenantInfo } from './tenant-info.ts'

interface Flags extends SharedFlags {
  readonly reason: ReasonName
  readonly graceZero?: boolean
  readonly evenIfAbsent?: boolean
}

const WHAT =
  'suspended at once, and once the grace of the policy is over destroyed, with its data in all resources of the configuration. Sweeping does that'

export function addErase(program: Command, runner: Runner): void {
  const erase = program
    .command('erase')
    .summary('ask that a tenant, a subject or an item goes, with its data')
    .description(`ask that a tenant, a subject or an item goes: ${WHAT}`)
  addPlaceCommands<Flags>(erase, {
    descriptions: {
      tenant: `ask that a tenant goes, with every subject and item of it: ${WHAT}`,
      subject: `ask that a subject goes, with every item of it: ${WHAT}`,
      item: `ask that an item goes: ${WHAT}`,
    },
    withFlags: (command, kind) => (kind === 'tenant' ? withFlags(command) : withAbsent(withFlags(command))),
    act: (kind, place, flags) => runner.run(`erase ${kind}`, flags, (session) => erasePlace(session, place, flags)),
  })
}

function withFlags(command: Command): Command {
  command
    .addOption(
      new Option('--reason <name>', 'kept in the ledger, the receipt and the certificate')
        .choices(Object.keys(Reason).filter((name) => name !== 'retired'))
        .default('unspecified'),
    )
    .option('--grace-zero', 'destroy the keys at once, for good (default: the grace of the policy, in which it can be taken back)')
  return withVaultFlags(withYes(command))
}

function withAbsent(command: Command): Command {
  return command.option('--even-if-absent', 'where there is no key: only what is in the resources goes (default: refused)')
}

async function erasePlace(session: Session, place: NamedPlace, { reason, graceZero = false, evenIfAbsent }: Flags): Promise<Outcome> {
  const { vault, erasure } = await openErasure(session)
  await tenantInfo(vault, place.tenant)
  const before = await stateOf(vault, place)
  if (before === 'absent' && evenIfAbsent !== true)
    throw new CliError('no_key', `${whole(place)}: ${NO_KEY}; to erase what is in the resources all the same, give --even-if-absent`)
  if (graceZero)
    await session.confirm(
      `Gone for good, without grace: ${whole(place)}, with all that was encrypted under its key, and its data in all resources.`,
      place.item ?? place.subject ?? place.tenant,
    )
  session.begin('what was asked for is noted, and sweeping goes on with it')
  const requestedAt = vault.clock.now()
  const { id, state, due = requestedAt } = await erasure.request(handleOf(vault, place), { reason, ...(graceZero ? { grace: 0 } : {}) })
  const isDestroyed = ['shredding', 'erased', 'closed'].includes(state)
  const exitCode = graceZero && !isDestroyed ? ExitCode.failed : ExitCode.done
  return {
    lines: [`${id}: ${outcomeOf({ graceZero, isDestroyed, wasGone: before === 'shredded' || before === 'gone', state, due })}`],
    summary: { ...place, id, state, due },
    exitCode,
  }
}

function outcomeOf(said: {
  readonly graceZero: boolean
  readonly isDestroyed: boolean
  readonly wasGone: boolean
  readonly state: string
  readonly due: number
}): string {
  const { graceZero, isDestroyed, wasGone, state, due } = said
  if (isDestroyed) return 'its keys are destroyed; strongroom sweep erases the rest'
  if (graceZero)
    return `${state}, and its keys are NOT destroyed: strongroom erasures says what it waits for, such as the release of a hold`
  if (wasGone)
    return `${state}; its key was destroyed before: what resources still have of it goes with sweeping after ${minute(due)}, and until then the request can be taken back`
  return `${state}; it can be taken back until ${minute(due)}, and goes with sweeping after that`
}
