/** watch: the changes of a collection. All that is refused is refused at once. */

import { StrongroomError } from '@strongroom/core'
import type { ChangeStreamDocument, ChangeStreamOptions, Document } from 'mongodb'

import { readingAs } from '../find.ts'
import { type OnShredded, requireOnShredded } from '../open.ts'
import { type BsonReading, readDriverOptions, WATCH_OPTIONS } from '../options.ts'
import { ignoresUndefined, type Scope, type Source } from '../source.ts'
import { checkPipeline, scopeStage } from './change-pipeline.ts'
import { EncryptedChangeStream } from './change-stream.ts'
import { openChanges } from './open-changes.ts'

/** Options of watch: the driver's that work on what is encrypted, and what to do about shredded values. */
export interface EncryptedWatchOptions extends Pick<
  ChangeStreamOptions,
  | 'session'
  | 'readConcern'
  | 'readPreference'
  | 'maxAwaitTimeMS'
  | 'maxTimeMS'
  | 'timeoutMS'
  | 'batchSize'
  | 'comment'
  | 'resumeAfter'
  | 'startAfter'
  | 'startAtOperationTime'
  | 'ignoreUndefined'
  | BsonReading
> {
  /** It must be given: an update says by itself not whose it is. */
  readonly fullDocument: 'updateLookup' | 'required' | 'whenAvailable'
  /** Within `for()` it must be given, and not be `off`: a delete says by itself not whose it was. */
  readonly fullDocumentBeforeChange?: 'off' | 'required' | 'whenAvailable'
  /** Values whose keys are destroyed: stand as `SHREDDED` unless the collection or the call says `throw`. */
  readonly shredded?: OnShredded
}

/** A change, as the driver gives it. */
export type EncryptedChange<T> = (T extends Document ? ChangeStreamDocument<T> : never) & {
  /** Encrypted paths that an update has written and that are not in it: nothing says whose they were, as when the document was deleted since. */
  readonly withheld?: readonly string[]
}

const IMAGES: readonly unknown[] = ['updateLookup', 'required', 'whenAvailable']
const IMAGES_BEFORE: readonly unknown[] = ['required', 'whenAvailable']

/** @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function watch<C>(source: Source, pipeline: unknown, options: EncryptedWatchOptions | undefined): EncryptedChangeStream<C> {
  const { collection, layout, scope } = source
  const { shredded = source.shredded ?? 'mark', ...sent } = readWatchOptions(options, scope)
  const stages = checkPipeline(layout, pipeline, ignoresUndefined(source, sent))
  const reading = { bson: readingAs(source, sent), shredded, lookedUp: sent.fullDocument === 'updateLookup' }
  return new EncryptedChangeStream({
    stream: collection.watch(scope === undefined ? [...stages] : [scopeStage(layout, scope), ...stages], {
      ...sent,
      promoteBuffers: false,
    }),
    open: (changes) => openChanges(source, changes, reading),
  })
}

/** @throws StrongroomError `unsupported_operation`, `invalid_argument` */
export function readWatchOptions(options: EncryptedWatchOptions | undefined, scope: Scope | undefined): Partial<EncryptedWatchOptions> {
  const read = readDriverOptions(options, WATCH_OPTIONS)
  if (read.shredded !== undefined) requireOnShredded(read.shredded)
  if (!IMAGES.includes(read.fullDocument))
    throw new StrongroomError(
      'unsupported_operation',
      "watch needs the option fullDocument: 'updateLookup', 'required' or 'whenAvailable', since an update says by itself not whose it is; nothing was sent",
    )
  if (scope !== undefined && !IMAGES_BEFORE.includes(read.fullDocumentBeforeChange))
    throw new StrongroomError(
      'unsupported_operation',
      "watch of a scope needs the option fullDocumentBeforeChange: 'required' or 'whenAvailable', since a delete says by itself not whose it was; nothing was sent",
    )
  return read
}
