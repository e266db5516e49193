// A legal hold keeps keys from being destroyed, in every process: that it stands is decided from the state store alone.
import { findHold, holdKey, openVault, type Vault } from '@strongroom/core'
import { withFailpoints } from '@strongroom/core/testing'
import { describe, expect, test } from 'vitest'

import { alice, anything, bob, email, type Ground, openGround, outcome, refusalOf } from './support.ts'

const HOLDS = 'strongroom/holds'
const DESPITE = { dangerouslyDespiteHold: true } as const

const PLACES = {
  tenant: (vault: Vault) => vault.tenant('acme'),
  self: (vault: Vault) => vault.tenant('acme').self(),
  subject: (vault: Vault) => alice(vault),
  item: (vault: Vault) => alice(vault).item('mail'),
}
type Kind = keyof typeof PLACES

async function referencesOf(vault: Vault, kind: Kind): Promise<readonly string[]> {
  return kind === 'tenant' ? (await alice(vault).references()).slice(0, 1) : PLACES[kind](vault).references()
}

async function hold(
  { stateStore, vault }: Ground & { readonly vault: Vault },
  references: readonly string[],
): Promise<() => Promise<void>> {
  const key = holdKey(vault.id, references)
  // What it says nobody in core can read.
  const version = await stateStore.put(HOLDS, key, new Uint8Array(1), { expected: 'absent' })
  return () => stateStore.delete(HOLDS, key, { expected: version })
}

async function filled() {
  const made = await openGround()
  const { vault } = made
  for (const place of [PLACES.self(vault), alice(vault), PLACES.item(vault), bob(vault)]) await place.encrypt(anything, 1)
  return made
}

describe.each<[Kind, readonly Kind[]]>([
  ['tenant', ['tenant', 'self', 'subject', 'item']],
  ['self', ['tenant', 'self']],
  ['subject', ['tenant', 'subject', 'item']],
  ['item', ['tenant', 'subject', 'item']],
])('a hold on the %s', (held, kept) => {
  test('keeps it, what is above it and what is beneath it; its id is named; released, they go', async () => {
    const made = await filled()
    const { vault } = made
    const references = await referencesOf(vault, held)
    const release = await hold(made, references)
    for (const kind of ['item', 'subject', 'self', 'tenant'] as const) {
      if (!kept.includes(kind)) continue
      const refusal = await refusalOf(() => PLACES[kind](vault).shred())
      expect([kind, refusal.code, refusal.message.includes(references.join('.'))]).toEqual([kind, 'held', true])
      expect((await findHold(made.stateStore, vault.id, await referencesOf(vault, kind)))?.join('.')).toBe(references.join('.'))
    }
    expect(await Promise.all([PLACES.self, PLACES.subject, PLACES.item].map((of) => of(vault).state()))).toEqual([
      'active',
      'active',
      'active',
    ])
    await release()
    for (const kind of ['item', 'subject', 'self', 'tenant'] as const)
      expect([kind, await outcome(() => PLACES[kind](vault).shred())]).toEqual([kind, 'done'])
  })
})

test('nobody else is held: another person, another tenant', async () => {
  const made = await filled()
  const { vault } = made
  await hold(made, await alice(vault).references())
  expect(await outcome(() => bob(vault).shred())).toBe('done')
  expect(await outcome(() => vault.tenant('rival').shred())).toBe('done')
  expect(await findHold(made.stateStore, vault.id, await bob(vault).references())).toBeUndefined()
})

test('every way there is to shred heeds it: without revocation, many at once, an item by references, what is damaged', async () => {
  const made = await filled()
  const { vault } = made
  const stored = await alice(vault).encrypt(email, 'ada')
  await hold(made, await alice(vault).references())
  const many = async () => {
    for await (const one of vault.tenant('acme').shredMany(['bob', 'alice'])) expect(one).toBe('never')
  }
  for (const shred of [
    () => alice(vault).shredWithoutRevocation(),
    () => vault.tenant('acme').shredWithoutRevocation(),
    many,
    async () => vault.item(await alice(vault).references(), 'mail').shred(),
  ])
    expect(await outcome(shred)).toBe('held')
  expect([await bob(vault).state(), await alice(vault).decrypt(email, stored)]).toEqual(['active', 'ada'])
})

