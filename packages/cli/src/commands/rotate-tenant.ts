/** `strongroom rotate tenant`. */

import type { Command } from 'commander'

import { type SharedFlags, withConcurrency, withDryRun, withVaultFlags } from '../flags.ts'
import type { Outcome, Runner } from '../runner.ts'
import type { Session } from '../session.ts'
import { livingTenant } from './tenant-info.ts'

interface Flags extends SharedFlags {
  readonly concurrency: number
  readonly dryRun?: boolean
}

export function addRotateTenant(parent: Command, runner: Runner): void {
  const command = parent
    .command('tenant')
    .summary('a new wrapping key for a tenant')
    .description(
      'a new wrapping key for one tenant, and all of its keys wrapped anew; no data is touched. Waits one cacheBound. May be ended and run again at any time',
    )
    .argument('<id>', 'the name of the tenant')
  withVaultFlags(withDryRun(withConcurrency(command))).action((id: string, flags: Flags) =>
    runner.run('rotate tenant', flags, (session) => rotateTenant(session, id, flags)),
  )
}

async function rotateTenant(session: Session, tenant: string, { concurrency, dryRun }: Flags): Promise<Outcome> {
  const vault = await session.openVault()
  if (dryRun === true) {
    const { region, state } = await livingTenant(vault, tenant)
    const lines = [`would give tenant ${tenant} (region ${region}, ${state}) a new wrapping key and wrap its keys anew`, 'nothing was done']
    return { lines, summary: { dryRun: true, tenant, region, state } }
  }
  const { signal } = session
  await session.follow(vault.rotateTenantKey(vault.tenant(tenant), { concurrency, signal }))
  return { lines: [`tenant ${tenant} has a new wrapping key, and its keys are wrapped by it`], summary: { tenant } }
}
