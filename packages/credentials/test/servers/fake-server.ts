// An authorisation server that does as a test says: for what a real one does only when something breaks.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What becomes of a request for tokens. All but `…-before` and those with a status come after the refresh token was used up. */
export type Behaviour =
  | 'answer'
  | 'reset-before'
  | 'hang-before'
  | 'reset'
  | 'half'
  | 'no-json'
  | 'error-500'
  | 'hang'
  | 'without-refresh-token'
  | 'wrong-id-token'
  /** New tokens with other members beside them, or in their place. */
  | { readonly with: Readonly<Record<string, unknown>> }
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }

export interface FakeServer {
  readonly origin: string
  /** For the requests to come, in order; then `answer`. */
  readonly next: Behaviour[]
  /** How many connections have been made to it. */
  connections: number
  /** How many requests for tokens have come. */
  asked: number
  /** Refresh tokens in the order in which they were used. */
  readonly used: string[]
  readonly revoked: string[]
  /** Of the last request for a revocation: its form, and who it says that he is. */
  lastRevocation: { readonly form: Readonly<Record<string, string>>; readonly authorization: string | undefined } | undefined
  /** Status of the revocation endpoint. */
  revocation: { status: number; body?: unknown }
  /** Refresh tokens stay valid. */
  reusable: boolean
  expiresIn: number | undefined
  /** A token response as after a customer has agreed. */
  grant(): { access_token: string; refresh_token: string; token_type: string; expires_in?: number }
  /** Called when a request for tokens has come, before it is answered. */
  onRequest: () => Promise<void> | void
  /** Whether an access token is the newest. */
  isLive(token: string): boolean
  close(): Promise<void>
}

export async function startFakeServer(): Promise<FakeServer> {
  let serial = 0
  const living = new Set<string>()
  let newest = ''
  const make = (): ReturnType<FakeServer['grant']> => {
    serial++
    newest = `fake-access-CANARY-${serial}`
    const refresh_token = `fake-refresh-CANARY-${serial}`
    living.add(refresh_token)
    return {
      access_token: newest,
      refresh_token,
      token_type: 'Bearer',
      ...(fake.expiresIn === undefined ? {} : { expires_in: fake.expiresIn }),
    }
  }
  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const fake: FakeServer = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    next: [],
    connections: 0,
    asked: 0,
    used: [],
    revoked: [],
    lastRevocation: undefined,
    revocation: { status: 200 },
    reusable: false,
    expiresIn: 3600,
    grant: make,
    onRequest: () => undefined,
    isLive: (token) => token === newest,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }

  server.on('connection', () => fake.connections++)
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const form = new URLSearchParams(text)
    const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    }
    if (request.url === '/revoke') {
      fake.revoked.push(form.get('token') ?? '')
      fake.lastRevocation = { form: Object.fromEntries(form), authorization: request.headers.authorization }
      return answer(fake.revocation.status, fake.revocation.body ?? {})
    }
    if (request.url === '/api') {
      const live = fake.isLive(request.headers.authorization?.replace('Bearer ', '') ?? '')
      return answer(live ? 200 : 401, { live })
    }
    fake.asked++
    await fake.onRequest()
    const behaviour = fake.next.shift() ?? 'answer'
    if (typeof behaviour === 'object' && 'status' in behaviour) return answer(behaviour.status, behaviour.body ?? {}, behaviour.headers)
    if (behaviour === 'reset-before') return void request.socket.resetAndDestroy()
    if (behaviour === 'hang-before') return undefined
    const token = form.get('refresh_token') ?? ''
    if (form.get('grant_type') === 'refresh_token') {
      fake.used.push(token)
      if (!living.has(token)) return answer(400, { error: 'invalid_grant', error_description: `no such token: ${token}` })
      if (!fake.reusable) living.delete(token)
    }
    const tokens = { ...make(), ...(typeof behaviour === 'object' ? behaviour.with : {}) }
    if (typeof behaviour === 'object') return answer(200, tokens)
    if (behaviour === 'answer') return answer(200, tokens)
    if (behaviour === 'reset') return void request.socket.resetAndDestroy()
    if (behaviour === 'hang') return undefined
    if (behaviour === 'error-500') return answer(500, 'out of order')
    if (behaviour === 'no-json') return answer(200, '<html>')
    if (behaviour === 'wrong-id-token') return answer(200, { ...tokens, id_token: 'a.b.c' })
    if (behaviour === 'without-refresh-token') {
      living.delete(tokens.refresh_token)
      living.add(token)
      const { refresh_token: _, ...rest } = tokens
      return answer(200, rest)
    }
    const whole = JSON.stringify(tokens)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(whole.length) })
    response.write(whole.slice(0, whole.length / 2))
    setTimeout(() => request.socket.resetAndDestroy(), 20)
    return undefined
  }
  return fake
}
