// One address, one account; one invitation, one account: whichever process is asked.
import { beforeAll, expect, test } from 'vitest'

import type { Answered, Service } from '../../../tools/services/programs.mjs'
import { hashOf } from '../dist/tokens.js'
import { credentials, describeOnServer, invite, type LoggedIn, somebody, teamNames } from './support.ts'

const MANY = 20

describeOnServer('sign-up', (ground) => {
  let services: readonly Service[]
  let owner: LoggedIn
  beforeAll(async () => {
    services = [ground.service, await ground.start(), await ground.start(), await ground.start()]
    owner = await ground.signUp(await ground.organisation())
  })

  const atOnce = (bodyOf: (i: number) => object): Promise<readonly Answered[]> =>
    Promise.all(
      Array.from({ length: MANY }, (_, i) => (services[i % services.length] as Service).call('POST', '/accounts', { body: bodyOf(i) })),
    )
  const statuses = (answers: readonly Answered[]): readonly number[] => answers.map(({ status }) => status).toSorted((a, b) => a - b)

  test('20 at once of one address, in four processes: one account; the other invitations are not used up', async () => {
    const invitations: string[] = []
    for (let i = 0; i < MANY; i++) invitations.push(await invite(ground.service, owner))
    const spellings = ['Grace@Example.com', 'grace@example.com', ' GRACE@EXAMPLE.COM ']
    const people = invitations.map((invitation, i) => ({ ...somebody({ email: spellings[i % 3] as string }), invitation }))
    const answers = await atOnce((i) => people[i] as object)
    expect(statuses(answers)).toEqual([201, ...Array.from({ length: MANY - 1 }, () => 409)])
    expect(await ground.stored('accounts').countDocuments()).toBe(2)
    expect(await ground.stored('invitations').countDocuments()).toBe(MANY - 1)

    const winner = people[answers.findIndex(({ status }) => status === 201)]
    expect(await teamNames(ground.service, owner)).toEqual([owner.name, winner?.name].toSorted())
    for (const [i, person] of people.entries())
      expect((await (services[i % 4] as Service).call('POST', '/session', { body: credentials(person) })).status).toBe(
        person === winner ? 201 : 401,
      )
    for (const { invitation } of people.filter((person) => person !== winner)) await ground.signUp(invitation)
    expect(await ground.stored('invitations').countDocuments()).toBe(0)
  })

  test('20 at once by one invitation: one account', async () => {
    const invitation = await invite(ground.service, owner)
    const before = await ground.stored('accounts').countDocuments()
    expect(statuses(await atOnce(() => ({ ...somebody(), invitation })))).toEqual([201, ...Array.from({ length: MANY - 1 }, () => 403)])
    expect(await ground.stored('accounts').countDocuments()).toBe(before + 1)
  })

  test('an invitation that is none, is used up, or is too old', async () => {
    const signUp = (invitation: string): Promise<Answered> =>
      ground.service.call('POST', '/accounts', { body: { ...somebody(), invitation } })
    const refused = { status: 403, body: { error: 'invitation_invalid' } }
    expect(await signUp('none')).toEqual(refused)
    const invitation = await invite(ground.service, owner)
    expect((await signUp(invitation)).status).toBe(201)
    expect(await signUp(invitation)).toEqual(refused)
    const { orgId } = await ground.storedOne('accounts', { _id: owner.id })
    const inTime = { orgId: String(orgId), role: 'member', expires: new Date(Date.now() + 60_000), removeAt: new Date() } as const
    await ground.withStore(async ({ invitations }) => {
      await invitations.add({ ...inTime, _id: hashOf('in time') })
      await invitations.add({ ...inTime, _id: hashOf('old'), expires: new Date(Date.now() - 1) })
    })
    expect(await signUp('old')).toEqual(refused)
    expect((await signUp('in time')).status).toBe(201)
  })

  test('an address that is changed to one of somebody else', async () => {
    const ada = await ground.signUp(await invite(ground.service, owner))
    const change = (email: string): Promise<Answered> => ground.service.call('PATCH', '/me', { token: ada.token, body: { email } })
    expect(await change(owner.email.toUpperCase())).toEqual({ status: 409, body: { error: 'email_taken' } })
    expect((await change(ada.email.toUpperCase())).status).toBe(204)
    expect((await ground.service.call('GET', '/me', { token: ada.token })).body).toMatchObject({ email: ada.email.toUpperCase() })
  })
})
