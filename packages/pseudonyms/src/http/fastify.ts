/** For Fastify: a server that sees requests before Fastify, whose first line of log comes before every hook. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

import { invalidArgument, readOptions } from '@strongroom/core'

import type { Pseudonyms } from '../pseudonyms.ts'
import { hideAddresses, hideFailed } from './node-request.ts'
import { REQUEST_OPTIONS, type RequestOptions, requestReader } from './pseudonymise-request.ts'

/** What Fastify hands over: what serves a request. */
export type FastifyHandler = (request: IncomingMessage, response: ServerResponse) => void

/** Options of `pseudonymousServer`. */
export interface ServerOptions extends RequestOptions {
  /** Makes the server, such as that of `node:https`; `createServer` of `node:http` unless given. */
  readonly create?: (listener: FastifyHandler) => Server
  /** Told why a request was answered with 503: no pseudonym was to be had. */
  readonly onError?: (error: unknown) => void
}

const UNAVAILABLE = 503

/**
 * The `serverFactory` of Fastify: `request.ip`, the connection and the headers have the pseudonym before Fastify sees the request. Where there
 * is none to be had, it is answered with 503, and Fastify does not see it.
 * Leave Fastify's `trustProxy` off: with it `request.ip` is what the header says, of which a client may have planted the first.
 *
 * @throws StrongroomError `invalid_argument` naming the option
 * @example
 * ```ts
 * import { type Pseudonyms } from '@strongroom/pseudonyms'
 * import { pseudonymousServer } from '@strongroom/pseudonyms/fastify'
 * import Fastify from 'fastify'
 *
 * export async function serve(pseudonyms: Pseudonyms): Promise<void> {
 *   const app = Fastify({ logger: true, serverFactory: pseudonymousServer(pseudonyms) })
 *   app.get('/', (request) => `you are ${request.ip}`)
 *   await app.listen({ port: 8080 })
 * }
 * ```
 */
export function pseudonymousServer(pseudonyms: Pseudonyms, options: ServerOptions = {}): (handler: FastifyHandler) => Server {
  const { create = createServer, onError = () => undefined, ...rest } = readOptions(options, [...REQUEST_OPTIONS, 'create', 'onError'])
  if (typeof create !== 'function') throw invalidArgument('create', 'must be a function that makes a server')
  if (typeof onError !== 'function') throw invalidArgument('onError', 'must be a function')
  const reader = requestReader(pseudonyms, rest)
  return (handler) => {
    const server = create((request, response) => {
      hideAddresses(request, response, reader).then(
        () => handler(request, response),
        (error: unknown) => {
          response.writeHead(UNAVAILABLE).end()
          onError(error)
        },
      )
    })
    server.prependListener('clientError', (error, socket) => {
      hideFailed(error, socket)
      // What Node does where nobody listens.
      if (server.listenerCount('clientError') === 1) socket.destroy(error)
    })
    return server
  }
}
