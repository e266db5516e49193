/** HTTP in front of the routes. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

import { whoCalls } from './access-keys.ts'
import type { Configuration } from './configuration.ts'
import { described, Refusal, refusalOf } from './errors.ts'
import { certificateOf, receiveWebhook, ROUTES } from './routes.ts'
import type { Store } from './store.ts'

const MOST_BYTES = 10_000

/** Behind what ends TLS and holds back those who guess. */
export function httpServer(store: Store, configuration: Configuration): Server {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { status, body } = await answer(store, configuration, request)
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body))
  }
  return createServer({ requestTimeout: 10_000 }, (request, response) => void serve(request, response))
}

async function answer(store: Store, configuration: Configuration, request: IncomingMessage): Promise<{ status: number; body: object }> {
  try {
    return { status: 200, body: await act(store, configuration, request) }
  } catch (error) {
    const { status, message } = refusalOf(error) ?? new Refusal(500, 'internal')
    // Without the query: what comes back from the CRM has a code in it.
    const during = `${request.method} ${request.url?.split('?')[0]}`
    if (status >= 500) console.error(JSON.stringify({ during, error: described(error) }))
    return { status, body: { error: message } }
  }
}

async function act(store: Store, configuration: Configuration, request: IncomingMessage): Promise<object> {
  const { method = '', url: target = '', headers } = request
  // Node takes targets that are in no URL.
  if (!URL.canParse(target, configuration.PUBLIC_URL)) throw new Refusal(404, 'not_found')
  const url = new URL(target, configuration.PUBLIC_URL)
  const [, area = '', name = '', action] = url.pathname.split('/')
  const body = (): Promise<string> => bodyOf(request)
  if (method === 'POST' && area === 'webhooks') return receiveWebhook(store, name, String(headers['x-signature']), await body())
  if (method === 'GET' && area === 'certificates') return certificateOf(store, name)

  const [, session = ''] = /(?:^|; )access_key=([\w.-]+)/.exec(headers.cookie ?? '') ?? []
  const organisation = await whoCalls(store, session)
  const owner = store.vault.tenant(organisation).self()
  const route = `${method} /${area}${name && '/:name'}${action === undefined ? '' : `/${action}`}`
  const found = Object.hasOwn(ROUTES, route) ? ROUTES[route] : undefined
  if (found === undefined) throw new Refusal(404, 'not_found')
  return found({ ...store, configuration, organisation, owner, session, name, url, body })
}

// Node reads no more of a body than is announced; one of unknown length is not read.
async function bodyOf(request: IncomingMessage): Promise<string> {
  const { 'content-length': length } = request.headers
  if (length === undefined || Number(length) > MOST_BYTES) throw new Refusal(413, 'too_large')
  return text(request)
}
