// An organisation answers for its members: its owners correct and delete what is theirs, and nobody else's.
import { afterEach, beforeAll, expect, test } from 'vitest'

import { credentials, describeOnServer, invite, type LoggedIn, logIn, teamNames, today, untilErased } from './support.ts'

describeOnServer(
  'on behalf of an organisation',
  (ground) => {
    let owner: LoggedIn
    let bob: LoggedIn
    let rival: LoggedIn
    beforeAll(async () => {
      owner = await ground.signUp(await ground.organisation('Acme'), { name: 'Owner' })
      bob = await ground.signUp(await invite(ground.service, owner), { name: 'Bob' })
      rival = await ground.signUp(await ground.organisation('Rival'), { name: 'Rival' })
    })
    afterEach(today)

    test('[X4] an owner corrects the data of a member of her own organisation, and of no other', async () => {
      const { service } = ground
      const change = { name: 'Robert', email: 'robert@example.com' }
      for (const [by, status] of [
        [bob, 403],
        [rival, 404],
      ] as const) {
        expect((await service.call('PATCH', `/team/${owner.id}`, { token: by.token, body: change })).status).toBe(status)
        expect((await service.call('PATCH', `/team/${bob.id}`, { token: by.token, body: change })).status).toBe(status)
      }
      expect(await teamNames(service, owner)).toEqual(['Bob', 'Owner'])
      expect((await service.call('PATCH', `/team/${bob.id}`, { token: owner.token, body: change })).status).toBe(204)
      expect((await service.call('GET', '/me', { token: bob.token })).body).toMatchObject({ id: bob.id, ...change })
      await logIn(service, { ...bob, ...change })
      expect((await service.call('POST', '/session', { body: credentials(bob) })).status).toBe(401)
      const taken = { email: owner.email }
      expect((await service.call('PATCH', `/team/${bob.id}`, { token: owner.token, body: taken })).status).toBe(409)
      // What is nobody's gets no key by being asked for.
      const nobody = '00000000-0000-4000-8000-000000000000'
      expect((await service.call('PATCH', `/team/${nobody}`, { token: owner.token, body: change })).status).toBe(404)
      const orgId = String((await ground.storedOne('accounts', { _id: bob.id }))['orgId'])
      await ground.withStore(async ({ vault }) => expect(await vault.tenant(orgId).subject(nobody).state()).toBe('absent'))
      bob = { ...bob, ...change }
    })

    test('[X4] an owner has a member deleted, at once, and nobody of another organisation', async () => {
      const { service } = ground
      const zoe = await ground.signUp(await invite(service, owner), { name: 'Zoe' })
      for (const [by, status] of [
        [bob, 403],
        [rival, 404],
      ] as const)
        expect((await service.call('DELETE', `/team/${zoe.id}`, { token: by.token })).status).toBe(status)
      expect((await service.call('GET', '/me', { token: zoe.token })).status).toBe(200)
      const deleted = await service.call('DELETE', `/team/${zoe.id}`, { token: owner.token })
      expect([deleted.status, deleted.body]).toEqual([202, { erasure: expect.any(String), until: expect.any(String) }])
      expect([401, 410]).toContain((await service.call('GET', '/me', { token: zoe.token })).status)
      expect((await service.call('POST', '/session', { body: credentials(zoe) })).status).toBe(401)
      expect(await teamNames(service, owner)).toEqual([bob.name, 'Owner'].toSorted())
      await untilErased(ground, deleted)
      expect(await ground.stored('accounts').countDocuments({ _id: zoe.id })).toBe(0)
      expect(await ground.stored('sessions').countDocuments({ accountId: zoe.id })).toBe(0)
      expect((await service.call('DELETE', `/team/${zoe.id}`, { token: owner.token })).status).toBe(404)
      // The others of the organisation, and those of the other one, are there.
      for (const person of [bob, rival]) expect((await service.call('GET', '/me', { token: person.token })).status).toBe(200)
    })
  },
  { cacheBound: 500 },
)
