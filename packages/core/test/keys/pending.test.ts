// A suspension that cannot be applied: it holds for its tenant, and for nobody else.
import { type KeyProvider, openVault, systemClock, type Vault, type VaultOptions, type VaultRecord } from '@strongroom/core'
import { downProvider, memoryKeyProvider } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'

import { NodeKind } from '#core/format/records.js'

import {
  alice,
  aroundKeyStore,
  email,
  emptyGround,
  flipped,
  ground,
  type Ground,
  hex,
  nodesOf,
  outcome,
  putRecord,
  refusalOf,
} from '../vault/support.ts'

const CLOSE = { dangerouslyWithoutBackup: true } as const
const BOUND = 100

async function toEnd(run: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of run);
}

const inEurope = (vault: Vault) => vault.tenant('euro').subject('eve')

interface TwoRegions extends Ground {
  readonly vault: Vault
  readonly us: ReturnType<typeof downProvider>
  readonly stored: { readonly eve: Uint8Array; readonly alice: Uint8Array }
}

/** Tenant `euro` at home in eu, tenant `acme` in us, whose provider can be switched off. */
async function twoRegions(): Promise<TwoRegions> {
  const us = downProvider(memoryKeyProvider())
  us.isDown = false
  const made = await ground({ keyProviders: { eu: memoryKeyProvider(), us }, cacheBound: BOUND, clock: systemClock })
  const vault = await openVault(made.options)
  await vault.tenants.create('euro')
  await vault.tenants.create('acme', { region: 'us' })
  const stored = { eve: await inEurope(vault).encrypt(email, 'eve'), alice: await alice(vault).encrypt(email, 'ada') }
  return { ...made, vault, us, stored }
}

function vaultRecord({ keyStore }: Ground): VaultRecord {
  return keyStore.snapshot().find((record): record is VaultRecord => record.type === 'vault') as VaultRecord
}

function damageSubjects({ keyStore }: Ground, tenantRef: string): void {
  for (const { ref } of nodesOf(keyStore).filter((node) => node.kind === NodeKind.subject && hex(node.tenantRef) === tenantRef)) {
    keyStore.edit({ type: 'node', ref }, (record) =>
      record?.type === 'node'
        ? { ...record, versions: record.versions.map((v) => ('wrap' in v ? { ...v, wrap: flipped(v.wrap, 300) } : v)) }
        : record,
    )
  }
}

