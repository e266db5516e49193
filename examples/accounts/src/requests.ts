/** What callers may send: JSON of a few members, of known types, and not much of it. */

import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'

import { z } from 'zod'

import { ROLES } from './documents.ts'
import { Refusal } from './errors.ts'

const MOST_BYTES = 10_000

const Text = z.string().refine((value) => value.isWellFormed())
const Email = Text.trim().max(254).pipe(z.email())
const Name = Text.trim().min(1).max(200)
const Password = Text.max(200)
const Token = z.string().max(100)

export const SignUp = z.strictObject({ invitation: Token, email: Email, name: Name, password: Password.min(12) })
export const LogIn = z.strictObject({ email: Email, password: Password })
export const ProfileChange = z
  .strictObject({ email: Email.exactOptional(), name: Name.exactOptional() })
  .refine((change) => Object.keys(change).length > 0)
export const Deletion = z.strictObject({ password: Password })
export const RecoveryCode = z.strictObject({ recovery: Token })
export const Invite = z.strictObject({ role: z.enum(ROLES) })

export type SignUp = z.output<typeof SignUp>
export type LogIn = z.output<typeof LogIn>
export type ProfileChange = z.output<typeof ProfileChange>

/** @throws Refusal 413, 415, and 400 with the names of the members that are wrong, never their values */
export async function readBody<T>(request: IncomingMessage, schema: z.ZodType<T>): Promise<T> {
  const { 'content-type': type = '', 'content-length': length } = request.headers
  if (!type.startsWith('application/json')) throw new Refusal(415, 'must_be_json')
  // Node reads no more of a body than is announced; one of unknown length is not read.
  if (length === undefined || Number(length) > MOST_BYTES) throw new Refusal(413, 'too_large')
  const { data, error } = schema.safeParse(parsed(await text(request)))
  if (error) throw new Refusal(400, 'invalid', [...new Set(error.issues.map(({ path }) => path.join('.') || 'body'))])
  return data
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw new Refusal(400, 'must_be_json')
  }
}

/** @throws Refusal 401 */
export function tokenOf({ headers }: IncomingMessage): string {
  const [, token] = /^Bearer ([\w-]{43})$/u.exec(headers.authorization ?? '') ?? []
  if (token === undefined) throw new Refusal(401, 'not_logged_in')
  return token
}
