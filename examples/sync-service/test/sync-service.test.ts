// What the service promises its customers of the systems that they connect.
import { createHash, randomUUID } from 'node:crypto'

import { type Connection, createCredentials } from '@strongroom/credentials'
import { Binary, type Collection, type Document } from 'mongodb'
import { expect, test } from 'vitest'

import { findSecrets, storedBytes } from '../../../tools/services/stored-bytes.mjs'
import { PASSWORD } from '../crm/customer.mjs'
import { CRM_API_KEY, SETTINGS } from '../crm/start-crm.mjs'
import { type Customer, describeOnServer } from './support.ts'

const IN_ALL = 12

describeOnServer('sync service', (ground) => {
  const state = (): Collection<Document & { _id: string }> =>
    ground.client.db(`${ground.database}_state`).collection<Document & { _id: string }>('strongroom_state')
  const found = async (secrets: readonly string[]) => [
    ...findSecrets(await storedBytes(ground.client, ground.database), secrets),
    ...findSecrets([{ where: 'printed', bytes: Buffer.from(ground.printed()) }], secrets),
  ]
  const liveAtCrm = async (token: string): Promise<number> =>
    (await ground.crm.call('GET', '/contacts', { headers: { authorization: `Bearer ${token}` } })).status
  const refreshedAtCrm = async (refresh_token: string): Promise<unknown> => {
    const client = Buffer.from(`sync-service:${SETTINGS.CRM_CLIENT_SECRET}`).toString('base64')
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token })
    const response = await fetch(`${ground.crm.url}/token`, { method: 'POST', headers: { authorization: `Basic ${client}` }, body })
    return ((await response.json()) as { error?: unknown }).error
  }
  const connectionOf = ({ id }: Customer, name: string): Connection =>
    ground.store.credentials.connection(ground.store.vault.tenant(id).self(), name)
  /** The entry of a connection, as the database has it. */
  const entryOf = async (customer: Customer, name: string): Promise<Document & { _id: string }> => {
    const reference = await connectionOf(customer, name).reference()
    const entry = await state().findOne({ namespace: 'strongroom/connections', key: { $regex: `${reference}$` } })
    if (entry === null) throw new Error('there is no such connection')
    return entry
  }

  test('[F2] access and refresh tokens are in no database, and in nothing that is printed, in any encoding', async () => {
    const acme = await ground.organisation()
    const { access, refresh } = (await ground.crm.seen()).tokens
    await acme.connect()
    expect(await acme.sync('crm')).toBe(200)
    await ground.crm.call('POST', '/operator/expire')
    expect(await acme.sync('crm')).toBe(200)
    await acme.connect()
    const { tokens } = await ground.crm.seen()
    expect([tokens.access.length - access.length, tokens.refresh.length - refresh.length]).toEqual([3, 3])
    const secrets = [...tokens.access, ...tokens.refresh, SETTINGS.CRM_CLIENT_SECRET]
    expect(await found(secrets)).toEqual([])

    // That there is something to find, and that it would be found.
    expect(ground.printed()).toContain('"type":"refreshed"')
    const planted = ground.client.db(ground.database).collection('planted')
    for (const form of ['utf8', 'hex', 'base64'] as const) {
      await planted.insertOne({ as: Buffer.from(secrets[0] as string).toString(form) })
      expect((await found(secrets)).map(({ secret }) => secret)).toContain(secrets[0])
      await planted.drop()
    }
  })

  test('[F2] what is known of a connection is kept, and read where its tokens do not open', async () => {
    const acme = await ground.organisation()
    await acme.connect()
    const entry = await entryOf(acme, 'crm')
    const { access, lasting, ...record } = JSON.parse(Buffer.from(entry['value'].buffer).toString()) as Record<string, string>
    const swapped = { ...record, access: lasting, lasting: access }
    await state().updateOne({ _id: entry._id }, { $set: { value: new Binary(Buffer.from(JSON.stringify(swapped))) } })
    const known = await connectionOf(acme, 'crm').status()
    expect(known).toMatchObject({ name: 'crm', provider: 'crm', kind: 'oauth2', state: 'live', scopes: ['contacts'] })
    expect(known?.expires).toBeGreaterThan(Date.now())
    await expect(connectionOf(acme, 'crm').use(() => 'used')).rejects.toMatchObject({ code: 'decrypt_failed' })
    expect(await acme.known()).toEqual([JSON.parse(JSON.stringify(known))])
  })

  test('[F2] refreshed once by several processes at once, and the family of tokens survives', async () => {
    const { crm, services } = ground
    const acme = await ground.organisation()
    const atOnce = (): Promise<readonly number[]> =>
      Promise.all(Array.from({ length: IN_ALL }, (_, i) => acme.sync('crm', services[i % services.length])))
    const all = Array.from({ length: IN_ALL }, () => 200)
    await acme.connect()
    expect(await atOnce()).toEqual(all)
    const before = await crm.seen()
    for (let round = 1; round <= 3; round++) {
      await crm.call('POST', '/operator/expire')
      expect(await atOnce()).toEqual(all)
      const { refreshes, familiesEnded } = await crm.seen()
      expect([refreshes - before.refreshes, familiesEnded]).toEqual([round, before.familiesEnded])
    }
    // The CRM would have ended it.
    expect(await refreshedAtCrm((await crm.seen()).tokens.refresh.at(-2) as string)).toBe('invalid_grant')
    expect((await crm.seen()).familiesEnded).toBe(before.familiesEnded + 1)
    expect(await acme.sync('crm')).toBe(409)
    expect(await acme.known()).toMatchObject([{ state: 'reauthorisation_required', reason: 'invalid_grant' }])
    await acme.connect()
    expect(await atOnce()).toEqual(all)
  })

  test("[F3] a user's password is refused, whatever the kind, and nothing is stored", async () => {
    const acme = await ground.organisation()
    await acme.connect()
    await acme.call('PUT', '/connections/crm-key', { secret: CRM_API_KEY })
    const password = 'canary password of Ada'
    const bodies = [
      { login: 'ada', password },
      { access_token: 'access', token_type: 'bearer', password },
      { client_id: 'ada', client_secret: 'secret', passphrase: password },
      { secret: 'secret', userPassword: password },
    ]
    const before = await storedBytes(ground.client, ground.database)
    for (const name of ['crm', 'crm-key', 'crm-webhooks'])
      for (const body of bodies) {
        const { status, body: answer } = await acme.call('PUT', `/connections/${name}`, body)
        expect([name, status, answer]).toEqual([name, 400, { error: 'invalid_argument' }])
      }
    const clients = { kind: 'clientCredentials', tokenEndpoint: `${ground.crm.url}/token` } as const
    const { vault } = ground.store
    const connection = createCredentials(vault, { providers: { clients } }).connection(vault.tenant(acme.id).self(), 'clients')
    for (const body of bodies) await expect(connection.save(body as never)).rejects.toMatchObject({ code: 'invalid_argument' })
    expect(await storedBytes(ground.client, ground.database)).toEqual(before)
    // Nor the one that was typed at the CRM.
    expect(await found([password, 'canary', PASSWORD])).toEqual([])
    expect([(await acme.known()).length, await acme.sync('crm'), await acme.sync('crm-key')]).toEqual([2, 200, 200])
  })

  test('[S3] after a disconnect nothing is fetched by any process, and the tokens are revoked at the CRM', async () => {
    const { crm, services } = ground
    const acme = await ground.organisation()
    await acme.connect()
    for (const service of services) expect(await acme.sync('crm', service)).toBe(200)
    const before = await crm.seen()
    expect(await acme.call('DELETE', '/connections/crm')).toEqual({ status: 200, body: { revocation: 'revoked' } })
    const [access, refresh] = [before.tokens.access.at(-1) as string, before.tokens.refresh.at(-1) as string]
    expect([await liveAtCrm(access), await refreshedAtCrm(refresh)]).toEqual([401, 'invalid_grant'])

    const fresh = await ground.start()
    const calls = (await crm.seen()).contactsRefused
    for (const service of [services[0], fresh]) expect(await acme.sync('crm', service)).toBe(404)
    expect((await crm.seen()).contactsRefused).toBe(calls)
    // Those that have used the token may try it once more; the CRM gives them nothing.
    for (const service of services) expect([await acme.sync('crm', service), await acme.sync('crm', service)]).toEqual([404, 404])
    const after = await crm.seen()
    expect([after.revocations, after.contactsServed]).toEqual([before.revocations + 1, before.contactsServed])
    expect(await acme.known()).toEqual([])
  })

  test('[S3] a customer who does not agree: no connection, and nothing is fetched', async () => {
    const acme = await ground.organisation()
    const before = await ground.crm.seen()
    const refused = await acme.call('GET', await acme.agreed({ agrees: false }))
    expect(refused).toEqual({ status: 403, body: { error: 'authorisation_denied' } })
    expect([await acme.known(), await acme.sync('crm')]).toEqual([[], 404])
    expect(await ground.crm.seen()).toEqual(before)
  })

  test('[S3] another organisation cannot use a connection, nor take one that is being made', async () => {
    const { crm } = ground
    const [acme, rival] = [await ground.organisation(), await ground.organisation()]
    const path = await acme.agreed()
    const before = await crm.seen()
    expect((await rival.call('GET', path)).status).toBe(400)
    expect((await crm.seen()).codes).toBe(before.codes)
    expect((await acme.call('GET', path)).status).toBe(200)

    expect([await rival.known(), await rival.sync('crm'), (await rival.call('DELETE', '/connections/crm')).status]).toEqual([[], 404, 404])
    const key = `access_key=${rival.id}.${acme.secret}`
    expect((await ground.services[0].call('POST', '/connections/crm/sync', { headers: { cookie: key } })).status).toBe(401)

    // Nor where somebody who can write the database, without the keys, gives its entry to the other.
    await rival.connect()
    const [hers, its] = [await entryOf(acme, 'crm'), await entryOf(rival, 'crm')]
    await state().updateOne({ _id: its._id }, { $set: { value: hers['value'] } })
    const { contactsServed, contactsRefused } = await crm.seen()
    for (const service of ground.services) expect(await rival.sync('crm', service)).toBe(500)
    expect(await crm.seen()).toMatchObject({ contactsServed, contactsRefused })
    expect(await acme.sync('crm')).toBe(200)
  })

  /** An organisation with a connection of each kind, all of them in use. */
  const connectedByAll = async (): Promise<{ readonly acme: Customer; readonly hook: string }> => {
    const acme = await ground.organisation()
    const hook = `canary-${randomUUID()}`
    await acme.connect()
    for (const [name, secret] of [
      ['crm-key', CRM_API_KEY],
      ['crm-webhooks', hook],
    ] as const)
      expect((await acme.call('PUT', `/connections/${name}`, { secret })).status).toBe(200)
    expect([await acme.sync('crm'), await acme.sync('crm-key'), await acme.webhook(hook), await acme.webhook('another')]).toEqual([
      200, 200, 200, 401,
    ])
    return { acme, hook }
  }

  test('[K2] OAuth tokens, API keys and webhook secrets are encrypted; of the access keys that are issued there is a keyed hash', async () => {
    const { acme, hook } = await connectedByAll()
    const rival = await ground.organisation()
    const { tokens } = await ground.crm.seen()
    expect(await found([...tokens.access, ...tokens.refresh, CRM_API_KEY, hook, acme.secret, rival.secret])).toEqual([])

    // Whoever can write the database, but has no keys, makes none; and what is removed lets nobody in.
    const accessKeys = ground.client.db(ground.database).collection<{ _id: string }>('access_keys')
    const forged = Buffer.from('forged').toString('base64url')
    for (const encoding of ['base64url', 'hex'] as const) {
      await accessKeys.insertOne({ _id: createHash('sha256').update(forged).digest(encoding) })
      const headers = { cookie: `access_key=${acme.id}.${forged}` }
      expect((await ground.services[0].call('GET', '/connections', { headers })).status).toBe(401)
    }
    await accessKeys.deleteMany({})
    expect((await acme.call('GET', '/connections')).status).toBe(401)
  })

  test('[K2] what was disconnected is not readable in a restored copy of the state store', async () => {
    const { acme, hook } = await connectedByAll()
    const other = await ground.organisation()
    await other.connect()
    const copy = await state().find().toArray()
    for (const name of ['crm', 'crm-key', 'crm-webhooks']) expect((await acme.call('DELETE', `/connections/${name}`)).status).toBe(200)
    const now = await state().find().toArray()
    const restore = async (documents: readonly (Document & { _id: string })[]): Promise<void> => {
      await state().deleteMany({})
      await state().insertMany([...documents])
    }

    // All of it: the vault sees that its ledger is from before, and no process starts.
    await restore(copy)
    await expect(ground.start()).rejects.toThrow('ledger_invalid')

    // All but the ledger: what there was, is there again, and does not open.
    const isLedger = ({ namespace }: Document): boolean => namespace === 'strongroom/ledger'
    await restore([...copy.filter((entry) => !isLedger(entry)), ...now.filter(isLedger)])
    await entryOf(acme, 'crm')
    const before = await ground.crm.seen()
    const fresh = await ground.start()
    for (const by of [ground.services[0], fresh]) {
      expect([await acme.sync('crm', by), await acme.sync('crm-key', by), await acme.webhook(hook, by)]).toEqual([404, 404, 401])
      expect(await acme.known(by)).toEqual([])
    }
    expect(await ground.crm.seen()).toEqual(before)
    expect([await other.sync('crm', fresh), await other.known(fresh)]).toMatchObject([200, [{ name: 'crm', state: 'live' }]])
    await acme.connect()
    expect(await acme.sync('crm', fresh)).toBe(200)
  })

  test('calls that are none', async () => {
    const acme = await ground.organisation()
    const [service] = ground.services
    const statuses = []
    for (const [method, path, body] of [
      ['GET', '//'],
      ['GET', '/connected?code=1&state=sr1.x'],
      ['PATCH', '/connections'],
      ['PUT', '/connections/none', { secret: 'x' }],
      ['PUT', '/connections/crm-key', { secret: 'x'.repeat(20_000) }],
      ['POST', '/connections/crm-webhooks/sync'],
    ] as const)
      statuses.push((await acme.call(method, path, body)).status)
    expect(statuses).toEqual([404, 400, 404, 400, 413, 400])
    for (const cookie of ['', 'access_key=none', `access_key=${acme.id}.`, `access_key=${acme.id}.${acme.secret}x`])
      expect([cookie, (await service.call('GET', '/connections', { headers: { cookie } })).status]).toEqual([cookie, 401])
    expect((await service.call('POST', '/webhooks/nobody', { body: '{}' })).status).toBe(401)
    expect(await acme.known()).toEqual([])
  })
})