describe('where it cannot be applied', () => {
  test('because the region died after the copy of the key store that was restored: other regions open, this one says why it does not', async () => {
    const made = await twoRegions()
    const copy = made.keyStore.snapshot()
    await alice(made.vault).suspend()
    await toEnd(made.vault.rotateRootKey({ region: 'us' }))
    await toEnd(made.vault.closeEpoch({ region: 'us', ...CLOSE }))
    await made.vault.close()
    made.keyStore.restore(copy)

    const vault = await openVault(made.options)
    expect(await inEurope(vault).decrypt(email, made.stored.eve)).toBe('eve')
    const refusal = await refusalOf(() => alice(vault).decrypt(email, made.stored.alice))
    expect(refusal.code).toBe('root_version_destroyed')
    // What the tenant is past saving by can be ended.
    expect(await outcome(() => vault.tenant('acme').shred())).toBe('done')
  })

  test('because the key is damaged: its tenant waits, and opens once the record is put back, or shredded', async () => {
    for (const mend of ['put back', 'shredded']) {
      const made = await twoRegions()
      const acme = (await made.vault.tenants.get('acme'))?.ref as string
      const copy = made.keyStore.snapshot()
      await alice(made.vault).suspend()
      await made.vault.close()
      made.keyStore.restore(copy)
      const whole = made.keyStore.snapshot()
      damageSubjects(made, acme)

      const vault = await openVault(made.options)
      expect(await inEurope(vault).decrypt(email, made.stored.eve)).toBe('eve')
      const bob = vault.tenant('acme').subject('bob')
      const refusal = await refusalOf(() => bob.encrypt(email, 'bob'))
      expect(refusal.code).toBe('decrypt_failed')
      expect(refusal.message).toContain('verifyKeys')
      // What comes after it in the ledger is done.
      await inEurope(vault).shred()
      expect(await outcome(() => inEurope(vault).decrypt(email, made.stored.eve))).toBe('shredded')

      if (mend === 'shredded') await alice(vault).shred()
      else
        for (const record of whole)
          if (record.type === 'node' && record.kind === NodeKind.subject && hex(record.tenantRef) === acme)
            made.keyStore.edit(record, () => record)
      await vault.reconcile()
      expect(await bob.decrypt(email, await bob.encrypt(email, 'bob'))).toBe('bob')
      expect(await outcome(() => alice(vault).decrypt(email, made.stored.alice))).toBe(mend === 'shredded' ? 'shredded' : 'suspended')
      const { head, applied } = vaultRecord(made)
      expect(applied).toBe(head.n)
    }
  })

  test('because the provider holds another root key: nobody else waits for it', async () => {
    const made = await twoRegions()
    const copy = made.keyStore.snapshot()
    await alice(made.vault).suspend()
    await made.vault.close()
    made.keyStore.restore(copy)
    const keyProviders = { ...made.options.keyProviders, us: memoryKeyProvider() }
    const vault = await openVault({ ...made.options, keyProviders })
    expect(await inEurope(vault).decrypt(email, made.stored.eve)).toBe('eve')
    expect(await outcome(() => alice(vault).decrypt(email, made.stored.alice))).toBe('wrong_root_key')
    const right = await openVault(made.options)
    expect(await outcome(() => alice(right).decrypt(email, made.stored.alice))).toBe('suspended')
  })

  test('a call that suspends says so, and does not say that it is in effect', async () => {
    const made = await twoRegions()
    // Known to this process before it is damaged.
    await alice(made.vault).decrypt(email, made.stored.alice)
    damageSubjects(made, (await made.vault.tenants.get('acme'))?.ref as string)
    expect(await outcome(() => alice(made.vault).suspend())).toBe('decrypt_failed')
    expect(await outcome(() => inEurope(made.vault).suspend())).toBe('done')
    expect(await outcome(() => inEurope(made.vault).decrypt(email, made.stored.eve))).toBe('suspended')
  })
})

