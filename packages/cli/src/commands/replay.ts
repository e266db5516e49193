/** `strongroom replay`: after a restore, before the service goes back. */

import type { Command } from 'commander'

import type { ReplayedErasures } from '../configuration/erasure-service.ts'
import { ExitCode } from '../exit-code.ts'
import { type SharedFlags, withVaultFlags } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { count } from '../terminal/count.ts'
import { openErasure } from './erasure-of.ts'

export function addReplay(program: Command, runner: Runner): void {
  const command = program
    .command('replay')
    .summary('after a restore: remove again what is of people who are erased')
    .description(
      'look through all resources of the configuration, and remove what a restore has brought back of people and tenants whose keys are destroyed; before the service goes back (docs/restore-runbook.md). Ends with 1 where a resource could not be looked through',
    )
  withVaultFlags(command).action((flags: SharedFlags) => runner.run('replay', flags, replay))
}

async function replay(session: Session): Promise<Outcome> {
  const { erasure } = await openErasure(session)
  session.begin()
  const { resources, withoutReplay } = await erasure.replay({ signal: session.signal })
  const isWhole = withoutReplay.length === 0 && resources.every(({ failure }) => failure === undefined)
  return {
    lines: [...resources.map(lineOf), ...withoutReplay.map((name) => `${name}: cannot look through what it holds; see to it by hand`)],
    summary: { resources, withoutReplay },
    exitCode: isWhole ? ExitCode.done : ExitCode.failed,
    isOutput: true,
  }
}

// Of what was thrown without a code.
const NO_CODE = 'failed'

function lineOf({ name, looked, removed, suspended, retired, failure }: ReplayedErasures['resources'][number]): string {
  if (failure !== undefined) return `${name}: failed${failure === NO_CODE ? '' : ` (${failure})`}; run it again`
  return [
    `${name}: ${count(removed, 'record')} removed of ${looked}`,
    ...(suspended === 0 ? [] : [`${suspended} of people who are suspended, and nobody has asked for their erasure`]),
    ...(retired === 0 ? [] : [`${retired} left that no key opens: from before a rotation, of people who live`]),
  ].join('; ')
}
