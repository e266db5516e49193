// `node demo.mjs`: the service, a CRM and two organisations, from the first connection to the last. It takes the server at MONGODB_URI, or
// starts one for itself. Every line printed is computed; one expectation that fails makes the exit code 1.
import { createHmac, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { MongoClient } from 'mongodb'

import { openServer } from '../../tools/mongo-server/server.mjs'
import { servicePrograms } from '../../tools/services/programs.mjs'
import { databasesOf, findSecrets, storedBytes } from '../../tools/services/stored-bytes.mjs'
import { visit } from './crm/customer.mjs'
import { CRM_API_KEY, SETTINGS, startCrm } from './crm/start-crm.mjs'

const say = (what, text) => console.log(`${what.padEnd(8)} ${text}`)
let failed = 0

const folder = mkdtempSync(join(tmpdir(), 'strongroom-sync-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const server = await openServer()
if (server.uri === undefined) throw new Error(server.description)
say('server', server.description)
const database = `sync-demo-${randomUUID().slice(0, 8)}`
const client = new MongoClient(server.uri)
const crm = await startCrm()
const programs = servicePrograms({
  programs: new URL('dist/', import.meta.url),
  uri: server.uri,
  database,
  folder,
  more: { ...SETTINGS, CRM_URL: crm.url },
})
await programs.run('set-up')
const services = await Promise.all([programs.start(), programs.start(), programs.start()])
const [service] = services

try {
  const acme = await programs.run('new-organisation')
  const rival = await programs.run('new-organisation')
  say('made', `a CRM at ${crm.url}, the organisations Acme and Rival, and ${services.length} processes of the service`)

  const begun = await asked(acme, 'POST', '/connections/crm')
  expect('Acme begins a connection', begun.status, 200)
  const back = new URL(await visit(begun.body.url))
  const link = back.pathname + back.search
  expect('its customer agrees, and Rival takes the link', await statusOf(rival, 'GET', link), 400)
  expect('Acme does', await statusOf(acme, 'GET', link), 200)
  expect('a sync counts the contacts', await asked(acme, 'POST', '/connections/crm/sync'), { status: 200, body: { contacts: 3 } })

  await crm.call('POST', '/operator/expire')
  const before = await crm.seen()
  const synced = await Promise.all(
    [...services, ...services].map((each) => statusOf(acme, 'POST', '/connections/crm/sync', undefined, each)),
  )
  const after = await crm.seen()
  expect('the token ends; six syncs at once in three processes', synced, [200, 200, 200, 200, 200, 200])
  expect('refreshed', after.refreshes - before.refreshes, 1)
  expect('families of tokens that the CRM has ended', after.familiesEnded, 0)

  const refused = await statusOf(acme, 'PUT', '/connections/crm-key', { login: 'ada', password: 'password of Ada' })
  expect("a user's password", refused, 400)
  expect('an API key', await statusOf(acme, 'PUT', '/connections/crm-key', { secret: CRM_API_KEY }), 200)
  expect('a sync with it', await asked(acme, 'POST', '/connections/crm-key/sync'), { status: 200, body: { contacts: 3 } })
  const webhookSecret = randomUUID()
  expect('a webhook secret', await statusOf(acme, 'PUT', '/connections/crm-webhooks', { secret: webhookSecret }), 200)
  const organisation = acme.split('.')[0]
  const tell = async (secret) => {
    const body = JSON.stringify({ changed: 'contacts' })
    const headers = { 'x-signature': createHmac('sha256', secret).update(body).digest('hex') }
    return (await service.call('POST', `/webhooks/${organisation}`, { headers, body })).status
  }
  expect('a webhook that the CRM has signed, and one by somebody else', [await tell(webhookSecret), await tell('another')], [200, 401])

  const { tokens } = after
  const secrets = [
    ...tokens.access,
    ...tokens.refresh,
    CRM_API_KEY,
    webhookSecret,
    'password of Ada',
    acme.split('.')[1],
    rival.split('.')[1],
  ]
  const stored = await storedBytes(client, database)
  expect(`of ${secrets.length} secrets in ${stored.length} documents and descriptions of three databases`, findSecrets(stored, secrets), [])
  expect('known of the connections', await known(acme), [
    'crm oauth2 live contacts',
    'crm-key apiKey live',
    'crm-webhooks webhookSecret live',
  ])
  expect('Rival sees', await known(rival), [])
  expect('Rival syncs', await statusOf(rival, 'POST', '/connections/crm/sync'), 404)

  expect('Acme disconnects', (await asked(acme, 'DELETE', '/connections/crm')).body, { revocation: 'revoked' })
  const headers = { authorization: `Bearer ${tokens.access.at(-1)}` }
  expect('its token at the CRM', (await crm.call('GET', '/contacts', { headers })).status, 401)
  expect('a sync', await statusOf(acme, 'POST', '/connections/crm/sync'), 404)
  for (const name of ['crm-key', 'crm-webhooks']) await asked(acme, 'DELETE', `/connections/${name}`)
  expect('known of the connections', await known(acme), [])

  expect('Acme leaves', await statusOf(acme, 'DELETE', '/organisation'), 200)
  expect('it calls again', await statusOf(acme, 'GET', '/connections'), 401)
  expect('Rival calls', await statusOf(rival, 'GET', '/connections'), 200)

  expect('SIGTERM ends the processes', await Promise.all(services.map((each) => each.stop())), [0, 0, 0])
  say('done', failed === 0 ? 'every expectation held' : `expectations that failed: ${failed}`)
} finally {
  for (const each of services) await each.kill()
  await crm.kill()
  for (const name of databasesOf(database)) await client.db(name).dropDatabase()
  await client.close()
  await server.stop()
}
process.exitCode = failed === 0 ? 0 : 1

function asked(accessKey, method, path, body, by = service) {
  return by.call(method, path, { headers: { cookie: `access_key=${accessKey}` }, ...(body && { body }) })
}

async function statusOf(...call) {
  return (await asked(...call)).status
}

async function known(accessKey) {
  const { body } = await asked(accessKey, 'GET', '/connections')
  return body.connections.map(({ name, kind, state, scopes = [] }) => [name, kind, state, ...scopes].join(' ')).sort()
}

function expect(what, found, expected) {
  const [shown, wanted] = [found, expected].map((value) => JSON.stringify(value))
  if (shown !== wanted) failed++
  say(shown === wanted ? 'ok' : 'FAILED', `${what}: ${shown}${shown === wanted ? '' : `, not ${wanted}`}`)
}
