/** What the stages of one pipeline need to know. */

import type { OwnerPath } from '../../schema/owner-path.ts'
import type { Tree } from '../../values/resolve.ts'
import type { IndexValues } from '../filters/filter.ts'
import type { Layout, SealedPath } from '../layout.ts'
import type { Scope, Source } from '../source.ts'
import type { RootShape } from './shape.ts'

export interface Context {
  /** The scope of the whole pipeline, and the paths that it speaks of. */
  readonly scope: Scope | undefined
  readonly owners: Pick<Layout, 'tenant' | 'subject'>
  /** The stored index values of a value, in the pipeline of which this is one. */
  readonly values: IndexValues
  /** Takes a path whose index values have to be compared before the pipeline begins. */
  readonly verify: (sealed: SealedPath) => void
  /** Of tenants that the pipeline is about; `undefined` where it does not say. */
  readonly tenants: readonly string[] | undefined
  /** @throws StrongroomError `unsupported_operation` for a collection that is not named in `encryptedDb` */
  readonly other: (name: string) => Other
  /** The context of a pipeline of another collection, which begins with these stages. */
  readonly within: (source: Source, stages: readonly Tree[]) => Context
}

/** A collection that a pipeline reads beside its own. */
export interface Other {
  readonly name: string
  /** `undefined` where nothing in it is encrypted. */
  readonly source: Source | undefined
}

/** What a stage becomes, and what its documents are. */
export interface Step {
  readonly stages: readonly Tree[]
  readonly shape: RootShape
}

/** The record of whose a document is, in place of whatever is there of that name. */
export function record(tenant: OwnerPath, subject: OwnerPath, more: Tree = {}): Tree {
  return { $mergeObjects: [{ o: { t: `$${tenant.path}`, s: `$${subject.path}`, i: '$_id' }, ...more }] }
}
