// Times of JSON: what RFC 3339 has, and no more than that.
import { describe, expect, test } from 'vitest'

import { pseudonymsOf, START, world } from '../support.ts'
import { sent } from './support.ts'

const options = { format: 'json', addresses: ['ip'], time: 'at' } as const
const line = (at: string): string => `{"ip":"192.0.2.1","at":"${at}"}`

describe('times as text', () => {
  test.each([
    ['2029-12-31T23:59:59,123456789Z', START - 1],
    ['2030-01-01T13:59:00+14:00', START - 1],
    ['2029-12-31t12:00:00-1159', START - 1],
    ['2029-12-31 23:59:59.999z', START - 1],
    ['2029-12-31T23:59:60.5Z', START],
  ])('%s is one', async (at, instant) => {
    const pseudonyms = pseudonymsOf(await world())
    const { text, counts } = await sent(pseudonyms, options, [line(at)])
    expect(text).toBe(line(at).replace('192.0.2.1', await pseudonyms.pseudonymise('192.0.2.1', { at: instant })))
    expect(counts.malformed).toBe(0)
  })

  test.each([
    '2029-12-31T24:00:00Z',
    '2029-12-31T23:60:00Z',
    '2029-12-31T23:59:61Z',
    '2029-12-31T12:00:00+15:00',
    '2029-12-31T12:00:00+00:60',
    '2029-12-31T12:00Z',
    '2029-02-29T12:00:00Z',
    '2029-12-31T12:00:00',
  ])('%s is none', async (at) => {
    expect((await sent(pseudonymsOf(await world()), options, [line(at)])).counts.malformed).toBe(1)
  })
})
