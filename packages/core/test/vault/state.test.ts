// What is known of a key without making or opening one.
import { describe, expect, test } from 'vitest'

import { toEnd, world } from '../epochs/support.ts'
import { alice, email, held, openGround, outcome } from './support.ts'

describe('state', () => {
  test('absent until something is encrypted, and asking makes nothing', async () => {
    const made = await openGround()
    const her = alice(made.vault)
    const before = held(made)
    expect([await her.state(), await her.item('hubspot').state()]).toEqual(['absent', 'absent'])
    expect(held(made)).toEqual(before)
    await her.encrypt(email, 'ada')
    expect([await her.state(), await her.item('hubspot').state()]).toEqual(['active', 'absent'])
    expect(await made.vault.tenant('acme').self().state()).toBe('absent')
    expect(await outcome(() => made.vault.tenant('nobody').subject('alice').state())).toBe('not_found')
  })

  test('what lies beneath is suspended and shredded with what is above', async () => {
    const { vault } = await openGround()
    const her = alice(vault)
    const item = her.item('hubspot')
    await item.encrypt(email, 'ada')
    await her.suspend()
    expect([await her.state(), await item.state()]).toEqual(['suspended', 'suspended'])
    await her.resume()
    await item.suspend()
    expect([await her.state(), await item.state()]).toEqual(['active', 'suspended'])
    await item.resume()
    await vault.tenant('acme').suspend()
    expect([await her.state(), await item.state()]).toEqual(['suspended', 'suspended'])
    await vault.tenant('acme').resume()
    const other = her.item('other')
    await other.encrypt(email, 'ada')
    await other.shred()
    await her.shred()
    // What was shredded by itself has a receipt of its own.
    expect([await her.state(), await item.state(), await other.state()]).toEqual(['shredded', 'gone', 'shredded'])
    expect(await her.item('never').state()).toBe('gone')
    await vault.tenant('rival').subject('carol').encrypt(email, 'c')
    await vault.tenant('rival').shred()
    expect(await vault.tenant('rival').subject('carol').state()).toBe('gone')
    expect(await vault.tenant('rival').subject('never').state()).toBe('gone')
  })

  test('of its own key: suspended only where that is, dead with what is above', async () => {
    const { vault } = await openGround()
    const her = alice(vault)
    const item = her.item('hubspot')
    expect(await item.ownState()).toBe('absent')
    await item.encrypt(email, 'ada')
    const own = async (): Promise<readonly string[]> => [await her.ownState(), await item.ownState(), await item.state()]
    await vault.tenant('acme').suspend()
    expect(await own()).toEqual(['active', 'active', 'suspended'])
    await her.suspend()
    expect(await own()).toEqual(['suspended', 'active', 'suspended'])
    await vault.tenant('acme').resume()
    await item.suspend()
    await her.resume()
    expect(await own()).toEqual(['active', 'suspended', 'suspended'])
    await her.shred()
    expect(await own()).toEqual(['shredded', 'gone', 'gone'])
  })

  test('a new life is active, and what hung beneath the old one is not', async () => {
    const { vault } = await openGround()
    const her = alice(vault)
    await her.item('hubspot').encrypt(email, 'ada')
    await her.shred()
    await her.recreate({ reason: 'subjectRequest' })
    expect([await her.state(), await her.item('hubspot').state()]).toEqual(['active', 'gone'])
  })

  test('a rotated key is active, though its old version only decrypts', async () => {
    const { vault } = await world()
    const her = alice(vault)
    await her.encrypt(email, 'ada')
    await toEnd(vault.rotateSubjectKey(her))
    expect(await her.state()).toBe('active')
  })

  test('passes the gate, for the tenant that is gone as well', async () => {
    const seen: string[] = []
    const { vault } = await openGround({
      onAccess({ operation, subject }) {
        if (operation !== 'state') return
        seen.push(subject ?? '')
        if (subject === 'bob') throw new Error('no')
      },
    })
    expect(await alice(vault).state()).toBe('absent')
    expect(await outcome(() => vault.tenant('acme').subject('bob').state())).toBe('denied')
    await vault.tenant('acme').shred()
    expect(await outcome(() => vault.tenant('acme').subject('bob').state())).toBe('denied')
    expect(seen).toEqual(['alice', 'bob', 'bob'])
    await vault.close()
    expect(await outcome(() => alice(vault).state())).toBe('vault_closed')
  })
})
