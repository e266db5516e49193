// `node demo.mjs`: a day of an image network, from its requests to what is left of them after 30 days. It takes the server at MONGODB_URI, or
// starts one for itself. Every line printed is computed; one expectation that fails makes the exit code 1.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'

import { MongoClient } from 'mongodb'

import { openServer } from '../../tools/mongo-server/server.mjs'
import { servicePrograms, startProgram } from '../../tools/services/programs.mjs'
import { databasesOf, findSecrets, storedBytes } from '../../tools/services/stored-bytes.mjs'
import { importLog } from './traffic/import-log.mjs'
import { trafficOf } from './traffic/traffic.mjs'

const DAY = 86_400_000
const MAIN = fileURLToPath(new URL('dist/main.js', import.meta.url))
const say = (what, text) => console.log(`${what.padEnd(8)} ${text}`)
let failed = 0

const folder = mkdtempSync(join(tmpdir(), 'strongroom-logs-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const server = await openServer()
if (server.uri === undefined) throw new Error(server.description)
say('server', server.description)
const database = `logs-demo-${randomUUID().slice(0, 8)}`
const client = new MongoClient(server.uri)
const programs = servicePrograms({
  programs: new URL('dist/', import.meta.url),
  uri: server.uri,
  database,
  folder,
  more: { PROXIES: '127.0.0.1' },
})
const started = []
/** The service, or itself after some days. */
const start = async (daysAhead) => {
  const service = await startProgram(MAIN, { ...programs.environment, DAYS_AHEAD: String(daysAhead) })
  started.push(service)
  return service
}

try {
  await programs.run('set-up')
  const service = await start(0)
  const requests = client.db(database).collection('requests')

  const live = ['203.0.113.7', '203.0.113.8', '198.51.100.1', '2001:db8::7']
  for (const address of live) await ask(service, '/images/cat.jpg?w=320&token=secret', { 'x-forwarded-for': address })
  await ask(service, '/images/cat.jpg', { 'x-forwarded-for': '192.0.2.44', 'sec-gpc': '1' })
  await ask(service, '/images/cat.jpg', { 'x-forwarded-for': '192.0.2.45', cookie: 'user=alice' })
  expect('requests by a proxy are kept', await requests.countDocuments(), 6)
  expect('the one with Sec-GPC has neither pseudonym nor country', await requests.countDocuments({ ip: '-', country: '-' }), 1)

  // The log of a CDN, of yesterday: a whole day.
  const yesterday = new Date(Date.now() - DAY).toISOString().slice(0, 10)
  const { lines, addresses } = trafficOf(yesterday)
  const odd = ['0300.0.2.1', '2130706433'].map((host) => lines[0].replace(/^\S+/, host))
  const old = lines[0].replace(/\d\d\/\w{3}\/\d{4}/, '01/Jan/2020')
  const imported = await importLog(programs.environment, [...lines, ...odd, old])
  expect('its lines come in, and those with a strange address or too old without one', imported, {
    lines: lines.length + 3,
    rows: lines.length,
    withoutAddress: 3,
    unread: 0,
    addresses: lines.length,
    malformed: 0,
    refused: 1,
  })

  const stored = await storedBytes(client, database)
  const secrets = [...live, '192.0.2.44', '192.0.2.45', 'token=secret', 'alice', ...addresses.slice(0, 300)]
  expect(`of ${secrets.length} addresses and secrets in ${stored.length} documents`, findSecrets(stored, secrets), [])
  const ofYesterday = { at: { $gte: new Date(yesterday), $lt: new Date(Date.parse(yesterday) + DAY) } }
  expect('as many visitors by pseudonym as there were', (await requests.distinct('ip', ofYesterday)).length, addresses.length)

  const page = await ask(service, `/report?day=${yesterday}`)
  const file = join(tmpdir(), 'strongroom-access-logs.html')
  writeFileSync(file, page.body)
  say('report', `by hour, country and network, from pseudonyms: ${file}`)

  const row = await requests.findOne(ofYesterday)
  const abuse = { ip: row.ip, at: row.at.toISOString(), reason: 'abuse report 4711' }
  const { body } = await ask(service, '/abuse', {}, abuse)
  expect('whose it was, for those who deal with abuse', addresses.includes(JSON.parse(body).address), true)
  const { body: wrong } = await ask(service, '/abuse', {}, { ...abuse, at: new Date(row.at.getTime() + DAY).toISOString() })
  expect('by the key of another day it is another address', addresses.includes(JSON.parse(wrong).address), false)

  const next = await start(1)
  const kept = await client.db(database).collection('day_counts').countDocuments()
  expect('a day later there are counts of a day that is over', kept > 0, true)
  const later = await start(29)
  expect('on the last day it is told, too', (await ask(later, '/abuse', {}, abuse)).status, 410)
  expect('rows of yesterday', await requests.countDocuments(ofYesterday), 0)
  const left = await ask(later, `/report?day=${yesterday}`)
  expect('what is left of it', /Key destroyed on [\d-]+\. No request of this day is left/.test(left.body), true)
  await importLog(programs.environment, lines.slice(0, 10))
  expect('its lines once more, in a process whose clock is behind', await requests.countDocuments(ofYesterday), 0)
  expect('SIGTERM ends the processes', await Promise.all([service, next, later].map((each) => each.stop())), [0, 0, 0])
  say('done', failed === 0 ? 'every expectation held' : `expectations that failed: ${failed}`)
} finally {
  for (const each of started) await each.kill()
  for (const name of databasesOf(database)) await client.db(name).dropDatabase()
  await client.close()
  await server.stop()
}
process.exitCode = failed === 0 ? 0 : 1

async function ask({ url }, path, headers = {}, body) {
  const post = body && { method: 'POST', body: JSON.stringify(body) }
  const response = await fetch(`${url}${path}`, { ...post, headers: { ...headers, ...(body && { 'content-type': 'application/json' }) } })
  return { status: response.status, body: await response.text() }
}

function expect(what, found, expected) {
  const holds = isDeepStrictEqual(found, expected)
  if (!holds) failed++
  say(holds ? 'ok' : 'FAILED', `${what}: ${JSON.stringify(found)}${holds ? '' : `, not ${JSON.stringify(expected)}`}`)
}
