/** Replacements, checked and encoded: of a document whose owner stays the same. */

import { invalidArgument, StrongroomError } from '@strongroom/core'

import { ownerName, type OwnerPath } from '../../schema/owner-path.ts'
import { resolveDocument, type Tree } from '../../values/resolve.ts'
import { copyOf, valueAt } from '../documents.ts'
import { boundTo, indexesFor, prepareTree, sealTree } from '../seal.ts'
import { fillScope, type Source } from '../source.ts'
import type { Change, Prepared, Sealed, Target } from './write.ts'

export interface PlannedReplacement extends Change {
  readonly document: Tree
}

/** @throws StrongroomError `invalid_argument`, `schema_mismatch` */
export async function planReplacement(source: Source, given: unknown, ignoreUndefined: boolean): Promise<PlannedReplacement> {
  const { layout } = source
  const document = resolveDocument(given, { argument: 'replacement', operators: false, ignoreUndefined })
  fillScope(source, document)
  const says = {
    tenant: ownerIn(layout.tenant, document),
    subject: ownerIn(layout.subject, document),
  }
  await source.validation?.documents([document])
  const prepared = prepareTree(layout, layout.root, copyOf(document), '')

  function prepare({ owner, id }: Target): Prepared<Sealed> {
    const moved = (['tenant', 'subject'] as const).find((each) => says[each] !== undefined && says[each] !== owner[each])
    if (moved !== undefined)
      throw new StrongroomError(
        'unsupported_operation',
        `the replacement has another ${layout[moved].path} than the document: insert another document, and delete this one; nothing was written`,
      )
    const bound = boundTo(layout, id)
    return {
      owner,
      indexes: indexesFor(prepared, owner.tenant),
      seal: (keys) => ({ tree: copyOf(sealTree(prepared, owner, bound, keys)) as Tree }),
    }
  }

  // With a tenant or a subject it takes somebody's place, encrypted or not.
  return { seals: true, blank: { tree: {} }, document, prepare }
}

/** Whose the replacement is; `undefined` where that is said by the `_id` that it leaves as it is. */
function ownerIn({ path, steps, type }: OwnerPath, document: Tree): string | undefined {
  if (steps[0] === '_id' && document['_id'] === undefined) return undefined
  const name = ownerName(type, valueAt(document, steps))
  if (name === undefined) throw invalidArgument(path, `must be there, and be of type ${type}: it says whose keys encrypt the document`)
  return name
}
