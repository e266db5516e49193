/** What a receipt says is still kept, for people and for programs. */

import type { KeptUnder } from '@strongroom/core'

import { count } from '../terminal/count.ts'
import { minute } from '../terminal/time.ts'

export function keptLines(kept: readonly KeptUnder[]): readonly string[] {
  const last = kept.at(-1)
  if (last === undefined) return []
  return [
    `tokens that wait to be revoked were kept under ${count(kept.length, 'key')} of the vault's own, destroyed ${minute(last.until)} at the latest`,
  ]
}

export function keptSummary(kept: readonly KeptUnder[]): readonly { readonly ref: string; readonly until: number }[] {
  return kept.map(({ ref, until }) => ({ ref: Buffer.from(ref).toString('hex'), until }))
}
