/** HTTP in front of the routes: every call is answered, and no answer tells more than it has to. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

import { isLeaving, log, Refusal } from './errors.ts'
import { type Answer, ROUTES } from './routes.ts'
import type { Store } from './store.ts'

// Of a person, or of an erasure.
const ID = /(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}(?:\.[0-9a-f]{32}){1,3})$/u

/** Behind what ends TLS and holds back those who guess. */
export function httpServer(store: Store): Server {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => void serve(request, response))
  return server

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = await answer(store, request)
    // Once it is closing, no connection is kept for another call.
    if (!server.listening) response.setHeader('connection', 'close')
    response.setHeader('cache-control', 'no-store')
    if (body !== undefined) response.setHeader('content-type', 'application/json')
    response.statusCode = status
    response.end(body && JSON.stringify(body))
  }
}

async function answer(store: Store, request: IncomingMessage): Promise<Answer> {
  const { method = '', url = '' } = request
  const route = `${method} ${url.replace(ID, ':id')}`
  try {
    const act = Object.hasOwn(ROUTES, route) ? ROUTES[route] : undefined
    if (act === undefined) throw new Refusal(404, 'not_found')
    return await act({ store, request, id: ID.exec(url)?.[0] ?? '' })
  } catch (error) {
    return failure(error, route)
  }
}

function failure(error: unknown, route: string): Answer {
  if (error instanceof Refusal) return { status: error.status, body: { error: error.message, fields: error.fields } }
  if (isLeaving(error)) return { status: 410, body: { error: 'gone' } }
  log(route, error)
  return { status: 500, body: { error: 'internal' } }
}
