// Shredding whoever has connections: what it takes to revoke their tokens outlives the keys, for a week at most, and is revoked.
import { openVault, type Shredded, type Vault, verifyReceipt } from '@strongroom/core'
import { manualClock } from '@strongroom/core/testing'
import { createCredentials, type CredentialEvent } from '@strongroom/credentials'
import { withFailpoints } from '@strongroom/credentials/testing'
import { describe, expect, test } from 'vitest'

import { type Changes, outcome, swept, tokenOf, world, type World } from './support.ts'

const DAY = 86_400_000
const START = Date.UTC(2030, 0, 1, 13)

/** A world by a clock that stands still, with two connections of alice's, one of bob's and one of the tenant's own. */
async function connected(
  changes: Changes = {},
): Promise<
  World & { readonly clock: ReturnType<typeof manualClock>; readonly granted: Readonly<Record<'one' | 'two' | 'bob' | 'own', string>> }
> {
  const clock = manualClock(START)
  const w = await world({ ...changes, vaultOptions: { ...changes.vaultOptions, clock } })
  const acme = w.vault.tenant('acme')
  const grant = async (owner: Parameters<typeof w.credentials.connection>[0], name: string) => {
    const tokens = w.server.grant()
    await w.credentials.connection(owner, name, { provider: 'crm' }).save(tokens)
    return tokens.refresh_token
  }
  const granted = {
    one: await grant(w.alice, 'crm'),
    two: await grant(w.alice, 'crm-2'),
    bob: await grant(acme.subject('bob'), 'crm'),
    own: await grant(acme.self(), 'crm'),
  }
  w.events.length = 0
  return { ...w, clock, granted }
}

const entriesOf = ({ stateStore }: World, namespace: string) => stateStore.snapshot().filter((entry) => entry.namespace === namespace)
const told = (events: readonly CredentialEvent[]) =>
  events.map((event) => ('outcome' in event ? `${event.type} ${event.outcome}` : event.type)).toSorted()

async function keptOf(vault: Vault, { receipt, kept }: Shredded): Promise<readonly number[]> {
  expect(verifyReceipt(receipt, await vault.receiptKeys()).kept).toEqual(kept)
  return kept.map(({ until }) => until)
}

