/** The reference key store: in memory, for one process, lost with it. */

import { invalidArgument, StrongroomError } from '../errors.ts'
import { equalBytes } from '../crypto/hash.ts'
import { isBytes, utf8 } from '../format/bytes.ts'
import {
  KeyState,
  type KeyStoreRecord,
  type KeyVersion,
  type LiveVersion,
  type NodeRecord,
  type WrappingKeyRecord,
} from '../format/records.ts'
import type { KeyStore, KeyStoreKey, KeyStoreQuery } from '../keys/key-store.ts'

const MAX_PAGE = 10_000
const BLOCK = 4096

/** A copy of all records, in the order of their keys: what a backup of the key store would hold. */
export type KeyStoreSnapshot = readonly KeyStoreRecord[]

/** A key store for tests: counts calls, takes and restores backups, and lets a test play the attacker. */
export interface MemoryKeyStore extends KeyStore {
  /** How often each method was called, failed calls included. A test may set them back to 0. */
  readonly calls: { get: number; put: number; scan: number }
  /** Copies everything, as a backup does. */
  snapshot(): KeyStoreSnapshot
  /** Puts a copy back; whatever was written since is gone. */
  restore(snapshot: KeyStoreSnapshot): void
  /**
   * Changes a record behind core's back, with no look at revisions. `change` gets a copy of the record, or `undefined`
   * where there is none; what it returns is stored under `key`, and `undefined` removes the record.
   */
  edit(key: KeyStoreKey, change: (record: KeyStoreRecord | undefined) => KeyStoreRecord | undefined): void
}

/**
 * Makes an empty key store in memory.
 *
 * @example
 * ```ts
 * import { memoryKeyStore } from '@strongroom/core/testing'
 *
 * const keyStore = memoryKeyStore()
 * const backup = keyStore.snapshot()
 * // … shred something …
 * keyStore.restore(backup)
 * ```
 */
export function memoryKeyStore(): MemoryKeyStore {
  const records = new Map<string, KeyStoreRecord>()
  // Names of records, for each query that can be asked: a page of an answer is a piece of one of them.
  const lists = new Map<string, SortedNames>()
  const calls = { get: 0, put: 0, scan: 0 }
  const copyOf = recordCopier()

  /** Stores a copy, or removes. */
  function set(name: string, record: KeyStoreRecord | undefined): void {
    const before = records.get(name)
    if (record === undefined) records.delete(name)
    else records.set(name, copyOf(record))
    if (sameLists(before, record)) return
    for (const list of listsOf(before)) lists.get(list)?.remove(name)
    for (const list of listsOf(record)) {
      const names = lists.get(list) ?? new SortedNames()
      lists.set(list, names)
      names.add(name)
    }
  }

  function snapshot(): KeyStoreSnapshot {
    return [...records].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, record]) => copyOf(record))
  }

  return {
    calls,

    async get(keys) {
      calls.get++
      if (keys.length > MAX_PAGE) throw invalidArgument('keys', `must be at most ${MAX_PAGE}`)
      return keys.map((key) => copyOf(records.get(nameOf(key))))
    },

    async put(record) {
      calls.put++
      const name = nameOf(record)
      if (!Number.isSafeInteger(record.revision) || record.revision < 1) {
        throw invalidArgument('revision', 'must be a whole number from 1')
      }
      const stored = records.get(name)?.revision ?? 0
      if (stored !== record.revision - 1) throw new StrongroomError('conflict', 'the record was written by another')
      set(name, record)
    },

    async scan(query) {
      calls.scan++
      checkQuery(query)
      const after = query.after && `${query.type}:${text(query.after)}`
      const names = lists.get(listName(query.type, query.tenantRef, query.parentRef))?.page(after, query.limit) ?? []
      return names.map((name) => copyOf(records.get(name)) as NodeRecord | WrappingKeyRecord)
    },

    snapshot,

    restore(saved) {
      records.clear()
      lists.clear()
      for (const record of saved) set(nameOf(record), record)
    },

    edit(key, change) {
      const name = nameOf(key)
      set(name, change(copyOf(records.get(name))))
    },
  }
}

/** Names in order. They are sorted when they are asked for: storing many costs no more than to sort them once. */
class SortedNames {
  readonly #names: string[] = []
  #sorted = true

  add(name: string): void {
    this.#sorted &&= this.#names.length === 0 || (this.#names.at(-1) as string) < name
    this.#names.push(name)
  }

  remove(name: string): void {
    const names = this.#inOrder()
    const at = firstAfter(names, name) - 1
    if (names[at] === name) names.splice(at, 1)
  }

  page(after: string | undefined, limit: number): readonly string[] {
    const names = this.#inOrder()
    const start = after === undefined ? 0 : firstAfter(names, after)
    return names.slice(start, start + limit)
  }

  #inOrder(): string[] {
    if (!this.#sorted) this.#names.sort()
    this.#sorted = true
    return this.#names
  }
}

function firstAfter(names: readonly string[], name: string): number {
  let [low, high] = [0, names.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((names[middle] as string) > name) high = middle
    else low = middle + 1
  }
  return low
}

