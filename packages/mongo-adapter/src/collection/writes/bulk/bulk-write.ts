/** bulkWrite: everything is checked before a key is made, and encrypted before the first command is sent. */

import { type BulkWriteOptions, type BulkWriteResult, MongoBulkWriteError } from 'mongodb'

import { readList } from '../../../values/resolve.ts'
import { requireOwners } from '../../keys.ts'
import { BULK_WRITE_OPTIONS, readDriverOptions } from '../../options.ts'
import { ignoresUndefined, type Source } from '../../source.ts'
import { sending } from '../send.ts'
import { asPrepared, type Prepared, sealAll } from '../write.ts'
import { planOperation, type PlannedOperation } from './plan-operation.ts'

/** Options of bulkWrite. */
export type EncryptedBulkWriteOptions = Pick<
  BulkWriteOptions,
  'session' | 'writeConcern' | 'comment' | 'maxTimeMS' | 'timeoutMS' | 'ignoreUndefined' | 'bypassDocumentValidation' | 'ordered'
>

export async function bulkWrite(source: Source, given: unknown, options: EncryptedBulkWriteOptions | undefined): Promise<BulkWriteResult> {
  const { vault, collection, layout } = source
  const sent = readDriverOptions(options, BULK_WRITE_OPTIONS)
  const ignoreUndefined = ignoresUndefined(source, sent)
  const planned: PlannedOperation[] = []
  for (const each of readList(given, 'operations', 'operations')) planned.push(await planOperation(source, each, ignoreUndefined))
  const prepared = planned.map((each) => each.prepared).filter((each) => each !== undefined)
  await requireOwners(
    vault,
    prepared.map(({ owner }) => owner),
  )
  const sealed = new Map((await sealAll(vault, prepared, asPrepared)).map((tree, i) => [prepared[i] as Prepared<unknown>, tree]))
  const operations = await Promise.all(planned.map(({ prepared: of, build }) => build(of === undefined ? undefined : sealed.get(of))))
  try {
    return await sending(layout, () => collection.bulkWrite(operations, sent))
  } catch (error) {
    if (error instanceof MongoBulkWriteError) nameOperations(error, planned)
    throw error
  }
}

/** Of an operation that failed the error says which it was, and nothing that was in it. */
function nameOperations(error: MongoBulkWriteError, planned: readonly PlannedOperation[]): void {
  for (const { err, index } of [error.writeErrors].flat()) err.op = { [planned[index]?.kind ?? 'operation']: '[redacted]' }
}
