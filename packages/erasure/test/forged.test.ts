// Whoever writes the key store alone can make a record say that a tenant is shredded. An erasure believes the ledger.
import { days, type KeyVersion } from '@strongroom/core'
import { expect, test } from 'vitest'

import { all, email, GRACE, outcome, pass, type World, world } from './support.ts'

/** The tenant's record says that its key was shredded, by an entry that the ledger does not have. */
async function sayShredded({ vault, keyStore }: World): Promise<void> {
  const tenant = await vault.tenants.get('acme')
  const shredded = ({ version, commitment }: KeyVersion): KeyVersion => ({
    version,
    commitment,
    state: 4,
    rootVersion: { number: 1, id: new Uint8Array(16) },
    instant: 1,
    reason: 1,
    ledger: { n: 1, hash: new Uint8Array(32) },
  })
  keyStore.restore(
    keyStore
      .snapshot()
      .map((record) =>
        record.type === 'node' && Buffer.from(record.ref).toString('hex') === tenant?.ref
          ? { ...record, revision: record.revision + 1, versions: record.versions.map(shredded) }
          : record,
      ),
  )
}

test("one person's erasure does not become the shred of her whole tenant, nor goes past the hold on somebody else", async () => {
  const w = await world()
  const alice = w.acme.subject('alice')
  const [hers, his] = [await alice.encrypt(email, 'ada@example.com'), await w.acme.subject('bob').encrypt(email, 'bob@example.com')]
  await w.erasure.hold(w.acme.subject('bob'), { reason: 'case 4711' })
  const { id } = await w.erasure.request(alice, { reason: 'subjectRequest' })
  const backup = w.keyStore.snapshot()
  await sayShredded(w)
  const meanwhile = await w.another()
  const [swept] = await pass({ ...w, erasure: meanwhile.erasure }, GRACE + days(1))
  expect(swept?.failures).toMatchObject([{ place: id, reason: 'decrypt_failed' }])
  expect(await all(meanwhile.erasure.list())).toMatchObject([{ id, waitsFor: 'keys', failure: { code: 'decrypt_failed' } }])
  w.keyStore.restore(backup)
  const { vault, erasure } = await w.another()
  expect(await vault.tenant('acme').subject('bob').decrypt(email, his)).toBe('bob@example.com')
  await pass({ ...w, erasure }, days(1))
  expect([(await erasure.get(id))?.state, await outcome(() => vault.tenant('acme').subject('alice').decrypt(email, hers))]).toEqual([
    'erased',
    'shredded',
  ])
  expect(await vault.tenant('acme').pastShred()).toBeUndefined()
})
