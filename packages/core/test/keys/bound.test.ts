// How soon a shred or a suspension is everywhere: two processes on the same stores, and a clock that tests move.
import { openVault, type UnlockedKeys, type Vault } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { alice, bob, BOUND, email, type Ground, openGround, optionsAround, outcome } from '../vault/support.ts'

interface Two extends Ground {
  readonly a: Vault
  readonly b: Vault
}

async function two(): Promise<Two> {
  const made = await openGround()
  return { ...made, a: made.vault, b: await openVault(made.options) }
}

const token = (vault: Vault) => alice(vault).item('hubspot')

/** What A does to whom, and with which code B is refused after the bound: for a value of hers, and for one of her item's. */
const ACTS: readonly [string, (a: Vault) => Promise<unknown>, string, string][] = [
  ['shreds the subject', (a) => alice(a).shred(), 'shredded', 'shredded'],
  ['shreds the item', (a) => token(a).shred(), 'done', 'shredded'],
  ['shreds the tenant', (a) => a.tenant('acme').shred(), 'shredded', 'shredded'],
  ['suspends the subject', (a) => alice(a).suspend(), 'suspended', 'suspended'],
  ['suspends the item', (a) => token(a).suspend(), 'done', 'suspended'],
  ['suspends the tenant', (a) => a.tenant('acme').suspend(), 'suspended', 'suspended'],
]

describe('a process that did not hear of it', () => {
  test.each(ACTS)('A %s: B may read for one bound and not a millisecond longer', async (_, act, hersAfter, itemAfter) => {
    const { a, b, clock } = await two()
    const hers = await alice(a).encrypt(email, 'hers')
    const items = await token(a).encrypt(email, 'items')
    const his = await bob(a).encrypt(email, 'his')
    const rival = await a.tenant('rival').subject('alice').encrypt(email, 'rival')
    expect([await alice(b).decrypt(email, hers), await token(b).decrypt(email, items)]).toEqual(['hers', 'items'])
    await act(a)
    clock.advance(BOUND - 1)
    await outcome(() => bob(b).decrypt(email, his))
    expect(await outcome(() => alice(b).decrypt(email, hers))).toBe('done')
    expect(await outcome(() => token(b).decrypt(email, items))).toBe('done')
    clock.advance(1)
    expect(await outcome(() => alice(b).decrypt(email, hers))).toBe(hersAfter)
    expect(await outcome(() => token(b).decrypt(email, items))).toBe(itemAfter)
    expect(await outcome(() => token(b).encrypt(email, 'new'))).toBe(itemAfter)
    expect(await outcome(() => alice(b).encrypt(email, 'new'))).toBe(hersAfter)
    expect(await b.tenant('rival').subject('alice').decrypt(email, rival)).toBe('rival')
  })

  test.each(ACTS)(
    'A %s: what B loads late beneath what it loaded early does not lengthen the bound',
    async (_, act, hersAfter, itemAfter) => {
      const { a, b, clock } = await two()
      const hers = await alice(a).encrypt(email, 'hers')
      const items = await token(a).encrypt(email, 'items')
      await alice(b).decrypt(email, hers)
      await act(a)
      clock.advance(BOUND - 1)
      // Only now does B read the item: one that was shredded or suspended itself says so already.
      const early = await outcome(() => token(b).decrypt(email, items))
      expect(early).toBe(hersAfter === 'done' ? itemAfter : 'done')
      clock.advance(1)
      expect(await outcome(() => token(b).decrypt(email, items))).toBe(itemAfter)
      expect(await outcome(() => alice(b).decrypt(email, hers))).toBe(hersAfter)
    },
  )

  test.each(ACTS)('A %s: handles of B end with the bound, on either clock', async (_, act, hersAfter, itemAfter) => {
    for (const pass of ['advance', 'jump'] as const) {
      const { a, b, clock } = await two()
      const hers = await alice(a).encrypt(email, 'hers')
      const items = await token(a).encrypt(email, 'items')
      const keys = await alice(b).unlock()
      const itemKeys = await token(b).unlock()
      await act(a)
      clock[pass](BOUND - 1)
      expect([keys.decrypt(email, hers), itemKeys.decrypt(email, items)]).toEqual(['hers', 'items'])
      clock[pass](1)
      for (const [handle, stored] of [
        [keys, hers],
        [itemKeys, items],
      ] as const) {
        expect(await outcome(() => handle.decrypt(email, stored))).toBe('handle_expired')
        expect(await outcome(() => handle.encrypt(email, 'x'))).toBe('handle_expired')
      }
      expect(await outcome(async () => (await alice(b).unlock()).decrypt(email, hers))).toBe(hersAfter)
      expect(await outcome(async () => (await token(b).unlock()).decrypt(email, items))).toBe(itemAfter)
    }
  })

  test.each([
    ['wall', (clock: Two['clock']) => clock.jump(BOUND)],
    ['wall, which was set back', (clock: Two['clock']) => clock.jump(-1)],
    ['monotonic', (clock: Two['clock']) => (clock.advance(BOUND), clock.jump(-BOUND))],
  ])('the %s clock alone makes B read again', async (_, pass) => {
    const { a, b, clock } = await two()
    const hers = await alice(a).encrypt(email, 'hers')
    await alice(b).decrypt(email, hers)
    await alice(a).shred()
    expect(await outcome(() => alice(b).decrypt(email, hers))).toBe('done')
    pass(clock)
    expect(await outcome(() => alice(b).decrypt(email, hers))).toBe('shredded')
  })

  test('a resumed key works again in B, one bound later', async () => {
    const { a, b, clock } = await two()
    const hers = await alice(a).encrypt(email, 'hers')
    const items = await token(a).encrypt(email, 'items')
    await alice(a).suspend()
    expect(await outcome(() => token(b).decrypt(email, items))).toBe('suspended')
    await alice(a).resume()
    clock.advance(BOUND)
    expect([await alice(b).decrypt(email, hers), await token(b).decrypt(email, items)]).toEqual(['hers', 'items'])
    const written = await alice(b).encrypt(email, 'written')
    expect(await alice(a).decrypt(email, written)).toBe('written')
  })

  test('a tenant that is resumed opens again with all beneath it', async () => {
    const { a, b, clock } = await two()
    const items = await token(a).encrypt(email, 'items')
    await a.tenants.suspend('acme')
    for (const vault of [a, b]) expect(await outcome(() => token(vault).decrypt(email, items))).toBe('suspended')
    expect(await a.tenants.get('acme')).toMatchObject({ state: 'suspended', name: 'acme' })
    await b.tenants.resume('acme')
    clock.advance(BOUND)
    for (const vault of [a, b]) expect(await token(vault).decrypt(email, items)).toBe('items')
  })

  test('a key that B makes beneath a subject that A has shredded is lost after the bound, and hers stays shredded', async () => {
    const { a, b, clock } = await two()
    const hers = await alice(a).encrypt(email, 'hers')
    await alice(b).decrypt(email, hers)
    await alice(a).shred()
    const late = await alice(b).item('late').encrypt(email, 'late')
    clock.advance(BOUND)
    for (const vault of [a, b]) {
      expect(await outcome(() => alice(vault).item('late').decrypt(email, late))).toBe('shredded')
      expect(await outcome(() => alice(vault).item('late').encrypt(email, 'x'))).toBe('shredded')
    }
  })
})

