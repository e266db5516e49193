/** A tenant that must be there before anything is said about it. */

import { StrongroomError, type TenantInfo, type Vault } from '@strongroom/core'

/** @throws StrongroomError `not_found` */
export async function tenantInfo(vault: Vault, name: string): Promise<TenantInfo> {
  const info = await vault.tenants.get(name)
  if (info === undefined) throw new StrongroomError('not_found', 'there is no tenant of that name')
  return info
}

/** @throws StrongroomError `not_found`, `shredded` */
export async function livingTenant(vault: Vault, name: string): Promise<TenantInfo> {
  const info = await tenantInfo(vault, name)
  if (info.state === 'shredded') throw new StrongroomError('shredded', 'that tenant is shredded')
  return info
}
