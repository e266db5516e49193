/** `strongroom erasures`: what is pending, why, and until when. */

import type { Command } from 'commander'

import type { ErasureService, ListedErasure } from '../configuration/erasure-service.ts'
import { type SharedFlags, withVaultFlags } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { statusLines } from '../status/lines.ts'
import type { Row } from '../status/rows.ts'
import { whatToDo } from '../status/what-to-do.ts'
import { count } from '../terminal/count.ts'
import { minute } from '../terminal/time.ts'
import { addCancelErasure } from './cancel-erasure.ts'
import { addDiscardErasure } from './discard-erasure.ts'
import { openErasure } from './erasure-of.ts'

export function addErasures(program: Command, runner: Runner): void {
  const command = program
    .command('erasures')
    .summary('erasures that are under way: why, and until when')
    .description(
      'every erasure that has not come to its end: for whom, why, what it waits for and until when, and what has failed. Ends with 1 where the record of one does not open',
    )
  withVaultFlags(command).action((flags: SharedFlags) => runner.run('erasures', flags, erasures))
  addCancelErasure(command, runner)
  addDiscardErasure(command, runner)
}

async function erasures(session: Session): Promise<Outcome> {
  const { erasure } = await openErasure(session)
  const list = { name: 'erasures', entries: entriesOf(erasure, session), none: 'no erasure is under way' }
  return { list, lines: [], summary: {}, isOutput: true, isStyled: true }
}

// One after the other: there may be more than memory holds.
async function* entriesOf(
  erasure: Pick<ErasureService, 'list'>,
  { signal, width, style }: Session,
): AsyncGenerator<{ readonly lines: readonly string[]; readonly summary: ListedErasure }> {
  for await (const each of erasure.list()) {
    signal.throwIfAborted()
    yield { lines: statusLines(erasureRows(each), width, style), summary: each }
  }
}

function erasureRows(listed: ListedErasure): readonly Row[] {
  const { id, names, region, reason, requested, due, state, waitsFor, until, blockedBy, failure, resources } = listed
  const failed = resources.filter((resource) => resource.failure !== undefined)
  return [
    {
      label: 'erasure',
      text: names === undefined ? 'of somebody whose name is erased' : `of ${whose(names)}`,
      tone: 'strong',
      isHead: true,
    },
    { label: 'id', text: id, tone: 'faint', isWhole: true },
    { label: 'asked for', text: `${minute(requested)}, because of ${reason}`, tone: 'plain' },
    ...(due === undefined ? [] : [{ label: 'due', text: minute(due), tone: 'plain' as const }]),
    { label: 'is', text: state, tone: 'plain' },
    { label: 'waits for', text: WAITS[waitsFor] ?? waitsFor, tone: 'plain' },
    ...(until === undefined ? [] : [{ label: 'until', text: minute(until), tone: 'plain' as const }]),
    ...blockedBy.map((blocker) => ({ label: '', text: `${blocker}: ${whatToDo(blocker, region)}`, tone: 'warning' as const })),
    ...(failure === undefined
      ? []
      : [{ label: 'failed', text: `keys: ${failure.code}, since ${minute(failure.since)}`, tone: 'bad' as const }]),
    ...failed.map(({ name, failure: why }, i) => ({
      label: i === 0 && failure === undefined ? 'failed' : '',
      text: `${name}: ${why?.code}, since ${minute(why?.since ?? 0)}${why?.remaining === undefined ? '' : `; ${count(why.remaining, 'record')} left`}${why?.code === 'resource_missing' ? `; ${MISSING}` : ''}`,
      tone: 'bad' as const,
    })),
  ]
}

const MISSING = 'give createErasure a resource of that name again, or one that stands for what has become of it'

const WAITS: Readonly<Record<string, string>> = {
  suspension: 'a sweep: it is noted, and not suspended yet',
  grace: 'its grace, in which it can be taken back',
  hold: 'the release of a hold: strongroom holds lists them',
  sweep: 'the next sweep',
  keys: 'its keys: they could not be destroyed, and are tried again',
  resources: 'resources of which something is left',
  epoch: 'its epoch: older backups still bring its keys back',
}

function whose({ tenant, subject, item, self }: NonNullable<ListedErasure['names']>): string {
  const owner =
    self === true ? `what is tenant ${tenant}'s own` : subject === undefined ? `tenant ${tenant}` : `subject ${subject} of tenant ${tenant}`
  return item === undefined ? owner : `item ${item} of ${owner}`
}
