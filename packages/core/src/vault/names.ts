/** Arguments that name things, checked before anything else happens. */

import { invalidArgument } from '../errors.ts'
import { utf8 } from '../format/bytes.ts'
import type { NodeKind } from '../format/records.ts'
import { type Step, textStep } from '../keys/known-refs.ts'

const MAX_NAME_BYTES = 512
const REF = /^[0-9a-f]{32}$/

/**
 * For packages that take names: refuses what cannot be a tenant's, subject's or item's, before a key is made for any of many.
 *
 * @param argument - what it is called in the error
 * @throws StrongroomError `invalid_argument`: no string, empty, longer than 512 bytes of UTF-8, or with lone surrogates
 * @example
 * ```ts
 * import { requireName, type Tenant } from '@strongroom/core'
 *
 * async function unlockAll(tenant: Tenant, ids: readonly string[]) {
 *   for (const id of ids) requireName(id, 'ids')
 *   return tenant.unlockMany(ids)
 * }
 * ```
 */
export function requireName(name: unknown, argument: string): asserts name is string {
  if (typeof name !== 'string' || name.length === 0 || name.length > MAX_NAME_BYTES) throw invalidName(argument)
  if (!name.isWellFormed()) throw invalidArgument(argument, 'must not hold lone surrogates')
  // UTF-8 has at most three bytes for each unit of a string.
  if (name.length > MAX_NAME_BYTES / 3 && utf8(name, argument).length > MAX_NAME_BYTES) throw invalidName(argument)
}

/** The step to a tenant, subject or item. @throws StrongroomError `invalid_argument` */
export function namedStep(kind: NodeKind, name: string, argument: string): Step {
  requireName(name, argument)
  return textStep(kind, name)
}

/** The bytes of a reference in text form. @throws StrongroomError `invalid_argument` */
export function refBytes(ref: unknown, argument: string): Uint8Array {
  if (typeof ref !== 'string' || !REF.test(ref)) throw invalidArgument(argument, 'must be a reference: 32 hexadecimal digits')
  return Uint8Array.from(ref.match(/../gu) ?? [], (digits) => Number.parseInt(digits, 16))
}

function invalidName(argument: string): Error {
  return invalidArgument(argument, `must be a string of 1 to ${MAX_NAME_BYTES} bytes`)
}
