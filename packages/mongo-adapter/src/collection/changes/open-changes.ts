/** Changes as the application sees them: their documents, and what updates have written, decrypted with one query to the key store. */

import { decryptFailed, StrongroomError } from '@strongroom/core'
import type { BSONSerializeOptions } from 'mongodb'

import { ownerName } from '../../schema/owner-path.ts'
import { promoteBuffers } from '../../values/promote-buffers.ts'
import { isTree, type Tree } from '../../values/resolve.ts'
import { encryptedIn, setMember, valueAt } from '../documents.ts'
import { type BatchKeys, isExpired, type Owner, withKeys } from '../keys.ts'
import { type Layout, placeOf } from '../layout.ts'
import { located } from '../located.ts'
import { type OnShredded, ownerOfValues, type Reading, readingOf, TreeOpener } from '../open.ts'
import type { Scope, Source } from '../source.ts'
import { OF_DOCUMENTS } from './change-pipeline.ts'
import { removedBy, truncatedBy, type Written, writtenBy } from './deltas.ts'

/** What has come: a change, or why one cannot be read. */
export interface Opened {
  /** The resume token. */
  readonly token: unknown
  readonly change?: Tree
  readonly error?: StrongroomError
}

/** How changes are read. */
export interface ChangeReading {
  readonly bson: BSONSerializeOptions
  readonly shredded: OnShredded
  /** Whether the document of an update is looked up once it has happened: it may be another by then. */
  readonly lookedUp: boolean
}

/**
 * In the same order, without those that are not the scope's.
 *
 * @throws StrongroomError what keeps all keys from being opened
 */
export async function openChanges(source: Source, changes: readonly Tree[], options: ChangeReading): Promise<readonly Opened[]> {
  const { layout, vault, scope } = source
  const told = changes.flatMap((change) => {
    const within = scope === undefined ? change : withinScope(layout, scope, change, options.lookedUp)
    return within === undefined ? [] : [tell(layout, within)]
  })
  const reading = readingOf({ ...options, verify: { searched: [], required: [] } })
  const owners = told.flatMap((each) => ownersOf(layout, each))
  return withKeys(vault, { owners, indexes: [], mint: false }, (keys) =>
    told.map((each) => {
      const { _id: token } = each.change
      try {
        return { token, change: open(layout, each, keys, reading) }
      } catch (error) {
        // One that cannot be read keeps nobody from the others.
        if (!(error instanceof StrongroomError) || isExpired(error)) throw error
        return { token, error }
      }
    }),
  )
}

/** A change, and what an update in it has written. */
interface Told {
  readonly change: Tree
  readonly written: readonly Written[]
  /** Whose that is; `undefined` where nothing says so. */
  readonly owner: Owner | undefined
}

function tell(layout: Layout, change: Tree): Told {
  const fields = valueAt(change, ['updateDescription', 'updatedFields'])
  const names = namesIn(layout, change, ({ tenant, subject }) => tenant !== undefined && subject !== undefined)
  return { change, written: isTree(fields) ? writtenBy(layout, fields) : [], owner: names as Owner | undefined }
}

function ownersOf(layout: Layout, { change, written, owner }: Told): readonly Owner[] {
  const owners = DOCUMENTS.map((member) => (isTree(change[member]) ? ownerOfValues(layout, change[member]) : undefined))
  if (written.some(holdsValues)) owners.push(owner)
  return owners.filter((each) => each !== undefined)
}

type Names = { readonly [K in keyof Owner]: Owner[K] | undefined }

/** Members of a change that may say whose it is. A document that was looked up comes last: there may be another in its place by now. */
const SAYING: readonly string[] = ['documentKey', 'fullDocumentBeforeChange', 'fullDocument']
const DOCUMENTS: readonly string[] = ['fullDocumentBeforeChange', 'fullDocument']

/** The names in the first of them that says enough. */
function namesIn(layout: Layout, change: Tree, isEnough: (names: Names) => boolean, saying = SAYING): Names | undefined {
  return saying.map((member) => namesOf(layout, change[member])).find(isEnough)
}

