/** What the models of one collection have agreed on, and its encrypted view. */

import { invalidArgument, StrongroomError, type Vault } from '@strongroom/core'
import { Collection } from 'mongodb'

import { checkPipeline } from '../collection/changes/change-pipeline.ts'
import { type EncryptedWatchOptions, readWatchOptions } from '../collection/changes/watch.ts'
import { EncryptedCollection } from '../collection/encrypted-collection.ts'
import { describe } from '../collection/indexes/manage-indexes.ts'
import { dottedPath, type Layout, makeLayout } from '../collection/layout.ts'
import { requireParsed } from '../collection/make-collection.ts'
import type { OnShredded } from '../collection/open.ts'
import type { ObjectNode } from '../schema/node.ts'
import { declarationOf, keeping, merged } from './declaration.ts'
import { optionsForDriver } from './driver-options.ts'
import type { NativeCollection, SchemaInternals } from './internals.ts'
import { markOf } from './marks.ts'
import { mintsIds, ownerOf } from './owners.ts'
import { stepsWithoutPositions } from './positions.ts'
import { typesIn } from './schema-types.ts'
import { Snapshot } from './snapshot.ts'

/** What a plugin was given, checked. */
export interface Declared {
  readonly vault: Vault
  readonly tenant: string
  readonly subject: string
  readonly context: string | undefined
  readonly bind: 'record' | 'none'
  readonly shredded: OnShredded | undefined
  /** What the schema marked when it got the plugin. */
  readonly marked: ObjectNode
}

/** Of another copy of the driver no value of BSON would be one here. @throws StrongroomError `unsupported_operation` */
export function requireOneDriver(isOurs: boolean): void {
  if (!isOurs)
    throw new StrongroomError(
      'unsupported_operation',
      'the mongodb package is not the one that Mongoose has: install the version that Mongoose depends on, so that npm ls mongodb shows one',
    )
}

export class SharedCollection {
  readonly #native: NativeCollection
  readonly #declared: Declared
  readonly #schemas = new Set<SchemaInternals>()
  /** What was marked so far. */
  readonly #marked = new Set<ObjectNode>()
  #snapshot: Snapshot | undefined
  #layout: Layout | undefined
  #encrypted: EncryptedCollection<unknown> | undefined
  #handedOut: string | undefined

  constructor(native: NativeCollection, declared: Declared) {
    this.#native = native
    this.#declared = declared
  }

