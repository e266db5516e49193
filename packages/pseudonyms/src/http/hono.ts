/** For Hono: a middleware, in front of all others. */

import { IncomingMessage, ServerResponse } from 'node:http'

import { invalidArgument, readOptions } from '@strongroom/core'

import type { Pseudonyms } from '../pseudonyms.ts'
import type { HeaderList } from './headers.ts'
import { hideAddresses } from './node-request.ts'
import { type PseudonymousRequest, REQUEST_OPTIONS, type RequestOptions, requestReader } from './pseudonymise-request.ts'

/** What of a context of Hono is used. */
export interface HonoContext {
  readonly env: unknown
  readonly req: { raw: Request }
  set(key: 'client' | 'enriched', value: string | undefined): void
}

/** Options of `pseudonymiseHono`. */
export interface HonoOptions<C extends HonoContext> extends RequestOptions {
  /** The address of the peer, where Hono does not run on `@hono/node-server`. */
  readonly remoteAddress?: (context: C) => string | undefined
}

const seen = new WeakSet<HonoContext>()

/**
 * Puts the pseudonym where a handler finds addresses: the headers of the request, and on `@hono/node-server` what `getConnInfo` returns. It is
 * also `c.get('client')`; `c.get('enriched')` is what `enrich` returned. Everything before it sees the raw address, so that it goes first.
 *
 * @throws StrongroomError `invalid_argument` naming the option
 * @example
 * ```ts
 * import { type Pseudonyms } from '@strongroom/pseudonyms'
 * import { pseudonymiseHono } from '@strongroom/pseudonyms/hono'
 * import { Hono } from 'hono'
 *
 * export function app(pseudonyms: Pseudonyms) {
 *   const hono = new Hono<{ Variables: { client: string; enriched: string | undefined } }>()
 *   hono.use(pseudonymiseHono(pseudonyms))
 *   hono.get('/', (c) => c.text(`you are ${c.get('client')}`))
 *   return hono
 * }
 * ```
 */
export function pseudonymiseHono<C extends HonoContext>(
  pseudonyms: Pseudonyms,
  options: HonoOptions<C> = {},
): (context: C, next: () => Promise<void>) => Promise<void> {
  const { remoteAddress, ...rest } = readOptions<HonoOptions<C>, keyof HonoOptions<C>>(options, [...REQUEST_OPTIONS, 'remoteAddress'])
  if (remoteAddress !== undefined && typeof remoteAddress !== 'function') throw invalidArgument('remoteAddress', 'must be a function')
  const reader = requestReader(pseudonyms, rest)

  const read = async (context: C): Promise<PseudonymousRequest> => {
    const node = nodeOf(context.env)
    if (node === undefined && remoteAddress === undefined)
      throw invalidArgument('remoteAddress', 'must be given where Hono does not run on @hono/node-server')
    const headers = [...context.req.raw.headers]
    putHeaders(context, reader.withoutAddresses(headers))
    return node === undefined
      ? reader.read({ remoteAddress: remoteAddress?.(context), headers })
      : hideAddresses(node.incoming, node.outgoing, reader)
  }
  return async (context, next) => {
    // Headers that were read before have pseudonyms in them.
    if (!seen.has(context)) {
      seen.add(context)
      const answer = await read(context)
      putHeaders(context, answer.headers)
      context.set('client', answer.client)
      context.set('enriched', answer.enriched)
    }
    await next()
  }
}

function nodeOf(env: unknown): { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse } | undefined {
  if (typeof env !== 'object' || env === null || !('incoming' in env) || !('outgoing' in env)) return undefined
  const { incoming, outgoing } = env
  return incoming instanceof IncomingMessage && outgoing instanceof ServerResponse ? { incoming, outgoing } : undefined
}

// The headers of a request that came in may be read only: the request is made anew, with its body.
function putHeaders(context: HonoContext, headers: HeaderList): void {
  context.req.raw = new Request(context.req.raw, { headers: headers.map(([name, value]) => [name, value]) })
}
