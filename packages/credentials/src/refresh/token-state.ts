/** What a connection's record says of its tokens, and what it says once they change. Without effects. */

import type { CheckedMaterial } from '../kinds/kinds.ts'
import { newId } from '../records/new-id.ts'
import type { ConnectionRecord, Doubt, Intent, ReauthorisationReason } from '../records/record.ts'

/** Whether there is an access token that may be used at this instant. */
export function isUsable({ access, expires }: ConnectionRecord, now: number): boolean {
  return access !== undefined && (expires === undefined || now < expires)
}

/** Whether a new one should be asked for, though the present one may still be good. */
export function wantsRefresh(record: ConnectionRecord, now: number): boolean {
  if (!record.refreshable) return false
  return !isUsable(record, now) || (record.refreshAt !== undefined && now >= record.refreshAt)
}

/** The times of an access token that lives this long from now. */
export function timesOf(lifetime: number | undefined, now: number, ahead: number): Pick<ConnectionRecord, 'expires' | 'refreshAt'> {
  if (lifetime === undefined) return {}
  const expires = Math.floor(now + lifetime)
  return { expires, refreshAt: Math.floor(expires - Math.min(ahead, lifetime / 2)) }
}

/**
 * With an intent, in place of whatever was there. Of how the last request ended it is still told, to those who wait for that one.
 *
 * @param doubt - of the requests before it
 */
export function withIntent(
  before: ConnectionRecord,
  doubt: Doubt | undefined,
  now: number,
): ConnectionRecord & { readonly intent: Intent } {
  const { doubt: _, ...record } = before
  return { ...record, updated: now, intent: { id: newId(), at: now }, ...(doubt === undefined ? {} : { doubt }) }
}

/** What is to be doubted once an intent has come to no known end. */
export function doubtAfter({ doubt }: Pick<ConnectionRecord, 'doubt'>, { at }: Intent): Doubt {
  return { since: Math.min(doubt?.since ?? at, at), requests: (doubt?.requests ?? 0) + 1 }
}

/** With new tokens. Whatever else was written meanwhile, they are newer: nothing but their version is asked for. */
export function withTokens(
  record: ConnectionRecord,
  sealed: Pick<ConnectionRecord, 'access' | 'lasting'>,
  { lifetime, lasting }: Pick<CheckedMaterial, 'lifetime' | 'lasting'>,
  now: number,
  ahead: number,
): ConnectionRecord {
  const {
    intent: _intent,
    doubt: _doubt,
    failure: _failure,
    reason: _reason,
    expires: _expires,
    refreshAt: _refreshAt,
    access: _access,
    ...rest
  } = record
  return {
    ...rest,
    ...sealed,
    ...timesOf(lifetime, now, ahead),
    state: 'live',
    version: record.version + 1,
    updated: now,
    refreshable: record.kind === 'clientCredentials' || lasting !== undefined,
  }
}

/**
 * After a request that had no effect, or that may be repeated.
 *
 * @param pause - milliseconds in which nobody asks again, after so many failures in a row
 */
export function withFailure(
  { intent, ...record }: ConnectionRecord,
  code: string,
  pause: (failures: number) => number,
  now: number,
): ConnectionRecord {
  if (intent === undefined) return record
  const failures = (record.failure?.failures ?? 0) + 1
  return { ...record, updated: now, failure: { intent: intent.id, code, failures, retryAt: now + pause(failures) } }
}

/**
 * Whether nobody asks yet. An instant that is farther away than any pause was written by a clock that is wrong, and holds nobody back.
 *
 * @param most - milliseconds of the longest pause
 */
export function isPaused({ failure }: Pick<ConnectionRecord, 'failure'>, now: number, most: number): boolean {
  return failure !== undefined && now < failure.retryAt && failure.retryAt - now <= most
}

export function withReauthorisation(before: ConnectionRecord, reason: ReauthorisationReason, now: number): ConnectionRecord {
  const { intent: _intent, doubt: _doubt, failure: _failure, ...record } = before
  return { ...record, state: 'reauthorisation_required', reason, updated: now }
}

export function withoutIntent(before: ConnectionRecord, now: number): ConnectionRecord {
  const { intent: _, ...record } = before
  return { ...record, updated: now }
}
