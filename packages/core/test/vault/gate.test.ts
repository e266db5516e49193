import { type Access, openVault, repairLedger, StrongroomError, type Vault, type VaultOptions } from '@strongroom/core'
import { describe, expect, test } from 'vitest'

import { alice, email, held, openGround, outcome, refusalOf, START } from './support.ts'

async function watched() {
  const made = await openGround()
  const seen: Access[] = []
  let hook: (access: Access) => void = () => undefined
  const vault = await openVault({
    ...made.options,
    onAccess(access) {
      seen.push(access)
      hook(access)
    },
  })
  return {
    ...made,
    open: made.vault,
    vault,
    seen,
    refuse: (thrown: unknown) =>
      void (hook = () => {
        throw thrown
      }),
    allow: () => void (hook = () => undefined),
  }
}

async function names(vault: Vault): Promise<unknown[]> {
  const all = []
  for await (const { name } of vault.tenants.list()) all.push(name)
  return all
}

const OPERATIONS: readonly [string, (vault: Vault, stored: Uint8Array, token: Uint8Array) => Promise<unknown>, Partial<Access>][] = [
  [
    'encrypt',
    (v) => alice(v).encrypt(email, 'x'),
    { operation: 'encrypt', tenant: 'acme', subject: 'alice', field: 'users.email', region: 'eu' },
  ],
  [
    'decrypt',
    (v, stored) => alice(v).decrypt(email, stored),
    { operation: 'decrypt', tenant: 'acme', subject: 'alice', field: 'users.email', region: 'eu' },
  ],
  [
    'encrypt for an item',
    (v) => alice(v).item('hubspot').encrypt(email, 'x'),
    { operation: 'encrypt', tenant: 'acme', subject: 'alice', item: 'hubspot', field: 'users.email', region: 'eu' },
  ],
  [
    'decrypt of an item',
    (v, _, token) => alice(v).item('hubspot').decrypt(email, token),
    { operation: 'decrypt', tenant: 'acme', subject: 'alice', item: 'hubspot', field: 'users.email', region: 'eu' },
  ],
  ['state', (v) => alice(v).state(), { operation: 'state', tenant: 'acme', subject: 'alice', region: 'eu' }],
  [
    "encrypt for the tenant's own",
    (v) => v.tenant('acme').self().encrypt(email, 'x'),
    { operation: 'encrypt', tenant: 'acme', field: 'users.email', region: 'eu' },
  ],
  ['unlock', (v) => alice(v).unlock(), { operation: 'unlock', tenant: 'acme', subject: 'alice', region: 'eu' }],
  [
    'unlock among many',
    async (v) => {
      const [keys] = await v.tenant('acme').unlockMany(['alice'])
      if (keys instanceof StrongroomError) throw keys
    },
    { operation: 'unlock', tenant: 'acme', subject: 'alice', region: 'eu' },
  ],
  [
    'unlock of an item',
    (v) => alice(v).item('hubspot').unlock({ readOnly: true }),
    { operation: 'unlock', tenant: 'acme', subject: 'alice', item: 'hubspot', region: 'eu' },
  ],
  [
    "opening a tenant's index",
    (v) => v.tenant('acme').blindIndex({ domain: 'users.email' }),
    { operation: 'index.open', tenant: 'acme', field: 'users.email', region: 'eu' },
  ],
  [
    "searching with a tenant's index",
    (v) => v.tenant('acme').findBlindIndex({ domain: 'users.email' }),
    { operation: 'index.open', tenant: 'acme', field: 'users.email', region: 'eu' },
  ],
  [
    "opening the vault's index",
    (v) => v.blindIndex({ domain: 'users.email' }),
    { operation: 'index.open', field: 'users.email', region: 'eu' },
  ],
  ['suspend', (v) => alice(v).suspend(), { operation: 'suspend', tenant: 'acme', subject: 'alice', region: 'eu' }],
  ['resume', (v) => alice(v).resume(), { operation: 'resume', tenant: 'acme', subject: 'alice', region: 'eu' }],
  ['suspend of a tenant', (v) => v.tenants.suspend('rival'), { operation: 'suspend', tenant: 'rival', region: 'eu' }],
  ['resume of a tenant', (v) => v.tenant('rival').resume(), { operation: 'resume', tenant: 'rival', region: 'eu' }],
  [
    'shred of an item',
    (v) => alice(v).item('hubspot').shred(),
    { operation: 'shred', tenant: 'acme', subject: 'alice', item: 'hubspot', region: 'eu' },
  ],
  ['shred', (v) => alice(v).shred({ reason: 'operator' }), { operation: 'shred', tenant: 'acme', subject: 'alice', region: 'eu' }],
  ['shred of a tenant', (v) => v.tenant('acme').shred(), { operation: 'shred', tenant: 'acme', region: 'eu' }],
  ['tenant.create', (v) => v.tenants.create('new'), { operation: 'tenant.create', tenant: 'new', region: 'eu' }],
  ['tenant.get', (v) => v.tenants.get('acme'), { operation: 'tenant.get', tenant: 'acme' }],
  ['tenant.list', (v) => names(v), { operation: 'tenant.list' }],
  ['finality', (v) => v.finality({ region: 'eu', rootVersion: 1 }), { operation: 'finality', region: 'eu' }],
  ['signCertificate', (v) => v.signCertificate(new Uint8Array(1)), { operation: 'signCertificate' }],
]

