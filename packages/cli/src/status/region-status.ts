/** The status of one region, and what to say of one that there is not. */

import { type RegionStatus, StrongroomError, type Vault } from '@strongroom/core'

import { CliError } from '../cli-error.ts'
import type { Session } from '../session.ts'
import { isVaultError } from '../vault-error.ts'

/** @throws StrongroomError as `status` of the vault */
export async function regionStatus({ signal }: Session, vault: Vault, region: string): Promise<RegionStatus> {
  const { regions } = await inRegion(region, () => vault.status({ region, signal }))
  const [found] = regions
  if (found === undefined) throw new CliError('usage', 'there is no such region; strongroom status lists them')
  return found
}

/** Names the region that was asked for, where that is what is refused. */
export async function inRegion<T>(region: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isVaultError(error) || error.code !== 'region_refused') throw error
    throw new StrongroomError('region_refused', `the configuration has no key provider for a region ${region}`, { cause: error })
  }
}
