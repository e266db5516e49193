/** Taking away a record that nobody can read, and that keeps its place from any other. */

import { invalidArgument, StrongroomError } from '@strongroom/core'

import type { ErasureParts } from '../parts.ts'
import { areReferences } from '../records/keys.ts'
import { unlessAltered } from '../records/sealed-entries.ts'

/** @throws StrongroomError `invalid_argument`, `not_found`, `conflict`, `schema_mismatch` */
export async function discardDamaged({ open, tell }: Pick<ErasureParts, 'open' | 'tell'>, id: string): Promise<void> {
  const references = typeof id === 'string' ? id.split('.') : []
  if (!areReferences(references)) throw invalidArgument('id', 'must be the references of a place, joined by dots')
  const entry = await open.stored(references)
  if (entry === undefined) throw new StrongroomError('not_found', 'there is no such record')
  if ((await open.open(entry).catch(unlessAltered)) !== undefined)
    throw invalidArgument('id', 'is of an erasure whose record opens: take it back, or let it come to its end')
  if (!(await open.removeEntry(entry))) throw new StrongroomError('conflict', 'somebody has written this record meanwhile; look again')
  tell({ type: 'discarded', references })
}
