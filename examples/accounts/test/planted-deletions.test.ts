// What whoever can write the database makes of the deletions that a process finds to be gone on with: it destroys no key, and stops nothing.
import { fileURLToPath } from 'node:url'

import { beforeAll, expect, test } from 'vitest'

import type { Service } from '../../../tools/services/programs.mjs'
import { credentials, describeOnServer, invite, type LoggedIn, logIn, teamNames } from './support.ts'

const NO_FIND = fileURLToPath(new URL('preload/no-find.mjs', import.meta.url))

describeOnServer('planted deletions', (ground) => {
  let ada: LoggedIn
  let bob: LoggedIn
  let orgId: string
  beforeAll(async () => {
    ada = await ground.signUp(await ground.organisation('Acme'), { name: 'Ada' })
    bob = await ground.signUp(await invite(ground.service, ada), { name: 'Bob' })
    orgId = await organisationOf(ada)
  })

  const organisationOf = async ({ id }: LoggedIn): Promise<string> => String((await ground.storedOne('accounts', { _id: id }))['orgId'])
  const isThere = (_id: string): Promise<boolean> => ground.stored('accounts').countDocuments({ _id }).then(Boolean)
  /** As the service leaves it that is killed when she has asked. */
  const ask = async ({ id }: LoggedIn, of: string): Promise<void> =>
    ground.withStore(async ({ accounts }) => {
      await accounts.updateOne({ _id: id, orgId: of }, { $set: { deleting: true, deletionAsked: new Date() } })
    })
  const allLive = async (service: Service): Promise<void> => {
    for (const [person, role] of [
      [ada, 'owner'],
      [bob, 'member'],
    ] as const) {
      const token = await logIn(service, person)
      const { body } = await service.call('GET', '/me', { token })
      expect(body).toMatchObject({ name: person.name, role, organisation: 'Acme' })
    }
    expect(await teamNames(service, ada)).toEqual(['Ada', 'Bob'])
    await ground
      .signUp(await invite(service, ada), { name: 'Carol' })
      .then(({ token, password }) => service.call('DELETE', '/me', { token, body: { password } }))
  }

  test('what is marked as being deleted, by who has no keys, is not: no account, and not the organisation itself', async () => {
    const accounts = ground.stored('accounts')
    await accounts.updateMany({}, { $set: { deleting: true } })
    await accounts.insertOne({ _id: orgId, orgId, deleting: true })
    const service = await ground.start()
    await accounts.deleteOne({ _id: orgId })
    // The mark is a hint for those who look, and no more: all of them are there, with it.
    await allLive(service)
    await accounts.updateMany({}, { $unset: { deleting: '' } })
    await allLive(service)
  })

  test('nor by a request that is no date, is absent, or is that of somebody else', async () => {
    const accounts = ground.stored('accounts')
    const zoe = await ground.signUp(await invite(ground.service, ada), { name: 'Zoe' })
    await ask(zoe, orgId)
    const { deletionAsked } = await ground.storedOne('accounts', { _id: zoe.id })
    for (const planted of [null, true, new Date(), deletionAsked, (await ground.storedOne('accounts', { _id: bob.id }))['name']]) {
      await accounts.updateMany({ _id: { $ne: zoe.id } }, { $set: { deleting: true, deletionAsked: planted } })
      await accounts.insertOne({ _id: orgId, orgId, deleting: true, deletionAsked: planted })
      const service = await ground.start()
      await accounts.deleteOne({ _id: orgId })
      await accounts.updateMany({}, { $unset: { deleting: '', deletionAsked: '' } })
      expect([planted, await isThere(zoe.id)]).toEqual([planted, false])
      await allLive(service)
    }
  })

  test('who has asked is deleted, also where the mark is taken away meanwhile: she does not log in before', async () => {
    const zoe = await ground.signUp(await invite(ground.service, ada), { name: 'Zoe' })
    await ask(zoe, orgId)
    const accounts = ground.stored('accounts')
    await accounts.updateOne({ _id: zoe.id }, { $unset: { deleting: '' } })
    const service = await ground.start()
    expect(await isThere(zoe.id)).toBe(true)
    expect((await service.call('POST', '/session', { body: credentials(zoe) })).status).toBe(401)
    expect((await service.call('GET', '/me', { token: zoe.token })).status).toBe(401)
    expect(await teamNames(service, ada)).toEqual(['Ada', 'Bob'])
    await accounts.updateOne({ _id: zoe.id }, { $set: { deleting: true } })
    await ground.start()
    expect(await isThere(zoe.id)).toBe(false)
  })

  test('one that cannot be gone on with stops neither the start nor those behind it', async () => {
    const accounts = ground.stored('accounts')
    const eve = await ground.signUp(await ground.organisation('Suspended'), { name: 'Eve' })
    const mia = await ground.signUp(await ground.organisation('Shredded'), { name: 'Mia' })
    const zoe = await ground.signUp(await invite(ground.service, ada), { name: 'Zoe' })
    const [ofEve, ofMia] = [await organisationOf(eve), await organisationOf(mia)]
    for (const planted of [
      { _id: '0', orgId: 'no-such-organisation', deletionAsked: null },
      { _id: '1', orgId: { $gt: '' } },
      { _id: '2', orgId: null },
      { _id: 3, orgId },
    ])
      await accounts.insertOne({ ...(planted as { _id: string }), deleting: true })
    await ask(eve, ofEve)
    await ask(mia, ofMia)
    await ask(zoe, orgId)
    // The last that is found, whatever order it is found in.
    const last = await ground.storedOne('accounts', { _id: zoe.id })
    await accounts.deleteOne({ _id: zoe.id })
    await accounts.insertOne(last)
    await ground.withStore(async ({ vault }) => {
      await vault.tenant(ofEve).suspend()
      await vault.tenant(ofMia).shred()
    })

    const service = await ground.start()
    expect(await isThere(zoe.id)).toBe(false)
    // Of a key that is gone with its organisation only documents are left.
    expect(await isThere(mia.id)).toBe(false)
    expect(await ground.stored('sessions').countDocuments({ accountId: mia.id })).toBe(0)
    expect(await isThere(eve.id)).toBe(true)
    await accounts.deleteMany({ _id: { $in: ['0', '1', '2', 3 as unknown as string] } })
    await allLive(service)
    const said = service.printed().match(/^.*"during":"deletion".*$/gmu) ?? []
    expect(said.map((line) => String((JSON.parse(line) as Record<string, unknown>)['error']).split(':')[0]).toSorted()).toEqual([
      'missing or wrong in a document',
      'missing or wrong in a document',
      'missing or wrong in a document',
      'missing or wrong in a document',
      'suspended',
    ])

    await ground.withStore(({ vault }) => vault.tenant(ofEve).resume())
    await ground.start()
    expect(await isThere(eve.id)).toBe(false)
  })

  test('the service starts also where it cannot look for them', async () => {
    const service = await ground.start('--import', NO_FIND)
    expect(service.printed()).toMatch(/"during":"deletions","error":"Error"/)
    await allLive(await ground.start())
  })
})