describe('onAccess', () => {
  test.each(OPERATIONS)('%s is told once, with who and what and when', async (_, call, expected) => {
    const { open, vault, seen } = await watched()
    const [stored, token] = [await alice(open).encrypt(email, 'x'), await alice(open).item('hubspot').encrypt(email, 'x')]
    await call(vault, stored, token)
    expect(seen.map((access) => Object.fromEntries(Object.entries(access).filter(([, value]) => value !== undefined)))).toEqual([
      { ...expected, at: START },
    ])
  })

  test.each(OPERATIONS)('%s is denied where the hook throws, and nothing was done', async (_, call) => {
    const { open, vault, seen, refuse, allow, ...made } = await watched()
    const stored = await alice(open).encrypt(email, 'x')
    const token = await alice(open).item('hubspot').encrypt(email, 'x')
    const before = held(made)
    const thrown = new Error('not today')
    refuse(thrown)
    const error = await refusalOf(() => call(vault, stored, token))
    expect([error.code, error.cause]).toEqual(['denied', thrown])
    expect(held(made)).toEqual(before)
    expect(seen.length).toBe(1)
    allow()
    expect(await outcome(() => call(vault, stored, token))).toBe('done')
  })

  test.each([
    ['encrypt', (v: Vault) => v.tenant('acme').subject('new').encrypt(email, 'x')],
    ['encrypt for an item', (v: Vault) => v.tenant('acme').subject('new').item('new').encrypt(email, 'x')],
    ['unlock', (v: Vault) => v.tenant('acme').subject('new').unlock()],
    [
      'unlock among many',
      async (v: Vault) => {
        const [keys] = await v.tenant('acme').unlockMany(['new'])
        if (keys instanceof StrongroomError) throw keys
      },
    ],
    ['suspend', (v: Vault) => v.tenant('acme').subject('new').suspend()],
    ['shred', (v: Vault) => v.tenant('acme').subject('new').shred()],
    ["a tenant's index", (v: Vault) => v.tenant('acme').blindIndex({ domain: 'new' })],
    ["the vault's index", (v: Vault) => v.blindIndex({ domain: 'new' })],
  ])('%s of someone new is denied where the hook throws, and no key was made', async (_, call) => {
    const { vault, refuse, allow, ...made } = await watched()
    const before = held(made)
    refuse(new Error('not today'))
    expect(await outcome(() => call(vault))).toBe('denied')
    expect(held(made)).toEqual(before)
    allow()
    expect(await outcome(() => call(vault))).toBe('done')
  })

  test('a handle tells of every use, and is denied like any other', async () => {
    const { vault, seen, refuse } = await watched()
    const keys = await alice(vault).unlock()
    const stored = keys.encrypt(email, 'x')
    keys.decrypt(email, stored)
    expect(seen.map(({ operation, field }) => [operation, field])).toEqual([
      ['unlock', undefined],
      ['encrypt', 'users.email'],
      ['decrypt', 'users.email'],
    ])
    refuse(new Error('not today'))
    expect(await outcome(() => keys.encrypt(email, 'x'))).toBe('denied')
    expect(await outcome(() => keys.decrypt(email, stored))).toBe('denied')
  })

  test('the handle of an index tells of every use, and is denied like any other', async () => {
    const { vault, seen, refuse } = await watched()
    const index = await vault.tenant('acme').blindIndex({ domain: 'users.email' })
    index.value('x')
    expect(seen.map(({ operation, tenant, field }) => [operation, tenant, field])).toEqual([
      ['index.open', 'acme', 'users.email'],
      ['index.value', 'acme', 'users.email'],
    ])
    refuse(new Error('not today'))
    expect(await outcome(() => index.value('x'))).toBe('denied')
  })

  test('a hook that throws no error denies as well', async () => {
    for (const thrown of [undefined, null, 'text', 0]) {
      const { vault, refuse } = await watched()
      refuse(thrown)
      expect(await outcome(() => alice(vault).encrypt(email, 'x'))).toBe('denied')
    }
  })

  test('a call with bad arguments is not told: it does not happen', async () => {
    const { vault, seen } = await watched()
    expect(await outcome(() => alice(vault).encrypt(email, 5 as never))).toBe('invalid_argument')
    expect(await outcome(() => alice(vault).shred({ reason: 'because' as never }))).toBe('invalid_argument')
    expect(seen).toEqual([])
  })
})

