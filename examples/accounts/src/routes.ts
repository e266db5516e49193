/** What is answered to whom. */

import type { IncomingMessage } from 'node:http'

import type { z } from 'zod'

import { cancelOrganisation, certificateOf, deleteAccount, deleteMember, recover } from './deletion.ts'
import type { Member } from './documents.ts'
import { Refusal } from './errors.ts'
import { changeProfile, colleague, correctMember, profileOf, team } from './profile.ts'
import { Deletion, Invite, LogIn, ProfileChange, readBody, RecoveryCode, SignUp, tokenOf } from './requests.ts'
import { logIn, logOut, whoCalls } from './sessions.ts'
import { invite, signUp } from './sign-up.ts'
import type { Store } from './store.ts'

interface Call {
  readonly store: Store
  readonly request: IncomingMessage
  /** The one in the path, if there is one. */
  readonly id: string
}

export interface Answer {
  readonly status: number
  readonly body?: object
}

const DONE: Answer = { status: 204 }

type Route = (call: Call) => Promise<Answer>

export const ROUTES: Readonly<Record<string, Route>> = {
  'POST /accounts': anyone(SignUp, async (store, body) => created({ id: await signUp(store, body) })),
  'POST /session': anyone(LogIn, async (store, body) => created({ token: await logIn(store, body) })),
  'DELETE /session': async ({ store, request }) => {
    await logOut(store, tokenOf(request))
    return DONE
  },
  'GET /me': member(async ({ store }, me) => ok(await profileOf(store, me))),
  'PATCH /me': member(async ({ store, request }, me) => {
    await changeProfile(store, me, await readBody(request, ProfileChange))
    return DONE
  }),
  'DELETE /me': member(async ({ store, request }, me) => {
    const { password } = await readBody(request, Deletion)
    return { status: 202, body: await deleteAccount(store, me, password) }
  }),
  'POST /recovery': anyone(RecoveryCode, async (store, { recovery }) => {
    await recover(store, recovery)
    return DONE
  }),
  'GET /team': member(async ({ store }, me) => ok({ members: await team(store, me) })),
  'GET /team/:id': member(async ({ store, id }, me) => ok(await colleague(store, me, id))),
  'PATCH /team/:id': owner(async ({ store, request, id }, me) => {
    await correctMember(store, me, id, await readBody(request, ProfileChange))
    return DONE
  }),
  'DELETE /team/:id': owner(async ({ store, id }, me) => ({ status: 202, body: await deleteMember(store, me, id) })),
  'DELETE /organisation': owner(async ({ store, request }, me) => {
    const { password } = await readBody(request, Deletion)
    return { status: 202, body: await cancelOrganisation(store, me, password) }
  }),
  // Whoever knows the number of an erasure was told it when it was asked for.
  'GET /certificates/:id': async ({ store, id }) => {
    const certificate = await certificateOf(store, id)
    return certificate === undefined ? { status: 202, body: { certificate: null } } : ok({ certificate })
  },
  'POST /invitations': owner(async ({ store, request }, me) => {
    const { role } = await readBody(request, Invite)
    return created({ invitation: await invite(store, me.orgId, role) })
  }),
}

function anyone<T>(schema: z.ZodType<T>, act: (store: Store, body: T) => Promise<Answer>): Route {
  return async ({ store, request }) => act(store, await readBody(request, schema))
}

function member(act: (call: Call, me: Member) => Promise<Answer>): Route {
  return async (call) => act(call, await whoCalls(call.store, tokenOf(call.request)))
}

function owner(act: (call: Call, me: Member) => Promise<Answer>): Route {
  return member(async (call, me) => {
    if (me.role !== 'owner') throw new Refusal(403, 'owners_only')
    return act(call, me)
  })
}

function ok(body: object): Answer {
  return { status: 200, body }
}

function created(body: object): Answer {
  return { status: 201, body }
}
