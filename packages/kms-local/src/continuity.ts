/** What a file may not do while a process has it open: become another, go back in time, or bring a destroyed version back. */

import { equalBytes } from '@strongroom/core'

import { lpAll } from './bytes.ts'
import { fileInvalid } from './errors.ts'
import { type Header, protectionFields, type VersionEntry, versionFields } from './header.ts'

/**
 * Checks that `next`, which has other bytes than `seen`, is a later state of the same file.
 *
 * @throws StrongroomError `root_key_file_invalid`
 */
export function assertContinues(seen: Header, next: Header): void {
  if (!equalBytes(seen.fileId, next.fileId)) throw fileInvalid('was replaced by another one since it was opened')
  if (next.generation <= seen.generation || !keepsVersions(seen.versions, next.versions))
    throw fileInvalid('is older than one seen before: a copy was put back; put the newest in its place')
  const sameProtection = equalBytes(lpAll(...protectionFields(seen.protection)), lpAll(...protectionFields(next.protection)))
  if (!sameProtection || seen.region !== next.region)
    throw fileInvalid('has another protection or region since it was opened: open it again')
}

// Versions are only ever added at the end, a live one may become destroyed, and the life of a destroyed one's copies may be said to be
// longer. Everything else about them stays: a copy that was put back and then used passes the generation seen before, but not this.
function keepsVersions(seen: readonly VersionEntry[], next: readonly VersionEntry[]): boolean {
  return seen.every((before, i) => {
    const after = next[i]
    if (after === undefined) return false
    return equalBytes(lpAll(...versionFields(before)), lpAll(...versionFields(asSeen(before, after))))
  })
}

// The entry without what may have changed since `before`.
function asSeen(before: VersionEntry, after: VersionEntry): VersionEntry {
  const { number, id, created } = after
  if (before.state === 'live') return { state: 'live', number, id, created }
  if (after.state === 'destroyed' && after.copiesUntil > before.copiesUntil) return { ...after, copiesUntil: before.copiesUntil }
  return after
}
