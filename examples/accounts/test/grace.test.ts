// An account that is deleted: thirty days to come back, and then nothing of it anywhere, with a certificate that says so.
import { verifyCertificate } from '@strongroom/erasure'
import { afterEach, expect, test, vi } from 'vitest'

import type { Answered, Service } from '../../../tools/services/programs.mjs'
import { findSecrets, storedBytes } from '../../../tools/services/stored-bytes.mjs'
import { credentials, DAY, describeOnServer, invite, later, type LoggedIn, logIn, teamNames, today } from './support.ts'

const HALF_AN_HOUR = 1_800_000

// Some thirty programs one after the other, each with a vault to open.
vi.setConfig({ testTimeout: 300_000 })

describeOnServer(
  'grace',
  (ground) => {
    afterEach(today)
    const deleting = (service: Service, { token, password }: LoggedIn): Promise<Answered> =>
      service.call('DELETE', '/me', { token, body: { password } })
    const left = async ({ id }: LoggedIn): Promise<readonly number[]> =>
      Promise.all([ground.stored('accounts').countDocuments({ _id: id }), ground.stored('sessions').countDocuments({ accountId: id })])
    // No time has come before a second sweep has upheld what a first one has seen.
    const sweepTwice = async (at: number): Promise<void> => {
      for (const ahead of [at, at + HALF_AN_HOUR]) {
        later(ahead)
        await ground.programs.run('sweep')
      }
    }

    test('[C4] [K4] deleted: recovered on day 29 with all that there was, gone for good on day 30, certified after the close', async () => {
      const owner = await ground.signUp(await ground.organisation(), { name: 'Owner' })
      const ada = await ground.signUp(await invite(ground.service, owner), { name: 'Canary Ada', email: 'canary.ada@example.com' })
      const bob = await ground.signUp(await invite(ground.service, owner), { name: 'Bob' })
      const orgId = String((await ground.storedOne('accounts', { _id: ada.id }))['orgId'])
      expect((await deleting(ground.service, { ...ada, password: 'wrong' })).status).toBe(403)
      const [hers, his] = await Promise.all([ada, bob].map((person) => deleting(ground.service, person)))
      const until = expect.stringMatching(new RegExp(`^${new Date(Date.now() + 30 * DAY).toISOString().slice(0, 10)}`))
      const answer = { erasure: expect.any(String), recovery: expect.any(String), until }
      expect([hers, his]).toEqual([
        { status: 202, body: answer },
        { status: 202, body: answer },
      ])
      const everybodyElse = async (service: Service, names: readonly string[]): Promise<void> => {
        expect((await service.call('GET', '/me', { token: ada.token })).status).toBe(410)
        expect((await service.call('POST', '/session', { body: credentials(ada) })).status).toBe(401)
        const token = await logIn(service, owner)
        expect((await service.call('GET', `/team/${ada.id}`, { token })).status).toBe(404)
        expect(await teamNames(service, { ...owner, token })).toEqual(names)
      }
      await everybodyElse(ground.service, ['Owner'])
      // One clock at a time.
      expect(await ground.service.stop()).toBe(0)

      await sweepTwice(29 * DAY)
      expect([await left(ada), await left(bob)]).toEqual([
        [1, 1],
        [1, 1],
      ])
      const onDay29 = await ground.start()
      const recover = (service: Service, recovery: unknown): Promise<Answered> => service.call('POST', '/recovery', { body: { recovery } })
      expect(await recover(onDay29, 'x'.repeat(43))).toEqual({ status: 403, body: { error: 'recovery_invalid' } })
      expect((await recover(onDay29, his?.body?.['recovery'])).status).toBe(204)
      const back = { token: await logIn(onDay29, bob) }
      expect((await onDay29.call('GET', '/me', back)).body).toMatchObject({ id: bob.id, name: 'Bob', email: bob.email, role: 'member' })
      expect((await recover(onDay29, his?.body?.['recovery'])).status).toBe(403)
      await everybodyElse(onDay29, ['Bob', 'Owner'])
      expect(await onDay29.stop()).toBe(0)

      await sweepTwice(30 * DAY + HALF_AN_HOUR)
      expect([await left(ada), await left(bob)]).toEqual([
        [0, 0],
        [1, 2],
      ])
      expect(findSecrets(await storedBytes(ground.client, ground.database), [ada.email, ada.name, ada.id])).toEqual([])
      const onDay30 = await ground.start()
      expect(await recover(onDay30, hers?.body?.['recovery'])).toEqual({ status: 403, body: { error: 'recovery_invalid' } })
      const certificate = `/certificates/${String(hers?.body?.['erasure'])}`
      expect(await onDay30.call('GET', certificate)).toEqual({ status: 202, body: { certificate: null } })
      await ground.withStore(async ({ vault }) => {
        expect(await vault.tenant(orgId).subject(ada.id).state()).toBe('shredded')
      })
      // Her address is free again, for somebody new.
      const token = await logIn(onDay30, owner)
      const invitation = await invite(onDay30, { ...owner, token })
      const again = { email: ada.email, name: 'Ada anew', password: ada.password, invitation }
      expect((await onDay30.call('POST', '/accounts', { body: again })).status).toBe(201)
      expect(await onDay30.stop()).toBe(0)

      later(31 * DAY)
      await ground.withStore(async ({ vault }) => {
        for await (const _ of vault.rotateRootKey());
        for await (const _ of vault.closeEpoch({ dangerouslyWithoutBackup: true }));
      })
      await sweepTwice(45 * DAY)
      const onDay45 = await ground.start()
      // Copies of the root key file live for fifteen days.
      expect(await onDay45.call('GET', certificate)).toEqual({ status: 202, body: { certificate: null } })
      expect(await onDay45.stop()).toBe(0)
      await sweepTwice(47 * DAY)
      const onDay47 = await ground.start()
      const { status, body } = await onDay47.call('GET', certificate)
      expect(status).toBe(200)
      const trusted = await ground.withStore(({ vault }) => vault.receiptKeys())
      const opened = verifyCertificate(String(body?.['certificate']), trusted)
      expect(opened).toMatchObject({ kind: 'subject', reason: 'accountDeleted', region: 'eu' })
      const found = opened.resources.filter((resource) => resource.found > 0).map(({ name, remaining }) => [name, remaining])
      expect(found).toEqual([
        ['accounts', 0],
        ['sessions', 0],
      ])
      expect(JSON.stringify(opened)).not.toMatch(/canary|example\.com/iu)
      expect(JSON.stringify(opened)).not.toContain(ada.id)
    })
  },
  { cacheBound: 500 },
)
