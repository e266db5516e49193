// The service as a process: when it does not start, what it does not tell, and how it ends.
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'

import { afterEach, beforeAll, expect, test, vi } from 'vitest'

import type { Answered } from '../../../tools/services/programs.mjs'
import { credentials, describeOnServer, type LoggedIn } from './support.ts'

describeOnServer('service', (ground) => {
  let ada: LoggedIn
  beforeAll(async () => {
    ada = await ground.signUp(await ground.organisation(), { email: 'canary@example.com', name: 'Canary' })
  })
  afterEach(() => vi.unstubAllEnvs())

  /** What the service says that does not start, with other variables. */
  async function refusal(variables: Readonly<Record<string, string>>, ...options: readonly string[]): Promise<string> {
    const { programs } = ground
    const before = { ...programs.environment }
    Object.assign(programs.environment, variables)
    try {
      await programs.run('main', ...options)
    } catch (error) {
      const { code, stderr, stdout } = error as { code: unknown; stderr: string; stdout: string }
      expect([code, stdout]).toEqual([1, ''])
      return stderr.trimEnd()
    } finally {
      Object.assign(programs.environment, before)
    }
    throw new Error('it has started and ended')
  }

  test('does not start without any of its indexes; set-up makes those that are missing', async () => {
    // The last that it looks for first, so that each is the first one missing.
    for (const [name, path, message] of [
      ['recoveries', 'removeAt', 'recoveries has no expiring index of removeAt: run set-up'],
      ['recoveries', 'orgId', 'recoveries has no index of orgId: run set-up'],
      ['invitations', 'removeAt', 'invitations has no expiring index of removeAt: run set-up'],
      ['invitations', 'orgId', 'invitations has no index of orgId: run set-up'],
      ['sessions', 'removeAt', 'sessions has no expiring index of removeAt: run set-up'],
      ['sessions', 'orgId', 'sessions has no index of orgId, accountId: run set-up'],
      ['accounts', 'orgId', 'accounts has no index of orgId: run set-up'],
      ['accounts', 'email.i', 'accounts has no unique index of email: run set-up'],
    ] as const) {
      const collection = ground.stored(name)
      const index = (await collection.indexes()).find(({ key }) => Object.hasOwn(key, path))
      await collection.dropIndex(index?.name ?? '')
      expect(await refusal({})).toBe(message)
    }
    await ground.programs.run('set-up')
    expect(await (await ground.start()).stop()).toBe(0)
  })

  test('does not start with an index of addresses that is not unique', async () => {
    const collection = ground.stored('accounts')
    const { name = '' } = (await collection.indexes()).find(({ key }) => Object.hasOwn(key, 'email.i')) ?? {}
    await collection.dropIndex(name)
    await collection.createIndex({ 'email.i': 1 }, { name })
    expect(await refusal({})).toBe('accounts has no unique index of email: run set-up')
    await collection.dropIndex(name)
    await ground.programs.run('set-up')
  })

  test.each([
    ['a database that was not set up', { DATABASE: 'accounts-nowhere' }, /^vault_not_initialised: /],
    ['no database', { MONGODB_URI: 'mongodb://canary:canary-password@127.0.0.1:1/' }, /^key_store_unavailable: /],
    ['an address that is none', { MONGODB_URI: 'mongodb://canary:canary-password@127.0.0.1:port/' }, /^Mongo\w+Error$/],
    ['another database', { MONGODB_URI: 'http://canary:canary-password@127.0.0.1/' }, /^missing or wrong: MONGODB_URI$/],
    [
      'variables that are wrong',
      { DATABASE: '$x', PORT: 'canary', ROOT_KEY_FILE: '' },
      /^missing or wrong: DATABASE, ROOT_KEY_FILE, PORT$/,
    ],
    ['no root key file', { ROOT_KEY_FILE: '/nowhere/root.key' }, /^root_key_file_invalid: /],
    ['no passphrase', { PASSPHRASE_FILE: '/nowhere/passphrase' }, /^PASSPHRASE_FILE cannot be read$/],
    ['a wrong passphrase', { PASSPHRASE_FILE: '/etc/hostname' }, /^wrong_passphrase: /],
  ])('does not start with %s', async (_, variables, message) => {
    const said = await refusal(variables)
    expect(said).toMatch(message)
    expect(said).not.toContain('canary')
  })

  test('does not start with an option that there is not', async () => {
    expect(await refusal({}, '--canary')).toBe('the one option that there is: --mongoose')
  })

  const post = (body: string | object, path = '/session'): Promise<Answered> => ground.service.call('POST', path, { body })

  test('bodies: what is not as it must be is refused by the names of its members', async () => {
    const good = { email: ada.email, password: ada.password }
    const padded = (length: number): string => JSON.stringify(good).padEnd(length)
    expect((await post(padded(10_000))).status).toBe(201)
    expect(await post(padded(10_001))).toEqual({ status: 413, body: { error: 'too_large' } })
    expect(await post('{ "canary"')).toEqual({ status: 400, body: { error: 'must_be_json' } })
    const wrong = (body: string | object): Promise<unknown> =>
      post(body).then(({ status, body: answered }) => [status, answered?.['fields']])
    expect(await wrong({ email: ['canary'], password: 5 })).toEqual([400, ['email', 'password']])
    expect(await wrong({ email: { $ne: '' }, password: { $ne: '' } })).toEqual([400, ['email', 'password']])
    expect(await wrong({ ...good, canary: 1 })).toEqual([400, ['body']])
    expect(await wrong('{"__proto__":{},"email":"canary@example.com","password":"x"}')).toEqual([400, ['body']])
    expect(await wrong('[]')).toEqual([400, ['body']])
    expect(await wrong({ ...good, email: 'canary' })).toEqual([400, ['email']])
    expect(await wrong({ ...good, password: 'canary'.repeat(40) })).toEqual([400, ['password']])
    expect(await wrong('{"email":"canary@example.com","password":"\\ud800"}')).toEqual([400, ['password']])
    const change = (body: object): Promise<Answered> => ground.service.call('PATCH', '/me', { token: ada.token, body })
    expect(await change({})).toEqual({ status: 400, body: { error: 'invalid', fields: ['body'] } })
    expect(await change({ role: 'owner' })).toEqual({ status: 400, body: { error: 'invalid', fields: ['body'] } })
    expect(await change({ name: '\ud800' })).toEqual({ status: 400, body: { error: 'invalid', fields: ['name'] } })
    expect((await change({ name: 'Canary the second' })).status).toBe(204)
  })

  test('bodies of another type, and of a length that is not said', async () => {
    const body = JSON.stringify(credentials(ada))
    const init = (type: string): RequestInit => ({ method: 'POST', headers: { 'content-type': type }, body })
    expect((await fetch(`${ground.service.url}/session`, init('text/plain'))).status).toBe(415)
    expect((await fetch(`${ground.service.url}/session`, init('application/json; charset=utf-8'))).status).toBe(201)
    const streamed = { ...init('application/json'), body: new Blob([body]).stream(), duplex: 'half' }
    expect((await fetch(`${ground.service.url}/session`, streamed as RequestInit)).status).toBe(413)
  })

  test('paths that there are not, and callers without a session', async () => {
    const { call } = ground.service
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/constructor'],
      ['PUT', '/me'],
      ['GET', '/me?x=1'],
      ['GET', '/team/../me'],
      ['GET', '/team/not-an-id'],
    ] as const)
      expect([path, (await call(method, path, { token: ada.token })).status]).toEqual([path, path === '/team/../me' ? 200 : 404])
    for (const token of [undefined, 'x', 'x'.repeat(43), `${ada.token}x`])
      for (const [method, path] of [
        ['GET', '/me'],
        ['PATCH', '/me'],
        ['DELETE', '/me'],
        ['GET', '/team'],
        ['GET', `/team/${ada.id}`],
        ['POST', '/invitations'],
      ] as const)
        expect(await call(method, path, token === undefined ? {} : { token })).toEqual({ status: 401, body: { error: 'not_logged_in' } })
  })

  test('a failure within is told to the log alone, and there without what it is about', async () => {
    const accounts = ground.stored('accounts')
    const before = await ground.storedOne('accounts', { _id: ada.id })
    await accounts.updateOne({ _id: ada.id }, { $set: { name: 'Canary in plaintext' } })
    const printed = ground.service.printed().length
    expect(await ground.service.call('GET', '/me', { token: ada.token })).toEqual({ status: 500, body: { error: 'internal' } })
    await accounts.replaceOne({ _id: ada.id }, before)
    const log = JSON.parse(ground.service.printed().slice(printed)) as Record<string, string>
    expect(log).toMatchObject({ during: 'GET /me', error: expect.stringMatching(/^decrypt_failed: name of the document/) })
    expect(ground.service.printed().toLowerCase()).not.toContain('canary')
  })

  test('SIGTERM: what has begun is answered, nothing new is accepted, and it ends with 0', async () => {
    const service = await ground.start()
    const port = Number(new URL(service.url).port)
    const body = JSON.stringify({ ...credentials(ada), password: 'wrong' })
    const socket = connect(port, '127.0.0.1')
    socket.write(`POST /session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`)
    // So that the service knows of it: an answer to another call shows that it has read on.
    await service.call('GET', '/me')
    const stopped = service.stop()
    await vi.waitFor(async () => expect(await refusesConnections(port)).toBe(true))
    let answered = ''
    socket.on('data', (chunk: Buffer) => (answered += chunk.toString()))
    socket.write(body)
    await once(socket, 'close')
    expect(answered).toMatch(/^HTTP\/1\.1 401 [\s\S]*connection: close\r\n[\s\S]*wrong_email_or_password/)
    expect(await stopped).toBe(0)
    expect(service.printed()).toMatch(/ended\n$/)
  })
})

async function refusesConnections(port: number): Promise<boolean> {
  const socket: Socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return false
  } catch {
    return true
  } finally {
    socket.destroy()
  }
}
