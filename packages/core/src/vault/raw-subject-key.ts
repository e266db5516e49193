/** A key of a subject's own whose bytes leave core: beneath the subject, and gone with it. */

import { invalidArgument } from '../errors.ts'
import type { RawKeyUse } from '../format/derivations.ts'
import { NodeKind } from '../format/records.ts'
import { serviceName } from '../format/reference.ts'
import { required } from '../keys/key-tree.ts'
import { bytesStep } from '../keys/known-refs.ts'
import { readOptions } from '../read-options.ts'
import type { Place } from './place.ts'
import { openRawKey, rawKeyName, type RawKeyHandling, type RawKeyLease } from './raw-key.ts'

/** Options of `rawKey`. */
export interface RawSubjectKeyOptions {
  readonly use: Extract<RawKeyUse, 'pseudonym-id'>
  /** What the key is for: a declared name, such as `analytics`; 1 to 64 UTF-8 bytes. */
  readonly name: string
}

/** @param subject - a subject's place. @throws StrongroomError as `rawKey` */
export async function rawSubjectKey<T>(
  subject: Place,
  options: RawSubjectKeyOptions,
  handling: RawKeyHandling<T>,
): Promise<RawKeyLease<T>> {
  const { use, name } = readOptions(options, ['use', 'name'])
  if (use !== 'pseudonym-id') throw invalidArgument('use', 'must be pseudonym-id')
  const bytes = rawKeyName(name)
  const place = subject.below({}, bytesStep(NodeKind.service, serviceName(use, bytes)))
  const asked = {
    use,
    open: 'pseudonym.open',
    value: 'pseudonym.value',
    about: { label: name as string },
    mint: true,
    madeBy: 'rawKey',
  } as const
  return required(await openRawKey(place, asked, handling))
}
