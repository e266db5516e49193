// Who is heard before keys go, what a receipt says is kept, and how what is suspended is read before it goes.
import { keptEntryKey, openVault, type PlaceToShred, type ShredGuard, type Vault, verifyReceipt } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { alice, bob, email, type Ground, hex, openGround, outcome, refusalOf } from './support.ts'

const CONNECTIONS = 'strongroom/connections'
const DAY = 86_400_000

async function connect({ stateStore }: Ground, vault: Vault, references: readonly string[], name = 'c'): Promise<void> {
  await stateStore.put(CONNECTIONS, [vault.id, ...references, name].join('/'), new Uint8Array(1), { expected: 'absent' })
}

const keep = ({ stateStore, vault }: Ground & { readonly vault: Vault }, references: readonly string[], until: number, id: string) =>
  stateStore.put('strongroom/revocations', keptEntryKey(vault.id, references, until, id), new Uint8Array(1), { expected: 'absent' })

/** A guard that notes what it is asked, and what the state of the places is then. */
function noting(vault: Vault, calls: unknown[], does: Partial<ShredGuard> = {}): ShredGuard {
  const note = async (what: string, places: readonly PlaceToShred[]): Promise<void> => {
    calls.push([what, ...(await Promise.all(places.map(async ({ names: { subject } }) => [subject, await stateOf(vault, subject)])))])
  }
  return {
    before: async (places) => {
      await note('before', places)
      await does.before?.(places)
    },
    after: async (places) => {
      await note('after', places)
      await does.after?.(places)
    },
  }
}

const stateOf = (vault: Vault, subject: string | undefined) =>
  subject === undefined ? 'tenant' : vault.tenant('acme').subject(subject).state()

describe('where something hangs on a place', () => {
  test('no process destroys its keys that cannot see to it, and by another name any does', async () => {
    const made = await openGround()
    const { vault } = made
    const stored = await alice(vault).encrypt(email, 'ada')
    const self = vault.tenant('acme').self()
    const own = await self.encrypt(email, 'acme')
    await connect(made, vault, await alice(vault).references())
    await connect(made, vault, await self.references())
    const many = async () => {
      for await (const one of vault.tenant('acme').shredMany(['bob', 'alice', 'carol'])) expect(one).toBe('never')
    }
    for (const shred of [() => alice(vault).shred(), () => self.shred(), () => vault.tenant('acme').shred(), many]) {
      expect((await refusalOf(shred)).code).toBe('revocation_required')
      expect(await alice(vault).decrypt(email, stored)).toBe('ada')
      expect(await self.decrypt(email, own)).toBe('acme')
      expect(await bob(vault).state()).toBe('absent')
    }
    // Neither somebody else, nor another tenant, nor a part of her.
    await bob(vault).shred()
    await vault.tenant('rival').subject('alice').shred()
    await alice(vault).item('hubspot').shred()
    await alice(vault).shredWithoutRevocation({ reason: 'accountDeleted' })
    expect(await alice(vault).state()).toBe('shredded')
    await vault.tenant('acme').shredWithoutRevocation()
    expect((await vault.tenants.get('acme'))?.state).toBe('shredded')
  })

  test('whoever has to be heard is heard before the keys go, and again once they are gone', async () => {
    const made = await openGround()
    const { vault } = made
    for (const who of [alice(vault), bob(vault)]) await who.encrypt(email, 'x')
    await connect(made, vault, await alice(vault).references())
    const calls: unknown[] = []
    vault.guardShreds(CONNECTIONS, noting(vault, calls))
    await bob(vault).shred()
    expect(calls).toEqual([])
    await alice(vault).shred()
    expect(calls).toEqual([
      ['before', ['alice', 'active']],
      ['after', ['alice', 'shredded']],
    ])
    await vault.tenant('acme').shred()
    expect(calls.slice(2)).toEqual([
      ['before', [undefined, 'tenant']],
      ['after', [undefined, 'tenant']],
    ])
  })

  test('what it throws before keeps the keys; what it throws after is told, and a repeated shred asks again', async () => {
    const made = await openGround()
    const { vault } = made
    await alice(vault).encrypt(email, 'ada')
    await connect(made, vault, await alice(vault).references())
    const calls: unknown[] = []
    let failing: 'before' | 'after' | undefined = 'before'
    const fail = (when: string) => async () => {
      if (failing === when) throw new Error(`failed ${when}`)
    }
    vault.guardShreds(CONNECTIONS, noting(vault, calls, { before: fail('before'), after: fail('after') }))
    await expect(alice(vault).shred()).rejects.toThrow('failed before')
    expect(await alice(vault).state()).toBe('active')
    failing = 'after'
    await expect(alice(vault).shred()).rejects.toThrow('failed after')
    expect(await alice(vault).state()).toBe('shredded')
    failing = undefined
    const { receipt } = await alice(vault).shred()
    expect(verifyReceipt(receipt, await vault.receiptKeys()).versions).toBe(1)
    expect(calls).toEqual([
      ['before', ['alice', 'active']],
      ['before', ['alice', 'active']],
      ['after', ['alice', 'shredded']],
      ['before', ['alice', 'shredded']],
      ['after', ['alice', 'shredded']],
    ])
  })

  test('of many at once only those are named that have something, in one call; where nobody has, one look is all', async () => {
    const made = await openGround()
    const names = Array.from({ length: 300 }, (_, i) => `p${i}`)
    const scans: string[] = []
    const stateStore = {
      ...made.stateStore,
      scan: (...args: Parameters<typeof made.stateStore.scan>) => {
        if (args[0] !== 'strongroom/ledger') scans.push(args[0])
        return made.stateStore.scan(...args)
      },
    }
    const vault = await openVault({ ...made.options, stateStore })
    const calls: unknown[] = []
    vault.guardShreds(CONNECTIONS, noting(vault, calls))
    const shredAll = async () => {
      let done = 0
      for await (const { subject } of vault.tenant('acme').shredMany(names)) done += names[done] === subject ? 1 : 1000
      return done
    }
    expect(await shredAll()).toBe(300)
    // Two batches, each before and after the keys go, holds twice, and what is kept is looked for as well.
    expect([calls, scans.length]).toEqual([[], 10])
    await vault.tenant('acme').subject('p7').recreate({ reason: 'unspecified' })
    await connect(made, vault, await vault.tenant('acme').subject('p7').references())
    await connect(made, vault, await vault.tenant('acme').subject('p9').references())
    expect(await shredAll()).toBe(300)
    expect(calls).toEqual([
      ['before', ['p7', 'active'], ['p9', 'shredded']],
      ['after', ['p7', 'shredded'], ['p9', 'shredded']],
    ])
  })

  test('only what there is can be guarded, by something that has both calls', async () => {
    const { vault } = await openGround()
    const guard: ShredGuard = { before: async () => undefined, after: async () => undefined }
    for (const [namespace, given, argument] of [
      ['strongroom/ledger', guard, 'namespace'],
      [CONNECTIONS, undefined, 'guard'],
      [CONNECTIONS, { before: guard.before }, 'guard'],
    ] as const)
      expect((await refusalOf(() => vault.guardShreds(namespace as typeof CONNECTIONS, given as ShredGuard))).argument).toBe(argument)
  })
})

