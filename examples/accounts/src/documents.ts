/** What the service reads and writes. What of it is encrypted, the data layers say: collections/marks.ts and models/models.ts, the same. */

import { z } from 'zod'

export const ROLES = ['owner', 'member'] as const
const Role = z.enum(ROLES)

/** A tenant of the vault. Its name is encrypted under a key of its own. */
export const Organisation = z.object({ _id: z.string(), name: z.string() })

/** A person, who is a subject of the organisation. */
export const Account = z.object({
  _id: z.string(),
  orgId: z.string(),
  email: z.string(),
  name: z.string(),
  role: Role,
  password: z.string(),
})

/** An account without its password: whoever has logged in. */
export const Member = Account.omit({ password: true })

/**
 * `_id` is the hash of a token. Values are bound to it and open only under the person's key: who can write the database, but has not the
 * keys, makes no session of anybody, and none lasts longer. By `removeAt`, which is plain, the database clears up.
 */
export const Session = z.object({ _id: z.string(), orgId: z.string(), accountId: z.string(), expires: z.date(), removeAt: z.date() })

/** `_id` is the hash of a code. Under the organisation's key, so that nobody else invites, nor makes an owner of a member. */
export const Invitation = z.object({ _id: z.string(), orgId: z.string(), role: Role, expires: z.date(), removeAt: z.date() })

/** `_id` is the hash of a code. Under the organisation's key, since hers opens nothing while she is leaving; so nobody else says whose it is. */
export const Recovery = z.object({ _id: z.string(), orgId: z.string(), account: z.string(), removeAt: z.date() })

export type Organisation = z.output<typeof Organisation>
export type Account = z.output<typeof Account>
export type Member = z.output<typeof Member>
export type Role = Account['role']
export type Session = z.output<typeof Session>
export type Invitation = z.output<typeof Invitation>
export type Recovery = z.output<typeof Recovery>