describe('in the process that did it: at once', () => {
  test.each(ACTS)('A %s: A itself is refused with the next call, and its handles have expired', async (_, act, hersAfter, itemAfter) => {
    const { a } = await two()
    const hers = await alice(a).encrypt(email, 'hers')
    const items = await token(a).encrypt(email, 'items')
    const [keys, itemKeys] = [await alice(a).unlock(), await token(a).unlock()]
    expect([keys.decrypt(email, hers), itemKeys.decrypt(email, items)]).toEqual(['hers', 'items'])
    await act(a)
    expect(await outcome(() => alice(a).decrypt(email, hers))).toBe(hersAfter)
    expect(await outcome(() => token(a).decrypt(email, items))).toBe(itemAfter)
    expect(await outcome(() => itemKeys.decrypt(email, items))).toBe('handle_expired')
    if (hersAfter !== 'done') expect(await outcome(() => keys.decrypt(email, hers))).toBe('handle_expired')
  })

  test('a handle that was renewed before its end is dead as well', async () => {
    const { a, clock } = await two()
    const hers = await alice(a).encrypt(email, 'hers')
    const old = await alice(a).unlock()
    clock.advance(BOUND - 10)
    const young = await alice(a).unlock()
    expect([old.decrypt(email, hers), young.decrypt(email, hers)]).toEqual(['hers', 'hers'])
    await alice(a).shred()
    for (const keys of [old, young]) expect(await outcome(() => keys.decrypt(email, hers))).toBe('handle_expired')
  })

  test.each([
    ['the subject', alice],
    ['the item', token],
  ])('a handle that is asked for before %s is shredded and given after it does not outlive it', async (_, place) => {
    const made = await openGround()
    const stored = await place(made.vault).encrypt(email, 'hers')
    const slow = await slowReader(made)
    const asked = place(slow.vault).unlock()
    await slow.readIsHeld()
    await place(slow.vault).shred()
    slow.release()
    const keys: UnlockedKeys | string = await asked.catch((error: { code: string }) => error.code)
    const after = typeof keys === 'string' ? keys : await outcome(() => keys.decrypt(email, stored))
    expect(['handle_expired', 'shredded']).toContain(after)
  })

  test.each([
    ['the subject', alice],
    ['the item', token],
  ])('a read of a whole path that was under way while %s was shredded is not kept', async (_, shredded) => {
    const made = await openGround()
    const items = await token(made.vault).encrypt(email, 'items')
    const slow = await slowReader(made)
    const asked = outcome(() => token(slow.vault).decrypt(email, items))
    await slow.readIsHeld()
    await shredded(slow.vault).shred()
    slow.release()
    expect(['done', 'shredded']).toContain(await asked)
    expect(await outcome(() => token(slow.vault).decrypt(email, items))).toBe('shredded')
  })
})

