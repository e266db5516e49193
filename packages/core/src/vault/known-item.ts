/** An item of which only the references are known. */

import { invalidArgument } from '../errors.ts'
import { NodeKind } from '../format/records.ts'
import { KnownRef, refStep } from '../keys/known-refs.ts'
import { attempt } from '../read-options.ts'
import type { Gate } from './authorize.ts'
import { refBytes } from './names.ts'
import { Place } from './place.ts'
import type { VaultKeys } from './shred-guards.ts'
import { type Item, ItemHandle } from './subject.ts'

/** An item by its references: what is there already, and nothing is made. */
export type KnownItem = Pick<Item, 'state' | 'shred' | 'unlockBeforeShred'>

/** @throws StrongroomError `invalid_argument` */
export function knownItem(keys: VaultKeys, gate: Gate, references: readonly string[]): KnownItem {
  const given = attempt('references', () => (Array.isArray(references) ? [...references] : []))
  if (given.length !== 3) throw invalidArgument('references', 'must be those of an item: of its tenant, its subject and itself')
  const [tenantRef, subjectRef, itemRef] = given.map((one) => refBytes(one, 'references')) as [Uint8Array, Uint8Array, Uint8Array]
  const steps = [refStep(NodeKind.subject, subjectRef), refStep(NodeKind.item, itemRef)]
  return new ItemHandle(new Place(keys, gate, new KnownRef(tenantRef), { reference: given.join('/') }, steps))
}
