/** The service, behind the middleware: no line of it ever sees an address. */

import { StrongroomError } from '@strongroom/core'
import { pseudonymiseExpress, pseudonymousOf } from '@strongroom/pseudonyms/express'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'

import type { Configuration } from './configuration.ts'
import { countryOf } from './countries.ts'
import { htmlOf } from './page.ts'
import { isoDay, reportOf } from './report.ts'
import type { Store } from './store.ts'

const STATUSES: Readonly<Record<string, number>> = {
  invalid_argument: 400,
  decrypt_failed: 404,
  period_over: 410,
  shredded: 410,
}

export function serverOf(store: Store, { PROXIES }: Configuration): Express {
  const app = express()
  app.disable('x-powered-by')
  const proxies = PROXIES.length === 0 ? {} : ({ trustedProxies: PROXIES, header: 'x-forwarded-for' } as const)
  app.use(pseudonymiseExpress(store.pseudonyms, { ...proxies, enrich: countryOf }))
  app.use(keep(store))

  app.get('/images/:name', (_request, response) => void response.type('svg').send('<svg xmlns="http://www.w3.org/2000/svg"/>'))
  app.get('/report', (request, response, next) => {
    const { day = isoDay(store.now()) } = request.query
    if (typeof day !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(Date.parse(day)))
      response.status(400).json({ error: 'day' })
    else reportOf(store, day).then((page) => response.type('html').send(htmlOf(page)), next)
  })
  // For those who deal with abuse; in front of it belongs what says who they are.
  app.post('/abuse', express.json(), (request, response, next) => {
    const { ip = '', at = '', reason = '' } = (request.body ?? {}) as { ip?: string; at?: string; reason?: string }
    store.pseudonyms.reverse(ip, { at: Date.parse(at), reason }).then((answer) => response.json(answer), next)
  })
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    const code = error instanceof StrongroomError ? error.code : 'internal'
    if (STATUSES[code] === undefined) console.error(JSON.stringify({ error: code }))
    response.status(STATUSES[code] ?? 500).json({ error: code })
  })
  return app
}

// Before the answer, so that none is given that was not kept.
function keep({ pseudonyms, requests, now }: Store) {
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    if (!request.path.startsWith('/images/')) return next()
    // Whoever is logged in: a session belongs here.
    const [, login] = /(?:^|; )user=(\w{1,40})/.exec(request.get('cookie') ?? '') ?? []
    const seen = pseudonymousOf(request)
    const objects = seen?.dropped !== undefined
    await requests.insertOne({
      at: new Date(now()),
      ip: request.ip ?? '-',
      country: seen?.enriched ?? '-',
      target: withoutValues(request.originalUrl),
      status: response.statusCode,
      ...(login === undefined || objects ? {} : { user: await pseudonyms.id('user', login) }),
    })
    next()
  }
}

function withoutValues(target: string): string {
  const [path = '', query] = target.split('?', 2)
  if (query === undefined) return path
  return `${path}?${query.replaceAll(/=[^&]*/g, '=')}`
}