describe('what is kept', () => {
  test('stands in the answer and in the receipt of whoever and whatever it was of, with the keys and their ends', async () => {
    const made = await openGround()
    const { vault, clock } = made
    await alice(vault).encrypt(email, 'ada')
    const item = alice(vault).item('strongroom/connections/x')
    await item.encrypt(email, 'token')
    const references = await item.references()
    const days = [
      vault.periodKey({ use: 'revocation', at: clock.now() + 7 * DAY }),
      vault.periodKey({ use: 'revocation', at: clock.now() }),
    ] as const
    for (const day of days) {
      await day.encrypt(email, 'x')
      for (const id of ['a', 'b']) await keep(made, references, day.until, id)
    }
    // Keys that were never made, and what is the end of no day: whoever writes the store can say anything.
    for (const [i, until] of [days[0].until + DAY, days[1].until + 1, 0, Number.NaN, 8.64e15 + DAY, -DAY].entries())
      await keep(made, references, until, `planted-${i}`)
    for (let i = 0; i < 100; i++) await keep(made, references, days[0].until + (2 + i) * DAY, 'planted')
    const expected = await Promise.all(
      days.toReversed().map(async (day) => ({ ref: (await day.references()).at(-1) as string, until: day.until })),
    )
    const keys = await vault.receiptKeys()
    for (const shred of [() => item.shred(), () => alice(vault).shred(), () => alice(vault).shred(), () => vault.tenant('acme').shred()]) {
      const { kept, receipt } = await shred()
      expect(kept.map(({ ref, until }) => ({ ref: hex(ref), until }))).toEqual(expected)
      expect(verifyReceipt(receipt, keys).kept).toEqual(kept)
    }
    expect(
      (await bob(vault)
        .shred()
        .catch((error: unknown) => error)) as object,
    ).toMatchObject({ code: 'shredded' })
    expect((await vault.tenant('rival').subject('alice').shred()).kept).toEqual([])
  })

  test('is told by shredMany for each by itself', async () => {
    const made = await openGround()
    const { vault, clock } = made
    const day = vault.periodKey({ use: 'revocation', at: clock.now() })
    const { until } = day
    await day.encrypt(email, 'x')
    const references = [...(await bob(vault).references()), '0'.repeat(32)]
    await keep(made, references, until, 'a')
    const kept: unknown[] = []
    for await (const one of vault.tenant('acme').shredMany(['alice', 'bob', 'carol', 'dave']))
      kept.push([one.subject, one.kept.map((key) => key.until)])
    expect(kept).toEqual([
      ['alice', []],
      ['bob', [until]],
      ['carol', []],
      ['dave', []],
    ])
  })
})

