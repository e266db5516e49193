/** `strongroom holds`: legal holds that stand, and those that were released. */

import type { Command } from 'commander'

import type { ErasureService, ListedHold } from '../configuration/erasure-service.ts'
import { type SharedFlags, withVaultFlags } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { statusLines } from '../status/lines.ts'
import type { Row } from '../status/rows.ts'
import { minute } from '../terminal/time.ts'
import { openErasure } from './erasure-of.ts'

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
  const list = { name: 'holds', entries: entriesOf(erasure, session), none: 'there was never a hold' }
  return { list, lines: [], summary: {}, isOutput: true, isStyled: true }
}

// One after the other, as erasures are.
async function* entriesOf(
  erasure: Pick<ErasureService, 'holds'>,
  { signal, width, style }: Session,
): AsyncGenerator<{ readonly lines: readonly string[]; readonly summary: ListedHold & { readonly id: string } }> {
  for await (const each of erasure.holds()) {
    signal.throwIfAborted()
    yield { lines: statusLines(holdRows(each), width, style), summary: { id: idOf(each), ...each } }
  }
}

function idOf({ references }: ListedHold): string {
  return references.join('.')
}

function holdRows(hold: ListedHold): readonly Row[] {
  const { reason, since, released } = hold
  return [
    { label: released === undefined ? 'held' : 'was held', text: `since ${minute(since)}: ${reason}`, tone: 'strong', isHead: true },
    { label: 'id', text: idOf(hold), tone: 'faint', isWhole: true },
    ...(released === undefined ? [] : [{ label: 'released', text: `${minute(released.at)}: ${released.reason}`, tone: 'plain' as const }]),
  ]
}
