/** The reference state store: in memory, for one process, lost with it. */

import { invalidArgument, StrongroomError } from '../errors.ts'
import { isBytes, utf8 } from '../format/bytes.ts'
import type { DueEntry, StateEntry, StateStore } from '../keys/state-store.ts'

const MAX_NAMESPACE = 256
const MAX_KEY = 512
const MAX_VALUE = 2 ** 20
const MAX_PAGE = 10_000

/** A copy of all entries with their namespaces: what a backup of the state store would hold. */
export type StateStoreSnapshot = readonly (StateEntry & { readonly namespace: string; readonly due?: number })[]

/** A state store for tests: counts calls, takes and restores backups, and lets a test play the attacker. */
export interface MemoryStateStore extends StateStore {
  /** How often each method was called, failed calls included. A test may set them back to 0. */
  readonly calls: { get: number; put: number; delete: number; due: number; scan: number }
  /** Copies everything, as a backup does. */
  snapshot(): StateStoreSnapshot
  /** Puts a copy back; whatever was written since is gone. Versions given out since are still never given out again. */
  restore(snapshot: StateStoreSnapshot): void
  /**
   * Changes a value behind core's back. `change` gets a copy, or `undefined` where there is none; `undefined` removes
   * the entry. Version and due instant stay as they were.
   */
  edit(namespace: string, key: string, change: (value: Uint8Array | undefined) => Uint8Array | undefined): void
}

type Stored = StateStoreSnapshot[number]

/**
 * Makes an empty state store in memory.
 *
 * @example
 * ```ts
 * import { memoryStateStore } from '@strongroom/core/testing'
 *
 * const stateStore = memoryStateStore()
 * const version = await stateStore.put('leases', 'sweep', Uint8Array.of(1), { expected: 'absent' })
 * await stateStore.delete('leases', 'sweep', { expected: version })
 * ```
 */
export function memoryStateStore(): MemoryStateStore {
  const entries = new Map<string, Stored>()
  const calls = { get: 0, put: 0, delete: 0, due: 0, scan: 0 }
  let writes = 0

  function list(namespace: string): Stored[] {
    return [...entries.values()].filter((entry) => entry.namespace === namespace).toSorted(byKey)
  }

  return {
    calls,

    async get(namespace, key) {
      calls.get++
      const stored = entries.get(nameOf(namespace, key))
      return stored === undefined ? undefined : { value: Uint8Array.from(stored.value), version: stored.version }
    },

    async put(namespace, key, value, { expected, due }) {
      calls.put++
      const name = nameOf(namespace, key)
      if (!isBytes(value) || value.length > MAX_VALUE) throw invalidArgument('value', `must be at most ${MAX_VALUE} bytes`)
      checkVersion(expected)
      if (due !== undefined) checkInstant(due, 'due')
      if ((entries.get(name)?.version ?? 'absent') !== expected) throw conflict()
      const version = String(++writes)
      entries.set(name, { namespace, key, value: Uint8Array.from(value), version, ...(due === undefined ? {} : { due }) })
      return version
    },

    async delete(namespace, key, { expected }) {
      calls.delete++
      const name = nameOf(namespace, key)
      checkVersion(expected)
      if (entries.get(name)?.version !== expected) throw conflict()
      entries.delete(name)
    },

    async due(namespace, before, limit, after) {
      calls.due++
      checkText(namespace, 'namespace', 1, MAX_NAMESPACE)
      checkInstant(before, 'before')
      checkLimit(limit)
      if (after !== undefined) checkAfter(after)
      return list(namespace)
        .flatMap(({ key, value, version, due }): DueEntry[] => (due === undefined ? [] : [{ key, value, version, due }]))
        .filter((entry) => entry.due <= before && (after === undefined || byDue(entry, after) > 0))
        .toSorted(byDue)
        .slice(0, limit)
        .map((entry) => structuredClone(entry))
    },

    async scan(namespace, prefix, { after, limit }) {
      calls.scan++
      checkText(namespace, 'namespace', 1, MAX_NAMESPACE)
      checkText(prefix, 'prefix', 0, MAX_KEY)
      if (after !== undefined) checkText(after, 'after', 0, MAX_KEY)
      checkLimit(limit)
      return list(namespace)
        .filter(({ key }) => key.startsWith(prefix) && (after === undefined || byKey({ key }, { key: after }) > 0))
        .slice(0, limit)
        .map(({ key, value, version }) => ({ key, value: Uint8Array.from(value), version }))
    },

    snapshot: () => [...entries.values()].map((entry) => structuredClone(entry)),

    restore(snapshot) {
      entries.clear()
      for (const entry of snapshot) entries.set(nameOf(entry.namespace, entry.key), structuredClone(entry))
    },

    edit(namespace, key, change) {
      const name = nameOf(namespace, key)
      const stored = entries.get(name)
      const value = change(stored && Uint8Array.from(stored.value))
      if (value === undefined) entries.delete(name)
      else entries.set(name, { ...(stored ?? { namespace, key, version: String(++writes) }), value: Uint8Array.from(value) })
    },
  }
}

function nameOf(namespace: string, key: string): string {
  checkText(namespace, 'namespace', 1, MAX_NAMESPACE)
  checkText(key, 'key', 1, MAX_KEY)
  return JSON.stringify([namespace, key])
}

// By UTF-8 bytes, which is the order of code points and not that of UTF-16 units.
function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))
}

function byDue(a: Pick<DueEntry, 'due' | 'key'>, b: Pick<DueEntry, 'due' | 'key'>): number {
  return a.due - b.due || byKey(a, b)
}

function checkAfter({ due, key }: Pick<DueEntry, 'due' | 'key'>): void {
  checkInstant(due, 'after')
  checkText(key, 'after', 0, MAX_KEY)
}

function checkText(text: string, argument: string, least: number, most: number): void {
  const length = typeof text === 'string' ? utf8(text, argument).length : -1
  if (length < least || length > most) throw invalidArgument(argument, `must have ${least} to ${most} UTF-8 bytes`)
}

function checkVersion(expected: string): void {
  if (typeof expected !== 'string' || expected === '') throw invalidArgument('expected', "must be a version or 'absent'")
}

function checkInstant(instant: number, argument: string): void {
  if (!Number.isSafeInteger(instant) || instant < 0) throw invalidArgument(argument, 'must be UTC milliseconds, a whole number from 0')
}

function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw invalidArgument('limit', `must be a whole number from 1 to ${MAX_PAGE}`)
}

function conflict(): StrongroomError {
  return new StrongroomError('conflict', 'the entry was written by another')
}
