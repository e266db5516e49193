// What a rotation has ended is told from what was shredded: whose it is lives, and nothing of hers may be taken for dead.
import { openVault, type Item, type KeyVersion, type Vault } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { rotateAndRetire, type World, world } from '../epochs/support.ts'
import { alice, email, hex, outcome } from './support.ts'

const reads = (item: Item, stored: Uint8Array): Promise<string> => outcome(() => item.decrypt(email, stored))

describe('a value of a version that was retired', () => {
  test('says so, of a person and of an item, whatever way it is read', async () => {
    const w = await world()
    for (const item of [alice(w.vault), alice(w.vault).item('hubspot')]) {
      const old = await item.encrypt(email, 'ada')
      await rotateAndRetire(w, item)
      const keys = await item.unlock()
      expect([await reads(item, old), await outcome(() => keys.decrypt(email, old))]).toEqual(['retired', 'retired'])
      keys.dispose()
      expect([await item.state(), await reads(item, await item.encrypt(email, 'new'))]).toEqual(['active', 'done'])
    }
  })

  test('of a life that has ended is shredded, and one of the life after it is retired', async () => {
    const w = await world()
    const her = alice(w.vault)
    const first = await her.encrypt(email, 'first life')
    await rotateAndRetire(w, her)
    await her.shred()
    expect(await reads(her, first)).toBe('shredded')
    await her.recreate({ reason: 'operator' })
    const second = await her.encrypt(email, 'second life')
    await rotateAndRetire(w, her)
    expect([await reads(her, first), await reads(her, second), await her.state()]).toEqual(['shredded', 'retired', 'active'])
    // The same with keys that were just made, and not read.
    const item = her.item('hubspot')
    const old = await item.encrypt(email, 'item')
    await rotateAndRetire(w, item)
    await item.shred()
    await item.recreate({ reason: 'operator' })
    expect([await reads(item, old), await item.state()]).toEqual(['shredded', 'active'])
  })
})

describe('a key store from before the rotation', () => {
  // The ledger knows that the only version in it was retired.
  async function restored(w: World, act: (her: ReturnType<typeof alice>) => Promise<unknown>): Promise<Vault> {
    const copy = w.keyStore.snapshot()
    await act(alice(w.vault))
    // The head is where it was: the copy is put back record by record.
    const now = w.keyStore.snapshot().filter(({ type }) => type !== 'node')
    w.keyStore.restore([...copy.filter(({ type }) => type === 'node'), ...now])
    const vault = await openVault(w.options)
    await vault.reconcile()
    return vault
  }

  test('has no key of hers, nor of what hangs beneath it: nothing is dead, and the next that encrypts makes new ones', async () => {
    const w = await world()
    const [stored, token] = [await alice(w.vault).encrypt(email, 'ada'), await alice(w.vault).item('hubspot').encrypt(email, 'token')]
    const vault = await restored(w, (her) => rotateAndRetire(w, her))
    const item = alice(vault).item('hubspot')
    expect([await alice(vault).state(), await item.state()]).toEqual(['absent', 'absent'])
    expect([await reads(alice(vault), stored), await reads(item, token)]).toEqual(['retired', 'retired'])
    expect(await reads(item, await item.encrypt(email, 'new'))).toBe('done')
    expect([await alice(vault).state(), await item.state()]).toEqual(['active', 'active'])
    expect([await reads(alice(vault), stored), await reads(item, token)]).toEqual(['retired', 'retired'])
  })

  test('in her second life', async () => {
    const w = await world()
    const first = await alice(w.vault).encrypt(email, 'first life')
    await alice(w.vault).shred()
    await alice(w.vault).recreate({ reason: 'operator' })
    const second = await alice(w.vault).encrypt(email, 'second life')
    const vault = await restored(w, (her) => rotateAndRetire(w, her))
    const her = alice(vault)
    expect([await her.state(), await reads(her, first), await reads(her, second)]).toEqual(['absent', 'shredded', 'retired'])
    expect(await reads(her, await her.encrypt(email, 'new'))).toBe('done')
    await her.shred()
    expect([await her.state(), await reads(her, second), await outcome(() => her.encrypt(email, 'x'))]).toEqual([
      'shredded',
      'shredded',
      'shredded',
    ])
  })

  test('in her second life, which has ended since as well: nothing makes a key there again', async () => {
    const w = await world()
    await alice(w.vault).encrypt(email, 'first life')
    await alice(w.vault).shred()
    await alice(w.vault).recreate({ reason: 'operator' })
    const second = await alice(w.vault).encrypt(email, 'second life')
    const vault = await restored(w, async (her) => {
      await rotateAndRetire(w, her)
      await her.shred()
    })
    const her = alice(vault)
    expect([await her.state(), await reads(her, second), await outcome(() => her.encrypt(email, 'x'))]).toEqual([
      'shredded',
      'shredded',
      'shredded',
    ])
  })

  test('put back once more, behind the shred of what was made there: shredded for good', async () => {
    const w = await world()
    const stored = await alice(w.vault).encrypt(email, 'ada')
    const made = await restored(w, (her) => rotateAndRetire(w, her))
    expect(await alice(made).state()).toBe('absent')
    const vault = await restored(w, async () => {
      await alice(made).encrypt(email, 'new')
      await alice(made).shred()
    })
    expect([await alice(vault).state(), await reads(alice(vault), stored)]).toEqual(['shredded', 'shredded'])
  })

  test('shredded then: shredded for good', async () => {
    const w = await world()
    const stored = await alice(w.vault).encrypt(email, 'ada')
    const vault = await restored(w, (her) => rotateAndRetire(w, her))
    await alice(vault).shred()
    expect([await alice(vault).state(), await reads(alice(vault), stored)]).toEqual(['shredded', 'shredded'])
    expect(await alice(vault).item('hubspot').state()).toBe('gone')
  })
})

test('a record whose column was changed to say retired: reconciling takes the word of the ledger', async () => {
  const w = await world()
  const her = alice(w.vault)
  const stored = await her.encrypt(email, 'ada')
  await her.shred()
  const [, ref] = await her.references()
  const forged = (version: KeyVersion): KeyVersion => (version.state === 4 ? { ...version, reason: 7 } : version)
  w.keyStore.restore(
    w.keyStore
      .snapshot()
      .map((record) =>
        record.type === 'node' && hex(record.ref) === ref
          ? { ...record, revision: record.revision + 1, versions: record.versions.map(forged) }
          : record,
      ),
  )
  const vault = await openVault(w.options)
  await vault.reconcile()
  const before = (await w.stateStore.scan('strongroom/ledger', '', { limit: 100 })).length
  await vault.reconcile()
  expect((await w.stateStore.scan('strongroom/ledger', '', { limit: 100 })).length).toBe(before)
  expect([await alice(vault).state(), await reads(alice(vault), stored), await outcome(() => alice(vault).encrypt(email, 'x'))]).toEqual([
    'shredded',
    'shredded',
    'shredded',
  ])
})
