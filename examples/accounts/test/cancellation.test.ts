// An organisation that cancels: its content is gone at once, and comes back from nowhere.
import { afterEach, expect, test, vi } from 'vitest'

import type { Answered } from '../../../tools/services/programs.mjs'
import { findSecrets, storedBytes } from '../../../tools/services/stored-bytes.mjs'
import { credentials, describeOnServer, invite, type LoggedIn, logIn, teamNames, today, untilErased } from './support.ts'

const COLLECTIONS = ['organisations', 'accounts', 'sessions', 'invitations', 'recoveries'] as const
// As long as another process may use a key: the vault's bound, should it hear nothing of the change.
const BOUND = { timeout: 30_000, interval: 50 }

describeOnServer(
  'cancellation',
  (ground) => {
    afterEach(today)

    test('[S1] a cancelled organisation is gone at once, in every process, also from a copy of its data; no other one is', async () => {
      const { service } = ground
      const another = await ground.start()
      const ada = await ground.signUp(await ground.organisation('Canary Acme'), { name: 'Canary Ada', email: 'canary.ada@example.com' })
      const bob = await ground.signUp(await invite(service, ada), { name: 'Canary Bob' })
      const eve = await ground.signUp(await ground.organisation('Rival'), { name: 'Eve' })
      const invitation = await invite(service, ada, 'owner')
      const leaving = await ground.signUp(await invite(service, ada))
      const { body: left } = await service.call('DELETE', '/me', { token: leaving.token, body: { password: leaving.password } })
      expect(await teamNames(another, ada)).toEqual(['Canary Ada', 'Canary Bob'])
      const orgId = String((await ground.storedOne('accounts', { _id: ada.id }))['orgId'])
      const copies = await Promise.all(COLLECTIONS.map((name) => ground.stored(name).find().toArray()))

      const cancelling = (person: LoggedIn, password = person.password): Promise<Answered> =>
        service.call('DELETE', '/organisation', { token: person.token, body: { password } })
      expect([(await cancelling(bob)).status, (await cancelling(ada, 'wrong')).status]).toEqual([403, 403])
      const cancelled = await cancelling(ada)
      expect([cancelled.status, cancelled.body]).toEqual([202, { erasure: expect.any(String), until: expect.any(String) }])
      const gone = async (by: typeof service): Promise<void> => {
        for (const person of [ada, bob]) {
          expect([401, 410]).toContain((await by.call('GET', '/me', { token: person.token })).status)
          expect((await by.call('POST', '/session', { body: credentials(person) })).status).toBe(401)
        }
        const signUp = { email: 'new@example.com', name: 'New', password: 'password of nobody', invitation }
        expect([403, 410]).toContain((await by.call('POST', '/accounts', { body: signUp })).status)
        const recovering = await by.call('POST', '/recovery', { body: { recovery: left?.['recovery'] } })
        expect([403, 410]).toContain(recovering.status)
      }
      await gone(service)
      await vi.waitFor(() => gone(another), BOUND)
      // Nobody has to wait for the documents: that they go too, sweeping sees to.
      await untilErased(ground, cancelled)
      const theirs = { $or: [{ orgId }, { _id: orgId }] }
      for (const name of COLLECTIONS) expect([name, await ground.stored(name).countDocuments(theirs)]).toEqual([name, 0])
      const secrets = [ada.email, ada.name, ada.id, bob.email, bob.id, leaving.id, 'Canary Acme', orgId]
      const found = findSecrets(await storedBytes(ground.client, ground.database), secrets)
      expect(found).toEqual([])

      // From a backup of the data: nothing of it opens, and it is removed again.
      for (const [i, name] of COLLECTIONS.entries()) {
        const documents = copies[i]?.filter(({ _id, ...rest }) => _id === orgId || rest['orgId'] === orgId) ?? []
        expect([name, documents.length > 0]).toEqual([name, true])
        await ground.stored(name).insertMany(documents)
      }
      await gone(service)
      await gone(await ground.start())
      const { resources, withoutReplay } = JSON.parse(await ground.programs.run('replay')) as {
        readonly resources: readonly { readonly name: string; readonly removed: number }[]
        readonly withoutReplay: readonly string[]
      }
      expect([resources.map(({ name, removed }) => [name, removed > 0]), withoutReplay]).toEqual([
        COLLECTIONS.map((name) => [name, true]),
        [],
      ])
      expect(findSecrets(await storedBytes(ground.client, ground.database), secrets)).toEqual([])

      expect(await teamNames(another, { ...eve, token: await logIn(another, eve) })).toEqual(['Eve'])
      expect((await another.call('GET', '/me', { token: eve.token })).body).toMatchObject({ organisation: 'Rival' })
    })
  },
  { cacheBound: 500 },
)