function namesOf({ tenant, subject }: Layout, document: unknown): Names {
  if (!isTree(document)) return { tenant: undefined, subject: undefined }
  return {
    tenant: ownerName(tenant.type, valueAt(document, tenant.steps)),
    subject: ownerName(subject.type, valueAt(document, subject.steps)),
  }
}

/** The change, without a document that is of somebody else by now; `undefined` for one that is not known to be of the scope. */
function withinScope(layout: Layout, scope: Scope, change: Tree, lookedUp: boolean): Tree | undefined {
  if (!OF_DOCUMENTS.includes(change['operationType'] as string)) return change
  const [tenant, subject] = [ownerName(layout.tenant.type, scope.tenant), ownerName(layout.subject.type, scope.subject)]
  const isWithin = (names: Names): boolean => names.tenant === tenant && (subject === undefined || names.subject === subject)
  const isEnough = (names: Names): boolean => names.tenant !== undefined && (subject === undefined || names.subject !== undefined)
  // What the scope has put in the place of somebody else's document does not make his update its own: there is plaintext in that.
  const saying = lookedUp && change['operationType'] === 'update' ? SAYING.filter((member) => member !== 'fullDocument') : SAYING
  const whose = namesIn(layout, change, isEnough, saying)
  if (whose === undefined || !isWithin(whose)) return undefined
  const others = DOCUMENTS.filter((member) => isTree(change[member]) && !isWithin(namesOf(layout, change[member])))
  return { ...change, ...Object.fromEntries(others.map((member) => [member, null])) }
}

function open(layout: Layout, { change, written, owner }: Told, keys: BatchKeys, reading: Reading): Tree {
  const id = valueAt(change, ['documentKey', '_id'])
  const delta = new TreeOpener(layout, { id, owner }, keys, reading)
  const openers = [delta]
  const out: Tree = {}
  for (const [name, member] of Object.entries(change)) {
    if (DOCUMENTS.includes(name) && isTree(member)) {
      const document = new TreeOpener(layout, { id: member['_id'], owner: ownerOfValues(layout, member) }, keys, reading)
      openers.push(document)
      out[name] = document.open(layout.root, member, '')
    } else if (name === 'updateDescription' && isTree(member)) {
      const withheld = owner === undefined ? written.filter(holdsValues) : []
      const fields = written.filter((each) => !withheld.includes(each))
      out[name] = described(layout, member, Object.fromEntries(fields.map((each) => [each.path, opened(each, id, delta, reading)])))
      if (withheld.length > 0) out['withheld'] = withheld.map(({ path }) => path)
    } else if (name === 'documentKey' && isTree(member)) {
      // What a collection is sharded by may be an index value.
      const plain = Object.entries(member).filter(([path]) => placeOf(layout, path).kind === 'plain')
      out[name] = plainOf(Object.fromEntries(plain), reading)
    } else setMember(out, name, plainOf(member, reading))
  }
  const gone = openers.find((each) => each.gone !== undefined)?.gone
  if (gone !== undefined && reading.shredded === 'throw') throw gone
  return out
}

function holdsValues({ place, value }: Written): boolean {
  return (place.kind === 'sealed' || place.kind === 'holder') && encryptedIn(place.node, value).next().done !== true
}

function opened({ path, place, value }: Written, id: unknown, delta: TreeOpener, reading: Reading): unknown {
  // Within a value in no way that one is stored.
  if (place.kind === 'within') throw located(decryptFailed(), id, path)
  return place.kind === 'plain' ? plainOf(value, reading) : delta.open(place.node, value, path)
}

function described(layout: Layout, description: Tree, updatedFields: Tree): Tree {
  const { removedFields, truncatedArrays } = description
  return {
    ...description,
    updatedFields,
    ...(Array.isArray(removedFields) ? { removedFields: removedBy(layout, removedFields as readonly string[]) } : {}),
    ...(Array.isArray(truncatedArrays) ? { truncatedArrays: truncatedBy(layout, truncatedArrays) } : {}),
  }
}

function plainOf(value: unknown, { promoted }: Reading): unknown {
  return promoted ? promoteBuffers(value) : value
}
