// A shred is of the whole place: whatever older or newer copy of the key store comes back alone, with the ledger that is newer than both.
import { initVault, openVault, type Progress, type Subject, type Vault, verifyReceipt } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'

import { alice, bob, email, outcome } from './support.ts'

const BOUND = 100
const NOTHING_HOLDS = [{ countValues: () => Promise.resolve(0) }]

async function made() {
  const keyStore = memoryKeyStore()
  const options = { keyProviders: { eu: memoryKeyProvider() }, defaultRegion: 'eu', keyStore, stateStore: memoryStateStore() }
  await initVault({ ...options, cacheBound: BOUND })
  let vault = await openVault(options)
  await vault.tenants.create('acme')
  return {
    keyStore,
    vault: () => vault,
    /** Puts a copy of the key store back, with the vault closed meanwhile. */
    async putBack(copy: ReturnType<typeof keyStore.snapshot>): Promise<Vault> {
      await vault.close()
      keyStore.restore(copy)
      vault = await openVault(options)
      return vault
    },
  }
}

async function toEnd(operation: AsyncGenerator<Progress>): Promise<void> {
  for await (const progress of operation) void progress
}

async function rotateAndRetire(vault: Vault, subject: Subject): Promise<void> {
  await toEnd(vault.rotateSubjectKey(subject))
  await new Promise((resolve) => setTimeout(resolve, BOUND + 20))
  await toEnd(vault.retireVersion(subject, { holders: NOTHING_HOLDS, dataBackup: { startedAt: Date.now() } }))
}

const reads = (vault: Vault, stored: Uint8Array): Promise<string> => outcome(() => alice(vault).decrypt(email, stored))

describe('an older copy was put back, she was shredded, a newer copy is put back', () => {
  const WAYS: readonly (readonly [string, (vault: Vault) => Promise<void>])[] = [
    ['rotated', (vault) => toEnd(vault.rotateSubjectKey(alice(vault)))],
    ['rotated and retired', (vault) => rotateAndRetire(vault, alice(vault))],
    [
      'shredded and recreated',
      async (vault) => {
        await alice(vault).shred()
        await alice(vault).recreate({ reason: 'operator' })
      },
    ],
  ]
  for (const alone of [true, false]) {
    test.each(WAYS)(`between the copies her key was %s; ${alone ? 'shred' : 'shredMany'}`, async (_, between) => {
      const world = await made()
      const first = await alice(world.vault()).encrypt(email, 'first')
      const others = await bob(world.vault()).encrypt(email, 'bob')
      await world.vault().receiptKeys()
      const older = world.keyStore.snapshot()
      await between(world.vault())
      const second = await alice(world.vault()).encrypt(email, 'second')
      const newer = world.keyStore.snapshot()

      const vault = await world.putBack(older)
      const entries = (await vault.status()).ledger.n
      let receipt: string | undefined
      if (alone) ({ receipt } = await alice(vault).shred({ reason: 'subjectRequest' }))
      else for await (const shredded of vault.tenant('acme').shredMany(['alice'], { reason: 'subjectRequest' })) receipt = shredded.receipt
      // Not the word of an older shred, after which the place was filled again.
      expect(verifyReceipt(receipt ?? '', await vault.receiptKeys())).toMatchObject({
        reason: 'subjectRequest',
        ledger: { n: entries + 1 },
      })
      await alice(vault).shred()
      expect((await vault.status()).ledger.n).toBe(entries + 1)

      const again = await world.putBack(newer)
      expect([await reads(again, first), await reads(again, second)]).toEqual(['shredded', 'shredded'])
      expect(await outcome(() => alice(again).encrypt(email, 'third'))).toBe('shredded')
      expect(await bob(again).decrypt(email, others)).toBe('bob')
      // Repeated where the shred shows, it is the same.
      await alice(again).shred()
      expect((await again.status()).ledger.n).toBe(entries + 1)
    })
  }

  test('recreated after that shred, her new key lives on, and what a rotation makes of it', async () => {
    const world = await made()
    await alice(world.vault()).encrypt(email, 'first')
    await alice(world.vault()).shred()
    await alice(world.vault()).recreate({ reason: 'operator' })
    await rotateAndRetire(world.vault(), alice(world.vault()))
    const stored = await alice(world.vault()).encrypt(email, 'second')
    await world.vault().reconcile()
    const vault = await world.putBack(world.keyStore.snapshot())
    await vault.reconcile()
    expect(await reads(vault, stored)).toBe('done')
  })
})

describe('an older copy holds only the version that was retired since', () => {
  test('it is dead, and she gets a new key: nobody has shredded her', async () => {
    const world = await made()
    const old = await alice(world.vault()).encrypt(email, 'old')
    const older = world.keyStore.snapshot()
    await rotateAndRetire(world.vault(), alice(world.vault()))
    const lost = await alice(world.vault()).encrypt(email, 'lost with the copy that had its key')
    const vault = await world.putBack(older)
    expect([await reads(vault, old), await reads(vault, lost)]).toEqual(['retired', 'decrypt_failed'])
    const stored = await alice(vault).encrypt(email, 'new')
    await vault.reconcile()
    expect(await alice(vault).decrypt(email, stored)).toBe('new')
  })

  test('shredded there, her place is occupied although no key was left', async () => {
    const world = await made()
    await alice(world.vault()).encrypt(email, 'old')
    const older = world.keyStore.snapshot()
    await rotateAndRetire(world.vault(), alice(world.vault()))
    const vault = await world.putBack(older)
    expect(await alice(vault).shred()).toMatchObject({ versions: 0 })
    expect(await outcome(() => alice(vault).encrypt(email, 'new'))).toBe('shredded')
    await alice(vault).recreate({ reason: 'operator' })
    expect(await outcome(() => alice(vault).encrypt(email, 'new'))).toBe('done')
  })
})

test("a caller cannot give the library's own reason, under which only what is named dies", async () => {
  const world = await made()
  const stored = await alice(world.vault()).encrypt(email, 'ada')
  const options = { reason: 'retired' } as unknown as { reason: 'operator' }
  expect(await outcome(() => alice(world.vault()).shred(options))).toBe('invalid_argument')
  expect(await outcome(() => alice(world.vault()).recreate(options))).toBe('invalid_argument')
  expect(await reads(world.vault(), stored)).toBe('done')
  expect(await outcome(() => alice(world.vault()).shred({ reason: 'operator' }))).toBe('done')
})
