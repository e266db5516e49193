// Express, Fastify, Hono: on real servers, with what they log.
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request as httpRequest, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import { inspect } from 'node:util'

import { getConnInfo } from '@hono/node-server/conninfo'
import { getRequestListener } from '@hono/node-server'
import { createPseudonyms } from '@strongroom/pseudonyms'
import { pseudonymiseExpress, pseudonymousOf } from '@strongroom/pseudonyms/express'
import { pseudonymousServer } from '@strongroom/pseudonyms/fastify'
import { pseudonymiseHono } from '@strongroom/pseudonyms/hono'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { describe, expect, onTestFinished, test, vi } from 'vitest'

import { pseudonymsOf, world } from '../support.ts'

const OURS = { trustedProxies: ['127.0.0.0/8', '::1'], header: 'x-forwarded-for' } as const
const CLIENT = '203.0.113.9'
const RAW = /203\.0\.113\.9|127\.0\.0\.1|198\.51\.100\.7/

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

interface Said {
  readonly status: number
  readonly body: string
}

function asked(port: number, headers: Readonly<Record<string, string>> = {}, body?: string): Promise<Said> {
  return new Promise((resolve, reject) => {
    const call = httpRequest(
      { port, host: '127.0.0.1', method: body === undefined ? 'GET' : 'POST', headers: { host: 'x', ...headers } },
      (response) => {
        void textOf(response).then((said) => resolve({ status: response.statusCode ?? 0, body: said }))
      },
    )
    call.on('error', reject)
    call.end(body)
  })
}

const forwarded = { 'X-Forwarded-For': `198.51.100.7, ${CLIENT}`, 'x-real-ip': '198.51.100.7' }

describe('Express', () => {
  async function serving() {
    const ground = await world()
    const pseudonyms = pseudonymsOf(ground)
    const printed: string[] = []
    const app = express()
    app.set('trust proxy', true)
    app.use(pseudonymiseExpress(pseudonyms, { ...OURS, enrich: () => 'FR' }))
    app.use((req, _res, next) => {
      // What loggers read, and all that could be printed of a request.
      printed.push([req.ip, req.ips.join(), req.socket.remoteAddress, req.get('x-forwarded-for')].join(' '))
      printed.push(inspect(req, { depth: 12, showHidden: true }))
      next()
    })
    app.all('/', express.text(), (req, res) => void res.json([req.ip, pseudonymousOf(req)?.enriched, req.body]))
    app.use((_error: unknown, req: express.Request, res: express.Response, _next: express.NextFunction) => {
      printed.push(inspect(req, { depth: 12, showHidden: true }))
      res.status(500).send(req.ip)
    })
    return { ...ground, pseudonyms, printed, port: await listening(createServer(app)) }
  }

  test('the pseudonym is where the address was, and no address is left', async () => {
    const { pseudonyms, printed, port } = await serving()
    const client = await pseudonyms.pseudonymise(CLIENT)
    expect(JSON.parse((await asked(port, forwarded)).body)).toEqual([client, 'FR', null])
    expect(JSON.parse((await asked(port, { ...forwarded, 'content-type': 'text/plain' }, 'body')).body)).toEqual([client, 'FR', 'body'])
    expect(JSON.parse((await asked(port)).body)).toEqual([await pseudonyms.pseudonymise('127.0.0.1'), 'FR', null])
    expect(printed[0]).toContain(`${client}  ${client} `)
    // The socket of the server itself shows where it listens.
    expect(printed.filter((text) => RAW.test(text.replaceAll(/_connectionKey: '4:127\.0\.0\.1:\d+'/g, '')))).toEqual([])
  })

  test('DNT and Sec-GPC drop it, and nothing falls back to the raw one', async () => {
    const { printed, port } = await serving()
    for (const signal of [{ dnt: '1' }, { 'sec-gpc': '1' }])
      expect(JSON.parse((await asked(port, { ...forwarded, ...signal })).body)[0]).toBe('-')
    expect(printed[0]).toBe('-  - ')
  })

  test('mounted twice it gives the same once more, and no pseudonym of a pseudonym', async () => {
    const pseudonyms = pseudonymsOf(await world())
    const app = express()
    for (let i = 0; i < 2; i++) app.use(pseudonymiseExpress(pseudonyms, OURS))
    app.get('/', (req, res) => void res.json([req.ip, req.socket.remoteAddress, req.get('x-forwarded-for')]))
    const [client, other] = [await pseudonyms.pseudonymise(CLIENT), await pseudonyms.pseudonymise('198.51.100.7')]
    const { body } = await asked(await listening(createServer(app)), forwarded)
    expect(JSON.parse(body)).toEqual([client, client, `${other}, ${client}`])
  })

  test('several requests of one connection have each their own', async () => {
    const { pseudonyms, port } = await serving()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const clients = ['192.0.2.1', '192.0.2.2', '192.0.2.3']
    const found: string[] = []
    for (const client of clients)
      found.push(
        await new Promise<string>((resolve, reject) => {
          const call = httpRequest({ port, host: '127.0.0.1', agent, headers: { 'x-forwarded-for': client } }, (response) => {
            void textOf(response).then((said) => resolve((JSON.parse(said) as string[])[0] as string))
          })
          call.on('error', reject).end()
        }),
      )
    expect(found).toEqual(await Promise.all(clients.map((client) => pseudonyms.pseudonymise(client))))
  })

  test('where there is no pseudonym to be had the request fails, and what is told of that has no address', async () => {
    const { vault, printed, port } = await serving()
    await vault.tenant('acme').shred({ reason: 'accountDeleted' })
    expect(await asked(port, forwarded)).toEqual({ status: 500, body: '-' })
    expect(printed.filter((text) => RAW.test(text.replaceAll(/_connectionKey: '4:127\.0\.0\.1:\d+'/g, '')))).toEqual([])
  })
})

