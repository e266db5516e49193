/** Shredding an item of which only the references are known. */

import { invalidArgument } from '../errors.ts'
import { NodeKind } from '../format/records.ts'
import type { KeyOperations } from '../keys/shred.ts'
import { readOptions } from '../read-options.ts'
import type { Gate } from './authorize.ts'
import { reasonCode, refBytes, type ShredOptions } from './place.ts'
import { type Shredded, shredWithReceipt } from './shredded.ts'

/** @throws StrongroomError `invalid_argument`, `not_found` (no such tenant), and as `shred` of an item */
export async function shredItem(
  keys: KeyOperations,
  gate: Gate,
  references: readonly string[],
  options: ShredOptions | undefined,
): Promise<Shredded> {
  const { reason } = readOptions(options, ['reason'])
  const why = reasonCode(reason ?? 'unspecified')
  if (!Array.isArray(references) || references.length !== 3)
    throw invalidArgument('references', 'must be those of an item: of its tenant, its subject and itself')
  const [tenantRef, parentRef, ref] = references.map((one) => refBytes(one, 'references')) as [Uint8Array, Uint8Array, Uint8Array]
  const { node } = await keys.tree.tenant(tenantRef)
  const { region } = node.record
  gate.authorize('shred', {}, region)
  const place = { kind: NodeKind.item, ref, parentRef, tenantRef, region }
  return shredWithReceipt(keys, place, why)
}
