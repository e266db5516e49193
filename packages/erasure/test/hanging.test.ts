// Resources that never answer, and processes that are killed between counting and erasing.
import { days } from '@strongroom/core'
import { createErasure, verifyCertificate } from '@strongroom/erasure'
import { withFailpoints } from '@strongroom/erasure/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

import { APART, closeEpoch, pass, policy, rowsOf, world } from './support.ts'

const never = (): Promise<never> => new Promise(() => undefined)

/** Until something ends, time runs fast. */
async function waited(work: Promise<unknown>): Promise<void> {
  const over = new AbortController()
  void work.finally(() => over.abort())
  while (!over.signal.aborted) await vi.advanceTimersByTimeAsync(60_000)
}

describe('one that never answers', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true }))
  afterEach(() => void vi.useRealTimers())

  test('when it is asked how many: the keys go all the same, and with them whoever has asked for no grace', async () => {
    const w = await world()
    const alice = w.acme.subject('alice')
    w.logs.count = never
    const asked = w.erasure.request(alice, { reason: 'accountDeleted', grace: 0 })
    await waited(asked)
    expect([(await asked).state, await alice.state()]).toEqual(['shredding', 'shredded'])
  })

  test.each(['count', 'erase', 'verify', 'survivors'] as const)(
    'to %s: others are erased, it is reported, and ends once it answers',
    async (call) => {
      const w = await world()
      const hangs = rowsOf('hangs')
      const erasure = createErasure(w.vault, { policy, resources: [hangs, w.logs] })
      w.logs.add('acme/alice')
      const { id } = await erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted', grace: 0 })
      const before = hangs[call]
      Object.assign(hangs, { [call]: never })
      const swept = erasure.sweep()
      await waited(swept)
      const failure = { reason: 'unexpected', code: 'ETIMEDOUT' }
      if (call === 'count') expect(await swept).toMatchObject({ done: 1 })
      else expect(await swept).toMatchObject({ done: 0, failures: [{ place: call === 'survivors' ? id : `${id} hangs`, ...failure }] })
      expect(w.logs.rows.size).toBe(0)
      Object.assign(hangs, { [call]: before })
      await pass({ ...w, erasure }, days(1))
      expect((await erasure.get(id))?.state).toBe('erased')
    },
  )
})

test('killed behind its erasing, where nobody had counted before: the certificate says how many there were', async () => {
  const w = await world()
  w.logs.add('acme/alice', 5)
  const { count, erase } = w.logs
  w.logs.count = async () => Promise.reject(new Error('away'))
  const { id } = await w.erasure.request(w.acme.subject('alice'), { reason: 'accountDeleted', grace: 0 })
  w.logs.count = count
  let isErased = false
  w.logs.erase = async (place) => ((isErased = true), erase(place))
  const killed = createErasure(
    w.vault,
    withFailpoints({ policy, resources: [w.logs] }, (name) => {
      if (name === 'resource.erased' && isErased) throw new Error('killed')
    }),
  )
  await killed.sweep()
  expect([isErased, w.logs.rows.size]).toEqual([true, 0])
  await pass(w, days(1))
  await closeEpoch(w.vault)
  await pass(w, APART)
  const { resources } = verifyCertificate((await w.erasure.certificate(id)) ?? '', await w.vault.receiptKeys())
  expect(resources).toMatchObject([{ name: 'logs', found: 5 }])
})
