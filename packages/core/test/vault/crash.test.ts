// A process that dies at any call of a store: whoever repeats the operation, or opens the vault, finishes it.
import { initVault, openVault, type Vault, type VaultOptions } from '@strongroom/core'
import { memoryKeyProvider, memoryKeyStore, memoryStateStore } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'

import { alice, type Around, bob, email, emptyGround, type Ground, ground, openGround, optionsAround, outcome } from './support.ts'

type Death = 'before the call' | 'after the call'
const DEATHS: readonly Death[] = ['before the call', 'after the call']

class Dead extends Error {}

/** From its k-th call on, neither store answers: the process is dead. The k-th call itself is done or not. */
function dyingAt(k: number, death: Death): { readonly around: Around; readonly calls: () => number } {
  let calls = 0
  const around: Around = async (_, proceed) => {
    calls++
    if (calls < k) return proceed()
    if (calls === k && death === 'after the call') await proceed()
    throw new Dead('the connection was lost')
  }
  return { around, calls: () => calls }
}

/** Other stores with the same in them. */
function copyOf(made: Ground): Ground {
  const [keyStore, stateStore] = [memoryKeyStore(), memoryStateStore()]
  keyStore.restore(made.keyStore.snapshot())
  stateStore.restore(made.stateStore.snapshot())
  return { ...made, keyStore, stateStore, options: { ...made.options, keyStore, stateStore } }
}

/** Runs an operation that dies at its first, second, … call, until it completes. `check` sees what was left each time. */
async function atEveryCall(
  start: Ground,
  operation: (options: VaultOptions) => Promise<unknown>,
  check: (made: Ground, died: boolean) => Promise<void>,
): Promise<number> {
  for (let k = 1; ; k++) {
    let completed = 0
    for (const death of DEATHS) {
      const made = copyOf(start)
      const { around } = dyingAt(k, death)
      const result = await outcome(() => operation(optionsAround(made, around)))
      if (result === 'done') completed++
      else expect(['key_store_unavailable', 'state_store_unavailable']).toContain(result)
      await check(made, result !== 'done')
    }
    if (completed === DEATHS.length) return k
  }
}

// Opening costs calls as well: the process dies in its operation, or in opening the vault for it.
const opened = (act: (vault: Vault) => Promise<unknown>) => async (options: VaultOptions) => act(await openVault(options))

async function ledgerVerifies(vault: Vault): Promise<void> {
  expect(await outcome(() => vault.reconcile())).toBe('done')
}

interface Written {
  readonly hers: Uint8Array
  readonly token: Uint8Array
  readonly his: Uint8Array
  readonly rival: Uint8Array
}

async function populated(prepare?: (vault: Vault) => Promise<unknown>): Promise<Ground & { written: Written }> {
  const made = await openGround()
  const { vault } = made
  const written = {
    hers: await alice(vault).encrypt(email, 'hers'),
    token: await alice(vault).item('hubspot').encrypt(email, 'token'),
    his: await bob(vault).encrypt(email, 'his'),
    rival: await vault.tenant('rival').subject('alice').encrypt(email, 'rival'),
  }
  await prepare?.(vault)
  await vault.close()
  return { ...made, written }
}

interface Case {
  readonly name: string
  readonly before?: (vault: Vault) => Promise<unknown>
  readonly act: (vault: Vault) => Promise<unknown>
  /** Outcomes of reading hers, her token, his, and the rival's afterwards. */
  readonly after: readonly [string, string, string, string]
}

const CASES: readonly Case[] = [
  { name: 'shred of a subject', act: (vault) => alice(vault).shred(), after: ['shredded', 'shredded', 'done', 'done'] },
  { name: 'shred of an item', act: (vault) => alice(vault).item('hubspot').shred(), after: ['done', 'shredded', 'done', 'done'] },
  { name: 'shred of a tenant', act: (vault) => vault.tenant('acme').shred(), after: ['shredded', 'shredded', 'shredded', 'done'] },
  {
    name: 'shred of a place without a key',
    act: (vault) => vault.tenant('acme').subject('nobody').shred(),
    after: ['done', 'done', 'done', 'done'],
  },
  { name: 'suspend of a subject', act: (vault) => alice(vault).suspend(), after: ['suspended', 'suspended', 'done', 'done'] },
  { name: 'suspend of an item', act: (vault) => alice(vault).item('hubspot').suspend(), after: ['done', 'suspended', 'done', 'done'] },
  { name: 'suspend of a tenant', act: (vault) => vault.tenant('acme').suspend(), after: ['suspended', 'suspended', 'suspended', 'done'] },
  {
    name: 'resume of a subject',
    before: (vault) => alice(vault).suspend(),
    act: (vault) => alice(vault).resume(),
    after: ['done', 'done', 'done', 'done'],
  },
  {
    name: 'resume of a tenant',
    before: (vault) => vault.tenant('acme').suspend(),
    act: (vault) => vault.tenant('acme').resume(),
    after: ['done', 'done', 'done', 'done'],
  },
]

