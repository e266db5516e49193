/** Arguments that name things, checked before anything else happens. */

import { invalidArgument } from '../errors.ts'
import { utf8 } from '../format/bytes.ts'
import type { NodeKind } from '../format/records.ts'
import { type Step, textStep } from '../keys/known-refs.ts'

const MAX_NAME_BYTES = 512
const REF = /^[0-9a-f]{32}$/

/** The bytes of a tenant's, subject's or item's name. @throws StrongroomError `invalid_argument` */
export function nameBytes(name: unknown, argument: string): Uint8Array {
  if (typeof name !== 'string' || name.length === 0 || name.length > MAX_NAME_BYTES) throw invalidName(argument)
  const bytes = utf8(name, argument)
  if (bytes.length > MAX_NAME_BYTES) throw invalidName(argument)
  return bytes
}

/** The step to a tenant, subject or item. @throws StrongroomError `invalid_argument` */
export function namedStep(kind: NodeKind, name: string, argument: string): Step {
  return textStep(kind, name, nameBytes(name, argument))
}

/** The bytes of a reference in text form. @throws StrongroomError `invalid_argument` */
export function refBytes(ref: unknown, argument: string): Uint8Array {
  if (typeof ref !== 'string' || !REF.test(ref)) throw invalidArgument(argument, 'must be a reference: 32 hexadecimal digits')
  return Uint8Array.from(ref.match(/../gu) ?? [], (digits) => Number.parseInt(digits, 16))
}

function invalidName(argument: string): Error {
  return invalidArgument(argument, `must be a string of 1 to ${MAX_NAME_BYTES} bytes`)
}