describe('a shred', () => {
  test('of a person: asks no provider, says until when the tokens are kept, and sweeping revokes them', async () => {
    const w = await connected()
    w.server.revocation = { status: 503 }
    const shredded = await w.alice.shred({ reason: 'accountDeleted' })
    expect(w.server.revoked).toEqual([])
    // The last whole day of the week that begins now.
    const until = Date.UTC(2030, 0, 8)
    expect(await keptOf(w.vault, shredded)).toEqual([until])
    expect([await w.alice.state(), await w.connection.status(), await outcome(() => tokenOf(w.connection))]).toEqual([
      'shredded',
      undefined,
      'not_found',
    ])
    expect(told(w.events)).toEqual(['disconnected', 'disconnected'])
    expect([entriesOf(w, 'strongroom/connections').length, entriesOf(w, 'strongroom/revocations').length]).toEqual([2, 2])

    w.clock.advance(60_000)
    expect(await w.credentials.sweep()).toEqual(swept({ waiting: 2 }))
    w.server.revocation = { status: 200 }
    w.server.revoked.length = 0
    w.clock.advance(6 * 3_600_000)
    expect(await w.credentials.sweep()).toEqual(swept({ done: 2 }))
    expect(w.server.revoked.toSorted()).toEqual([w.granted.one, w.granted.two].toSorted())
    expect(told(w.events).slice(-2)).toEqual(['revocation revoked', 'revocation revoked'])
    // Nothing is kept any more, and the receipt says so.
    expect(await keptOf(w.vault, await w.alice.shred())).toEqual([])
  })

  test('of a tenant: of everybody in it and its own, and of no other tenant', async () => {
    const w = await connected()
    const rival = w.credentials.connection(w.vault.tenant('rival').subject('alice'), 'crm')
    const tokens = w.server.grant()
    await rival.save(tokens)
    const { kept } = await w.vault.tenant('acme').shred()
    expect(kept).toHaveLength(1)
    w.clock.advance(60_000)
    expect(await w.credentials.sweep()).toEqual(swept({ done: 4 }))
    expect(w.server.revoked.toSorted()).toEqual(Object.values(w.granted).toSorted())
    expect(await tokenOf(rival)).toBe(tokens.access_token)
    expect(entriesOf(w, 'strongroom/connections')).toHaveLength(1)
  })

  test('of many: of those alone', async () => {
    const w = await connected()
    const done: unknown[] = []
    for await (const { subject, kept } of w.vault.tenant('acme').shredMany(['alice', 'carol', 'dave', 'erin']))
      done.push([subject, kept.length])
    expect(done).toEqual([
      ['alice', 1],
      ['carol', 0],
      ['dave', 0],
      ['erin', 0],
    ])
    w.clock.advance(60_000)
    expect(await w.credentials.sweep()).toEqual(swept({ done: 2 }))
    expect(w.server.revoked.toSorted()).toEqual([w.granted.one, w.granted.two].toSorted())
  })

  test('of whoever is suspended', async () => {
    const w = await connected()
    await w.alice.suspend()
    expect(await outcome(() => tokenOf(w.connection))).toBe('suspended')
    expect((await w.alice.shred()).kept).toHaveLength(1)
    w.clock.advance(60_000)
    expect([await w.credentials.sweep(), w.server.revoked.length]).toEqual([swept({ done: 2 }), 2])
  })

  test('whose provider never answers: a week later no token is left, and that is said', async () => {
    const w = await connected()
    w.server.revocation = { status: 503 }
    const { kept } = await w.alice.shred()
    const until = kept[0]?.until ?? 0
    const key = w.vault.periodKey({ use: 'revocation', at: until - 1 })
    expect((await key.references()).at(-1)).toBe(Buffer.from(kept[0]?.ref ?? []).toString('hex'))
    w.clock.advance(until - w.clock.now() - 1)
    await w.credentials.sweep()
    expect([await key.state(), entriesOf(w, 'strongroom/revocations').length]).toEqual(['active', 2])
    w.clock.advance(DAY)
    await w.credentials.sweep()
    const notes = entriesOf(w, 'strongroom/revocations').map(({ value }) => JSON.parse(Buffer.from(value).toString()) as { token: string })
    expect([await key.state(), notes.map(({ token }) => token)]).toEqual(['shredded', ['', '']])
    expect((await w.alice.shred()).kept).toEqual([])
    expect(told(w.events).filter((one) => one.startsWith('revocation'))).toEqual(['revocation unconfirmed', 'revocation unconfirmed'])
  })

  test('in a process that cannot revoke: refused, and nothing has happened', async () => {
    const w = await connected()
    const bare = await openVault({ ...w.vaultOptions, clock: w.clock })
    expect(await outcome(() => bare.tenant('acme').subject('alice').shred())).toBe('revocation_required')
    // One that has another provider, and not that.
    const other = await openVault({ ...w.vaultOptions, clock: w.clock })
    createCredentials(other, { providers: { mail: { kind: 'apiKey' } } })
    const refused = await other
      .tenant('acme')
      .shred()
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'revocation_required', message: expect.stringContaining('"crm"') as string })
    expect([await tokenOf(w.connection), w.server.revoked]).toEqual([expect.stringContaining('fake-access'), []])
    // By its other name it is done by anybody, and what is left there is of no use to anyone.
    expect((await bare.tenant('acme').subject('alice').shredWithoutRevocation()).kept).toEqual([])
    await (await w.another()).vault.tenant('acme').subject('alice').shred()
    expect(told(w.events)).toEqual(['disconnected', 'disconnected', 'revocation unconfirmed', 'revocation unconfirmed'])
    expect(entriesOf(w, 'strongroom/connections')).toHaveLength(2)
  })

  test('where one of many cannot be revoked here: none has left when it is refused', async () => {
    const w = await connected()
    const mail = { mail: { ...w.provider } }
    const both = await w.another({ providers: mail })
    await both.credentials.connection(both.vault.tenant('acme').subject('zoe'), 'mail').save(w.server.grant())
    const before = entriesOf(w, 'strongroom/connections')
    expect(await outcome(() => w.vault.tenant('acme').shred())).toBe('revocation_required')
    w.clock.advance(60_000)
    await w.credentials.sweep()
    expect([entriesOf(w, 'strongroom/connections'), w.server.revoked]).toEqual([before, []])
    await both.vault.tenant('acme').shred()
    expect(await both.credentials.sweep()).toEqual(swept())
    w.clock.advance(60_000)
    expect(await both.credentials.sweep()).toEqual(swept({ done: 5 }))
  })

  test('while others sweep, at each place where it may stand still: no token is lost to revocation', async () => {
    const w = await connected()
    const sweeper = await w.another()
    const slow = await w.another({
      ...withFailpoints({ providers: {} }, async () => {
        w.clock.advance(60_000)
        await sweeper.credentials.sweep()
      }),
    })
    await slow.vault.tenant('acme').subject('alice').shred()
    w.clock.advance(60_000)
    await sweeper.credentials.sweep()
    expect(new Set(w.server.revoked)).toEqual(new Set([w.granted.one, w.granted.two]))
    expect(entriesOf(w, 'strongroom/connections')).toHaveLength(2)
  })

  test('while a sweep that has begun comes in between: no token is lost to revocation', async () => {
    const w = await connected()
    // A process that died has left what it had put by.
    const dying = await w.another({
      ...withFailpoints({ providers: {} }, (name) => {
        if (name === 'disconnect.queued') throw new Error('stopped')
      }),
    })
    await expect(dying.connection.disconnect()).rejects.toThrow('stopped')
    w.clock.advance(60_000)
    let done: Promise<unknown> | undefined
    const other = await w.another()
    const stateStore: typeof w.stateStore = {
      ...w.stateStore,
      get: async (namespace, key) => {
        const found = await w.stateStore.get(namespace, key)
        // Between its look at the connection and what it does then.
        if (namespace === 'strongroom/connections' && done === undefined) await (done = other.vault.tenant('acme').subject('alice').shred())
        return found
      },
    }
    const sweeper = await w.another({ vaultOptions: { stateStore } })
    await outcome(() => sweeper.credentials.sweep())
    await done
    w.clock.advance(60_000)
    await w.credentials.sweep()
    expect(new Set(w.server.revoked)).toEqual(new Set([w.granted.one, w.granted.two]))
  })

  test('while a refresh is under way: the fresh token is revoked too, and not stored', async () => {
    const w = await connected()
    await w.connection.save({ ...w.server.grant(), expires_in: 0 })
    let goOn = (): void => undefined
    const asked = new Promise<void>((resolve) => {
      w.server.onRequest = () => {
        resolve()
        return new Promise((answer) => (goOn = answer))
      }
    })
    const refreshing = outcome(() => tokenOf(w.connection))
    await asked
    const { vault } = await w.another()
    await vault.tenant('acme').subject('alice').shred()
    goOn()
    expect(await refreshing).toBe('not_found')
    expect(w.server.revoked).toHaveLength(1)
    expect(w.server.isLive((w.server.revoked[0] as string).replace('refresh', 'access'))).toBe(true)
    w.clock.advance(60_000)
    await w.credentials.sweep()
    expect(w.server.revoked).toHaveLength(3)
    expect(entriesOf(w, 'strongroom/connections')).toHaveLength(2)
  })

  test('while one is being saved: it is not stored, and its token is revoked', async () => {
    const w = await connected()
    let other: World['alice'] | undefined
    const tokens = w.server.grant()
    const late = await w.another({
      ...withFailpoints({ providers: {} }, async (name) => {
        if (name === 'save.sealed') await other?.shred()
      }),
    })
    other = (await w.another()).vault.tenant('acme').subject('alice')
    const saved = late.credentials.connection(late.vault.tenant('acme').subject('alice'), 'late', { provider: 'crm' }).save(tokens)
    expect(await outcome(() => saved)).toBe('shredded')
    expect(w.server.revoked).toEqual([tokens.refresh_token])
    expect(entriesOf(w, 'strongroom/connections')).toHaveLength(2)
  })

  test('while others are saved: they leave as well; what comes when all have been looked at, its token is said not to be revoked', async () => {
    const w = await connected()
    const save = (name: string) => w.credentials.connection(w.alice, name, { provider: 'crm' }).save(w.server.grant())
    let saved = 0
    const shredding = await w.another({
      ...withFailpoints({ providers: {} }, async (name) => {
        if (name === 'shred.marked' && saved++ < 2) await save(`while-${saved}`)
      }),
    })
    shredding.vault.guardShreds('strongroom/connections', { before: () => save('late'), after: async () => undefined })
    await shredding.vault.tenant('acme').subject('alice').shred()
    expect(told(w.events)).toEqual([...Array<string>(5).fill('disconnected'), 'revocation unconfirmed', 'saved', 'saved', 'saved'])
    expect(entriesOf(w, 'strongroom/connections')).toHaveLength(2)
    w.clock.advance(60_000)
    expect(await w.credentials.sweep()).toEqual(swept({ done: 4 }))
  })

  test('while one is disconnected and connected anew: the new token is revoked as well', async () => {
    const w = await connected()
    const anew = w.server.grant()
    const other = await w.another()
    let isDone = false
    const stateStore: typeof w.stateStore = {
      ...w.stateStore,
      get: async (namespace, key) => {
        const found = await w.stateStore.get(namespace, key)
        if (namespace !== 'strongroom/connections' || isDone) return found
        isDone = true
        for (const name of ['crm', 'crm-2']) await other.credentials.connection(w.alice, name, { provider: 'crm' }).disconnect()
        for (const name of ['crm', 'crm-2']) await other.credentials.connection(w.alice, name, { provider: 'crm' }).save(anew)
        return found
      },
    }
    const { vault } = await w.another({ vaultOptions: { stateStore } })
    await vault.tenant('acme').subject('alice').shred()
    w.clock.advance(60_000)
    await w.credentials.sweep()
    expect(w.server.revoked.filter((token) => token === anew.refresh_token)).toHaveLength(2)
    expect(told(w.events)).not.toContain('revocation unconfirmed')
  })

  test('while the first one is saved by a process that dies: what it left is found, and told', async () => {
    const w = await connected()
    const carol = w.vault.tenant('acme').subject('carol')
    const dying = await w.another({
      ...withFailpoints({ providers: {} }, (name) => {
        if (name === 'save.stored') throw new Error('stopped')
      }),
    })
    // The guard of whoever was asked first: there is nothing yet.
    const save = () => dying.credentials.connection(dying.vault.tenant('acme').subject('carol'), 'crm').save(w.server.grant())
    let calls = 0
    const stateStore: typeof w.stateStore = {
      ...w.stateStore,
      scan: async (...args) => {
        const found = await w.stateStore.scan(...args)
        if (args[0] === 'strongroom/connections' && calls++ === 0) await expect(save()).rejects.toThrow('stopped')
        return found
      },
    }
    const { vault } = await w.another({ vaultOptions: { stateStore } })
    await vault.tenant('acme').subject('carol').shred()
    expect([await carol.state(), told(w.events)]).toEqual(['shredded', ['disconnected', 'revocation unconfirmed']])
    expect(entriesOf(w, 'strongroom/connections')).toHaveLength(4)
  })

  test.each(['alice', 'tenant'])('of %s, and nobody gets to tidy up: sweeping does, and revokes', async (whose) => {
    const w = await connected()
    const vault = await openVault({ ...w.vaultOptions, clock: w.clock })
    const stop = async () => {
      throw new Error('stopped')
    }
    vault.guardShreds('strongroom/connections', { before: async () => undefined, after: stop })
    createCredentials(vault, { providers: { crm: w.provider } })
    const acme = vault.tenant('acme')
    await expect((whose === 'tenant' ? acme : acme.subject(whose)).shred()).rejects.toThrow('stopped')
    expect(entriesOf(w, 'strongroom/connections')).toHaveLength(4)
    w.clock.advance(60_000)
    const { credentials } = await w.another()
    const of = whose === 'tenant' ? 4 : 2
    expect(await credentials.sweep()).toEqual(swept({ done: 2 * of }))
    expect([entriesOf(w, 'strongroom/connections').length, w.server.revoked.length]).toEqual([4 - of, of])
  })

  test('and what was made in a new life of the person, before the old one is tidied up, stays', async () => {
    const w = await connected()
    const vault = await openVault({ ...w.vaultOptions, clock: w.clock })
    const tokens = w.server.grant()
    vault.guardShreds('strongroom/connections', {
      before: async () => undefined,
      after: async () => {
        await w.alice.recreate({ reason: 'unspecified' })
        await w.credentials.connection(w.alice, 'crm-3', { provider: 'crm' }).save(tokens)
      },
    })
    createCredentials(vault, { providers: { crm: w.provider } })
    await vault.tenant('acme').subject('alice').shred()
    expect(await tokenOf(w.credentials.connection(w.alice, 'crm-3', { provider: 'crm' }))).toBe(tokens.access_token)
    expect(entriesOf(w, 'strongroom/connections')).toHaveLength(3)
  })
})

