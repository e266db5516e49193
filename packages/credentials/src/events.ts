/** What happens to connections, for metrics, logs and mail to the customer. Names who and what, never a secret. */

import type { ReauthorisationReason } from './records/record.ts'

/** Whose connection an event is about. */
export interface EventPlace {
  readonly tenant: string
  /** `undefined` for the tenant's own. */
  readonly subject: string | undefined
  readonly connection: string
  readonly provider: string
}

export type CredentialEvent =
  | ({ readonly type: 'saved' | 'refreshed' | 'disconnected' } & EventPlace)
  | ({ readonly type: 'refresh_failed'; readonly code: string } & EventPlace)
  | ({ readonly type: 'reauthorisation_required'; readonly reason: ReauthorisationReason } & EventPlace)

/** Called behind what it tells of. What it throws is dropped: nothing that has happened is undone by it. */
export type OnEvent = (event: CredentialEvent) => void
