// An encrypted value that is not there was vouched for by nobody: whoever can write the database, but has no keys, gains nothing by leaving
// it out, by `null`, or by one from another document.
import { createHash, randomBytes } from 'node:crypto'

import type { Document } from 'mongodb'
import { beforeAll, expect, test } from 'vitest'

import type { Answered } from '../../../tools/services/programs.mjs'
import { credentials, describeOnServer, invite, type LoggedIn, somebody } from './support.ts'

const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url')
const INTERNAL = { status: 500, body: { error: 'internal' } }
const removeAt = new Date(Date.now() + 1e12)

describeOnServer('absent values', (ground) => {
  let ada: LoggedIn
  let bob: LoggedIn
  let eve: LoggedIn
  let orgId: string
  beforeAll(async () => {
    ada = await ground.signUp(await ground.organisation('Acme'), { name: 'Ada' })
    bob = await ground.signUp(await invite(ground.service, ada), { name: 'Bob' })
    eve = await ground.signUp(await ground.organisation('Rival'), { name: 'Eve' })
    orgId = String((await ground.storedOne('accounts', { _id: ada.id }))['orgId'])
  })

  const signUp = (invitation: string): Promise<Answered> =>
    ground.service.call('POST', '/accounts', { body: { ...somebody(), invitation } })
  const asMember = async (token: string): Promise<readonly Answered[]> => [
    await ground.service.call('GET', '/me', { token }),
    await ground.service.call('GET', '/team', { token }),
    await ground.service.call('PATCH', '/me', { token, body: { name: 'Mallory' } }),
    await ground.service.call('POST', '/invitations', { token, body: { role: 'owner' } }),
  ]

  /** A value as each of those without keys may have it; `undefined`: left out. */
  const forms = (moved: unknown): readonly unknown[] => [undefined, null, moved]
  const withValue = (document: Document, path: string, value: unknown): Document => {
    const { [path]: _, ...rest } = document
    return value === undefined ? rest : { ...rest, [path]: value }
  }

  test('[K3] a session that is made without its time, or with that of another, logs nobody in', async () => {
    const sessions = ground.stored('sessions')
    const others = await ground.storedOne('sessions', { accountId: bob.id })
    for (const expires of forms(others['expires'])) {
      const token = randomBytes(32).toString('base64url')
      const forged = withValue({ orgId, accountId: ada.id, removeAt }, 'expires', expires)
      await sessions.insertOne({ ...forged, _id: hashOf(token) })
      expect([expires, await asMember(token)]).toEqual([expires, [INTERNAL, INTERNAL, INTERNAL, INTERNAL]])
      await sessions.deleteOne({ _id: hashOf(token) })
    }
    expect((await ground.service.call('GET', '/me', { token: ada.token })).body).toMatchObject({ name: 'Ada', role: 'owner' })
  })

  test('[K3] an invitation that is made without its time or its role, or with those of another, lets nobody in', async () => {
    const invitations = ground.stored('invitations')
    const before = await ground.stored('accounts').countDocuments()
    const other = await ground.storedOne('invitations', { _id: hashOf(await invite(ground.service, ada, 'owner')) })
    const code = randomBytes(32).toString('base64url')
    for (const role of forms(other['role']))
      for (const expires of forms(other['expires'])) {
        const forged = withValue(withValue({ orgId, removeAt }, 'role', role), 'expires', expires)
        await invitations.insertOne({ ...forged, _id: hashOf(code) })
        expect([role, expires, await signUp(code)]).toEqual([role, expires, INTERNAL])
        await invitations.deleteOne({ _id: hashOf(code) })
      }
    // One that is genuine, but for one value.
    const invitation = await invite(ground.service, ada)
    const genuine = await ground.storedOne('invitations', { _id: hashOf(invitation) })
    for (const path of ['role', 'expires'])
      for (const value of forms(other[path])) {
        await invitations.replaceOne({ _id: genuine._id }, withValue(genuine, path, value))
        expect([path, value, await signUp(invitation)]).toEqual([path, value, INTERNAL])
      }
    expect(await ground.stored('accounts').countDocuments()).toBe(before)
    await invitations.replaceOne({ _id: genuine._id }, genuine)
    expect((await signUp(invitation)).status).toBe(201)
  })

  test('[K3] an account without a value that a call rests on, or with that of another: the call is not answered', async () => {
    const accounts = ground.stored('accounts')
    const { call } = ground.service
    const [hers, his] = [await ground.storedOne('accounts', { _id: ada.id }), await ground.storedOne('accounts', { _id: bob.id })]
    const { token, password } = ada
    const logIn = (): Promise<Answered> => call('POST', '/session', { body: credentials(ada) })
    const erase = (): Promise<Answered> => call('DELETE', '/me', { token, body: { password } })
    // The unique index lets no index value stand twice: of the address the ciphertext is moved.
    const moved: Document = { ...his, email: { ...hers['email'], c: his['email'].c } }
    for (const path of ['email', 'name', 'role', 'password'])
      for (const value of forms(moved[path])) {
        await accounts.replaceOne({ _id: ada.id }, withValue(hers, path, value))
        // Without an address nobody is found by it.
        const found = path !== 'email' || value === moved['email']
        expect([path, value, (await logIn()).status]).toEqual([path, value, found ? 500 : 401])
        expect([path, value, await erase()]).toEqual([path, value, INTERNAL])
        if (path !== 'password') {
          expect([path, value, await asMember(token)]).toEqual([path, value, [INTERNAL, INTERNAL, INTERNAL, INTERNAL]])
          for (const of of ['/team', `/team/${ada.id}`])
            expect([path, value, of, await call('GET', of, { token: bob.token })]).toEqual([path, value, of, INTERNAL])
        }
      }
    await accounts.replaceOne({ _id: ada.id }, hers)
    expect((await logIn()).status).toBe(201)
    expect((await asMember(token))[0]).toMatchObject({ status: 200, body: { name: 'Ada', role: 'owner' } })
  })

  test('an organisation without its name, or with that of another', async () => {
    const organisations = ground.stored('organisations')
    const its = await ground.storedOne('organisations', { _id: orgId })
    const { orgId: other } = await ground.storedOne('accounts', { _id: eve.id })
    const { name } = await ground.storedOne('organisations', { _id: other })
    const me = (): Promise<Answered> => ground.service.call('GET', '/me', { token: bob.token })
    for (const value of forms(name)) {
      await organisations.replaceOne({ _id: orgId }, withValue(its, 'name', value))
      expect([value, await me()]).toEqual([value, INTERNAL])
    }
    await organisations.deleteOne({ _id: orgId })
    expect(await me()).toEqual(INTERNAL)
    await organisations.insertOne(its as Document & { _id: string })
    expect((await me()).body).toMatchObject({ organisation: 'Acme' })
  })

  test('what is missing is told to the log by its path alone', async () => {
    const token = randomBytes(32).toString('base64url')
    await ground.stored('sessions').insertOne({ _id: hashOf(token), orgId, accountId: ada.id, removeAt })
    const before = ground.service.printed().length
    expect(await ground.service.call('GET', '/me', { token })).toEqual(INTERNAL)
    const { at: _, ...log } = JSON.parse(ground.service.printed().slice(before)) as Record<string, string>
    expect(log).toEqual({ during: 'GET /me', error: 'missing or wrong in a document: expires' })
  })
})
