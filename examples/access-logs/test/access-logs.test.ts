// What the service promises the visitors of its customers' pages.
import { expect, test } from 'vitest'

import { trafficOf } from '../traffic/traffic.mjs'
import { describeOnServer } from './support.ts'

const DAY = 86_400_000
const isoDay = (instant: number): string => new Date(instant).toISOString().slice(0, 10)

describeOnServer('access logs', (ground) => {
  const yesterday = isoDay(Date.now() - DAY)
  const small = (): ReturnType<typeof trafficOf> => trafficOf(yesterday, { requests: 1500, visitors: 300 })
  const visitors = async (): Promise<readonly string[]> => [...new Set(await ground.store.requests.distinct('ip'))].toSorted()

  test('[X1] of requests by a proxy, and of the log of a CDN, no address is stored or printed, in any encoding, and no value of a parameter', async () => {
    const service = await ground.start()
    const live = ['203.0.113.7', '2001:db8:1234:5678::9abc']
    for (const address of live)
      for (const headers of [{ 'x-forwarded-for': address }, { 'x-forwarded-for': `198.51.100.200, ${address}`, 'x-real-ip': address }])
        expect((await ground.ask(service, '/images/a.svg?w=320&token=canary-of-a-token', { headers })).status).toBe(200)
    const { lines, addresses } = small()
    const odd = ['0300.0.2.1', '2130706433', 'host-203-0-113-77.example.net', '%31%39%32.0.2.77'].map((host) =>
      (lines[0] as string).replace(/^\S+/, host),
    )
    const none = (lines[0] as string).replace(/"[^"]*" \d+/, '"-" 408')
    expect(await ground.importLog([...lines, ...odd, none, 'no line of 203.0.113.78'])).toEqual({
      lines: lines.length + 6,
      rows: lines.length,
      withoutAddress: 4,
      unread: 1,
      addresses: lines.length + 2,
      malformed: 1,
      refused: 0,
    })
    const secrets = [...live, '198.51.100.200', 'canary-of-a-token', '203.0.113.78', 'host-203-0-113-77', ...addresses]
    expect(await ground.found(secrets)).toEqual([])
    expect(await ground.store.requests.countDocuments()).toBe(4 + lines.length)
    expect(await ground.store.requests.countDocuments({ target: '/images/a.svg?w=&token=' })).toBe(4)
    // As many visitors as there were, one pseudonym each; those that came by both ways have the same.
    expect(await visitors()).toHaveLength(live.length + addresses.length)

    // That they would be found.
    await ground.store.requests.updateOne({ ip: (await visitors())[0] as string }, { $set: { country: live[0] as string } })
    expect(await ground.found(secrets)).toContain(`203.0.113.7 as UTF-8 in ${ground.store.requests.namespace}`)
  })

  test('[X1] the country is looked up before the address is dropped, and the report is made of pseudonyms', async () => {
    const service = await ground.start()
    const { lines, addresses } = small()
    await ground.importLog(lines)
    const { status, body } = await ground.ask(service, `/report?day=${yesterday}`)
    expect(status).toBe(200)
    expect(body).toContain('<dt>requests</dt><dd>1,500</dd>')
    expect(body).toContain(`<dt>visitors</dt><dd>${addresses.length}</dd>`)
    // Numbers of the countries and the networks, by the log itself.
    const tally = (keys: readonly string[]): readonly string[] =>
      [...new Set(keys)].map((key) => keys.filter((each) => each === key).length.toLocaleString('en')).toSorted()
    const hosts = lines.map((line) => line.split(' ')[0] as string)
    const networks = hosts.map((host) =>
      host.includes(':') ? host.split(':').slice(0, 2).join(':') : host.split('.').slice(0, 2).join('.'),
    )
    const shown = (title: string): readonly string[] => {
      const [, section = ''] = new RegExp(`<h2>${title}[^]*?<svg([^]*?)</svg>`).exec(body) ?? []
      return [...section.matchAll(/class="value"[^>]*>([\d,]+)</g)].map(([, value]) => value as string).toSorted()
    }
    expect(shown('Requests by network')).toEqual(tally(networks))
    const countries = ['FR', 'CA', 'SG', 'DE', 'JP', 'BR', 'IN', 'US']
    expect(shown('Requests by country')).toEqual(
      tally(hosts.map((host) => countries[Number.parseInt(host, host.includes(':') ? 16 : 10) % 8] as string)),
    )
    for (const address of addresses) expect(body).not.toContain(address)
  })

  test('a report says what is to come as such: of a key that lives, and of days without requests', async () => {
    const service = await ground.start()
    await ground.importLog(trafficOf(yesterday, { requests: 20, visitors: 5 }).lines)
    const said = async (day: string): Promise<string | undefined> =>
      /<p>(.*)<\/p>/.exec((await ground.ask(service, `/report?day=${day}`)).body)?.[1]
    const end = isoDay(Date.parse(yesterday) + 30 * DAY)
    expect(await said(yesterday)).toBe(`Key and rows are kept until ${end}, and destroyed then.`)
    expect(await said('2100-01-01')).toBe('No request of this day.')
    expect(await said(isoDay(Date.now() - 20 * DAY))).toBe('No request of this day.')
    expect((await ground.ask(service, '/report?day=2026-13-45')).status).toBe(400)
  })

  test('[X1] Sec-GPC and DNT: neither pseudonym nor country nor user is kept', async () => {
    const service = await ground.start()
    for (const signal of [{ 'sec-gpc': '1' }, { dnt: '1' }])
      await ground.ask(service, '/images/a.svg', { headers: { 'x-forwarded-for': '203.0.113.7', cookie: 'user=alice', ...signal } })
    expect(await ground.store.requests.find().project({ _id: 0, at: 0 }).toArray()).toEqual(
      Array.from({ length: 2 }, () => ({ ip: '-', country: '-', target: '/images/a.svg', status: 200 })),
    )
  })

  test('[X2] pseudonyms of two days cannot be linked', async () => {
    const dayBefore = isoDay(Date.now() - 2 * DAY)
    const { lines, addresses } = trafficOf(dayBefore, { requests: 600, visitors: 100 })
    await ground.importLog(lines)
    const of = (day: string): Promise<readonly string[]> =>
      ground.store.requests.distinct('ip', { at: { $gte: new Date(day), $lt: new Date(Date.parse(day) + DAY) } })
    await ground.importLog(trafficOf(yesterday, { requests: 600, visitors: 100 }).lines)
    const [one, other] = await Promise.all([of(dayBefore), of(yesterday)])
    expect([one.length, other.length]).toEqual([addresses.length, addresses.length])
    // Of IPv4 some may meet by chance.
    expect(one.filter((ip) => other.includes(ip)).length).toBeLessThan(2)
  })

  test('[C2] whoever is logged in stands in the log as a pseudonym, whose only link to the person is in the vault and goes with the person', async () => {
    const service = await ground.start()
    const visit = async (user: string): Promise<string> => {
      await ground.ask(service, '/images/a.svg', { headers: { 'x-forwarded-for': '203.0.113.7', cookie: `user=${user}` } })
      return (await ground.store.requests.find().sort({ _id: -1 }).limit(1).toArray())[0]?.user as string
    }
    const [ada, again, grace] = [await visit('ada_lovelace'), await visit('ada_lovelace'), await visit('grace_hopper')]
    expect(ada).toMatch(/^[\w-]{22}$/)
    expect([again === ada, grace === ada]).toEqual([true, false])
    expect(await ground.found(['ada_lovelace', 'grace_hopper'])).toEqual([])
    // For another purpose the same person is somebody else, and after the person is deleted nobody.
    const { vault } = ground.store
    await vault.tenant('images').subject('ada_lovelace').shred({ reason: 'accountDeleted' })
    const refused = await ground.ask(service, '/images/a.svg', { headers: { cookie: 'user=ada_lovelace' } })
    expect(refused.status).toBe(410)
    expect(await visit('grace_hopper')).toBe(grace)
  })

  // The last of them: it destroys the keys of all days before today.
  test('[X2] a pseudonym is removed after 30 days, cannot be undone any more, and is never made again', async () => {
    const traffic = small()
    const { addresses } = traffic
    // Of a country that nobody else is from.
    const lines = [...traffic.lines, (traffic.lines[0] as string).replace(/^\S+/, '5.5.5.5')]
    await ground.importLog(lines)
    const row = await ground.store.requests.findOne({ ip: { $ne: '-' } })
    const abuse = { ip: row?.ip, at: row?.at, reason: 'abuse report 4711' }
    await ground.store.counts.deleteMany({})
    const first = await ground.start(0)
    const told = await ground.ask(first, '/abuse', { body: abuse })
    expect(addresses).toContain((JSON.parse(told.body) as { address: string }).address)
    expect((await ground.ask(first, '/abuse', { body: { ...abuse, reason: '' } })).status).toBe(400)

    // The last day, counted from the start of the day that it was; with the rows in a backup.
    const rows = await ground.store.requests.find().toArray()
    const before = await ground.start(28)
    expect(await ground.store.requests.countDocuments()).toBe(lines.length)
    expect((await ground.ask(before, '/abuse', { body: abuse })).status).toBe(200)
    const after = await ground.start(29)
    expect(await ground.store.requests.countDocuments()).toBe(0)
    // What is left is how many there were, and of no small group.
    const left = await ground.store.counts.findOne({ _id: yesterday })
    expect([left?.requests, left?.countries.every(({ requests }) => requests >= 10)]).toEqual([lines.length, true])
    expect(left?.countries.map(({ country }) => country)).not.toContain('BR')
    const { body } = await ground.ask(after, `/report?day=${yesterday}`)
    expect(body).toMatch(/Key destroyed on \d{4}-\d\d-\d\d\. No request of this day is left/)
    expect(body).toContain(`<dd>${lines.length.toLocaleString('en')}</dd>`)
    expect(body).not.toMatch(/network|visitors/)

    await ground.store.requests.insertMany(rows)
    for (const service of [after, before, first]) expect([(await ground.ask(service, '/abuse', { body: abuse })).status]).toEqual([410])

    // Also in a process whose clock is behind.
    expect(await ground.importLog(lines.slice(0, 20))).toMatchObject({ lines: 20, addresses: 0, refused: 20 })
    expect(await ground.store.requests.countDocuments()).toBe(lines.length)
  })
})
