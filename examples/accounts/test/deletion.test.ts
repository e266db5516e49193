// A deleted account: read by nobody from then on, brought back by its own code alone, whatever is put back or written, and whenever a process
// was killed.
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeAll, expect, test, vi } from 'vitest'

import type { Answered, Service } from '../../../tools/services/programs.mjs'
import { hashOf } from '../dist/tokens.js'
import { credentials, describeOnServer, invite, type LoggedIn, logIn, teamNames, today, untilErased } from './support.ts'

const DIE = fileURLToPath(new URL('preload/die.mjs', import.meta.url))
// As long as another process may use a key: the vault's bound, should it hear nothing of the change.
const BOUND = { timeout: 30_000, interval: 50 }
const LEFT = { status: 403, body: { error: 'recovery_invalid' } }

describeOnServer(
  'deletion',
  (ground) => {
    let owner: LoggedIn
    let another: Service
    beforeAll(async () => {
      owner = await ground.signUp(await ground.organisation(), { name: 'Owner' })
      another = await ground.start()
    })
    afterEach(today)

    const deleting = (service: Service, { token, password }: LoggedIn): Promise<Answered> =>
      service.call('DELETE', '/me', { token, body: { password } })
    const recovering = (service: Service, recovery: unknown): Promise<Answered> => service.call('POST', '/recovery', { body: { recovery } })
    const codeOf = async (person: LoggedIn): Promise<string> => String((await deleting(ground.service, person)).body?.['recovery'])

    test('neither logs in nor is read, by any process, and nobody takes its address; its code brings it back, once', async () => {
      const ada = await ground.signUp(await invite(ground.service, owner), { name: 'Ada' })
      const elsewhere = await logIn(another, ada)
      expect(await teamNames(another, owner)).toEqual(['Ada', 'Owner'])
      expect(await deleting(ground.service, { ...ada, password: 'wrong' })).toEqual({ status: 403, body: { error: 'wrong_password' } })
      expect((await another.call('GET', '/me', { token: elsewhere })).status).toBe(200)

      const code = await codeOf(ada)
      const isAway = async (service: Service): Promise<void> => {
        for (const token of [ada.token, elsewhere]) expect((await service.call('GET', '/me', { token })).status).toBe(410)
        expect((await service.call('POST', '/session', { body: credentials(ada) })).status).toBe(401)
        expect((await service.call('GET', `/team/${ada.id}`, { token: owner.token })).status).toBe(404)
        expect(await teamNames(service, owner)).toEqual(['Owner'])
      }
      await isAway(ground.service)
      await vi.waitFor(() => isAway(another), BOUND)
      const signUp = { ...credentials(ada), name: 'Ada again', invitation: await invite(ground.service, owner) }
      expect(await another.call('POST', '/accounts', { body: signUp })).toEqual({ status: 409, body: { error: 'email_taken' } })

      expect((await recovering(another, code)).status).toBe(204)
      await vi.waitFor(async () => {
        for (const service of [ground.service, another]) {
          expect((await service.call('GET', '/me', { token: elsewhere })).body).toMatchObject({ id: ada.id, name: 'Ada' })
          expect(await teamNames(service, owner)).toEqual(['Ada', 'Owner'])
        }
      }, BOUND)
      expect(await recovering(ground.service, code)).toEqual(LEFT)
      // Deleted anew, with another code.
      const next = await codeOf(ada)
      expect([next === code, await recovering(another, code)]).toEqual([false, LEFT])
      expect((await recovering(another, next)).status).toBe(204)
      await deleting(ground.service, ada)
    })

    test('who can write the database, but has no keys, brings nobody back, and has nobody deleted', async () => {
      const [ada, bob] = [
        await ground.signUp(await invite(ground.service, owner)),
        await ground.signUp(await invite(ground.service, owner)),
      ]
      await codeOf(ada)
      const bobs = await codeOf(bob)
      const hers = await ground.storedOne('accounts', { _id: ada.id })
      const his = await ground.storedOne('recoveries', { _id: hashOf(bobs) })
      const forged = randomBytes(32).toString('base64url')
      const orgId = String(hers['orgId'])
      const removeAt = new Date(Date.now() + 1e12)
      for (const account of [undefined, null, ada.id, hers['name'], his['account']]) {
        await ground.stored('recoveries').insertOne({ _id: hashOf(forged), orgId, account, removeAt })
        expect([account, (await recovering(ground.service, forged)).status]).toEqual([account, 500])
        await ground.stored('recoveries').deleteOne({ _id: hashOf(forged) })
      }
      // Neither by an entry of hers that is given to somebody else, nor by one that is made up.
      const state = ground.client
        .db(`${ground.database}_state`)
        .collection<{ _id: string; value: unknown; key: string }>('strongroom_state')
      const [entry] = await state.find({ namespace: 'strongroom/erasures' }).toArray()
      const ofOwner = await ground.withStore(({ vault }) => vault.tenant(orgId).subject(owner.id).references())
      const { _id: _, ...rest } = entry as { _id: string; value: unknown; key: string }
      const key = [rest.key.split('/')[0], ...ofOwner, 'open'].join('/')
      await state.insertOne({ ...rest, _id: `strongroom/erasures ${key}`, key } as never)
      for (const service of [ground.service, await ground.start()])
        expect((await service.call('GET', '/me', { token: owner.token })).body).toMatchObject({ name: 'Owner' })
      await state.deleteOne({ key })
      expect((await recovering(ground.service, bobs)).status).toBe(204)
    })

    test('her documents from a backup are put back: nobody reads them, until they are removed again her address stays taken', async () => {
      const ada = await ground.signUp(await invite(ground.service, owner), { name: 'Ada Canary' })
      const account = await ground.storedOne('accounts', { _id: ada.id })
      const session = await ground.storedOne('sessions', { accountId: ada.id })
      await untilErased(ground, await ground.service.call('DELETE', `/team/${ada.id}`, { token: owner.token }))
      await ground.stored('accounts').insertOne(account)
      await ground.stored('sessions').insertOne(session)

      const fresh = await ground.start()
      for (const service of [ground.service, another, fresh]) {
        expect((await service.call('GET', '/me', { token: ada.token })).status).toBe(410)
        expect((await service.call('POST', '/session', { body: credentials(ada) })).status).toBe(401)
        expect((await service.call('GET', `/team/${ada.id}`, { token: owner.token })).status).toBe(404)
        expect(await teamNames(service, owner)).not.toContain('Ada Canary')
      }
      const signUp = { ...credentials(ada), name: 'Ada again', invitation: await invite(ground.service, owner) }
      expect(await fresh.call('POST', '/accounts', { body: signUp })).toEqual({ status: 409, body: { error: 'email_taken' } })
      await ground.programs.run('replay')
      expect((await fresh.call('POST', '/accounts', { body: signUp })).status).toBe(201)
      expect(await ground.stored('sessions').countDocuments({ accountId: ada.id })).toBe(0)
    })

    test('the last owner is deleted like anybody else: the others stay, and none of them can invite', async () => {
      const last = await ground.signUp(await ground.organisation('Left'), { name: 'Last' })
      const bob = await ground.signUp(await invite(ground.service, last), { name: 'Bob' })
      expect((await deleting(ground.service, last)).status).toBe(202)
      expect(await teamNames(ground.service, bob)).toEqual(['Bob'])
      expect((await ground.service.call('POST', '/invitations', { token: bob.token, body: { role: 'member' } })).status).toBe(403)
    })

    // Before there is a code; before the request is noted, and before it has any effect. Asked for again, it is done.
    test.each(['insertOne recoveries', 'insertOne strongroom_state', 'insertOne strongroom_state, replaceOne strongroom_keys'])(
      'killed before %s',
      async (call) => {
        const ada = await ground.signUp(await invite(ground.service, owner))
        vi.stubEnv('DIE_BEFORE', call)
        const dying = await ground.start('--import', DIE)
        vi.unstubAllEnvs()
        await expect(deleting(dying, ada)).rejects.toThrow('fetch failed')
        expect(await dying.ended).toBe('SIGKILL')
        expect((await ground.service.call('GET', '/me', { token: ada.token })).status).toBe(200)
        expect((await recovering(ground.service, await codeOf(ada))).status).toBe(204)
        expect((await ground.service.call('GET', '/me', { token: ada.token })).body).toMatchObject({ id: ada.id })
        await deleting(ground.service, ada)
      },
    )
  },
  { cacheBound: 500 },
)
