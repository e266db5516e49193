/** What the steps of erasures work with. */

import type { Vault } from '@strongroom/core'

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

/** What a failure is called in a record: its code, never its message, which may name somebody. */
export function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Za-z][A-Za-z0-9_]{0,47}$/.test(code) ? code : 'failed'
}
