/** `strongroom sweep`: does all that is due. For cron. */

import type { Progress, Sweepable } from '@strongroom/core'
import type { Swept } from '@strongroom/erasure'
import type { Command } from 'commander'

import { CliError } from '../cli-error.ts'
import { ExitCode } from '../exit-code.ts'
import { type SharedFlags, withVaultFlags } from '../flags.ts'
import { optionalPackage } from '../optional-package.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { count } from '../terminal/count.ts'

export function addSweep(program: Command, runner: Runner): void {
  const command = program
    .command('sweep')
    .summary('do all that is due: erasures, revocations, keys whose time is over')
    .description(
      'sweep the erasure and the sweepables of the configuration, each until it has no more to do; safe on several machines at once. Where it ends erasures it takes one cache bound longer, a minute unless the vault was made with another. Ends with 1 where something failed: it is tried again by the next sweep',
    )
  withVaultFlags(command).action((flags: SharedFlags) => runner.run('sweep', flags, sweepAll))
}

async function sweepAll(session: Session): Promise<Outcome> {
  const { erasure, sweepables = [] } = await session.openServices()
  const all = [...(erasure === undefined ? [] : [erasure]), ...sweepables]
  if (all.length === 0)
    throw new CliError('config_invalid', 'the configuration has nothing to sweep: let its services return { erasure, sweepables }')
  const swept: Swept[] = []
  await session.follow(eachOf(all, session.signal, swept))
  const isFailed = swept.some(({ failures }) => failures.length > 0)
  return { lines: swept.flatMap(linesOf), summary: { swept }, exitCode: isFailed ? ExitCode.failed : ExitCode.done, isOutput: true }
}

/** @param swept - takes what was done */
async function* eachOf(all: readonly Sweepable[], signal: AbortSignal, swept: Swept[]): AsyncGenerator<Progress> {
  const { sweep } = await optionalPackage('@strongroom/erasure', () => import('@strongroom/erasure'))
  for (const [i, each] of all.entries()) {
    yield { phase: `sweeping ${each.name}`, done: i, total: all.length }
    swept.push(...(await sweep([each], { signal })))
  }
  yield { phase: 'sweeping', done: all.length, total: all.length }
}

function linesOf({ name, done, waiting, held = 0, damaged, failures }: Swept): readonly string[] {
  const failed = failures.map(
    ({ place, reason, code, remaining }) =>
      `  ${place}: ${reason}${code === undefined ? '' : ` (${code})`}${remaining === undefined ? '' : `, ${count(remaining, 'record')} left`}`,
  )
  return [
    `${name}: ${done} done, ${waiting} waiting${held === 0 ? '' : ` (${held} for the release of a hold)`}${damaged === 0 ? '' : `, ${damaged} damaged`}`,
    ...failed,
  ]
}
