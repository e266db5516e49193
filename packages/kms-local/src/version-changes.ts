/** The two changes of a root key file: a version more, and a version's key less. */

import { randomBytes, StrongroomError } from '@strongroom/core'

import { type DestroyedEntry, ID_BYTES, KEY_BYTES, type LiveEntry, type VersionEntry } from './header.ts'
import type { OpenRoot, RootChange } from './root-file.ts'

/** A version with a fresh id and, apart from it, a fresh root key. */
export function newVersion(number: number, now: number): { readonly entry: LiveEntry; readonly key: Uint8Array } {
  return { entry: { state: 'live', number, id: randomBytes(ID_BYTES), created: now }, key: randomBytes(KEY_BYTES) }
}

/** @throws StrongroomError `conflict` unless the number is above every number ever used. */
export function withVersion({ header, keys }: OpenRoot, number: number, now: number): RootChange {
  const last = header.versions.at(-1)
  if (last !== undefined && number <= last.number) {
    throw new StrongroomError(
      'conflict',
      'a root version of that number, or a higher one, was made before: list the versions and take a number above all',
    )
  }
  const { entry, key } = newVersion(number, now)
  return { versions: [...header.versions, entry], keys: new Map(keys).set(number, key) }
}

/**
 * The file without that version's key. If that is gone already, with a longer life of its copies where that is said now: who said too
 * little can put it right, and nobody can take it back. `undefined` if there is nothing to change.
 *
 * @throws StrongroomError `wrong_root_key` if there is no such version, `conflict` if it is the only live one
 */
export function withoutKey({ header, keys }: OpenRoot, number: number, now: number, copiesLife: number): RootChange | undefined {
  const entry = versionOf(header.versions, number)
  if (entry.state === 'destroyed') {
    const copiesUntil = entry.destroyed + copiesLife
    if (copiesUntil <= entry.copiesUntil) return undefined
    return { versions: header.versions.map((each) => (each === entry ? { ...entry, copiesUntil } : each)), keys }
  }
  if (keys.size === 1) throw new StrongroomError('conflict', 'the only live root version is not destroyed: make the next one first')
  const destroyed: DestroyedEntry = { ...entry, state: 'destroyed', destroyed: now, copiesUntil: now + copiesLife }
  return {
    versions: header.versions.map((each) => (each === entry ? destroyed : each)),
    keys: new Map([...keys].filter(([other]) => other !== number)),
  }
}

/** @throws StrongroomError `wrong_root_key` if there is no version of that number. */
export function versionOf(versions: readonly VersionEntry[], number: number): VersionEntry {
  const entry = versions.find((each) => each.number === number)
  if (entry === undefined) throw wrongRootKey()
  return entry
}

/** The version that new wraps use. There always is one: a file without is refused, and so is destroying the last. */
export function newestLive(versions: readonly VersionEntry[]): VersionEntry {
  return versions.findLast(({ state }) => state === 'live') as VersionEntry
}

export function wrongRootKey(): StrongroomError {
  return new StrongroomError(
    'wrong_root_key',
    'the root key file has no such version: it is another file, or an older copy; put the newest back',
  )
}
