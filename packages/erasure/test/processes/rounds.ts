// One process that is killed at a named place, and what has to be so whoever goes on.
import { days, hours } from '@strongroom/core'
import type { Failpoint } from '@strongroom/erasure/testing'
import { expect } from 'vitest'

import { type Fleet, GRACE, resultOf, sweepAround, type Worker } from './support.ts'

/** What the process does that is killed; `at`: the day of the round. */
type Doing = 'request' | 'request at once' | 'cancel' | 'sweep when due' | 'sweep behind the epoch' | 'hold' | 'release'

/** What a process is doing when it passes a place. */
export const DOING: Readonly<Record<Failpoint, readonly Doing[]>> = {
  'request.noted': ['request', 'request at once'],
  'request.suspended': ['request', 'request at once'],
  'request.entered': ['request', 'request at once'],
  'cancel.noted': ['cancel'],
  'cancel.resumed': ['cancel'],
  'cancel.removed': ['cancel'],
  'sweep.claimed': ['sweep when due'],
  'shred.noted': ['request at once', 'sweep when due'],
  'shred.counted': ['request at once', 'sweep when due'],
  'shred.done': ['request at once', 'sweep when due'],
  'shred.entered': ['request at once', 'sweep when due'],
  'resource.erased': ['sweep when due'],
  'resource.noted': ['sweep when due'],
  'erased.verified': ['sweep when due'],
  'erased.put': ['sweep when due'],
  'erased.marked': ['sweep when due'],
  'erased.removed': ['sweep when due'],
  'closed.signed': ['sweep behind the epoch'],
  'closed.put': ['sweep behind the epoch'],
  'closed.removed': ['sweep behind the epoch'],
  'closed.unmarked': ['sweep behind the epoch'],
  'hold.put': ['hold'],
  'release.noted': ['release'],
  'release.removed': ['release'],
}

/** Somebody with a request, and whoever goes on with it. */
interface Round {
  readonly fleet: Fleet
  readonly other: Worker
  readonly subject: string
  readonly stored: unknown
  readonly at: number
  killed(at: number, task: string, argument?: unknown): Promise<void>
}

let rounds = 0
// Each round has time of its own.
const ROUND = days(80)

/** @param begin - the instant of the first round */
export async function round(fleet: Fleet, begin: number, name: Failpoint, doing: Doing): Promise<void> {
  const number = rounds++
  const at = begin + number * ROUND
  const subject = `person-${number}`
  const other = await fleet.start(at)
  const stored = await other.run('join', subject)
  const killed = async (clock: number, task: string, argument?: unknown): Promise<void> => {
    const victim = await fleet.start(clock)
    await victim.run('dieAt', name)
    expect([name, doing, await resultOf(victim.run(task, argument))]).toEqual([name, doing, 'ended'])
  }
  await STEPS[doing]({ fleet, other, subject, stored, at, killed })
  expect([name, doing, await other.run('list')]).toEqual([name, doing, []])
  await other.run('close')
}

const STEPS: Readonly<Record<Doing, (round: Round) => Promise<void>>> = {
  async request({ other, subject, at, killed, ...rest }) {
    await killed(at, 'request', { subject })
    const id = await other.run('openId', subject)
    await sweepAround(other, at + hours(1))
    expect(await reads({ other, subject, ...rest })).toBe('suspended')
    await sweepAround(other, at + GRACE - hours(5))
    expect([await other.run('rows', subject), await reads({ other, subject, ...rest })]).toEqual([2, 'suspended'])
    await sweepAround(other, at + GRACE)
    await endsWith({ other, subject, id, at, ...rest })
  },
  async 'request at once'({ other, subject, at, killed, ...rest }) {
    await killed(at, 'request', { subject, grace: 0 })
    const id = await other.run('openId', subject)
    await sweepAround(other, at + hours(1))
    await endsWith({ other, subject, id, at, ...rest })
  },
  async cancel({ other, subject, at, killed, ...rest }) {
    await other.run('request', { subject })
    await killed(at + days(1), 'cancel', subject)
    await sweepAround(other, at + days(2))
    expect([await other.run('openId', subject), await reads({ other, subject, ...rest })]).toEqual([undefined, 'reads'])
    await sweepAround(other, at + GRACE + days(3))
    expect([await other.run('rows', subject), await reads({ other, subject, ...rest })]).toEqual([2, 'reads'])
  },
  async 'sweep when due'({ other, subject, at, killed, ...rest }) {
    const { id } = await other.run<{ id: string }>('request', { subject })
    const due = at + GRACE
    for (const early of [2, 1]) {
      await other.run('clock', due - hours(early))
      await other.run('sweep')
    }
    await other.run('clock', due)
    await other.run('sweep')
    await killed(due + hours(1), 'sweep')
    await sweepAround(other, due + hours(2))
    await endsWith({ other, subject, id, at, ...rest })
  },
  async 'sweep behind the epoch'({ other, subject, at, killed, ...rest }) {
    const { id } = await other.run<{ id: string }>('request', { subject, grace: 0 })
    await sweepAround(other, at + hours(1))
    await other.run('closeEpoch')
    await killed(at + hours(5), 'sweep')
    await endsWith({ other, subject, id, at, ...rest }, true)
  },
  async hold({ other, subject, at, killed, ...rest }) {
    const { id } = await other.run<{ id: string }>('request', { subject })
    await killed(at, 'hold', subject)
    await sweepAround(other, at + GRACE + days(1))
    expect([await other.run('rows', subject), await reads({ other, subject, ...rest })]).toEqual([2, 'suspended'])
    await other.run('release', subject)
    await sweepAround(other, at + GRACE + days(2))
    await endsWith({ other, subject, id, at, ...rest })
  },
  async release({ other, subject, at, killed, ...rest }) {
    await other.run('hold', subject)
    const { id } = await other.run<{ id: string }>('request', { subject, grace: 0 })
    await killed(at, 'release', subject)
    // It may have stood still; whoever released it does so again.
    await resultOf(other.run('release', subject))
    await sweepAround(other, at + hours(1))
    await endsWith({ other, subject, id, at, ...rest })
  },
}

async function reads({ other, subject, stored }: Pick<Round, 'other' | 'subject' | 'stored'>): Promise<string> {
  const read = await resultOf(other.run('reads', { subject, stored }))
  return read === `${subject}@example.com` ? 'reads' : String(read)
}

/** Erased; closed with the next epoch; and who comes back has a new life. */
async function endsWith(ended: Omit<Round, 'killed' | 'fleet'> & { readonly id: unknown }, isEpochOver = false): Promise<void> {
  const { other, subject, id, at } = ended
  expect([await other.run('rows', subject), await reads(ended)]).toEqual([0, 'shredded'])
  if (!isEpochOver) {
    expect(await other.run('state', id)).toBe('erased')
    await other.run('closeEpoch')
  }
  await other.run('clock', at + days(70))
  await other.run('sweep')
  expect(await other.run('certificate', id)).toMatchObject({
    kind: 'subject',
    keyVersions: 1,
    resources: [{ name: 'rows', found: 2, remaining: 0 }],
  })
  await other.run('recreate', subject)
  const stored = await other.run('join', subject)
  await other.run('sweep')
  expect([await other.run('rows', subject), await reads({ ...ended, stored })]).toEqual([2, 'reads'])
}
