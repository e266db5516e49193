/** What the database holds. What is not `encrypted` is ids, and an instant by which the database clears up. */

import { encrypted } from '@strongroom/mongo-adapter'
import { z } from 'zod'

export const ROLES = ['owner', 'member'] as const
const Role = encrypted(z.enum(ROLES))
const Instant = encrypted(z.date())

/** A tenant of the vault. Its name is encrypted under a key of its own. */
export const Organisation = z.object({ _id: z.string(), name: encrypted(z.string()) })

/** A person, who is a subject of the organisation. One address is one account, whichever organisation it is in: hence `application`. */
export const Account = z.object({
  _id: z.string(),
  orgId: z.string(),
  email: encrypted(z.string(), { index: { scope: 'application', unique: true, normalize: 'email' } }),
  name: encrypted(z.string()),
  role: Role,
  password: encrypted(z.string()),
})

/**
 * `_id` is the hash of a token. Values are bound to it and open only under the person's key: who can write the database, but has not the
 * keys, makes no session of anybody, and none lasts longer.
 */
export const Session = z.object({ _id: z.string(), orgId: z.string(), accountId: z.string(), expires: Instant, removeAt: z.date() })

/** `_id` is the hash of a code. Under the organisation's key, so that nobody else invites, nor makes an owner of a member. */
export const Invitation = z.object({ _id: z.string(), orgId: z.string(), role: Role, expires: Instant, removeAt: z.date() })

/** `_id` is the hash of a code. Under the organisation's key, since hers opens nothing while she is leaving; so nobody else says whose it is. */
export const Recovery = z.object({ _id: z.string(), orgId: z.string(), account: encrypted(z.string()), removeAt: z.date() })

export type Account = z.output<typeof Account>
export type Role = Account['role']
