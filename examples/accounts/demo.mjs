// `node demo.mjs`: the service with two organisations, and what it answers when things go wrong; with `--mongoose`, on models of Mongoose.
// It takes the server at MONGODB_URI, or starts one for itself. Every line printed is computed; one expectation that fails makes the exit code 1.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { BSON, MongoClient } from 'mongodb'

import { openServer } from '../../tools/mongo-server/server.mjs'
import { servicePrograms } from '../../tools/services/programs.mjs'
import { databasesOf, findSecrets, storedBytes } from '../../tools/services/stored-bytes.mjs'

const say = (what, text) => console.log(`${what.padEnd(8)} ${text}`)
let failed = 0

const { values } = parseArgs({ options: { mongoose: { type: 'boolean' } } })
const options = values.mongoose ? ['--mongoose'] : []
const folder = mkdtempSync(join(tmpdir(), 'strongroom-accounts-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const server = await openServer()
if (server.uri === undefined) throw new Error(server.description)
say('server', server.description)
say('data', values.mongoose ? 'on models of Mongoose' : 'on encrypted collections')
const database = `accounts-demo-${randomUUID().slice(0, 8)}`
const client = new MongoClient(server.uri)
const programs = servicePrograms({ programs: new URL('dist/', import.meta.url), uri: server.uri, database, folder, options })
await programs.run('set-up')
const service = await programs.start()
const { call } = service

try {
  const ADA = { email: 'ada@example.com', name: 'Ada Lovelace', password: 'correct horse battery' }
  const BOB = { email: 'bob@example.com', name: 'Bob Babbage', password: 'analytical engine no 1' }
  const EVE = { email: 'eve@example.net', name: 'Eve Rival', password: 'difference engine no 2' }
  await signUp(ADA, await programs.run('new-organisation', 'Acme Instruments'))
  await signUp(EVE, await programs.run('new-organisation', 'Rival Works'))
  const ada = await logIn(ADA)
  const eve = await logIn(EVE)
  const invited = await call('POST', '/invitations', { token: ada, body: { role: 'member' } })
  await signUp(BOB, invited.body.invitation)
  const bob = await logIn(BOB)
  say('made', 'Ada of Acme Instruments, who has invited Bob; and Eve of Rival Works')

  const stored = await storedBytes(client, database)
  const plain = [ADA, BOB, EVE].flatMap(Object.values).concat('Acme Instruments', 'Rival Works')
  const tokens = [ada, bob, eve, invited.body.invitation]
  const row = await client
    .db(database)
    .collection('accounts')
    .findOne({}, { projection: { password: 0, role: 0 } })
  say('stored', BSON.EJSON.stringify(row))
  expect(`plaintext in ${stored.length} documents and descriptions of three databases`, findSecrets(stored, plain, tokens), [])

  const anotherWay = await call('POST', '/session', { body: { ...credentials(ADA), email: ' ADA@Example.COM ' } })
  expect('Ada logs in as ADA@Example.COM', anotherWay.status, 201)
  const wrong = await call('POST', '/session', { body: { ...credentials(ADA), password: 'wrong' } })
  const unknown = await call('POST', '/session', { body: { email: 'nobody@example.com', password: 'wrong' } })
  expect('a wrong password', wrong, { status: 401, body: { error: 'wrong_email_or_password' } })
  expect('an address that nobody has', unknown, wrong)

  const { id } = (await call('GET', '/me', { token: ada })).body
  expect('Bob sees his team', names(await call('GET', '/team', { token: bob })), ['Ada Lovelace', 'Bob Babbage'])
  expect('Eve sees hers', names(await call('GET', '/team', { token: eve })), ['Eve Rival'])
  expect('Eve asks for Ada by her id', (await call('GET', `/team/${id}`, { token: eve })).status, 404)
  expect('Bob invites', (await call('POST', '/invitations', { token: bob, body: { role: 'member' } })).status, 403)

  const { password } = ADA
  const deletion = await call('DELETE', '/me', { token: ada, body: { password } })
  expect('Ada deletes her account', deletion.status, 202)
  expect('her session', (await call('GET', '/me', { token: ada })).status, 410)
  expect('her password', (await call('POST', '/session', { body: credentials(ADA) })).status, 401)
  expect('Bob sees his team', names(await call('GET', '/team', { token: bob })), ['Bob Babbage'])
  const { recovery } = deletion.body
  expect('for thirty days her code brings her back', (await call('POST', '/recovery', { body: { recovery } })).status, 204)
  expect('Bob sees his team', names(await call('GET', '/team', { token: bob })), ['Ada Lovelace', 'Bob Babbage'])
  expect('her session', (await call('GET', '/me', { token: ada })).status, 200)

  const renamed = await call('PATCH', `/team/${id}`, { token: bob, body: { name: 'Somebody' } })
  expect('Bob renames Ada', renamed.status, 403)
  const { id: bobs } = (await call('GET', '/me', { token: bob })).body
  expect('Ada, an owner, corrects his name', (await call('PATCH', `/team/${bobs}`, { token: ada, body: { name: 'Robert' } })).status, 204)
  expect('and has him deleted, at once', (await call('DELETE', `/team/${bobs}`, { token: ada })).status, 202)
  expect('his session', (await call('GET', '/me', { token: bob })).status, 410)

  const cancelled = await call('DELETE', '/organisation', { token: ada, body: { password } })
  expect('Ada cancels: her organisation is gone', [cancelled.status, (await call('GET', '/me', { token: ada })).status], [202, 410])
  expect('her code', (await call('POST', '/recovery', { body: { recovery } })).status, 403)
  expect('Eve sees her team', names(await call('GET', '/team', { token: eve })), ['Eve Rival'])

  expect('SIGTERM ends the service', await service.stop(), 0)
  say('done', failed === 0 ? 'every expectation held' : `expectations that failed: ${failed}`)
} finally {
  await service.kill()
  for (const name of databasesOf(database)) await client.db(name).dropDatabase()
  await client.close()
  await server.stop()
}
process.exitCode = failed === 0 ? 0 : 1

async function signUp(person, invitation) {
  const { status } = await call('POST', '/accounts', { body: { ...person, invitation } })
  if (status !== 201) throw new Error(`sign-up of ${person.name}: ${status}`)
}

async function logIn(person) {
  return (await call('POST', '/session', { body: credentials(person) })).body.token
}

function credentials({ email, password }) {
  return { email, password }
}

function names({ body }) {
  return body.members.map(({ name }) => name).sort()
}

function expect(what, found, expected) {
  const [shown, wanted] = [found, expected].map((value) => JSON.stringify(value))
  if (shown !== wanted) failed++
  say(shown === wanted ? 'ok' : 'FAILED', `${what}: ${shown}${shown === wanted ? '' : `, not ${wanted}`}`)
}
