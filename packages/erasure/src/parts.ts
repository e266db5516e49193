/** What the steps of erasures work with. */

import { StrongroomError, type SweepFailure, type Vault } from '@strongroom/core'

import type { ErasureEvent } from './events.ts'
import type { Holds } from './holds/holds.ts'
import type { CheckedErasureOptions } from './options.ts'
import { VaultPlace } from './places/place.ts'
import type { EndedErasures } from './records/ended-erasures.ts'
import type { OpenErasure, OpenErasures } from './records/open-erasures.ts'
import type { ConfirmedTime } from './time/confirmed-time.ts'

export interface ErasureParts {
  readonly vault: Vault
  readonly options: CheckedErasureOptions
  readonly time: ConfirmedTime
  readonly open: OpenErasures
  readonly ended: EndedErasures
  readonly holds: Holds
  readonly tell: (event: ErasureEvent) => void
}

export function placeOf({ vault }: Pick<ErasureParts, 'vault'>, { record }: Pick<OpenErasure, 'record'>): VaultPlace {
  return new VaultPlace(vault, record.names)
}

// As those of Node.js and of drivers are: ours have no capitals.
const FOREIGN = /^[A-Z][A-Z0-9_]{0,47}$/

/** What a failure is called in a record: its code, never its message, which may name somebody. */
export function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  if (error instanceof StrongroomError) return error.code
  return typeof code === 'string' && FOREIGN.test(code) ? code : 'failed'
}

/** The same in a report. */
export function reasonOf(code: string): Pick<SweepFailure, 'reason' | 'code'> {
  if (code === 'failed') return { reason: 'unexpected' }
  return FOREIGN.test(code) ? { reason: 'unexpected', code } : { reason: code as SweepFailure['reason'] }
}
