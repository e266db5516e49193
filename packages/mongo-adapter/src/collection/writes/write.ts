/** What all writes are made of: what is put into a document, which depends on whose it is, and how it is sent. */

import type { Vault } from '@strongroom/core'

import type { Tree } from '../../values/resolve.ts'
import { type BatchKeys, type NeededIndex, type Owner, withKeys } from '../keys.ts'
import type { FilterPlan, Source } from '../source.ts'
import type { VerifyingOptions } from '../verified-hits.ts'

/** The document that something is encrypted for. */
export interface Target {
  readonly owner: Owner
  readonly id: unknown
}

/** What a write sends. */
export interface Sealed {
  /** An update, or a whole document. */
  readonly tree: Tree
  /** Of `$addToSet`: `tree` is for documents that have the element not yet; those that have it are only matched. */
  readonly guard?: { readonly absent: Tree; readonly present: Tree; readonly nothing: Tree } | undefined
}

/** Checked and encoded: all that is missing are keys. */
export interface Prepared<T> {
  readonly owner: Owner
  readonly indexes: readonly NeededIndex[]
  /** Without effects, since it may be done again. */
  readonly seal: (keys: BatchKeys) => T
}

/** What a write puts into the documents that it reaches. */
export interface Change {
  /** Whether it has to be known whose document it is for. */
  readonly seals: boolean
  /** For documents of whoever, where nothing is encrypted; otherwise for none, so that the server can say what is wrong with it. */
  readonly blank: Sealed
  readonly prepare: (target: Target) => Prepared<Sealed>
}

export interface Write<R> {
  readonly source: Source
  readonly plan: FilterPlan
  readonly change: Change
  /** How documents are looked for. */
  readonly reading: VerifyingOptions
  readonly send: (filter: Tree, tree: Tree) => Promise<R>
  /** How many documents an answer says that it reached; `undefined` where nothing was acknowledged. */
  readonly reached: (answer: R) => number | undefined
}

/** Of a deletion, which puts nothing anywhere. */
export const NOTHING: Change = {
  seals: false,
  blank: { tree: {} },
  prepare() {
    throw new Error('a deletion encrypts nothing')
  },
}

/** For so many keys are open at once. */
export const SEALED_AT_ONCE = 1000

/**
 * All of them, in the same order; keys are opened for a batch at a time, and made where there are none.
 *
 * @param prepare - called for those of a batch when it is their turn
 */
export async function sealAll<I, T>(vault: Vault, all: readonly I[], prepare: (each: I) => Prepared<T>): Promise<readonly T[]> {
  const sealed: T[] = []
  for (let at = 0; at < all.length; at += SEALED_AT_ONCE) {
    const batch = all.slice(at, at + SEALED_AT_ONCE).map((each) => prepare(each))
    const [owners, indexes] = [batch.map(({ owner }) => owner), batch.flatMap((each) => each.indexes)]
    sealed.push(...(await withKeys(vault, { owners, indexes, mint: true }, (keys) => batch.map(({ seal }) => seal(keys)))))
  }
  return sealed
}

/** For one document. */
export async function sealOne<T>(vault: Vault, prepared: Prepared<T>): Promise<T> {
  const [sealed] = await sealAll(vault, [prepared], asPrepared)
  return sealed as T
}

/** For {@link sealAll} of what is prepared already. */
export function asPrepared<T>(prepared: Prepared<T>): Prepared<T> {
  return prepared
}