describe('after close', () => {
  test.each(OPERATIONS)('%s says vault_closed', async (_, call) => {
    const made = await openGround()
    const [stored, token] = [await alice(made.vault).encrypt(email, 'x'), await alice(made.vault).item('hubspot').encrypt(email, 'x')]
    const vault = await openVault(made.options)
    const before = held(made)
    await vault.close()
    expect(await outcome(() => call(vault, stored, token))).toBe('vault_closed')
    expect(held(made)).toEqual(before)
    expect(await outcome(() => call(made.vault, stored, token))).toBe('done')
  })

  test('handles of places made before it, vault.tenant, reconcile, and handles of batches', async () => {
    const made = await openGround()
    const { vault } = made
    const her = alice(vault)
    const item = her.item('hubspot')
    const stored = await her.encrypt(email, 'x')
    const absent = await vault.tenant('acme').subject('nobody').unlock({ readOnly: true })
    await vault.close()
    for (const call of [
      () => her.decrypt(email, stored),
      () => item.encrypt(email, 'x'),
      () => her.unlock(),
      () => her.shred(),
      () => item.suspend(),
      () => her.resume(),
      () => vault.tenant('acme'),
      () => vault.reconcile(),
    ]) {
      expect(await outcome(call)).toBe('vault_closed')
    }
    expect(['vault_closed', 'handle_expired']).toContain(await outcome(() => absent.decrypt(email, stored)))
    expect(await alice(await openVault(made.options)).decrypt(email, stored)).toBe('x')
  })

  test('a call that is under way when the vault closes does not succeed afterwards', async () => {
    const made = await openGround()
    const stored = await alice(made.vault).encrypt(email, 'x')
    const vault = await openVault(made.options)
    const late = outcome(() => alice(vault).decrypt(email, stored))
    await vault.close()
    expect(['vault_closed', 'handle_expired']).toContain(await late)
  })

  test('the close that came with the stores is called', async () => {
    const made = await openGround()
    let closed = 0
    const vault = await openVault({ ...made.options, close: async () => void closed++ })
    await vault.close()
    expect(closed).toBe(1)
  })
})

describe('repairLedger', () => {
  test('passes the gate before it writes anything', async () => {
    const made = await openGround()
    const before = made.stateStore.snapshot()
    await alice(made.vault).encrypt(email, 'x')
    await alice(made.vault).shred()
    await made.vault.close()
    const whole = held(made)
    made.stateStore.restore(before)
    const lost = held(made)
    const seen: Access[] = []
    let refuse = true
    const options: VaultOptions = {
      ...made.options,
      onAccess(access) {
        seen.push(access)
        if (refuse) throw new Error('no')
      },
    }
    expect(await outcome(() => repairLedger(options))).toBe('denied')
    expect(held(made)).toEqual(lost)
    expect(seen).toEqual([{ operation: 'repairLedger', field: undefined, region: undefined, at: START }])
    refuse = false
    expect(await repairLedger(options)).toEqual({ rebuilt: 1 })
    expect(JSON.stringify(held(made)).length).toBe(JSON.stringify(whole).length)
  })
})