describe('Fastify', () => {
  test('the pseudonym is where the address was, from the first line of log on', async () => {
    const { vault } = await world()
    const pseudonyms = createPseudonyms(vault.tenant('acme'), { purpose: 'access-log' })
    let log = ''
    const stream = new Writable({
      write(chunk: Buffer, _, done) {
        log += chunk.toString()
        done()
      },
    })
    const errors: unknown[] = []
    const serverFactory = pseudonymousServer(pseudonyms, { ...OURS, onError: (error) => errors.push(error) })
    const app = Fastify({ logger: { stream }, serverFactory, trustProxy: false })
    app.get('/', (request) => [request.ip, request.headers['x-forwarded-for'], request.raw.socket.remoteAddress])
    await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => {
      app.server.closeAllConnections()
    })
    const { port } = app.server.address() as AddressInfo
    const [client, other] = [await pseudonyms.pseudonymise(CLIENT), await pseudonyms.pseudonymise('198.51.100.7')]
    expect(JSON.parse((await asked(port, forwarded)).body)).toEqual([client, `${other}, ${client}`, client])
    expect(JSON.parse((await asked(port, { ...forwarded, dnt: '1' })).body)).toEqual(['-', null, '-'])
    expect(log).toContain(`"remoteAddress":"${client}"`)
    expect(log.replaceAll(/Server listening at [^"]*/g, '')).not.toMatch(RAW)

    await vault.tenant('acme').shred({ reason: 'accountDeleted' })
    expect((await asked(port, forwarded)).status).toBe(503)
    expect(errors).toEqual([expect.objectContaining({ code: 'shredded' })])
  })

  test('a connection with what is no request shows no address: neither its own, nor one in bytes that came before', async () => {
    const seen: unknown[] = []
    const clientErrorHandler = (error: Error, socket: Socket): void => {
      seen.push(socket.remoteAddress, 'rawPacket' in error, error.message)
      socket.destroy()
    }
    const app = Fastify({ serverFactory: pseudonymousServer(pseudonymsOf(await world())), clientErrorHandler })
    app.get('/', () => 'x')
    await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const { port } = app.server.address() as AddressInfo
    for (const before of ['', `GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${CLIENT}\r\n\r\n`]) {
      const socket = connect(port, '127.0.0.1')
      socket.end(`${before}NONE\r\n\r\n`).resume()
      await once(socket, 'close')
    }
    expect(seen).toEqual(['-', false, expect.any(String), '-', false, expect.any(String)])
  })

  test('a server that nobody else watches answers what is no request by closing the connection', async () => {
    const port = await listening(pseudonymousServer(pseudonymsOf(await world()))(() => undefined))
    const socket = connect(port, '127.0.0.1')
    socket.write('NONE\r\n\r\n')
    await once(socket.resume(), 'close')
  })

  test('with a trustProxy of its own Fastify believes what the client has planted; what was read of it is there all the same', async () => {
    const pseudonyms = pseudonymsOf(await world())
    const [client, planted] = [await pseudonyms.pseudonymise(CLIENT), await pseudonyms.pseudonymise('198.51.100.7')]
    for (const [trustProxy, believed] of [
      [true, planted],
      [false, client],
    ] as const) {
      const app = Fastify({ serverFactory: pseudonymousServer(pseudonyms, { ...OURS, enrich: () => 'FR' }), trustProxy })
      app.get('/', (request) => {
        const seen = pseudonymousOf(request.raw)
        return [request.ip, seen?.client, seen?.enriched, seen?.dropped ?? null]
      })
      await app.ready()
      const { body } = await asked(await listening(app.server), forwarded)
      expect(JSON.parse(body)).toEqual([believed, client, 'FR', null])
    }
  })
})

describe('the connection', () => {
  const HIDDEN = '127.0.0.9'
  // All that Node would tell of the peer, read before it is printed.
  const printed = (request: IncomingMessage): string => {
    const { socket } = request
    const told = [socket.remoteAddress, socket.remoteFamily, socket.remotePort, socket.address(), socket.localPort]
    return [inspect(told), inspect(request, { depth: 12, showHidden: true }), JSON.stringify(socket.address())].join('\n')
  }
  const from = (port: number, agent: Agent): Promise<string> =>
    new Promise((resolve, reject) => {
      const call = httpRequest({ port, host: '127.0.0.1', localAddress: HIDDEN, agent }, (response) => void textOf(response).then(resolve))
      call.on('error', reject).end()
    })

  test('shows no raw peer, whatever is read of it: on the first request and on the next', async () => {
    const pseudonyms = pseudonymsOf(await world())
    const seen: string[] = []
    const app = express()
    app.use(pseudonymiseExpress(pseudonyms))
    app.use((req, res) => {
      seen.push(printed(req))
      res.json([req.socket.remoteAddress, req.socket.remoteFamily, typeof req.socket.remotePort])
    })
    const client = await pseudonyms.pseudonymise(HIDDEN)
    const plain = await listening(createServer(app))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    for (let i = 0; i < 3; i++) expect(JSON.parse(await from(plain, agent))).toEqual([client, 'IPv4', 'number'])
    expect(seen.filter((each) => each.includes(HIDDEN))).toEqual([])
    expect(seen).toHaveLength(3)
  })

  test('of a Unix domain socket has no address, and shows none', async () => {
    const pseudonyms = pseudonymsOf(await world())
    const app = express()
    app.use(pseudonymiseExpress(pseudonyms, OURS))
    app.use((req, res) => res.json([req.ip, req.socket.remoteAddress, req.socket.remotePort ?? null, req.get('x-forwarded-for')]))
    const socketPath = join(tmpdir(), `strongroom-${process.pid}.sock`)
    const server = createServer(app).listen(socketPath)
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const body = await new Promise<string>((resolve, reject) => {
      httpRequest({ socketPath, headers: { 'x-forwarded-for': CLIENT } }, (response) => void textOf(response).then(resolve))
        .on('error', reject)
        .end()
    })
    expect(JSON.parse(body)).toEqual(['-', '-', null, await pseudonyms.pseudonymise(CLIENT)])
  })

  test('shows each of several requests that were sent at once its own client', async () => {
    const pseudonyms = pseudonymsOf(await world())
    const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50))
    const app = express()
    app.use(pseudonymiseExpress(pseudonyms, OURS))
    app.use((req, res) => {
      const first = req.socket.remoteAddress
      void later().then(() => res.json([first, req.socket.remoteAddress, req.ip]))
    })
    const fastify = Fastify({ serverFactory: pseudonymousServer(pseudonyms, OURS) })
    fastify.get('/', (req) => {
      const first = req.ip
      return later().then(() => [first, req.socket.remoteAddress, req.ip])
    })
    await fastify.ready()
    const clients = ['192.0.2.1', '192.0.2.2', '192.0.2.3']
    const all = clients.map((each) => `GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${each}\r\n\r\n`).join('')
    const expected = await Promise.all(clients.map((each) => pseudonyms.pseudonymise(each)))
    for (const server of [createServer(app), fastify.server]) {
      const socket: Socket = connect(await listening(server), '127.0.0.1')
      onTestFinished(() => void socket.destroy())
      let answer = ''
      socket.on('data', (data: Buffer) => (answer += data.toString()))
      socket.write(all)
      await vi.waitFor(() => expect(answer.match(/\[[^\]]*\]/g)).toHaveLength(3), { timeout: 5000 })
      const found = answer.match(/\[[^\]]*\]/g)?.map((each) => JSON.parse(each) as unknown)
      expect(found).toEqual(expected.map((each) => [each, each, each]))
    }
  })
})

