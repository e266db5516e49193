/** The status of one region. */

import type { RegionStatus, Vault } from '@strongroom/core'

import { CliError } from '../cli-error.ts'
import type { Session } from '../session.ts'

/** @throws StrongroomError as `status` of the vault */
export async function regionStatus({ signal }: Session, vault: Vault, region: string): Promise<RegionStatus> {
  const { regions } = await vault.status({ region, signal })
  const [found] = regions
  if (found === undefined) throw new CliError('usage', 'there is no such region; strongroom status lists them')
  return found
}
