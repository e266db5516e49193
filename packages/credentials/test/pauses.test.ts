// An authorisation server that is down is not stormed: not about one connection, and not about all of them.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { describe, expect, onTestFinished, test } from 'vitest'

import { BEHIND_ALL_PAUSES, outcome, tokenOf, world } from './support.ts'

const DOWN = { status: 503 }

describe('one connection', () => {
  test('is asked about again after a pause that grows, by whichever process, and all are told the same', async () => {
    const { connection, server, another, later, events } = await world()
    await connection.save({ ...server.grant(), expires_in: 0 })
    const other = (await another()).connection
    server.next.push(...Array.from({ length: 20 }, () => DOWN))
    const asked: number[] = []
    for (let second = 0; second < 60; second++) {
      for (const one of [connection, other]) expect(await outcome(() => tokenOf(one))).toBe('authorisation_server_unavailable')
      asked.push(server.asked)
      later(1000)
    }
    // Of 120 callers in a minute: at 0 s, 1 s at the latest, 3 s, 7 s, … and half of each at the earliest.
    expect(asked.at(-1)).toBeGreaterThanOrEqual(5)
    expect(asked.at(-1)).toBeLessThanOrEqual(9)
    expect(events.filter(({ type }) => type === 'refresh_failed')).toHaveLength(server.asked)
    server.next.length = 0
    later(BEHIND_ALL_PAUSES)
    expect(server.isLive(await tokenOf(connection))).toBe(true)
    // And from then on from the beginning.
    server.next.push(DOWN, DOWN)
    later(2 * 3_600_000)
    const before = server.asked
    for (const ms of [0, 1001, 2001]) {
      later(ms)
      await outcome(() => tokenOf(connection))
    }
    expect([server.asked - before, server.isLive(await tokenOf(connection))]).toEqual([3, true])
  })

  test('a pause ahead of the end of a token that is still good costs nobody anything', async () => {
    const { connection, server, later } = await world({ refreshAhead: 3_600_000 })
    const granted = server.grant()
    await connection.save(granted)
    later(1_900_000)
    server.next.push(DOWN, DOWN)
    for (let i = 0; i < 20; i++) expect(await tokenOf(connection)).toBe(granted.access_token)
    expect(server.asked).toBe(1)
  })

  test.each([
    ['999999999', 3_600_001],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 3_600_001],
    ['120', 120_001],
    ['-5', 1001],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 1001],
    ['never', 1001],
    ['1e9', 1001],
  ])('Retry-After: %s keeps it for no longer than it may', async (said, enough) => {
    const { connection, server, later } = await world()
    await connection.save({ ...server.grant(), expires_in: 0 })
    server.next.push({ status: 429, headers: { 'retry-after': said } })
    expect(await outcome(() => tokenOf(connection))).toBe('authorisation_server_throttled')
    expect(await outcome(() => tokenOf(connection))).toBe('authorisation_server_throttled')
    later(enough)
    expect([server.isLive(await tokenOf(connection)), server.asked]).toEqual([true, 2])
  })

  test('Retry-After with an instant is measured by the clock of the server, not by ours', async () => {
    const HOUR = 3_600_000
    for (const off of [-HOUR, HOUR]) {
      const { connection, server, later } = await world()
      await connection.save({ ...server.grant(), expires_in: 0 })
      const [date, at] = [0, 60_000].map((ms) => new Date(Date.now() + off + ms).toUTCString())
      server.next.push({ status: 503, headers: { date: date as string, 'retry-after': at as string } })
      await outcome(() => tokenOf(connection))
      later(55_000)
      expect([await outcome(() => tokenOf(connection)), server.asked]).toEqual(['authorisation_server_unavailable', 1])
      later(6000)
      expect(server.isLive(await tokenOf(connection))).toBe(true)
    }
  })

  test('a pause that a process with a clock an hour ahead has written holds nobody back for an hour', async () => {
    const { connection, server, another } = await world()
    await connection.save({ ...server.grant(), expires_in: 0 })
    const ahead = await another({ vaultOptions: { clock: { now: () => Date.now() + 3_610_000, monotonic: () => performance.now() } } })
    server.next.push(DOWN)
    expect(await outcome(() => tokenOf(ahead.connection))).toBe('authorisation_server_unavailable')
    expect(server.isLive(await tokenOf(connection))).toBe(true)
  })
})

describe('many connections of one provider', () => {
  async function many(behaviour: Parameters<Awaited<ReturnType<typeof world>>['server']['next']['push']>[0]) {
    const w = await world()
    const people = Array.from({ length: 40 }, (_, i) => w.credentials.connection(w.vault.tenant('acme').subject(`person-${i}`), 'crm'))
    for (const one of people) await one.save({ ...w.server.grant(), expires_in: 0 })
    w.server.next.push(...Array.from({ length: 100 }, () => behaviour))
    return { ...w, people }
  }

  test('one after the other while it is down: five are asked about, then one at a time behind a pause, and all once it answers', async () => {
    const { people, server, later } = await many(DOWN)
    for (const one of people) expect(await outcome(() => tokenOf(one))).toBe('authorisation_server_unavailable')
    expect(server.asked).toBe(5)
    later(1001)
    for (const one of people) await outcome(() => tokenOf(one))
    expect(server.asked).toBe(6)
    server.next.length = 0
    later(BEHIND_ALL_PAUSES)
    expect(server.isLive(await tokenOf(people[20] as (typeof people)[number]))).toBe(true)
    for (const one of people) expect(await outcome(() => tokenOf(one))).toBe('done')
  })

  test('answers that lose tokens of single use lose those of five, and not of everybody', async () => {
    const { people, server, later } = await many('error-500')
    const said: string[] = []
    for (const one of people) said.push(await outcome(() => tokenOf(one)))
    expect(said.filter((one) => one === 'reauthorisation_required')).toHaveLength(5)
    server.next.length = 0
    later(BEHIND_ALL_PAUSES)
    for (const one of people.slice(5)) expect(await outcome(() => tokenOf(one))).toBe('done')
    expect(new Set(server.used).size).toBe(server.used.length)
  })

  test('of which one alone fails: the others are not held up', async () => {
    const { people, server, later } = await many('answer')
    server.next.length = 0
    const [poisoned, ...others] = people
    for (const one of others.slice(0, 10)) {
      later(BEHIND_ALL_PAUSES)
      server.next.push(DOWN)
      expect(await outcome(() => tokenOf(poisoned as typeof one))).toBe('authorisation_server_unavailable')
      expect(await outcome(() => tokenOf(one))).toBe('done')
    }
  })

  test('whose discovery is down: asked five times for forty', async () => {
    const { server, vault, another, later } = await world()
    let asked = 0
    const down = createServer((_, response) => {
      asked++
      response.writeHead(503).end()
    })
    await new Promise<void>((resolve) => down.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void down.close())
    const issuer = `http://127.0.0.1:${(down.address() as AddressInfo).port}`
    const { credentials } = await another({ providers: { far: { issuer, clientId: 'x', clientSecret: () => 'y' } } })
    const people = Array.from({ length: 40 }, (_, i) => credentials.connection(vault.tenant('acme').subject(`p-${i}`), 'far'))
    for (const one of people) await one.save({ ...server.grant(), expires_in: 0 })
    for (const one of people) expect(await outcome(() => tokenOf(one))).toBe('authorisation_server_unavailable')
    // Each time at both places where the document may be.
    expect(asked).toBe(10)
    later(BEHIND_ALL_PAUSES)
    await Promise.all(people.map((one) => outcome(() => tokenOf(one))))
    expect(asked).toBe(12)
  })
})
