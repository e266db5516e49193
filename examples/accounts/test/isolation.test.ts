// Two organisations in one database: what they see of each other, and what someone gains who can write the database but has no keys.
import { createHash, randomBytes } from 'node:crypto'

import { beforeAll, expect, test } from 'vitest'

import type { Answered } from '../../../tools/services/programs.mjs'
import { describeOnServer, invite, type LoggedIn, teamNames } from './support.ts'

const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url')
const INTERNAL = { status: 500, body: { error: 'internal' } }

describeOnServer(
  'isolation',
  (ground) => {
    let ada: LoggedIn
    let bob: LoggedIn
    let eve: LoggedIn
    beforeAll(async () => {
      ada = await ground.signUp(await ground.organisation('Acme'), { name: 'Ada' })
      bob = await ground.signUp(await invite(ground.service, ada), { name: 'Bob' })
      eve = await ground.signUp(await ground.organisation('Rival'), { name: 'Eve' })
    })
    const get = (path: string, { token }: { readonly token: string }): Promise<Answered> => ground.service.call('GET', path, { token })
    const me = ({ id, email, name }: LoggedIn, role: string): object => ({ id, email, name, role })

    test('[K3] members see their own organisation and no other, by no call; roles decide who invites', async () => {
      expect(await teamNames(ground.service, ada)).toEqual(['Ada', 'Bob'])
      expect(await teamNames(ground.service, bob)).toEqual(['Ada', 'Bob'])
      expect(await teamNames(ground.service, eve)).toEqual(['Eve'])
      expect(await get(`/team/${ada.id}`, bob)).toEqual({ status: 200, body: me(ada, 'owner') })
      // As for an id that there is not.
      const nobody = await get('/team/00000000-0000-4000-8000-000000000000', eve)
      expect(nobody).toEqual({ status: 404, body: { error: 'not_found' } })
      for (const other of [ada, bob]) expect(await get(`/team/${other.id}`, eve)).toEqual(nobody)
      expect(await get(`/team/${eve.id}`, ada)).toEqual(nobody)

      const invitation = { token: bob.token, body: { role: 'member' } }
      expect(await ground.service.call('POST', '/invitations', invitation)).toEqual({ status: 403, body: { error: 'owners_only' } })
      const zoe = await ground.signUp(await invite(ground.service, eve), { name: 'Zoe' })
      expect(await teamNames(ground.service, zoe)).toEqual(['Eve', 'Zoe'])
      expect(await teamNames(ground.service, ada)).toEqual(['Ada', 'Bob'])
      await ground.service.call('DELETE', '/me', { token: zoe.token, body: { password: zoe.password } })
    })

    test('[K3] what is moved from one organisation to another in the database opens in neither: not the filter keeps them apart, but keys', async () => {
      const accounts = ground.stored('accounts')
      const [hers, eves] = [await ground.storedOne('accounts', { _id: ada.id }), await ground.storedOne('accounts', { _id: eve.id })]
      await accounts.updateOne({ _id: ada.id }, { $set: { orgId: eves['orgId'] } })
      for (const path of ['/team', `/team/${ada.id}`]) expect(await get(path, eve)).toEqual(INTERNAL)
      expect((await get('/me', ada)).status).toBe(401)
      await accounts.replaceOne({ _id: ada.id }, hers)
      expect((await get('/me', ada)).status).toBe(200)

      for (const path of ['name', 'role', 'password', 'email.c']) {
        const value = path === 'email.c' ? hers['email'].c : hers[path]
        await accounts.updateOne({ _id: eve.id }, { $set: { [path]: value } })
        const answered = await ground.service.call('POST', '/session', { body: { email: eve.email, password: eve.password } })
        expect([path, answered]).toEqual([path, INTERNAL])
        await accounts.replaceOne({ _id: eve.id }, eves)
      }
      expect(await get('/me', eve)).toMatchObject({ status: 200, body: { name: 'Eve' } })
      expect(ground.service.printed()).toContain('decrypt_failed')
    })

    test('[K3] within an organisation nobody becomes an owner by what the database is made to say', async () => {
      const accounts = ground.stored('accounts')
      const [hers, his] = [await ground.storedOne('accounts', { _id: ada.id }), await ground.storedOne('accounts', { _id: bob.id })]
      await accounts.updateOne({ _id: bob.id }, { $set: { role: hers['role'] } })
      expect(await get('/me', bob)).toEqual(INTERNAL)
      await accounts.updateOne({ _id: bob.id }, { $set: { role: 'owner' } })
      expect(await get('/me', bob)).toEqual(INTERNAL)
      await accounts.replaceOne({ _id: bob.id }, his)
      expect((await get('/me', bob)).body).toMatchObject({ role: 'member' })
    })

    test('[K3] nobody makes a session of somebody else by what the database is made to say', async () => {
      const sessions = ground.stored('sessions')
      const [hers, eves] = [
        await ground.storedOne('sessions', { accountId: ada.id }),
        await ground.storedOne('sessions', { accountId: eve.id }),
      ]
      const { _id, orgId, accountId } = hers
      // Her session under a token that Eve knows.
      const token = randomBytes(32).toString('base64url')
      await sessions.insertOne({ ...hers, _id: hashOf(token) })
      expect(await get('/me', { token })).toEqual(INTERNAL)
      // Eve's own, made out to her.
      await sessions.updateOne({ _id: eves._id }, { $set: { orgId, accountId } })
      expect(await get('/me', eve)).toEqual(INTERNAL)
      await sessions.replaceOne({ _id: eves._id }, eves)
      expect((await get('/me', eve)).body).toMatchObject({ name: 'Eve' })
      expect((await get('/me', ada)).body).toMatchObject({ name: 'Ada' })
      expect(_id).toBe(hashOf(ada.token))
    })

    test('[K3] an invitation leads into the organisation that it is of, in the role that it is for', async () => {
      const invitations = ground.stored('invitations')
      const invitation = await invite(ground.service, eve)
      const made = await ground.storedOne('invitations', { _id: hashOf(invitation) })
      const { orgId } = await ground.storedOne('accounts', { _id: ada.id })
      const signUp = (): Promise<Answered> =>
        ground.service.call('POST', '/accounts', {
          body: { invitation, email: 'mallory@example.com', name: 'M', password: 'password of M' },
        })
      for (const change of [{ orgId }, { role: 'owner' }]) {
        await invitations.updateOne({ _id: hashOf(invitation) }, { $set: change })
        expect(await signUp()).toEqual(INTERNAL)
        await invitations.replaceOne({ _id: hashOf(invitation) }, made)
      }
      expect((await signUp()).status).toBe(201)
      expect(await teamNames(ground.service, eve)).toEqual(['Eve', 'M'])
    })

    test('what is not kept apart: a copy of a session, or of an invitation, that is put back counts again', async () => {
      const zoe = await ground.signUp(await invite(ground.service, eve), { name: 'Zoe' })
      const session = await ground.storedOne('sessions', { accountId: zoe.id })
      expect((await ground.service.call('DELETE', '/session', { token: zoe.token })).status).toBe(204)
      expect((await get('/me', zoe)).status).toBe(401)
      await ground.stored('sessions').insertOne(session)
      expect((await get('/me', zoe)).status).toBe(200)

      const invitation = await invite(ground.service, eve)
      const made = await ground.storedOne('invitations', { _id: hashOf(invitation) })
      await ground.signUp(invitation)
      await ground.stored('invitations').insertOne(made)
      await ground.signUp(invitation)
    })
  },
  { quick: true },
)
