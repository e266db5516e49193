// Logging in: whoever writes her address in another way is the same person, and nobody else is.
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

import type { Answered } from '../../../tools/services/programs.mjs'
import { hashOf } from '../dist/tokens.js'
import { credentials, describeOnServer, logIn, type Person, somebody } from './support.ts'

const COUNT_HASHES = fileURLToPath(new URL('preload/count-hashes.mjs', import.meta.url))
const REFUSED = { status: 401, body: { error: 'wrong_email_or_password' } }

describeOnServer('log-in', (ground) => {
  const attempt = (person: Person): Promise<Answered> => ground.service.call('POST', '/session', { body: credentials(person) })

  test.each([
    ['Ada@example.COM', 'ada@example.com'],
    ['Ada.King@example.COM', 'ADA.KING@EXAMPLE.COM'],
    ['Ada.Lovelace@example.COM', ' Ada.Lovelace@Example.com\n'],
  ])('by an address that is %s, and is written %j', async (own, email) => {
    const { call } = ground.service
    const person = somebody({ email: own, name: 'Ada' })
    const invitation = await ground.organisation()
    expect((await call('POST', '/accounts', { body: { ...person, invitation } })).status).toBe(201)
    const token = await logIn(ground.service, { ...person, email })
    // As she has written it herself.
    expect((await call('GET', '/me', { token })).body).toMatchObject({ email: own, name: 'Ada' })
  })

  test('a wrong password and an address that nobody has: one answer, and one comparison of the same cost', async () => {
    const service = await ground.start('--import', COUNT_HASHES)
    const ada = await ground.signUp(await ground.organisation())
    const compared = async (person: Person): Promise<unknown> => {
      const before = service.printed().length
      const response = await fetch(`${service.url}/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(credentials(person)),
      })
      const { date: _, ...headers } = Object.fromEntries(response.headers)
      const body: unknown = await response.json()
      return { status: response.status, headers, body, work: service.printed().slice(before) }
    }
    const wrong = await compared({ ...ada, password: 'wrong' })
    expect(wrong).toMatchObject({ ...REFUSED, work: 'compared argon2id v=19 m=19456,t=2,p=1 97\n' })
    expect(await compared({ ...ada, email: 'nobody@example.com' })).toEqual(wrong)
    expect(await compared({ ...ada, email: 'nobody@example.com', password: 'wrong' })).toEqual(wrong)
    expect(await compared(ada)).toMatchObject({ status: 201, work: 'compared argon2id v=19 m=19456,t=2,p=1 97\n' })
  })

  test('an index value that is copied onto the document of another logs nobody in as somebody else', async () => {
    const accounts = ground.stored('accounts')
    const invitation = await ground.organisation()
    const ada = await ground.signUp(invitation)
    const bob = await ground.signUp(await ground.organisation())
    const [hers, his] = [await ground.storedOne('accounts', { _id: ada.id }), await ground.storedOne('accounts', { _id: bob.id })]
    // Each change is one that the unique index lets through.
    for (const email of [{ c: his['email'].c, i: hers['email'].i }, hers['email']]) {
      await accounts.deleteOne({ _id: ada.id })
      await accounts.updateOne({ _id: bob.id }, { $set: { email } })
      for (const password of [ada.password, bob.password]) {
        const { status, body } = await attempt({ ...ada, password })
        expect([status, body]).toEqual([500, { error: 'internal' }])
      }
      await accounts.replaceOne({ _id: bob.id }, his)
      await accounts.insertOne(hers)
    }
    // His password on her document.
    await accounts.updateOne({ _id: ada.id }, { $set: { password: his['password'] } })
    expect((await attempt({ ...ada, password: bob.password })).status).toBe(500)
    await accounts.replaceOne({ _id: ada.id }, hers)
    for (const person of [ada, bob]) expect((await attempt(person)).status).toBe(201)
    expect(await attempt({ ...ada, password: bob.password })).toEqual(REFUSED)
  })

  test('a session ends when she logs out, and when its time is over, which only the keys can change', async () => {
    const { call } = ground.service
    const ada = await ground.signUp(await ground.organisation())
    const other = await logIn(ground.service, ada)
    expect((await call('DELETE', '/session', { token: ada.token })).status).toBe(204)
    expect((await call('GET', '/me', { token: ada.token })).status).toBe(401)
    expect((await call('GET', '/me', { token: other })).status).toBe(200)
    const session = await ground.storedOne('sessions', { _id: hashOf(other) })
    expect(await ground.stored('sessions').countDocuments({ accountId: ada.id })).toBe(1)
    const over = new Date(Date.now() - 1)
    await ground.stored('sessions').deleteOne({ _id: session._id })
    await ground.withStore(({ sessions }) =>
      sessions.add({
        _id: session._id,
        orgId: String(session['orgId']),
        accountId: ada.id,
        expires: over,
        removeAt: session['removeAt'] as Date,
      }),
    )
    expect((await call('GET', '/me', { token: other })).status).toBe(401)
    await ground.stored('sessions').updateMany({ accountId: ada.id }, { $set: { removeAt: new Date(Date.now() + 1e9) } })
    expect((await call('GET', '/me', { token: other })).status).toBe(401)
    await ground.stored('sessions').updateMany({ accountId: ada.id }, { $set: { expires: new Date(Date.now() + 1e9) } })
    expect((await call('GET', '/me', { token: other })).status).toBe(500)
  })
})
