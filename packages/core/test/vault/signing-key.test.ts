// The key that signs receipts is made with the vault, and never again: who has published it can rely on it.
import { openVault, verifyReceipt } from '@strongroom/core'
import { expect, test } from 'vitest'

import { NodeKind } from '#core/format/records.js'
import { VAULT_REF } from '#core/format/reference.js'

import { alice, email, ground, held, hex, nodesOf, openGround, outcome } from './support.ts'

test('a vault has it from the start, and asking for it writes nothing', async () => {
  const made = await ground()
  const vault = await openVault(made.options)
  const before = held(made)
  const keys = await vault.receiptKeys()
  expect(keys).toHaveLength(1)
  expect(held(made)).toEqual(before)
  expect(await vault.receiptKeys()).toEqual(keys)
})

test('a key store restored from before the first shred has the same key: old receipts and new ones agree with what was published', async () => {
  const made = await openGround()
  await alice(made.vault).encrypt(email, 'ada')
  const copy = made.keyStore.snapshot()
  const published = await made.vault.receiptKeys()
  const first = await alice(made.vault).shred()
  await made.vault.close()
  made.keyStore.restore(copy)

  const vault = await openVault(made.options)
  const again = await alice(vault).shred()
  expect(again).toEqual(first)
  expect(await vault.receiptKeys()).toEqual(published)
  expect(verifyReceipt(again.receipt, published).ledger.n).toBe(first.ledger.n)
})

test('where its record is gone it is not made anew: neither a shred nor a look mints another', async () => {
  const made = await openGround()
  await alice(made.vault).encrypt(email, 'ada')
  // Of the vault's own service nodes: the `ref` key, the ledger key, and this one, which is the last to be asked for.
  const services = nodesOf(made.keyStore).filter(({ kind, tenantRef }) => kind === NodeKind.service && hex(tenantRef) === hex(VAULT_REF))
  expect(services).toHaveLength(3)
  await made.vault.close()
  const outcomes: string[] = []
  for (const { ref } of services) {
    const whole = made.keyStore.snapshot()
    made.keyStore.edit({ type: 'node', ref }, () => undefined)
    const count = nodesOf(made.keyStore).length
    outcomes.push(
      await outcome(async () => {
        const vault = await openVault(made.options)
        try {
          expect(await outcome(() => vault.receiptKeys())).toBe('decrypt_failed')
          await alice(vault).shred()
        } finally {
          await vault.close()
        }
      }),
    )
    expect(nodesOf(made.keyStore)).toHaveLength(count)
    made.keyStore.restore(whole)
  }
  // The vault does not open without the `ref` key; without the ledger key it says that it finds none.
  expect(outcomes.toSorted()).toEqual(['decrypt_failed', 'decrypt_failed', 'not_found'])
})
