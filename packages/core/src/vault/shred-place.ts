/** Shredding one place: by its handle, or by the reference of a key that does not open any more. */

import { hasCode, invalidArgument, StrongroomError } from '../errors.ts'
import { hex } from '../format/bytes.ts'
import { NodeKind } from '../format/records.ts'
import { NO_REF } from '../format/reference.ts'
import { findDamaged, notItsRegion, requireRegionOf } from '../keys/damaged.ts'
import { findShred, type NodePlaceRef } from '../keys/shred.ts'
import { readOptions } from '../read-options.ts'
import { requireNoHold } from './holds.ts'
import { refBytes } from './names.ts'
import type { Place } from './place.ts'
import { reasonCode, type ReasonName } from './reason.ts'
import { type Heard, type Shredded, shredWithReceipt, shredWithReceipts } from './shredded.ts'

/** Options of shred. */
export interface ShredOptions {
  readonly reason?: ReasonName
  /** Destroys whatever legal hold stands on it, above it or beneath it: without this it is refused with `held`. */
  readonly dangerouslyDespiteHold?: boolean
}

/** Options of shred of a tenant. */
export interface TenantShredOptions extends ShredOptions {
  /**
   * Where the tenant's own records are damaged and do not open: the region that it was made in, by your word. It decides which root versions
   * the shred has to outlive, and ledger and receipt will say it; a wrapping key that still opens in another region refuses it. A tenant
   * that opens needs none.
   */
  readonly region?: string
}

/** `damaged`: its region is what the caller has said. */
type PlaceToShred = NodePlaceRef & { readonly damaged?: true }

export async function shredPlace(place: Place, options: TenantShredOptions | undefined, heard: Heard = 'required'): Promise<Shredded> {
  const isTenant = place.steps.length === 0
  const known = ['reason', 'dangerouslyDespiteHold'] as const
  const { reason, region, dangerouslyDespiteHold } = readOptions(options, isTenant ? [...known, 'region'] : known)
  const isDespiteHold = checkDespiteHold(dangerouslyDespiteHold)
  const why = reasonCode(reason ?? 'unspecified')
  const node: PlaceToShred = isTenant ? await tenantToShred(place, checkRegion(region)) : await place.references()
  place.gate.authorize('shred', place.whose, node.region)
  if (node.damaged === true) await requireRegionOf(place.keys, node.tenantRef, node.region)
  return shredWithReceipt(place, node, why, { heard, isDespiteHold })
}

/** What is known of the tenant's shred, `undefined` where there was none, whatever its record says. */
export async function pastShred(tenant: Place): Promise<Shredded | undefined> {
  const node = await tenant.references()
  tenant.gate.authorize('state', tenant.whose, node.region)
  const entry = await findShred(tenant.keys, node)
  if (entry === undefined) return undefined
  const asked = { heard: 'nobody', isDespiteHold: true } as const
  const [done] = await shredWithReceipts(tenant.keys, [{ node, names: tenant.whose }], () => Promise.resolve([entry]), asked)
  return done
}

/** @param ref - of a node of this tenant, as `verifyKeys` reports it */
export async function shredDamaged(tenant: Place, ref: string, options: ShredOptions | undefined): Promise<Shredded> {
  const { reason, dangerouslyDespiteHold } = readOptions(options, ['reason', 'dangerouslyDespiteHold'])
  const isDespiteHold = checkDespiteHold(dangerouslyDespiteHold)
  const why = reasonCode(reason ?? 'unspecified')
  const bytes = refBytes(ref, 'ref')
  const { tenantRef, region } = await tenant.references()
  tenant.gate.authorize('shredDamaged', tenant.whose, region)
  // Where it hangs only its own record says: any hold in the tenant may be about it.
  if (!isDespiteHold) await requireNoHold(tenant.keys.tree.context, [[hex(tenantRef)]])
  // What is encrypted under it cannot be read, whoever asks: nobody has to be heard. Who is here tells of it, and tidies up.
  return shredWithReceipt(tenant, await findDamaged(tenant.keys, tenantRef, bytes), why, { heard: 'present', isDespiteHold: true })
}

// One that does not open is shredded by whoever names its region: the record's own word is a column that anybody who writes the key
// store can change, and a receipt would repeat it.
async function tenantToShred(tenant: Place, said: string | undefined): Promise<PlaceToShred> {
  const tenantRef = await tenant.tenantRef()
  try {
    const place = await tenant.references()
    if (said === undefined || said === place.region) return place
    await tenant.keys.tree.tenant(tenantRef)
    throw notItsRegion()
  } catch (error) {
    if (hasCode(error, 'shredded', 'root_version_destroyed') && said !== undefined)
      return { kind: NodeKind.tenant, ref: tenantRef, parentRef: NO_REF, tenantRef, region: said }
    if (!hasCode(error, 'decrypt_failed', 'wrong_root_key')) throw error
    if (said !== undefined) return { kind: NodeKind.tenant, ref: tenantRef, parentRef: NO_REF, tenantRef, region: said, damaged: true }
    throw new StrongroomError(
      error.code,
      'the keys of this tenant do not open: put its records back from a backup; or, to destroy it as it is, shred it with the region that it was made in',
      { cause: error },
    )
  }
}

/** @throws StrongroomError `invalid_argument` */
export function checkDespiteHold(given: unknown): boolean {
  if (given !== undefined && typeof given !== 'boolean') throw invalidArgument('dangerouslyDespiteHold', 'must be true, or left out')
  return given === true
}

function checkRegion(region: unknown): string | undefined {
  if (region !== undefined && (typeof region !== 'string' || region === ''))
    throw invalidArgument('region', 'must be one of the regions in keyProviders')
  return region
}
