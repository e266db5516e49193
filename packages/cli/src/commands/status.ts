/** `strongroom status`. */

import type { Command } from 'commander'

import { regionName, type SharedFlags, withVaultFlags } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { inRegion } from '../status/region-status.ts'
import { statusRows } from '../status/rows.ts'
import { statusLines } from '../status/lines.ts'

interface Flags extends SharedFlags {
  readonly region?: string
}

export function addStatus(program: Command, runner: Runner): void {
  const command = program
    .command('status')
    .summary('root versions, keys, shreds that wait, and what to do')
    .description(
      'for each region: root versions and their age, keys, shreds that wait and since when, and what to do about it; does nothing but open the vault, which puts the key store right',
    )
    .option('--region <name>', 'this region only (default: all)', regionName)
  withVaultFlags(command).action((flags: Flags) => runner.run('status', flags, (session) => status(session, flags)))
}

async function status(session: Session, { region }: Flags): Promise<Outcome> {
  const { signal, width, style } = session
  const vault = await session.openVault()
  const found = region === undefined ? await vault.status({ signal }) : await inRegion(region, () => vault.status({ signal, region }))
  return { lines: statusLines(statusRows(found), width, style), summary: { ...found }, isOutput: true, isStyled: true }
}
