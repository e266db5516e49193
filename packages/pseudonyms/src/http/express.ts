/** For Express: a middleware, in front of all others. */

import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Pseudonyms } from '../pseudonyms.ts'
import { hideAddresses } from './node-request.ts'
import { NO_CLIENT, type RequestOptions, requestReader } from './pseudonymise-request.ts'

/** What Express calls. */
export type ExpressMiddleware = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void

/**
 * Puts the pseudonym where Express has the address: `req.ip`, `req.ips`, `req.socket.remoteAddress` and the headers. Everything before it sees
 * the raw address, so that it goes first. Where there is no pseudonym to be had, the request fails, and shows no address.
 *
 * @throws StrongroomError `invalid_argument` naming the option
 * @example
 * ```ts
 * import { type Pseudonyms } from '@strongroom/pseudonyms'
 * import { pseudonymiseExpress } from '@strongroom/pseudonyms/express'
 * import express from 'express'
 *
 * export function serve(pseudonyms: Pseudonyms): void {
 *   const app = express()
 *   app.use(pseudonymiseExpress(pseudonyms, { trustedProxies: ['10.0.0.0/8'], header: 'x-forwarded-for' }))
 *   app.get('/', (req, res) => void res.send(`you are ${req.ip}`))
 *   app.listen(8080)
 * }
 * ```
 */
export function pseudonymiseExpress(pseudonyms: Pseudonyms, options: RequestOptions = {}): ExpressMiddleware {
  const reader = requestReader(pseudonyms, options)
  return (request, response, next) => {
    const show = (client: string): void => {
      Object.defineProperty(request, 'ip', { value: client, configurable: true, enumerable: true })
      Object.defineProperty(request, 'ips', { value: [], configurable: true, enumerable: true })
    }
    show(NO_CLIENT)
    hideAddresses(request, response, reader).then(
      ({ client }) => {
        show(client)
        // Outside of the promise: what the application throws is its own.
        return process.nextTick(next)
      },
      (error: unknown) => process.nextTick(next, error),
    )
  }
}
