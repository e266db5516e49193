/** `strongroom rotate root`. */

import type { RegionStatus } from '@strongroom/core'
import type { Command } from 'commander'

import { type SharedFlags, withConcurrency, withDryRun, withRegion, withVaultFlags } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { count } from '../terminal/count.ts'
import { inRegion, regionStatus } from '../status/region-status.ts'

interface Flags extends SharedFlags {
  readonly region?: string
  readonly concurrency: number
  readonly dryRun?: boolean
}

export function addRotateRoot(parent: Command, runner: Runner): void {
  const command = parent
    .command('root')
    .summary('a new root version for a region')
    .description(
      'a new root version for a region; no data is touched. Waits one cacheBound (60 s unless the vault was made with another). May be ended and run again at any time',
    )
  withVaultFlags(withDryRun(withConcurrency(withRegion(command, 'the region to rotate')))).action((flags: Flags) =>
    runner.run('rotate root', flags, (session) => rotateRoot(session, flags)),
  )
}

async function rotateRoot(session: Session, { region: named, concurrency, dryRun }: Flags): Promise<Outcome> {
  const vault = await session.openVault()
  const region = named ?? vault.defaultRegion
  if (dryRun === true) return whatWouldBeDone(await regionStatus(session, vault, region))
  const { signal } = session
  await inRegion(region, () => session.follow(vault.rotateRootKey({ region, concurrency, signal })))
  return {
    lines: [
      `region ${region} is rotated: the newest root version wraps every wrapping key of it`,
      `next: back the key store and the root key up, then strongroom close-epoch --region ${region} --backup FOLDER --root-backup`,
    ],
    summary: { region },
  }
}

function whatWouldBeDone({ region, rotation, tenants, wrappingKeys, nodes }: RegionStatus): Outcome {
  const goesOn = rotation.state === 'unfinished'
  const keys = wrappingKeys.current + wrappingKeys.retiring
  return {
    lines: [
      goesOn
        ? `would go on with the rotation of region ${region} to root version ${rotation.rootVersion}`
        : `would make a new root version for region ${region}`,
      `would wrap ${count(keys, 'wrapping key')} of ${count(tenants, 'tenant')} and of the vault itself by it; ${wrappingKeys.marked} of them ` +
        `${wrappingKeys.marked === 1 ? 'was' : 'were'} there at a shred: a new one in place of each, and its keys wrapped anew (${count(nodes.active + nodes.deactivated + nodes.suspended, 'key')} in the region)`,
      'nothing was done',
    ],
    summary: { dryRun: true, region, rotation, tenants, wrappingKeys, nodes },
  }
}