describe('killed at any call, and repeated by another process', () => {
  test.each(CASES)('$name', async ({ before, act, after }) => {
    const start = await populated(before)
    const { hers, token, his, rival } = start.written
    const steps = await atEveryCall(start, opened(act), async (made) => {
      const repeating = await openVault(made.options)
      await act(repeating)
      await ledgerVerifies(repeating)
      const vault = await openVault(made.options)
      expect([
        await outcome(() => alice(vault).decrypt(email, hers)),
        await outcome(() => alice(vault).item('hubspot').decrypt(email, token)),
        await outcome(() => bob(vault).decrypt(email, his)),
        await outcome(() => vault.tenant('rival').subject('alice').decrypt(email, rival)),
      ]).toEqual(after)
      expect(await outcome(() => alice(repeating).decrypt(email, hers))).toBe(after[0])
    })
    // At least the marks, the ledger, the version and its acknowledgement.
    expect(steps).toBeGreaterThan(10)
  })

  test('what the ledger notes of a shred takes effect at the next opening, with nobody repeating it', async () => {
    const start = await populated()
    let noted = 0
    await atEveryCall(
      start,
      opened((vault) => alice(vault).shred()),
      async (made) => {
        const inLedger = made.stateStore.snapshot().length > 1
        const vault = await openVault(made.options)
        expect(await outcome(() => alice(vault).decrypt(email, start.written.hers))).toBe(inLedger ? 'shredded' : 'done')
        if (inLedger) noted++
      },
    )
    expect(noted).toBeGreaterThan(3)
  })
})

describe('making a tenant', () => {
  test('killed at any call, and repeated: the tenant is there and works', async () => {
    const steps = await atEveryCall(
      await ground(),
      opened((vault) => vault.tenants.create('acme')),
      async (made, died) => {
        const vault = await openVault(made.options)
        const again = await outcome(() => vault.tenants.create('acme'))
        expect(died ? ['done', 'already_exists'] : ['already_exists']).toContain(again)
        const stored = await alice(vault).encrypt(email, 'ada')
        expect(await alice(await openVault(made.options)).decrypt(email, stored)).toBe('ada')
        expect(await outcome(() => vault.tenants.create('acme'))).toBe('already_exists')
        const names = []
        for await (const { name } of vault.tenants.list()) names.push(name)
        expect(names).toEqual(['acme'])
        await ledgerVerifies(vault)
      },
    )
    expect(steps).toBeGreaterThan(8)
  })

  test('in a region that nothing was ever wrapped in: killed at any call, and repeated', async () => {
    const start = emptyGround()
    const options = { ...start.options, keyProviders: { eu: start.provider, us: memoryKeyProvider() } }
    await initVault(options)
    const steps = await atEveryCall(
      { ...start, options },
      opened((vault) => vault.tenants.create('acme', { region: 'us' })),
      async (made) => {
        const vault = await openVault(made.options)
        await outcome(() => vault.tenants.create('acme', { region: 'us' }))
        const stored = await alice(vault).encrypt(email, 'ada')
        expect(await alice(await openVault(made.options)).decrypt(email, stored)).toBe('ada')
        expect(await vault.tenants.get('acme')).toMatchObject({ region: 'us', name: 'acme' })
        expect(made.keyStore.snapshot().filter(({ type }) => type === 'region').length).toBe(2)
        await ledgerVerifies(vault)
      },
    )
    expect(steps).toBeGreaterThan(8)
  })
})

describe('making a vault', () => {
  test('killed at any call: there is none, and it can be made; or there is one, and it opens', async () => {
    let none = 0
    let one = 0
    await atEveryCall(
      emptyGround(),
      (options) => initVault(options),
      async (made, died) => {
        const opening = await outcome(() => openVault(made.options))
        if (opening === 'vault_not_initialised') {
          expect(died).toBe(true)
          none++
          await initVault(made.options)
        } else {
          expect(opening).toBe('done')
          one++
        }
        expect(await outcome(() => initVault(made.options))).toBe('already_exists')
        const vault = await openVault(made.options)
        await vault.tenants.create('acme')
        const stored = await alice(vault).encrypt(email, 'ada')
        expect(await alice(await openVault(made.options)).decrypt(email, stored)).toBe('ada')
        await ledgerVerifies(vault)
      },
    )
    expect(none).toBeGreaterThan(2)
    expect(one).toBeGreaterThan(5)
  })

  test('killed while the next process finishes it: the one after that finishes it', async () => {
    const start = emptyGround()
    // Dead right after its one atomic write.
    let written = false
    const dying = optionsAround(start, async ({ store, method }, proceed) => {
      if (written) throw new Dead('the connection was lost')
      const answer = await proceed()
      written = store === 'key' && method === 'put'
      return answer
    })
    expect(await outcome(() => initVault(dying))).toBe('state_store_unavailable')
    await atEveryCall(
      start,
      (options) => openVault(options),
      async (made) => {
        const vault = await openVault(made.options)
        await vault.tenants.create('acme')
        expect(await outcome(() => alice(vault).encrypt(email, 'ada'))).toBe('done')
        await ledgerVerifies(vault)
      },
    )
  })

  test('of ten processes that make it at once, one does, and all open the same', async () => {
    const made = emptyGround()
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcome(() => initVault(made.options))))
    expect(outcomes.filter((each) => each === 'done').length).toBe(1)
    expect(outcomes.filter((each) => each === 'already_exists').length).toBe(9)
    const [a, b] = [await openVault(made.options), await openVault(made.options)]
    await a.tenants.create('acme')
    const stored = await alice(a).encrypt(email, 'ada')
    expect(await alice(b).decrypt(email, stored)).toBe('ada')
    expect(made.stateStore.snapshot().length).toBe(1)
  })
})