describe('disconnectAll', () => {
  test('of a tenant: everybody in it, and its own; each by its name', async () => {
    const w = await connected()
    const done: unknown[] = []
    for await (const { name, revocation, reference, shredded } of w.credentials.disconnectAll(w.vault.tenant('acme')))
      done.push([name, revocation, reference.split('/').length, shredded.versions])
    expect(done.toSorted()).toEqual([
      ['crm', 'revoked', 3, 1],
      ['crm', 'revoked', 3, 1],
      ['crm', 'revoked', 3, 1],
      ['crm-2', 'revoked', 3, 1],
    ])
    expect(w.server.revoked.toSorted()).toEqual(Object.values(w.granted).toSorted())
    expect(entriesOf(w, 'strongroom/connections')).toEqual([])
    expect(await w.alice.state()).toBe('active')
  })

  test('of whoever is suspended, and with what their receipts say is kept', async () => {
    const w = await connected()
    await w.vault.tenant('acme').suspend()
    w.server.revocation = { status: 503 }
    for await (const { name, revocation, shredded, keptUntil } of w.credentials.disconnectAll(w.alice)) {
      expect([name?.slice(0, 3), revocation, await keptOf(w.vault, shredded)]).toEqual(['crm', 'pending', [keptUntil]])
    }
    expect(entriesOf(w, 'strongroom/connections')).toHaveLength(2)
    // What waits stands in the receipt of her shred too, whoever does it.
    const bare = await openVault({ ...w.vaultOptions, clock: w.clock })
    expect((await bare.tenant('acme').subject('alice').shred()).kept).toHaveLength(1)
  })

  test('begun one day and repeated on the next: one revocation, kept no longer than was said', async () => {
    const w = await connected()
    w.server.revocation = { status: 503 }
    const failing = await w.another({
      ...withFailpoints({ providers: {} }, (name) => {
        if (name === 'disconnect.queued') throw new Error('stopped')
      }),
    })
    await expect(failing.connection.disconnect()).rejects.toThrow('stopped')
    w.clock.advance(DAY)
    expect((await w.connection.disconnect()).keptUntil).toBe(Date.UTC(2030, 0, 8))
    expect(entriesOf(w, 'strongroom/revocations')).toHaveLength(1)
  })

  test('of a connection whose token cannot be read any more: unconfirmed', async () => {
    const w = await connected()
    const [entry] = entriesOf(w, 'strongroom/connections')
    if (entry === undefined) throw new Error('nothing is connected')
    const { namespace, key } = entry
    const broken = Buffer.from(
      Buffer.from(entry.value)
        .toString()
        .replace(/"lasting":"sr1\.(....)/, '"lasting":"sr1.AAAA'),
    )
    const found = await w.stateStore.get(namespace, key)
    await w.stateStore.put(namespace, key, broken, { expected: found?.version ?? 'absent' })
    const states: string[] = []
    for await (const { revocation } of w.credentials.disconnectAll(w.vault.tenant('acme'))) states.push(revocation)
    expect(states.toSorted()).toEqual(['revoked', 'revoked', 'revoked', 'unconfirmed'])
  })
})
