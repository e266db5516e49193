// Whether stored bytes are a value of somebody's keys is told by their header, and to nobody but who asks.
import { field, openVault, type Item, type Vault } from '@strongroom/core'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { rotateAndRetire, toEnd, world } from '../epochs/support.ts'
import { alice, email, openGround, outcome } from './support.ts'

const elsewhere = field('orders', 'email', z.string())

async function own(item: Item, stored: Uint8Array, of = email): Promise<boolean> {
  const keys = await item.unlock()
  try {
    return keys.isOwnValue(of, stored)
  } finally {
    keys.dispose()
  }
}

describe('isOwnValue', () => {
  test('knows values of the version that encrypts, of one before it, of one that is retired, and of a life that has ended', async () => {
    const w = await world()
    const her = alice(w.vault)
    const first = await her.encrypt(email, 'first')
    expect(await own(her, first)).toBe(true)
    await toEnd(w.vault.rotateSubjectKey(her))
    expect(await own(her, first)).toBe(true)
    await rotateAndRetire(w, her)
    expect([await own(her, first), await outcome(() => her.decrypt(email, first))]).toEqual([true, 'retired'])
    const last = await her.encrypt(email, 'last')
    await her.shred()
    await her.recreate({ reason: 'operator' })
    expect([await own(her, last), await outcome(() => her.decrypt(email, last))]).toEqual([true, 'shredded'])
  })

  test('knows none of somebody else, of another context, or of what has not the form of a value', async () => {
    const { vault } = await openGround()
    const stored = await alice(vault).encrypt(email, 'ada')
    for (const other of [vault.tenant('acme').subject('bob'), vault.tenant('rival').subject('alice'), alice(vault).item('hubspot')])
      expect(await own(other, stored)).toBe(false)
    expect(await own(alice(vault), stored, elsewhere)).toBe(false)
    for (const bytes of [stored.subarray(0, 57), new Uint8Array(80), Uint8Array.of(), Uint8Array.of(2, ...stored.subarray(1))])
      expect(await own(alice(vault), bytes)).toBe(false)
  })

  test('asks no gate and tells of no access, and takes bytes alone, from a handle that is open', async () => {
    const made = await openGround()
    const stored = await alice(made.vault).encrypt(email, 'ada')
    const seen: string[] = []
    const vault: Vault = await openVault({
      ...made.options,
      onAccess({ operation }) {
        seen.push(operation)
        if (operation === 'decrypt') throw new Error('not today')
      },
    })
    const keys = await alice(vault).unlock()
    expect([keys.isOwnValue(email, stored), seen]).toEqual([true, ['unlock']])
    expect(await outcome(() => keys.isOwnValue(email, 'sr1.AQ' as never))).toBe('invalid_argument')
    expect(await outcome(() => keys.isOwnValue('email' as never, stored))).toBe('invalid_argument')
    keys.dispose()
    expect(await outcome(() => keys.isOwnValue(email, stored))).toBe('handle_expired')
    await vault.close()
  })
})
