// What is stuck, damaged or somebody else's keeps nothing else from its turn.
import { describe, expect, test } from 'vitest'

import { closeEpoch, GRACE, pass, type World, world } from './support.ts'

const MANY = 1000
const ZEROS = '0'.repeat(32)

function hex(n: number): string {
  return n.toString(16).padStart(32, '0')
}

async function shredded(w: World, name: string): Promise<string> {
  return (await w.erasure.request(w.acme.subject(name), { reason: 'accountDeleted', grace: 0 })).id
}

describe('1,000 entries that are due before it, and stay so', () => {
  test.each([
    ['are damaged', (w: World) => w.vault.id],
    ['are of another vault', () => hex(7)],
  ])('%s', async (_, idOf) => {
    const w = await world()
    const id = await shredded(w, 'alice')
    for (let i = 0; i < MANY; i++)
      await w.stateStore.put('strongroom/erasures', `${idOf(w)}/${hex(i)}/open`, Uint8Array.of(1), { expected: 'absent', due: 0 })
    await w.erasure.sweep()
    expect((await w.erasure.get(id))?.state).toBe('erased')
  })
})

describe('closing', () => {
  async function erased(w: World, name: string): Promise<string> {
    const id = await shredded(w, name)
    await w.erasure.sweep()
    return id
  }

  test('one that does not open keeps those of later epochs from no certificate', async () => {
    const w = await world()
    const key = `${w.vault.id}/${(await erased(w, 'alice')).replaceAll('.', '/')}`
    const { version } = (await w.stateStore.get('strongroom/erasures', key)) ?? {}
    await w.stateStore.put('strongroom/erasures', key, Uint8Array.of(1), { expected: version ?? 'absent' })
    await closeEpoch(w.vault)
    const id = await erased(w, 'bob')
    await closeEpoch(w.vault)
    const [swept] = await pass(w, GRACE)
    expect([swept?.failed, (await w.erasure.get(id))?.state]).toEqual([1, 'closed'])
  })

  test.each([`0000000000/${ZEROS}/${ZEROS}`, `0000000001/${ZEROS}/${ZEROS}`, '!', `0000000001/${ZEROS}`])(
    'a note that was planted, %s, keeps nothing from it',
    async (note) => {
      const w = await world()
      const id = await erased(w, 'alice')
      await w.stateStore.put('strongroom/closings', `${w.vault.id}/eu/${note}`, Uint8Array.of(1), { expected: 'absent' })
      await closeEpoch(w.vault)
      await pass(w, GRACE)
      expect((await w.erasure.get(id))?.state).toBe('closed')
    },
  )
})
