// Options of lines: one that there is not, or that is of another format, would silently do nothing.
import { inspect } from 'node:util'

import { pseudonymiseLines } from '@strongroom/pseudonyms'
import { expect, test } from 'vitest'

import { pseudonymsOf, world } from '../support.ts'
import { sent } from './support.ts'

test('that there are not, are of another format or of another type, are refused by their names', async () => {
  const pseudonyms = pseudonymsOf(await world())
  for (const [argument, options] of [
    ['options', { format: 'text', redactQueries: ['token'] }],
    ['options', 'text'],
    ['redactQuery', { format: 'text', redactQuery: 'token' }],
    ['addresses', { format: 'text', addresses: ['ip'] }],
    ['time', { format: 'combined', time: 'at' }],
    ['enrichAs', { format: 'combined', enrich: () => 'x', enrichAs: 'country' }],
  ] as const) {
    const make = (): unknown => pseudonymiseLines(pseudonyms, options as never)
    expect(make).toThrow(expect.objectContaining({ code: 'invalid_argument', argument }))
  }
  const misspelt = (): unknown => pseudonymiseLines(pseudonyms, { format: 'text', redactQueries: ['token'] } as never)
  expect(misspelt).toThrow(/must not hold redactQueries; there are format, redactQuery, /)
})

test('what enrich throws is not shown: it may hold the address', async () => {
  const enrich = (address: string): never => {
    throw new Error(`no country of ${address}`)
  }
  const line = '192.0.2.1 - - [01/Jan/2030:00:00:00 +0000] "GET / HTTP/1.1" 200 12 "-" "x"\n'
  const failed = await sent(pseudonymsOf(await world()), { format: 'combined', enrich }, [line]).catch((error: unknown) => error)
  expect(failed).toMatchObject({ code: 'invalid_argument', argument: 'enrich' })
  expect(inspect(failed, { depth: 9 })).not.toContain('192.0.2.1')
})
