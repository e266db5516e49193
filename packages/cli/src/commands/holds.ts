/** `strongroom holds`: legal holds that stand, and those that were released. */

import type { Command } from 'commander'

import type { ListedHold } from '../configuration/erasure-service.ts'
import { ExitCode } from '../exit-code.ts'
import { type SharedFlags, withVaultFlags } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { statusLines } from '../status/lines.ts'
import type { Row } from '../status/rows.ts'
import { minute } from '../terminal/time.ts'
import { openErasure } from './erasure-of.ts'
import { readable } from './readable.ts'

export function addHolds(program: Command, runner: Runner): void {
  const command = program
    .command('holds')
    .summary('legal holds: those that stand, and those that were released')
    .description(
      'every legal hold: its id, since when and why; then those that were released. Ends with 1 where the record of one does not open',
    )
  withVaultFlags(command).action((flags: SharedFlags) => runner.run('holds', flags, holds))
}

async function holds(session: Session): Promise<Outcome> {
  const { erasure } = await openErasure(session)
  const { found, failure } = await readable(erasure.holds(), session.signal)
  const { width, style } = session
  const lines = found.length === 0 ? ['there was never a hold'] : statusLines(found.flatMap(holdRows), width, style)
  if (failure !== undefined)
    await session.note(`a hold does not open (${failure.code}): it stands all the same, and can be released by the name of its place`)
  return {
    lines,
    summary: { holds: found.map((hold) => ({ id: idOf(hold), ...hold })), isWhole: failure === undefined },
    exitCode: failure === undefined ? ExitCode.done : ExitCode.failed,
    isOutput: true,
    isStyled: found.length > 0,
  }
}

function idOf({ references }: ListedHold): string {
  return references.join('.')
}

function holdRows(hold: ListedHold): readonly Row[] {
  const { reason, since, released } = hold
  return [
    { label: released === undefined ? 'held' : 'was held', text: `since ${minute(since)}: ${reason}`, tone: 'strong', isHead: true },
    { label: 'id', text: idOf(hold), tone: 'faint' },
    ...(released === undefined ? [] : [{ label: 'released', text: `${minute(released.at)}: ${released.reason}`, tone: 'plain' as const }]),
  ]
}
