// Lines have the pseudonyms of the period in which they say that they happened.
import { once } from 'node:events'

import { pseudonymiseLines } from '@strongroom/pseudonyms'
import { describe, expect, test } from 'vitest'

import { DAY, pseudonymsOf, START, world } from '../support.ts'
import { line, sent, TODAY } from './support.ts'

describe('periods', () => {
  test('are those of the line: a line of yesterday has the pseudonym of yesterday, in any order', async () => {
    const ground = await world()
    const pseudonyms = pseudonymsOf(ground)
    const [now, before] = await Promise.all([START, START - DAY].map((at) => pseudonyms.pseudonymise('192.0.2.1', { at })))
    const days = [
      TODAY,
      '31/Dec/2029:23:59:59 +0000',
      '01/Jan/2030:00:59:59 +0100',
      '31/Dec/2029:23:00:00 -0100',
      '31/Dec/2029:12:00:00 +0000',
    ]
    const { text } = await sent(pseudonyms, { format: 'combined' }, [days.map((at) => line('192.0.2.1', at)).join('')])
    const expected = [now, before, before, now, before]
    expect(text).toBe(days.map((at, i) => line(expected[i] as string, at)).join(''))
    expect(now).not.toBe(before)
  })

  test('past the time that keys are kept: the addresses are taken out, the line comes out, and no key is made', async () => {
    const ground = await world()
    const pseudonyms = pseudonymsOf(ground)
    const old = line('192.0.2.1', '01/Dec/2029:12:00:00 +0000')
    const { text, counts } = await sent(pseudonyms, { format: 'combined' }, [`${old}${old}${line('192.0.2.1', TODAY)}${old}`])
    const [today] = [await pseudonyms.pseudonymise('192.0.2.1')]
    const gone = line('[redacted]', '01/Dec/2029:12:00:00 +0000')
    expect(text).toBe(`${gone}${gone}${line(today as string, TODAY)}${gone}`)
    expect(counts).toMatchObject({ lines: 4, addresses: 1, refused: 3 })
    expect(ground.stateStore.snapshot().filter(({ namespace }) => namespace === 'strongroom/period-keys')).toHaveLength(1)
  })

  test('ahead of the clock: as well, and not for good', async () => {
    const ground = await world()
    const pseudonyms = pseudonymsOf(ground)
    const tomorrow = line('192.0.2.1', '02/Jan/2030:12:00:00 +0000')
    const lines = pseudonymiseLines(pseudonyms, { format: 'combined' })
    lines.write(tomorrow)
    expect(String((await once(lines, 'data'))[0])).toBe(line('[redacted]', '02/Jan/2030:12:00:00 +0000'))
    ground.clock.advance(1.5 * DAY)
    lines.write(tomorrow)
    const expected = await pseudonyms.pseudonymise('192.0.2.1', { at: START + DAY })
    expect(String((await once(lines, 'data'))[0])).toBe(line(expected, '02/Jan/2030:12:00:00 +0000'))
    lines.destroy()
  })

  test('lines without a time are of now, or of the time that is given', async () => {
    const pseudonyms = pseudonymsOf(await world())
    const [now, before] = await Promise.all([START, START - DAY].map((at) => pseudonyms.pseudonymise('192.0.2.1', { at })))
    expect((await sent(pseudonyms, { format: 'text' }, ['192.0.2.1'])).text).toBe(now)
    expect((await sent(pseudonyms, { format: 'text', at: () => START - DAY }, ['192.0.2.1'])).text).toBe(before)
  })

  test('a lease that ends in between is taken anew; once the tenant is shredded, addresses are taken out', async () => {
    const ground = await world()
    const pseudonyms = pseudonymsOf(ground)
    const lines = pseudonymiseLines(pseudonyms, { format: 'text' })
    const written = async (): Promise<string> => {
      lines.write('192.0.2.1\n')
      return String((await once(lines, 'data'))[0])
    }
    const first = await written()
    ground.clock.advance(600_000)
    expect(await written()).toBe(first)
    await ground.vault.tenant('acme').shred({ reason: 'accountDeleted' })
    expect([await written(), lines.counts.refused]).toEqual(['[redacted]\n', 1])
    lines.destroy()
  })

  test('where keys cannot be had the stream fails, and nothing of what came goes out', async () => {
    const ground = await world()
    const lines = pseudonymiseLines(pseudonymsOf(ground), { format: 'text' })
    const out: unknown[] = []
    lines.on('data', (chunk: unknown) => out.push(chunk))
    await ground.vault.close()
    lines.write('no address\n192.0.2.1\n')
    const [error] = await once(lines, 'error')
    expect([error, out]).toEqual([expect.objectContaining({ code: 'vault_closed' }), []])
  })
})
