/** What happens to connections, for metrics, logs and mail to the customer. Names who and what, never a secret. */

import type { ReauthorisationReason } from './records/record.ts'

/** Which connection an event is about. */
export interface EventPlace {
  /** As `connection.reference()` gives it: no name is in it. */
  readonly reference: string
  readonly provider: string
  /** Not of what sweeping ends: it knows references alone. Keep them beside your users, to find whose they are. */
  readonly names?: { readonly tenant: string; readonly subject: string | undefined; readonly connection: string }
}

/** How a revocation ended. `unconfirmed`: the provider has not answered in all the time that the token was kept for it. */
export type RevocationOutcome = 'revoked' | 'already_gone' | 'unsupported' | 'unconfirmed'

export type CredentialEvent =
  | ({ readonly type: 'saved' | 'refreshed' | 'disconnected' } & EventPlace)
  | ({ readonly type: 'refresh_failed'; readonly code: string } & EventPlace)
  | ({ readonly type: 'reauthorisation_required'; readonly reason: ReauthorisationReason } & EventPlace)
  | ({ readonly type: 'revocation'; readonly outcome: RevocationOutcome } & EventPlace)

/** Called behind what it tells of. What it throws is dropped: nothing that has happened is undone by it. */
export type OnEvent = (event: CredentialEvent) => void
