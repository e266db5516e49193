/** Errors of a vault, known by their form: the configuration may bring a copy of core of its own, whose classes are not ours. */

import type { StrongroomErrorCode } from '@strongroom/core'

import { ADVICE } from './advice.ts'

export function isVaultError(error: unknown): error is Error & { readonly code: StrongroomErrorCode } {
  if (!(error instanceof Error) || error.name !== 'StrongroomError' || !('code' in error)) return false
  return typeof error.code === 'string' && Object.hasOwn(ADVICE, error.code)
}
