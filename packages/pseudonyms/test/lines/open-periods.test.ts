// Which periods are refused, and what is remembered of them.
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

import { pseudonymiseLines } from '@strongroom/pseudonyms'
import { expect, test } from 'vitest'

import { DAY, notesOf, pseudonymsOf, START, world } from '../support.ts'
import { sent } from './support.ts'

const line = (at: string): string => `192.0.2.1 - - [${at}] "GET / HTTP/1.1" 200 12 "-" "x"\n`

test('no further ahead than an hour, also within a period that others are in: nobody makes the key of tomorrow before', async () => {
  const ground = await world()
  const pseudonyms = pseudonymsOf(ground)
  const at = '02/Jan/2030:00:10:00 +0000'
  ground.clock.advance(DAY - 3_600_000)
  const [early, late] = [line(at), line('02/Jan/2030:22:00:00 +0000')]
  const only = await sent(pseudonyms, { format: 'combined' }, [late])
  expect([only.text, only.counts.refused]).toEqual([late.replace('192.0.2.1', '[redacted]'), 1])
  expect(notesOf(ground)).toEqual([])
  ground.clock.advance(600_000)
  const both = await sent(pseudonyms, { format: 'combined' }, [`${early}${late}${early}`])
  const tomorrow = early.replace('192.0.2.1', await pseudonyms.pseudonymise('192.0.2.1', { at: START + DAY }))
  expect(both.text).toBe(`${tomorrow}${late.replace('192.0.2.1', '[redacted]')}${tomorrow}`)
  expect(both.counts).toMatchObject({ lines: 3, addresses: 2, refused: 1 })
  const latest = pseudonyms.latest()
  ;(await pseudonyms.unlock({ at: latest })).dispose()
  await expect(pseudonyms.unlock({ at: latest + 1 })).rejects.toMatchObject({ argument: 'at' })
  const truncated = await sent(pseudonymsOf(ground, { mode: 'truncate' }), { format: 'combined' }, [late])
  expect(truncated.text).toBe(only.text)
})

test('of a minute each: which are over is remembered of some thousands, and asked for again of the others', async () => {
  const pseudonyms = pseudonymsOf(await world(), { period: 60_000, retain: DAY })
  const asked: number[] = []
  let at = 0
  const lines = pseudonymiseLines(
    {
      ...pseudonyms,
      unlock(options) {
        asked.push(options?.at ?? 0)
        return pseudonyms.unlock(options)
      },
    },
    { format: 'text', at: () => at },
  )
  const written = async (minute: number): Promise<number> => {
    at = START - 30 * DAY + minute * 60_000
    lines.write('192.0.2.1\n')
    expect(String((await once(lines, 'data'))[0])).toBe('[redacted]\n')
    return asked.length
  }
  for (let minute = 0; minute < 5000; minute++) await written(minute)
  expect([await written(4999), await written(1000), await written(0)]).toEqual([5000, 5000, 5001])
  lines.destroy()
})

test.each([
  [4, 'pseudonyms'],
  [5, 'handle_expired'],
])('%d leases that end before they are used: %s', async (count, expected) => {
  const pseudonyms = pseudonymsOf(await world())
  let ended = 0
  const lines = pseudonymiseLines(
    {
      ...pseudonyms,
      async unlock(options) {
        const keys = await pseudonyms.unlock(options)
        if (ended++ < count) keys.dispose()
        return keys
      },
    },
    { format: 'text' },
  )
  lines.end('192.0.2.1\n')
  const written = await text(lines).catch((error: unknown) => (error as { code?: string }).code)
  expect(written).toBe(expected === 'pseudonyms' ? `${await pseudonyms.pseudonymise('192.0.2.1')}\n` : expected)
})
