/** An item whose owner is known by references alone. */

import { invalidArgument } from '../errors.ts'
import { NodeKind } from '../format/records.ts'
import { KnownRef, refStep } from '../keys/known-refs.ts'
import { attempt } from '../read-options.ts'
import type { Gate } from './authorize.ts'
import { namedStep, refBytes } from './names.ts'
import { Place } from './place.ts'
import type { VaultKeys } from './shred-guards.ts'
import { type Item, ItemHandle } from './subject.ts'

/** An item by its owner's references: what is there already, and nothing is made. */
export type KnownItem = Pick<Item, 'state' | 'shred' | 'unlockBeforeShred' | 'references'>

/**
 * The item's own reference is computed, never given: who writes the records that references are taken from could have any key destroyed by
 * naming that.
 *
 * @throws StrongroomError `invalid_argument`
 */
export function knownItem(keys: VaultKeys, gate: Gate, owner: readonly string[], name: string): KnownItem {
  const given = attempt('owner', () => (Array.isArray(owner) ? [...owner] : []))
  if (given.length !== 2) throw invalidArgument('owner', 'must be the references of a subject: of its tenant, and its own')
  const [tenantRef, subjectRef] = given.map((one) => refBytes(one, 'owner')) as [Uint8Array, Uint8Array]
  const steps = [refStep(NodeKind.subject, subjectRef), namedStep(NodeKind.item, name, 'name')]
  return new ItemHandle(new Place(keys, gate, new KnownRef(tenantRef), { reference: given.join('/'), item: name }, steps))
}
