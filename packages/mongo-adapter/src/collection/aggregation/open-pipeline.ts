/** Decrypting what comes out of a pipeline, a batch at a time: each value with the keys of whose it is, wherever it stands by now. */

import { decryptFailed, type Vault } from '@strongroom/core'

import { below, type EncryptedNode, PLAIN } from '../../schema/node.ts'
import { promoteBuffers } from '../../values/promote-buffers.ts'
import { isTree, type Tree } from '../../values/resolve.ts'
import { setMember } from '../documents.ts'
import { type BatchKeys, isShredded, withKeys } from '../keys.ts'
import { type SealedPath, sealedOf } from '../layout.ts'
import {
  type Compared,
  NOTHING,
  type Opening,
  openingOf,
  openStored,
  type OpenOptions,
  type Reading,
  readingOf,
  type SoughtIn,
  soughtBy,
} from '../open.ts'
import { located } from '../located.ts'
import { SHREDDED } from '../shredded-mark.ts'
import { alternative, type Belongs, belongingOf, copiesOf, hiddenOf, keysFor } from './belongs.ts'
import {
  type ArrayShape,
  type CarriedShape,
  type Check,
  type DocumentShape,
  HIDDEN,
  isPlain,
  type ObjectShape,
  type RootShape,
  type Shape,
} from './shape.ts'

/**
 * Documents as the application sees them, in the same order; `undefined` for what an index has found and cannot be compared any more.
 *
 * @throws StrongroomError `decrypt_failed` naming `_id` and path, `shredded`, and what opening keys throws
 */
export async function openPipelineDocuments(
  vault: Vault,
  shape: RootShape,
  documents: readonly Tree[],
  options: Pick<OpenOptions, 'bson' | 'shredded'>,
): Promise<readonly (Tree | undefined)[]> {
  const { owners, indexes } = keysFor(shape, documents)
  const reading = readingOf({ ...options, verify: NOTHING })
  return withKeys(vault, { owners, indexes, mint: false }, (keys) => {
    const opener = new Opener(keys, reading)
    return documents.map((document) => opener.document(shape, document))
  })
}

/** Thrown for what an index has found, and of which the key is destroyed: it is no hit any more. */
const NO_HIT = Symbol('no hit')

/** What is compared while it is opened, and the true index values that were found. */
interface Comparing {
  readonly searched: readonly SealedPath[]
  readonly found: (Compared & { readonly tenant: string })[]
}

/** Where values stand that belong to one owner. */
class Place {
  readonly belongs: Belongs
  readonly #keys: BatchKeys
  #opening: Opening | undefined

  constructor(belongs: Belongs, keys: BatchKeys) {
    this.belongs = belongs
    this.#keys = keys
  }

  /** @throws StrongroomError `decrypt_failed`, `shredded`, `suspended` */
  get opening(): Opening {
    const { layout, id, owner } = this.belongs
    return (this.#opening ??= openingOf(layout, id, owner, this.#keys))
  }
}

class Opener {
  readonly #keys: BatchKeys
  readonly #reading: Reading
  readonly #soughtIn: SoughtIn
  /** The first value of a document whose key is destroyed. */
  #gone: Error | undefined

  constructor(keys: BatchKeys, reading: Reading) {
    this.#keys = keys
    this.#reading = reading
    this.#soughtIn = soughtBy(keys)
  }

  document(shape: RootShape, document: Tree): Tree | undefined {
    this.#gone = undefined
    const opened = hit(() => this.#open(shape, document, undefined, ''))
    if (opened === NO_HIT) return undefined
    // It was set meanwhile.
    const gone = this.#gone as Error | undefined
    if (gone !== undefined && this.#reading.shredded === 'throw') throw gone
    return opened as Tree
  }

  #open(shape: Shape, value: unknown, place: Place | undefined, path: string, comparing?: Comparing): unknown {
    if (value === null || value === undefined) return value
    switch (shape.kind) {
      case 'plain':
        return this.#plain(value)
      case 'gone':
        return undefined
      case 'encrypted':
        return this.#value(shape, value, place, path, comparing)
      case 'array':
        return this.#array(shape, value, place, path, comparing)
      case 'object':
        return this.#object(shape, value, place, path, comparing)
      case 'document':
        return this.#document(shape, value, path, comparing)
      case 'carried':
        return this.#carried(shape, value, path, comparing)
      case 'either': {
        const one = alternative(shape, value)
        if (one === undefined) throw damaged(place, path)
        return this.#open(one, value, place, path, comparing)
      }
    }
  }

  #plain(value: unknown): unknown {
    return this.#reading.promoted ? promoteBuffers(value) : value
  }

