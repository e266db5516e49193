// The two layers of data are of one service: what is written on either is read on the other.
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, test, vi } from 'vitest'

import { type Service, startProgram } from '../../../tools/services/programs.mjs'
import { describeOnServer, invite, logIn, teamNames, untilErased } from './support.ts'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

describeOnServer(
  'a service',
  (ground) => {
    let other: Service
    beforeAll(async () => {
      other = await startProgram(MAIN, ground.programs.environment, [], ground.mongoose ? [] : ['--mongoose'])
    })
    afterAll(() => other.kill())

    test('beside one on the other layer: accounts, invitations, log-in, changes, deletion', async () => {
      const owner = await ground.signUp(await ground.organisation('Acme'), { name: 'Owner' })
      const bob = await ground.signUp(await invite(other, owner), { name: 'Bob', email: 'Bob@example.com' })
      expect((await other.call('GET', '/me', { token: owner.token })).body).toMatchObject({ name: 'Owner', organisation: 'Acme' })
      const token = await logIn(other, { ...bob, email: 'BOB@example.com' })
      const taken = await other.call('PATCH', '/me', { token, body: { email: owner.email.toUpperCase() } })
      expect(taken).toEqual({ status: 409, body: { error: 'email_taken' } })
      expect((await other.call('PATCH', '/me', { token, body: { name: 'Robert' } })).status).toBe(204)
      for (const service of [ground.service, other]) expect(await teamNames(service, owner)).toEqual(['Owner', 'Robert'])

      const left = await other.call('DELETE', '/me', { token, body: { password: bob.password } })
      await vi.waitFor(async () => expect(await teamNames(ground.service, owner)).toEqual(['Owner']), { timeout: 30_000, interval: 50 })
      const { recovery } = left.body as { readonly recovery: string }
      expect((await ground.service.call('POST', '/recovery', { body: { recovery } })).status).toBe(204)
      await vi.waitFor(async () => expect(await teamNames(other, owner)).toEqual(['Owner', 'Robert']), { timeout: 30_000, interval: 50 })

      await untilErased(ground, await other.call('DELETE', `/team/${bob.id}`, { token: owner.token }))
      expect(await ground.stored('accounts').countDocuments({ _id: bob.id })).toBe(0)
      expect(await teamNames(other, owner)).toEqual(['Owner'])
    })
  },
  { cacheBound: 500 },
)