describe('while it waits', () => {
  /** Counts what is written. */
  function counting(options: VaultOptions): { readonly options: VaultOptions; readonly written: string[] } {
    const written: string[] = []
    const keyStore = aroundKeyStore(options.keyStore, async ({ method, args }, proceed) => {
      const answer = await proceed()
      if (method === 'put') written.push(putRecord(args).type)
      return answer
    })
    return { options: { ...options, keyStore }, written }
  }

  async function waiting(): Promise<TwoRegions> {
    const made = await twoRegions()
    made.us.isDown = true
    expect(await outcome(() => alice(made.vault).suspend())).toBe('key_provider_unavailable')
    return made
  }

  test('a shred elsewhere reads and does as much as ever, however many came before it', async () => {
    const made = await waiting()
    let reads = 0
    const keyStore = aroundKeyStore(made.keyStore, async (_, proceed) => {
      const answer = await proceed()
      reads += Array.isArray(answer) ? answer.length : 1
      return answer
    })
    const vault = await openVault({ ...made.options, keyStore })
    const cost = async (name: string): Promise<number> => {
      const before = reads
      await vault.tenant('euro').subject(name).shred()
      return reads - before
    }
    await cost('warm')
    const first = await cost('first')
    for (let i = 0; i < 60; i++) await cost(`person ${i}`)
    // A reading of the tenant may have aged meanwhile, and is made anew.
    expect(await cost('last')).toBeLessThanOrEqual(first + 10)
    // And by a process that begins now: what was done is not done again.
    reads = 0
    await openVault({ ...made.options, keyStore })
    expect(reads).toBeLessThan(20)
  })

  test('and reads of the ledger no more of it', async () => {
    const made = await waiting()
    let pages = 0
    const stateStore = {
      ...made.stateStore,
      scan: async (...args: Parameters<typeof made.stateStore.scan>) => {
        const found = await made.stateStore.scan(...args)
        pages += found.length
        return found
      },
    }
    const vault = await openVault({ ...made.options, stateStore })
    const cost = async (name: string): Promise<number> => {
      const before = pages
      await vault.tenant('euro').subject(name).shred()
      return pages - before
    }
    await cost('warm')
    const first = await cost('first')
    for (let i = 0; i < 60; i++) await cost(`person ${i}`)
    expect(await cost('last')).toBeLessThanOrEqual(first + 2)
  })

  test('it is applied as soon as the provider is back, with all that came behind it', async () => {
    const made = await waiting()
    for (let i = 0; i < 10; i++) await made.vault.tenant('euro').subject(`person ${i}`).shred()
    expect(vaultRecord(made).applied).toBeLessThan(vaultRecord(made).head.n)
    made.us.isDown = false
    expect(await outcome(() => alice(made.vault).decrypt(email, made.stored.alice))).toBe('suspended')
    expect(vaultRecord(made).applied).toBe(vaultRecord(made).head.n)
    await alice(made.vault).resume()
    expect(await alice(made.vault).decrypt(email, made.stored.alice)).toBe('ada')
  })

  test('a suspension and what undoes it both wait, and the last word holds', async () => {
    const made = await waiting()
    // The record shows nothing of the suspension: it must not be taken for resumed.
    expect(await outcome(() => alice(made.vault).resume())).toBe('key_provider_unavailable')
    await inEurope(made.vault).shred()
    made.us.isDown = false
    expect(await alice(made.vault).decrypt(email, made.stored.alice)).toBe('ada')
    expect(vaultRecord(made).applied).toBe(vaultRecord(made).head.n)
  })

  test('a key store that is restored beneath the process has every shred again', async () => {
    const made = await waiting()
    const later = made.vault.tenant('euro').subject('later')
    const stored = await later.encrypt(email, 'x')
    await made.vault.tenant('euro').subject('before').shred()
    // In this copy as much is applied as there is at the end.
    const copy = made.keyStore.snapshot()
    const { applied } = vaultRecord(made)
    await inEurope(made.vault).shred()
    await later.shred()
    expect(vaultRecord(made).applied).toBe(applied)
    made.keyStore.restore(copy)

    await made.vault.tenant('euro').subject('other').shred()
    const there = await openVault(made.options)
    for (const vault of [made.vault, there]) {
      expect(await outcome(() => vault.tenant('euro').subject('later').decrypt(email, stored))).toBe('shredded')
      expect(await outcome(() => inEurope(vault).decrypt(email, made.stored.eve))).toBe('shredded')
    }
  })

  test('the same where another process has gone on with the restored copy', async () => {
    const made = await waiting()
    const later = made.vault.tenant('euro').subject('later')
    const stored = await later.encrypt(email, 'x')
    const copy = made.keyStore.snapshot()
    await later.shred()
    for (let i = 0; i < 3; i++) await made.vault.tenant('euro').subject(`person ${i}`).shred()
    made.keyStore.restore(copy)
    const other = await openVault(made.options)
    for (let i = 0; i < 6; i++) await other.tenant('euro').subject(`more ${i}`).shred()
    await inEurope(made.vault).shred()
    for (const vault of [made.vault, other, await openVault(made.options)])
      expect(await outcome(() => vault.tenant('euro').subject('later').decrypt(email, stored))).toBe('shredded')
  })

  test('of one region, its provider is asked once in a run, however many wait', async () => {
    const made = await twoRegions()
    let calls = 0
    const us: KeyProvider = { ...made.us, unwrap: (...args) => (calls++, made.us.unwrap(...args)) }
    const options = { ...made.options, keyProviders: { ...made.options.keyProviders, us } }
    const vault = await openVault(options)
    const people = Array.from({ length: 5 }, (_, i) => vault.tenant('acme').subject(`person ${i}`))
    for (const person of people) await person.encrypt(email, 'x')
    made.us.isDown = true
    for (const person of people) expect(await outcome(() => person.suspend())).toBe('key_provider_unavailable')
    const { written, options: counted } = counting(options)
    calls = 0
    await openVault(counted)
    expect(calls).toBe(1)
    expect(written).toEqual([])
    expect(emptyGround().options.defaultRegion).toBe('eu')
  })
})