  #value(node: EncryptedNode, stored: unknown, place: Place | undefined, path: string, comparing: Comparing | undefined): unknown {
    if (place === undefined) throw damaged(place, path)
    const { layout, id, owner } = place.belongs
    const sealed = sealedOf(layout, node)
    const reading = comparing === undefined ? this.#reading : { ...this.#reading, verify: { searched: comparing.searched, required: [] } }
    const compared: Compared[] = []
    try {
      const opened = openStored(place.opening, stored, sealed, this.#keys, reading, compared)
      for (const each of compared) comparing?.found.push({ ...each, tenant: owner?.tenant as string })
      return opened
    } catch (error) {
      if (!isShredded(error)) throw located(error, id, path)
      if (comparing?.searched.includes(sealed) === true) throw NO_HIT
      // What is only compared nobody sees.
      if (comparing === undefined) this.#gone ??= located(error, id, path)
      return SHREDDED
    }
  }

  #array(shape: ArrayShape, value: unknown, place: Place | undefined, path: string, comparing: Comparing | undefined): unknown {
    const { element } = shape
    if (Array.isArray(value))
      return value
        .map((each, i) => hit(() => this.#open(element, each, place, below(path, String(i)), comparing)))
        .filter((each) => comparing !== undefined || each !== NO_HIT)
        .map(requireHit)
    if (!isTree(value) || !Object.keys(value).every((name) => /^\d+$/u.test(name))) return this.#misfit(shape, value, place, path)
    // An update of one position makes `{ 0: … }` where nothing was: that stands for an array as well.
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, this.#open(element, each, place, below(path, name), comparing)]),
    )
  }

  #object(shape: ObjectShape, value: unknown, place: Place | undefined, path: string, comparing: Comparing | undefined): unknown {
    if (!isTree(value)) return this.#misfit(shape, value, place, path)
    const out: Tree = {}
    for (const [name, member] of Object.entries(value)) {
      const opened = this.#open(shape.members.get(name) ?? PLAIN, member, place, below(path, name), comparing)
      if (opened !== undefined) setMember(out, name, opened)
    }
    return out
  }

  // What is plain may be of any shape: only of what holds encrypted values it says that somebody changed it.
  #misfit(shape: Shape, value: unknown, place: Place | undefined, path: string): unknown {
    if (!isPlain(shape)) throw damaged(place, path)
    return this.#plain(value)
  }

  #carried(shape: CarriedShape, value: unknown, path: string, comparing: Comparing | undefined): unknown {
    if (!isTree(value)) throw damaged(undefined, path)
    const place = new Place(belongingOf(shape.layout, value['o']), this.#keys)
    return this.#open(shape.inner, value['v'], place, path, comparing ?? comparingKey(shape))
  }

  #document(shape: DocumentShape, value: unknown, path: string, comparing: Comparing | undefined): unknown {
    if (!isTree(value)) throw damaged(undefined, path)
    const place = shape.layout === undefined ? undefined : new Place(belongingOf(shape.layout, hiddenOf(value)['o']), this.#keys)
    for (const check of shape.checks) this.#compare(check, value, place)
    const { [HIDDEN]: _, ...visible } = value
    return this.#open(shape.inner, visible, place, path, comparing)
  }

  /** @throws {@link NO_HIT}, StrongroomError `decrypt_failed` */
  #compare(check: Check, value: Tree, place: Place | undefined): void {
    const comparing: Comparing = { searched: check.searched, found: [] }
    copiesOf(check, value).forEach((copy, i) => {
      this.#open(check.places[i] as Shape, copy, place, pathsOf(check.searched), comparing)
    })
    for (const sought of check.required)
      if (!comparing.found.some(({ sealed, index, tenant }) => this.#soughtIn(sought, sealed, tenant).has(index)))
        throw damaged(place, pathsOf(sought.map(({ sealed }) => sealed)))
  }
}

/** The key of a group that was grouped by index values. */
function comparingKey({ compared, inner, layout }: CarriedShape): Comparing | undefined {
  return compared && inner.kind === 'encrypted' ? { searched: [sealedOf(layout, inner)], found: [] } : undefined
}

function hit(open: () => unknown): unknown {
  try {
    return open()
  } catch (error) {
    if (error !== NO_HIT) throw error
    return NO_HIT
  }
}

function requireHit(value: unknown): unknown {
  if (value === NO_HIT) throw NO_HIT
  return value
}

function damaged(place: Place | undefined, path: string): Error {
  return located(decryptFailed(), place?.belongs.id, path)
}

function pathsOf(sealed: readonly SealedPath[]): string {
  return [...new Set(sealed.map(({ path }) => path))].join(' or ')
}
