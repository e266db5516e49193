import { expect, test } from 'vitest'

import { email, openGround } from './support.ts'

test('a batch of shreds asks both stores as often, however many are in it; only the records themselves are put one by one', async () => {
  const cost = async (many: number): Promise<object> => {
    const { vault, keyStore, stateStore } = await openGround()
    const names = Array.from({ length: many }, (_, i) => `person ${i}`)
    for (const name of names) await vault.tenant('acme').subject(name).encrypt(email, 'ada')
    Object.assign(keyStore.calls, { get: 0, put: 0, scan: 0 })
    Object.assign(stateStore.calls, Object.fromEntries(Object.keys(stateStore.calls).map((name) => [name, 0])))
    for await (const shredded of vault.tenant('acme').shredMany(names)) void shredded
    return { ...keyStore.calls, put: keyStore.calls.put - many, state: { ...stateStore.calls } }
  }
  expect(await cost(200)).toEqual(await cost(20))
})