describe('what was to be kept for a day that is over', () => {
  test('is kept no more: its key is destroyed, and no receipt tells of it', async () => {
    const made = await openGround()
    const { vault, clock } = made
    const references = await alice(vault).references()
    const days = [0, 1].map((later) => vault.periodKey({ use: 'revocation', at: clock.now() + later * DAY }))
    for (const day of days) {
      await day.encrypt(email, 'x')
      await keep(made, references, day.until, 'a')
    }
    clock.advance((days[0]?.until ?? 0) - clock.now())
    expect((await alice(vault).shred()).kept.map(({ until }) => until)).toEqual([days[1]?.until])
    expect(await Promise.all(days.map((day) => day.state()))).toEqual(['shredded', 'active'])
  })
})

describe('reading before a shred', () => {
  test('opens what is suspended, encrypts nothing, and is told apart by the gate', async () => {
    const seen: string[] = []
    const made = await openGround({
      onAccess: ({ operation, reference, subject, item }) => void seen.push(`${operation} ${subject ?? reference ?? ''} ${item ?? ''}`),
    })
    const { vault } = made
    const item = alice(vault).item('hubspot')
    const stored = await item.encrypt(email, 'ada')
    await alice(vault).suspend()
    expect(await outcome(() => item.decrypt(email, stored))).toBe('suspended')
    const owner = await alice(vault).references()
    for (const [each, who] of [
      [item, 'alice'],
      [vault.item(owner, 'hubspot'), owner.join('/')],
    ] as const) {
      seen.length = 0
      const keys = await each.unlockBeforeShred()
      expect(keys.decrypt(email, stored)).toBe('ada')
      expect(seen).toEqual([`decryptBeforeShred ${who} hubspot`, `decryptBeforeShred ${who} hubspot`])
      expect(await outcome(() => (keys as Awaited<ReturnType<typeof item.unlock>>).encrypt(email, 'eve'))).toBe('unsupported_operation')
      keys.dispose()
      expect(await outcome(() => keys.decrypt(email, stored))).toBe('handle_expired')
    }
    await vault.item(owner, 'hubspot').shred({ reason: 'subjectRequest' })
    expect(await item.state()).toBe('shredded')
    expect(await outcome(async () => (await item.unlockBeforeShred()).decrypt(email, stored))).toBe('shredded')
  })

  test('an item by its owner’s references is the item, in every process, and nothing is made by it', async () => {
    const made = await openGround()
    const { vault } = made
    const item = alice(vault).item('hubspot')
    const owner = await alice(vault).references()
    const before = made.keyStore.snapshot().length
    expect(await vault.item(owner, 'hubspot').state()).toBe('absent')
    expect(await outcome(async () => (await vault.item(owner, 'hubspot').unlockBeforeShred()).decrypt(email, new Uint8Array(60)))).toBe(
      'decrypt_failed',
    )
    expect(made.keyStore.snapshot()).toHaveLength(before)
    const stored = await item.encrypt(email, 'ada')
    const other = await openVault(made.options)
    expect((await other.item(owner, 'hubspot').unlockBeforeShred()).decrypt(email, stored)).toBe('ada')
    expect(await other.item(owner, 'hubspot').references()).toEqual(await item.references())
    await alice(vault).shred()
    expect(await vault.item(owner, 'hubspot').state()).toBe('gone')
  })

  test('it is an item beneath a subject, whatever the references are of: no other key is reached', async () => {
    const { vault } = await openGround()
    const item = alice(vault).item('hubspot')
    const stored = await item.encrypt(email, 'ada')
    await bob(vault).encrypt(email, 'bob')
    const [tenant = '', hers = '', own = ''] = await item.references()
    const [, bobs = ''] = await bob(vault).references()
    for (const owner of [
      [tenant, bobs],
      [tenant, own],
      [tenant, tenant],
      ['0'.repeat(32), hers],
      ['0'.repeat(32), tenant],
    ]) {
      expect(await outcome(async () => (await vault.item(owner, 'hubspot').unlockBeforeShred()).decrypt(email, stored))).toBe(
        'decrypt_failed',
      )
      await outcome(() => vault.item(owner, 'hubspot').shred())
    }
    expect([await alice(vault).state(), await bob(vault).state(), await item.decrypt(email, stored)]).toEqual(['active', 'active', 'ada'])
  })

  test('what is wrong is said, by name', async () => {
    const { vault } = await openGround()
    const ref = 'a'.repeat(32)
    for (const wrong of [undefined, [], [ref], [ref, 'x'], [ref, ref, ref], [ref, 7]])
      expect((await refusalOf(() => vault.item(wrong as readonly string[], 'x'))).argument).toBe('owner')
    expect((await refusalOf(() => vault.item([ref, ref], ''))).argument).toBe('name')
    await vault.close()
    expect(await outcome(() => vault.item([ref, ref], 'x'))).toBe('vault_closed')
  })
})