test('a key that does not open is held by any hold in its tenant: where it hangs only its own record says', async () => {
  const made = await filled()
  const { vault } = made
  const release = await hold(made, await bob(vault).references())
  const [, ref = ''] = await alice(vault).references()
  expect(await outcome(() => vault.tenant('acme').shredDamaged(ref))).toBe('held')
  await release()
  // It opens, and is refused for that.
  expect(await outcome(() => vault.tenant('acme').shredDamaged(ref))).toBe('invalid_argument')
})

test('by another name it goes all the same', async () => {
  const made = await filled()
  const { vault } = made
  for (const kind of ['subject', 'tenant'] as const) await hold(made, await referencesOf(vault, kind))
  for await (const one of vault.tenant('acme').shredMany(['bob'], DESPITE)) expect(one.subject).toBe('bob')
  for (const kind of ['item', 'subject', 'self', 'tenant'] as const)
    expect([kind, await outcome(() => PLACES[kind](vault).shred({ reason: 'operator', ...DESPITE }))]).toEqual([kind, 'done'])
  expect((await refusalOf(() => alice(vault).shred({ dangerouslyDespiteHold: 'yes' as never }))).argument).toBe('dangerouslyDespiteHold')
})

test('it is asked before anybody who has to be heard, and again behind them', async () => {
  const made = await filled()
  const { vault } = made
  const references = await alice(vault).references()
  await made.stateStore.put('strongroom/connections', [vault.id, ...references, 'c'].join('/'), new Uint8Array(1), { expected: 'absent' })
  const calls: string[] = []
  let isPut = false
  vault.guardShreds('strongroom/connections', {
    async before() {
      calls.push('before')
      if (!isPut) await hold(made, references)
      isPut = true
    },
    after: async () => void calls.push('after'),
  })
  for (let i = 0; i < 2; i++) expect(await outcome(() => alice(vault).shred())).toBe('held')
  expect([calls, await alice(vault).state()]).toEqual([['before'], 'active'])
})

test('put while a provider lets a shred wait: it is kept, of one and of many; and behind the entry of the ledger it goes', async () => {
  for (const at of ['shred.marked', 'shred.entered'] as const)
    for (const isMany of [false, true]) {
      const made = await filled()
      const references = await alice(made.vault).references()
      let isPut = false
      const reached = async (name: string) => {
        if (name !== at || isPut) return
        isPut = true
        await hold(made, references)
      }
      const vault = await openVault(withFailpoints(made.options, reached))
      const shred = async () => {
        if (!isMany) return void (await alice(vault).shred())
        for await (const _ of vault.tenant('acme').shredMany(['bob', 'alice']));
      }
      const states = async () => [await outcome(shred), await alice(made.vault).state(), isPut]
      expect([at, isMany, ...(await states())]).toEqual([
        at,
        isMany,
        ...(at === 'shred.marked' ? ['held', 'active', true] : ['done', 'shredded', true]),
      ])
    }
})

test('where no hold is, one look at the tenant says so', async () => {
  const made = await filled()
  const { vault } = made
  const looks: string[] = []
  const stateStore = {
    ...made.stateStore,
    get: (...args: Parameters<typeof made.stateStore.get>) => (looks.push(`get ${args[0]}`), made.stateStore.get(...args)),
    scan: (...args: Parameters<typeof made.stateStore.scan>) => (looks.push(`scan ${args[0]}`), made.stateStore.scan(...args)),
  }
  expect(await findHold(stateStore, vault.id, await PLACES.item(vault).references())).toBeUndefined()
  expect(looks).toEqual([`scan ${HOLDS}`])
})
