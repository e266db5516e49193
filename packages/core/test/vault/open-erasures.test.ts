// A place is not filled again while its data is still being erased: what is new there would be erased too.
import { openErasureKey, type Vault } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { alice, anything, bob, openGround, outcome } from './support.ts'

const ERASURES = 'strongroom/erasures'
const REASON = { reason: 'subjectRequest' } as const
const SOMETHING = new Uint8Array(1)

async function shredded() {
  const made = await openGround()
  const { vault } = made
  const tenant = vault.tenant('acme')
  for (const place of [alice(vault).item('hubspot'), alice(vault), bob(vault), tenant.self().item('crm')]) {
    await place.encrypt(anything, 1)
    await place.shred()
  }
  return made
}

const recreate = (place: { recreate(options: typeof REASON): Promise<void> }): Promise<string> => outcome(() => place.recreate(REASON))

describe('erasure_pending', () => {
  test.each<[string, (vault: Vault) => Promise<readonly string[]>, readonly string[]]>([
    ['of a person: that person and all that is theirs', (v) => alice(v).references(), ['alice']],
    ['of a tenant: everybody', async (v) => (await alice(v).references()).slice(0, 1), ['alice', 'bob', 'crm']],
    ["of one of the tenant's own things: that alone", (v) => v.tenant('acme').self().item('crm').references(), ['crm']],
    ["of another tenant's: nobody", (v) => v.tenant('rival').subject('alice').references(), []],
    ['of a part of somebody: that person', (v) => alice(v).item('mail').references(), ['alice']],
    ['of a part of somebody else: nobody', (v) => v.tenant('acme').subject('carol').item('hubspot').references(), []],
  ])('an erasure %s', async (_, of, pending) => {
    const { vault, stateStore } = await shredded()
    const key = openErasureKey(vault.id, await of(vault))
    const version = await stateStore.put(ERASURES, key, SOMETHING, { expected: 'absent' })
    const places = { alice: alice(vault), bob: bob(vault), crm: vault.tenant('acme').self().item('crm') }
    for (const [name, place] of Object.entries(places)) {
      if (!pending.includes(name)) continue
      expect([name, await recreate(place)]).toEqual([name, 'erasure_pending'])
      expect(await place.state()).toBe('shredded')
    }
    for (const [name, place] of Object.entries(places))
      if (!pending.includes(name)) expect([name, await recreate(place)]).toEqual([name, 'done'])
    await stateStore.delete(ERASURES, key, { expected: version })
    for (const [name, place] of Object.entries(places))
      if (pending.includes(name)) expect([name, await recreate(place)]).toEqual([name, 'done'])
  })

  test('an item waits for an erasure of its own, and one that has ended keeps nobody', async () => {
    const { vault, stateStore } = await shredded()
    const ended = openErasureKey(vault.id, await alice(vault).references()).replace(/open$/, '00112233445566778899aabbccddeeff')
    await stateStore.put(ERASURES, ended, SOMETHING, { expected: 'absent' })
    expect(await recreate(alice(vault))).toBe('done')
    const item = alice(vault).item('zoom')
    await item.encrypt(anything, 1)
    await item.shred()
    await stateStore.put(ERASURES, openErasureKey(vault.id, await item.references()), SOMETHING, { expected: 'absent' })
    expect(await recreate(item)).toBe('erasure_pending')
    // What cannot be filled anyway is told as before.
    expect(await recreate(bob(vault).item('zoom'))).toBe('not_found')
  })
})