// A process whose next read of a node's record is answered only when the test says so: with what was stored when it was asked.
async function slowReader(made: Ground & { readonly vault: Vault }) {
  let armed = false
  let held: (() => void) | undefined
  let release: () => void = () => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const isHeld = new Promise<void>((resolve) => (held = resolve))
  const vault = await openVault(
    optionsAround(made, async ({ store, method, args }, proceed) => {
      const answer = await proceed()
      const reads = store === 'key' && method === 'get' && (args[0] as readonly { type: string }[]).every(({ type }) => type === 'node')
      if (!armed || !reads) return answer
      armed = false
      held?.()
      await released
      return answer
    }),
  )
  const warm = await made.vault.tenant('acme').subject('warm').encrypt(email, 'warm')
  await vault.tenant('acme').subject('warm').decrypt(email, warm)
  armed = true
  return { vault, release, readIsHeld: () => isHeld }
}

describe('handles', () => {
  test('a disposed handle, and one of a closed vault, refuse; another of the same key works until its own end', async () => {
    const { a, clock } = await two()
    const hers = await alice(a).encrypt(email, 'hers')
    const [one, other] = [await alice(a).unlock(), await alice(a).unlock()]
    expect(one.decrypt(email, hers)).toBe('hers')
    one.dispose()
    expect(await outcome(() => one.decrypt(email, hers))).toBe('handle_expired')
    expect(await outcome(() => one.encrypt(email, 'x'))).toBe('handle_expired')
    expect(other.decrypt(email, hers)).toBe('hers')
    other[Symbol.dispose]?.()
    expect(await outcome(() => other.decrypt(email, hers))).toBe('handle_expired')
    const third = await alice(a).unlock()
    clock.advance(1)
    expect(third.decrypt(email, third.encrypt(email, 'written'))).toBe('written')
    await a.close()
    expect(await outcome(() => third.decrypt(email, hers))).toBe('vault_closed')
    expect(await outcome(() => third.encrypt(email, 'x'))).toBe('vault_closed')
  })

  test('one that is handed out has at least half of its life before it', async () => {
    const { a, clock } = await two()
    const hers = await alice(a).encrypt(email, 'hers')
    clock.advance(BOUND / 2)
    const keys = await alice(a).unlock()
    clock.advance(BOUND - 1)
    expect(keys.decrypt(email, hers)).toBe('hers')
    clock.advance(1)
    expect(await outcome(() => keys.decrypt(email, hers))).toBe('handle_expired')
  })

  test('values of a handle and of its subject open with each other', async () => {
    const { a, b } = await two()
    const keys = await alice(a).unlock()
    const stored = keys.encrypt(email, 'of the handle', { record: 5 })
    expect(await alice(b).decrypt(email, stored, { record: 5 })).toBe('of the handle')
    const other = await alice(b).encrypt(email, 'of the subject')
    expect(keys.decrypt(email, other)).toBe('of the subject')
    expect(await outcome(() => keys.decrypt(email, stored))).toBe('decrypt_failed')
  })

  test('a handle for reading does not encrypt, and one of a suspended key is not given', async () => {
    const { a } = await two()
    const hers = await alice(a).encrypt(email, 'hers')
    const keys = await alice(a).unlock({ readOnly: true })
    expect(keys.decrypt(email, hers)).toBe('hers')
    expect(await outcome(() => keys.encrypt(email, 'x'))).toBe('unsupported_operation')
    await alice(a).suspend()
    for (const readOnly of [true, false]) expect(await outcome(() => alice(a).unlock({ readOnly }))).toBe('suspended')
  })
})
