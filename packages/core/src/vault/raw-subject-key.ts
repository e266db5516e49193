/** A key of a subject's own whose bytes leave core: beneath the subject, and gone with it. */

import { invalidArgument } from '../errors.ts'
import type { RawKeyUse } from '../format/derivations.ts'
import { NodeKind } from '../format/records.ts'
import { serviceName } from '../format/reference.ts'
import { required } from '../keys/key-tree.ts'
import { bytesStep } from '../keys/known-refs.ts'
import { readOptions } from '../read-options.ts'
import type { Place } from './place.ts'
import { rawKeyName, useRawKey } from './raw-key.ts'

/** Options of `rawKey`. */
export interface RawSubjectKeyOptions {
  readonly use: Extract<RawKeyUse, 'pseudonym-id'>
  /** What the key is for: a declared name, such as `analytics`; 1 to 64 UTF-8 bytes. */
  readonly name: string
}

/** @param subject - a subject's place. @throws StrongroomError as `rawKey` */
export async function rawSubjectKey<T>(subject: Place, options: RawSubjectKeyOptions, work: (key: Uint8Array) => T): Promise<T> {
  const { use, name } = readOptions(options, ['use', 'name'])
  if (use !== 'pseudonym-id') throw invalidArgument('use', 'must be pseudonym-id')
  const bytes = rawKeyName(name)
  const place = subject.below(bytesStep(NodeKind.service, serviceName(use, bytes)))
  const asked = { use, operation: 'pseudonym.open', about: { label: name as string }, mint: true } as const
  return required(await useRawKey(place, asked, work)).made
}