describe('Hono', () => {
  type App = Hono<{ Variables: { client: string; enriched: string | undefined } }>
  async function app(options: object): Promise<{ readonly hono: App; readonly pseudonyms: ReturnType<typeof pseudonymsOf> }> {
    const pseudonyms = pseudonymsOf(await world())
    const hono: App = new Hono()
    hono.use(pseudonymiseHono(pseudonyms, { ...OURS, ...options }))
    hono.all('/', async (c) => {
      let peer: string | undefined
      try {
        peer = getConnInfo(c).remote.address
      } catch {
        // Not on Node's server.
      }
      return c.json([c.get('client'), c.req.header('x-forwarded-for'), peer, await c.req.text()])
    })
    return { hono, pseudonyms }
  }

  test('on @hono/node-server', async () => {
    const { hono, pseudonyms } = await app({})
    const port = await listening(createServer((request, response) => void getRequestListener(hono.fetch)(request, response)))
    const [client, other] = [await pseudonyms.pseudonymise(CLIENT), await pseudonyms.pseudonymise('198.51.100.7')]
    expect(JSON.parse((await asked(port, forwarded)).body)).toEqual([client, `${other}, ${client}`, client, ''])
    expect(JSON.parse((await asked(port, forwarded, 'body')).body)).toEqual([client, `${other}, ${client}`, client, 'body'])
    expect(JSON.parse((await asked(port, { ...forwarded, 'sec-gpc': '1' })).body)).toEqual(['-', null, '-', ''])
  })

  test('mounted twice, on Node and elsewhere: once', async () => {
    for (const options of [{}, { remoteAddress: () => '127.0.0.1' }]) {
      const { hono, pseudonyms } = await app(options)
      const outer: App = new Hono()
      outer.use(pseudonymiseHono(pseudonyms, { ...OURS, ...options }))
      outer.route('/', hono)
      const client = await pseudonyms.pseudonymise(CLIENT)
      const headers = { 'x-forwarded-for': CLIENT }
      if ('remoteAddress' in options) {
        expect(await (await outer.request('/', { headers })).json()).toEqual([client, client, null, ''])
        continue
      }
      const port = await listening(createServer((incoming, response) => void getRequestListener(outer.fetch)(incoming, response)))
      expect(JSON.parse((await asked(port, headers)).body)).toEqual([client, client, client, ''])
    }
  })

  test('elsewhere, where it is told the peer, and refused where it is not', async () => {
    const { hono, pseudonyms } = await app({ remoteAddress: () => '127.0.0.1' })
    const client = await pseudonyms.pseudonymise(CLIENT)
    const response = await hono.request('/', { method: 'POST', headers: { 'x-forwarded-for': CLIENT }, body: 'body' })
    expect(await response.json()).toEqual([client, client, null, 'body'])
    const untold = await app({})
    untold.hono.onError((error, c) => c.text((error as unknown as { argument: string }).argument, 500))
    expect(await (await untold.hono.request('/')).text()).toBe('remoteAddress')
  })
})

test('options that are none are refused by each of them, with the name of one that there is not', async () => {
  const pseudonyms = pseudonymsOf(await world())
  for (const wrap of [pseudonymiseExpress, pseudonymousServer, pseudonymiseHono])
    expect(() => wrap(pseudonyms, { trustedProxy: ['10.0.0.0/8'] } as object)).toThrow(
      /must not hold trustedProxy; there are trustedProxies, /,
    )
  for (const [argument, make] of [
    ['create', () => pseudonymousServer(pseudonyms, { create: 5 } as object)],
    ['onError', () => pseudonymousServer(pseudonyms, { onError: 'log' } as object)],
    ['remoteAddress', () => pseudonymiseHono(pseudonyms, { remoteAddress: '127.0.0.1' } as object)],
  ] as const)
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_argument', argument }))
})
