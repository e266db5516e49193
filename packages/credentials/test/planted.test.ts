// What whoever can write the state store, and has no key, can and cannot make of connections that leave.
import { expect, test } from 'vitest'

import { outcome, tokenOf, world, type World } from './support.ts'

const CONNECTIONS = 'strongroom/connections'

/** Writes an entry of the state store as somebody does who has no key. */
async function plant({ stateStore }: World, namespace: string, key: string, value: string | object, due?: number): Promise<void> {
  const there = await stateStore.get(namespace, key)
  const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  await stateStore.put(namespace, key, bytes, { expected: there?.version ?? 'absent', ...(due === undefined ? {} : { due }) })
}

const entriesOf = ({ stateStore }: World, namespace: string) => stateStore.snapshot().filter((entry) => entry.namespace === namespace)
const jsonOf = (value: Uint8Array): Record<string, unknown> => JSON.parse(Buffer.from(value).toString()) as Record<string, unknown>

test('a planted entry that claims to leave makes a sweep destroy no key that is not of a connection', async () => {
  const w = await world()
  const bob = w.vault.tenant('acme').subject('bob')
  const recording = w.alice.item('recording')
  await w.connection.save(w.server.grant())
  await w.credentials.connection(bob, 'crm').save(w.server.grant())
  const keys = await recording.unlock()
  keys.dispose()
  const [, bobs] = await bob.references()
  const references = await recording.references()
  const [entry] = entriesOf(w, CONNECTIONS)
  if (entry === undefined) throw new Error('nothing is connected')
  const prefix = entry.key.split('/').slice(0, 3).join('/')
  for (const [i, reference] of [bobs, references[2], references[1], references[0], '0'.repeat(32)].entries())
    await plant(w, CONNECTIONS, `${prefix}/${String(i).repeat(32)}`, { ...jsonOf(entry.value), state: 'disconnecting', reference }, 1)
  await outcome(() => (w.credentials.sweep()))
  expect([await bob.state(), await recording.state(), await w.alice.state()]).toEqual(['active', 'active', 'active'])
  expect((await w.vault.tenants.get('acme'))?.state).toBe('active')
  expect(await tokenOf(w.credentials.connection(bob, 'crm'))).toMatch(/^fake-access/)
})
