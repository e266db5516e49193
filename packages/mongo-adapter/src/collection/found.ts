/** What findOneAnd… gives, in types. */

import type { ModifyResult, WithId } from 'mongodb'

import type { OnShredded } from './open.ts'

/** The document, or null, as of findOne; or with `includeResultMetadata` all that the server says. */
export type Found<T, Marked, Shredded, O> = O extends { readonly includeResultMetadata: true }
  ? ModifyResult<DocumentOf<T, Marked, Shredded, O>>
  : WithId<DocumentOf<T, Marked, Shredded, O>> | null
type DocumentOf<T, Marked, Shredded, O> = O extends { readonly shredded: 'throw' }
  ? T
  : O extends { readonly shredded: OnShredded }
    ? Marked
    : Shredded extends 'mark'
      ? Marked
      : T