  /**
   * A model more, whose schema says what else is encrypted. It stays, also where it cannot be: then no call is sent any more.
   *
   * @throws StrongroomError `invalid_argument`, `unsupported_operation`
   */
  add(schema: SchemaInternals, declared: Declared): void {
    if (!this.#schemas.has(schema)) this.#layout = undefined
    this.#schemas.add(schema)
    this.#marked.add(declared.marked)
    this.#current()
    for (const name of ['vault', 'tenant', 'subject', 'context', 'bind', 'shredded'] as const)
      if (declared[name] !== this.#declared[name])
        throw new StrongroomError(
          'unsupported_operation',
          `two models on the collection ${this.#native.name} have different options of encryptedFields: ${name} must be the same`,
        )
  }

  /** The encrypted view of the driver's collection that there is now. @throws StrongroomError */
  view(collection: Collection): EncryptedCollection<unknown> {
    const layout = this.#current()
    if (this.#encrypted?.dangerouslyUnwrap() !== collection)
      this.#encrypted = this.#encryptedOf(collection, layout, this.#declared.shredded)
    return this.#encrypted
  }

  /** One for whoever keeps it: of what would be marked from now on it would not know. @throws StrongroomError */
  handOut(collection: Collection): EncryptedCollection<unknown> {
    const layout = this.#current()
    const encrypted = this.#encryptedOf(collection, layout, undefined)
    this.#handedOut ??= marksOf(layout)
    return encrypted
  }

  #encryptedOf(collection: Collection, layout: Layout, shredded: OnShredded | undefined): EncryptedCollection<unknown> {
    requireOneDriver(collection instanceof Collection)
    requireParsed(collection)
    return new EncryptedCollection({ vault: this.#declared.vault, collection, layout, shredded, validation: undefined, scope: undefined })
  }

  /** The paths of tenant and subject. */
  owners(): readonly [tenant: string, subject: string] {
    return [this.#declared.tenant, this.#declared.subject]
  }

  /** What is encrypted where. */
  layout(): Layout {
    return this.#current()
  }

  /** Whether changes can be followed so: asked before, since Mongoose has no place for an error of opening. @throws StrongroomError */
  requireWatchable(pipeline: unknown, options: unknown): void {
    readWatchOptions(optionsForDriver('watch', options) as EncryptedWatchOptions | undefined, undefined)
    checkPipeline(this.#current(), pipeline, false)
  }

  /** Whether what is at a path is encrypted, or holds what is, or may be so: errors of subdocuments name the path within them. */
  mayHoldEncrypted(path: string): boolean {
    const asked = stepsWithoutPositions(path)
    return [...this.#current().sealed.values()].some((sealed) => {
      const steps = dottedPath(sealed).split('.')
      return steps.some((_, from) => asked.every((step, i) => (steps[from + i] ?? step) === step))
    })
  }

  // What is marked by now: by add() of a schema, or by a discriminator. As long as nothing changed it is what it was.
  #current(): Layout {
    if (this.#layout === undefined || this.#snapshot?.isCurrent() !== true) {
      this.#layout = undefined
      this.#encrypted = undefined
      this.#snapshot = new Snapshot(this.#schemas)
      // What was marked once stays encrypted, whatever takes its path.
      const now = merged([...this.#schemas].map((schema) => declarationOf(schema)))
      const all = [...this.#marked].reduce((declared, before) => keeping(declared, before), now)
      const layout = this.#layoutOf(all)
      if (this.#handedOut !== undefined && this.#handedOut !== marksOf(layout))
        throw new StrongroomError(
          'unsupported_operation',
          `what is marked on the collection ${this.#native.name} changed after encryptedCollectionOf() was called: make all its models, and mark all their paths, before`,
        )
      this.#marked.clear()
      this.#marked.add(all)
      this.#layout = layout
    }
    return this.#layout
  }

  #layoutOf(root: ObjectNode): Layout {
    const { tenant, subject, context = this.#native.name, bind } = this.#declared
    const [first] = this.#schemas
    if (first === undefined || root.members.size === 0)
      throw invalidArgument('schema', 'must mark at least one path with encrypted: true, or encrypted: { index }')
    const [owners] = [...this.#schemas].map((schema) => ({
      tenant: ownerOf(schema, tenant, 'tenant'),
      subject: ownerOf(schema, subject, 'subject'),
    })) as [Pick<Layout, 'tenant' | 'subject'>]
    const layout = makeLayout({ root, ...owners, mintsIds: mintsIds(first), context, bind })
    for (const schema of this.#schemas) requireIndexes(schema, layout)
    return layout
  }
}

function marksOf({ sealed }: Layout): string {
  return [...sealed.keys()]
    .map(({ path, mark }) => JSON.stringify([path, mark]))
    .toSorted()
    .join('\n')
}

// What a mark declares is an index of Mongoose's too: it makes, lists and keeps it as its own. Others than can be are refused now, since
// Mongoose tells of failures only to who waits for init().
function requireIndexes(schema: SchemaInternals, layout: Layout): void {
  for (const type of typesIn(schema)) {
    const index = markOf(type, '')?.index
    if (index !== undefined) type._index ??= index.unique === true ? { unique: true } : true
  }
  for (const [spec, options] of schema.indexes()) describe(layout, spec, optionsForDriver('createIndex', options) as typeof options)
}
