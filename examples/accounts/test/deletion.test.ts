// A deleted account: read by nobody, whatever is put back, and its address is free again, whenever the process was killed.
import { fileURLToPath } from 'node:url'

import { field } from '@strongroom/core'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { z } from 'zod'

import type { Answered, Service } from '../../../tools/services/programs.mjs'
import { credentials, describeOnServer, invite, type LoggedIn, logIn, teamNames } from './support.ts'

const ANYTHING = field('anything', 'anything', z.string())
const DIE = fileURLToPath(new URL('preload/die.mjs', import.meta.url))
// As long as another process may use a key: the vault's bound, should it hear nothing of the change.
const BOUND = { timeout: 90_000, interval: 50 }

describeOnServer('deletion', (ground) => {
  let owner: LoggedIn
  let another: Service
  beforeAll(async () => {
    owner = await ground.signUp(await ground.organisation(), { name: 'Owner' })
    another = await ground.start()
  })
  afterEach(() => vi.unstubAllEnvs())

  const deleting = (service: Service, { token, password }: LoggedIn): Promise<Answered> =>
    service.call('DELETE', '/me', { token, body: { password } })

  test('a deleted account neither logs in nor is read, by any process; its address signs up again', async () => {
    const ada = await ground.signUp(await invite(ground.service, owner), { name: 'Ada' })
    const elsewhere = await logIn(another, ada)
    expect(await teamNames(another, owner)).toEqual(['Ada', 'Owner'])
    expect(await deleting(ground.service, { ...ada, password: 'wrong' })).toEqual({ status: 403, body: { error: 'wrong_password' } })
    expect((await another.call('GET', '/me', { token: elsewhere })).status).toBe(200)

    expect((await deleting(ground.service, ada)).status).toBe(204)
    for (const service of [ground.service, another]) {
      for (const token of [ada.token, elsewhere]) expect((await service.call('GET', '/me', { token })).status).toBe(401)
      expect((await service.call('POST', '/session', { body: credentials(ada) })).status).toBe(401)
      expect((await service.call('GET', `/team/${ada.id}`, { token: owner.token })).status).toBe(404)
      expect(await teamNames(service, owner)).toEqual(['Owner'])
    }
    for (const collection of ['accounts', 'sessions']) {
      const left = await ground
        .stored(collection)
        .find({ $or: [{ _id: ada.id }, { accountId: ada.id }] })
        .toArray()
      expect([collection, left]).toEqual([collection, []])
    }

    const again = await ground.signUp(await invite(ground.service, owner), { email: ada.email.toUpperCase(), name: 'Ada again' })
    expect(again.id).not.toBe(ada.id)
    expect(await teamNames(another, owner)).toEqual(['Ada again', 'Owner'])
    expect((await deleting(another, again)).status).toBe(204)
  })

  test('her documents from a backup are put back: nobody reads them, and she does not log in', async () => {
    const ada = await ground.signUp(await invite(ground.service, owner), { name: 'Ada Canary' })
    await logIn(another, ada)
    const account = await ground.storedOne('accounts', { _id: ada.id })
    const session = await ground.storedOne('sessions', { accountId: ada.id })
    expect((await deleting(ground.service, ada)).status).toBe(204)
    await ground.stored('accounts').insertOne(account)
    await ground.stored('sessions').insertOne(session)

    const fresh = await ground.start()
    await vi.waitFor(async () => expect((await another.call('GET', `/team/${ada.id}`, { token: owner.token })).status).toBe(410), BOUND)
    for (const service of [ground.service, another, fresh]) {
      expect((await service.call('GET', '/me', { token: ada.token })).status).toBe(410)
      expect((await service.call('POST', '/session', { body: credentials(ada) })).status).toBe(401)
      expect((await service.call('GET', `/team/${ada.id}`, { token: owner.token })).status).toBe(410)
      expect(await teamNames(service, owner)).toEqual(['Owner'])
    }
    // The unique index counts what nobody can read; without the document the address is free.
    const signUp = { ...credentials(ada), name: 'Ada again', invitation: await invite(ground.service, owner) }
    expect(await fresh.call('POST', '/accounts', { body: signUp })).toEqual({ status: 409, body: { error: 'email_taken' } })
    await ground.stored('accounts').deleteOne({ _id: ada.id })
    expect((await fresh.call('POST', '/accounts', { body: signUp })).status).toBe(201)
  })

  test('the last owner is deleted like anybody else: the others stay, and none of them can invite', async () => {
    const last = await ground.signUp(await ground.organisation('Left'), { name: 'Last' })
    const bob = await ground.signUp(await invite(ground.service, last), { name: 'Bob' })
    expect((await deleting(ground.service, last)).status).toBe(204)
    expect(await teamNames(ground.service, bob)).toEqual(['Bob'])
    expect((await ground.service.call('POST', '/invitations', { token: bob.token, body: { role: 'member' } })).status).toBe(403)
  })

  // Before her document says so; before the first write of the shred, and before the one that destroys the key; when the key is gone; when only
  // her document is left.
  const MID_SHRED = 'insertOne strongroom_state, replaceOne strongroom_keys'
  test.each(['updateOne accounts', 'insertOne strongroom_state', MID_SHRED, 'deleteMany sessions', 'deleteMany accounts'])(
    'killed before %s',
    async (call) => {
      const ada = await ground.signUp(await invite(ground.service, owner))
      vi.stubEnv('DIE_BEFORE', call)
      const dying = await ground.start('--import', DIE)
      vi.unstubAllEnvs()
      await expect(deleting(dying, ada)).rejects.toThrow('fetch failed')
      expect(await dying.ended).toBe('SIGKILL')

      const begun = call !== 'updateOne accounts'
      // Not only when it has been finished.
      expect((await another.call('POST', '/session', { body: credentials(ada) })).status).toBe(begun ? 401 : 201)
      expect([200, 401, 410]).toContain((await another.call('GET', '/me', { token: ada.token })).status)
      expect((await another.call('GET', '/me', { token: ada.token })).status === 200).toBe(!begun)
      expect(await ground.stored('accounts').countDocuments({ _id: ada.id })).toBe(1)

      const next = await ground.start()
      expect(await ground.stored('accounts').countDocuments({ _id: ada.id })).toBe(begun ? 0 : 1)
      const { orgId } = await ground.storedOne('accounts', { _id: owner.id })
      const encrypted = ground.withStore(({ vault }) => vault.tenant(orgId).subject(ada.id).encrypt(ANYTHING, ''))
      if (begun) await expect(encrypted).rejects.toMatchObject({ code: 'shredded' })
      else await encrypted
      if (!begun) expect((await deleting(next, ada)).status).toBe(204)
      const again = await ground.signUp(await invite(ground.service, owner), { email: ada.email })
      expect((await deleting(next, again)).status).toBe(204)
    },
  )
})
