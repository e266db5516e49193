/** What is thrown of a connection that cannot be used. */

import { StrongroomError } from '@strongroom/core'

export function notConnected(): StrongroomError {
  return new StrongroomError('not_found', 'there is no such connection: it was never made, or was disconnected; have the customer connect')
}

export function isNotConnected(error: unknown): boolean {
  return error instanceof StrongroomError && error.code === notConnected().code
}

export function reauthorisationRequired(): StrongroomError {
  return new StrongroomError(
    'reauthorisation_required',
    'the tokens of this connection are no longer good, or nobody knows whether they are: have the customer connect again',
  )
}