function nameOf(key: KeyStoreKey | KeyStoreRecord): string {
  if (key.type === 'node') return `node:${text(reference(key.ref, 'ref'))}`
  if (key.type === 'wrapping-key') return `wrapping-key:${text(reference(key.id, 'id'))}`
  if (key.type === 'vault') return 'vault'
  const length = utf8(key.region, 'region').length
  if (length === 0 || length > 256) throw invalidArgument('region', 'must have 1 to 256 UTF-8 bytes')
  return `region:${key.region}`
}

// One character a byte keeps the byte order of references.
function text(ref: Uint8Array): string {
  return Buffer.from(ref.buffer, ref.byteOffset, ref.length).toString('latin1')
}

function listName(type: string, tenantRef?: Uint8Array, parentRef?: Uint8Array): string {
  return `${type} ${tenantRef === undefined ? '*' : `=${text(tenantRef)}`} ${parentRef === undefined ? '*' : `=${text(parentRef)}`}`
}

// The queries that a record answers. A column of another form than a reference's, which a test may have put there, answers none.
function listsOf(record: KeyStoreRecord | undefined): readonly string[] {
  if (record?.type !== 'node' && record?.type !== 'wrapping-key') return []
  const { type, tenantRef } = record
  const tenants = isBytes(tenantRef) && tenantRef.length === 16 ? [undefined, tenantRef] : [undefined]
  if (type === 'wrapping-key') return tenants.map((tenant) => listName(type, tenant))
  const { parentRef } = record
  const parents = isBytes(parentRef) && (parentRef.length === 16 || parentRef.length === 0) ? [undefined, parentRef] : [undefined]
  return tenants.flatMap((tenant) => parents.map((parent) => listName(type, tenant, parent)))
}

function sameLists(a: KeyStoreRecord | undefined, b: KeyStoreRecord | undefined): boolean {
  if (a?.type === 'node' && b?.type === 'node') return sameBytes(a.tenantRef, b.tenantRef) && sameBytes(a.parentRef, b.parentRef)
  return a?.type === 'wrapping-key' && b?.type === 'wrapping-key' && sameBytes(a.tenantRef, b.tenantRef)
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return isBytes(a) && isBytes(b) && a.length === b.length && equalBytes(a, b)
}

/**
 * What `structuredClone` makes, for less: keys of people are copied by name, all else as it comes. They are many small pieces of bytes, and
 * pieces of a shared block cost half of what arrays of their own do.
 */
function recordCopier(): <T extends KeyStoreRecord | undefined>(record: T) => T {
  let block = new Uint8Array(BLOCK)
  let used = 0

  function bytes(from: Uint8Array): Uint8Array {
    if (!isBytes(from) || from.length > BLOCK / 4) return structuredClone(from)
    if (used + from.length > BLOCK) {
      block = new Uint8Array(BLOCK)
      used = 0
    }
    const copy = new Uint8Array(block.buffer, used, from.length)
    for (let i = 0; i < from.length; i++) copy[i] = from[i] as number
    used += from.length
    return copy
  }

  function version(from: KeyVersion): KeyVersion {
    if (from.state === KeyState.shredded) return structuredClone(from)
    // To spread once and to set is what costs least.
    const copy: { -readonly [K in keyof LiveVersion]: LiveVersion[K] } = { ...from }
    copy.commitment = bytes(from.commitment)
    copy.parentCommitment = bytes(from.parentCommitment)
    copy.wrappingKeyId = bytes(from.wrappingKeyId)
    copy.wrap = bytes(from.wrap)
    return copy
  }

  function copyOf<T extends KeyStoreRecord | undefined>(record: T): T
  function copyOf(record: KeyStoreRecord | undefined): KeyStoreRecord | undefined {
    if (record?.type !== 'node' || !Array.isArray(record.versions) || record.label !== undefined) return structuredClone(record)
    const copy: { -readonly [K in keyof NodeRecord]: NodeRecord[K] } = { ...record }
    copy.ref = bytes(record.ref)
    copy.parentRef = bytes(record.parentRef)
    copy.tenantRef = bytes(record.tenantRef)
    copy.versions = record.versions.map(version)
    return copy
  }

  return copyOf
}

function checkQuery(query: KeyStoreQuery): void {
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > MAX_PAGE) {
    throw invalidArgument('limit', `must be a whole number from 1 to ${MAX_PAGE}`)
  }
  if (query.after !== undefined) reference(query.after, 'after')
  if (query.tenantRef !== undefined) reference(query.tenantRef, 'tenantRef')
  if (query.parentRef === undefined) return
  if (query.type !== 'node') throw invalidArgument('parentRef', 'is for nodes only')
  if (query.parentRef.length > 0) reference(query.parentRef, 'parentRef')
}

function reference(bytes: Uint8Array, argument: string): Uint8Array {
  if (!isBytes(bytes) || bytes.length !== 16) throw invalidArgument(argument, 'must be 16 bytes')
  return bytes
}
