// A node that is stored too late for whoever moves its tenant: its maker, or whoever uses it first, has to notice.
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'

import { ACME, alice, bob, endProcesses, Fleet, outcome, stopAt } from './support.ts'

let fleet: Fleet
beforeEach(async () => {
  fleet = await Fleet.make()
})
afterEach(() => fleet.remove())
afterAll(endProcesses)

const late = { tenant: ACME, subject: 'late' }

describe.each([
  { what: 'a subject', place: late },
  { what: 'an item', place: { ...alice, item: 'late' } },
  { what: 'an item of a new subject', place: { ...late, item: 'late' } },
])('$what, made before a rotation and stored after it: the value reads', ({ place }) => {
  test('stored and used before the destruction', async () => {
    const [maker, operator] = await fleet.processes(2)
    const making = await fleet.stopStore(maker, 'node.made', place)
    await fleet.rotate(operator)
    const closing = await stopAt(operator, 'close.rescanned', 'closeEpoch')
    await making.finish()
    await closing.finish()
    await fleet.check()
  })

  test('stored before the destruction, used after it', async () => {
    const [maker, operator] = await fleet.processes(2)
    const making = await fleet.stopStore(maker, 'node.made', place)
    await fleet.rotate(operator)
    const closing = await stopAt(operator, 'close.rescanned', 'closeEpoch')
    await making.stopped.until('node.stored')
    await closing.finish()
    await making.finish()
    await fleet.check()
  })

  test('stored after the destruction', async () => {
    const [maker, operator] = await fleet.processes(2)
    const making = await fleet.stopStore(maker, 'node.made', place)
    await fleet.rotate(operator)
    await fleet.close(operator)
    await making.finish()
    await fleet.check()
  })
})

test('made before rotateTenantKey and stored after it: it is moved before it is used, and the next epoch takes nothing from it', async () => {
  const [maker, operator] = await fleet.processes(2)
  const making = await fleet.stopStore(maker, 'node.made', late)
  await operator.run('rotateTenant', { tenant: ACME })
  await making.finish()
  await fleet.expectMoved(operator)
  await fleet.rotate(operator)
  await fleet.close(operator)
  await fleet.check()
})

test.each(['after keys.get node', 'after keys.scan wrapping-key'])(
  'read before the rotation, opened after the destruction, %s: it is read again',
  async (point) => {
    const [reader, operator] = await fleet.processes(2)
    const reading = await fleet.stopStore(reader, point, alice)
    await fleet.rotate(operator)
    await fleet.close(operator)
    await reading.finish()
    await fleet.check()
  },
)

describe('stored late by a process that dies at that moment', () => {
  test('before the last look at the tenants: that moves it', async () => {
    const [maker, other, operator] = await fleet.processes(3)
    const making = await fleet.stopStore(maker, 'node.made', late)
    await fleet.rotate(operator)
    const closing = await stopAt(operator, 'close.waited', 'closeEpoch')
    await making.stopped.until('node.stored')
    await fleet.kill(maker)
    await closing.finish()
    await fleet.expectMoved(operator)
    await fleet.store(other, late)
    await fleet.check()
  })

  test('another uses the node before the destruction: its value reads after it', async () => {
    const [maker, other, operator] = await fleet.processes(3)
    const making = await fleet.stopStore(maker, 'node.made', late)
    await fleet.rotate(operator)
    const closing = await stopAt(operator, 'close.rescanned', 'closeEpoch')
    await making.stopped.until('node.stored')
    await fleet.kill(maker)
    await fleet.store(other, late)
    await closing.finish()
    await fleet.check()
  })

  test('nobody uses it before the destruction: root_version_destroyed, until it is shredded and recreated', async () => {
    const [maker, other, operator] = await fleet.processes(3)
    const making = await fleet.stopStore(maker, 'node.made', late)
    await fleet.rotate(operator)
    const closing = await stopAt(operator, 'close.rescanned', 'closeEpoch')
    await making.stopped.until('node.stored')
    await fleet.kill(maker)
    await closing.finish()

    const use = (): Promise<string> => outcome(other.run('encrypt', { place: late, value: 'x' }))
    expect(await use()).toBe('root_version_destroyed')
    // It is past saving, and does not stand in the way of a rotation that would have to move it.
    await fleet.shred(other, bob)
    await fleet.rotate(operator)
    expect(await use()).toBe('root_version_destroyed')
    await fleet.shred(other, late)
    expect(await use()).toBe('shredded')
    await other.run('recreate', { place: late })
    await fleet.store(other, late)
    await fleet.close(operator)
    await fleet.check()
  })
})

describe('a place recreated during a rotation, and stored after it: it can be used', () => {
  beforeEach(async () => {
    const process = await fleet.process()
    await fleet.store(process, late)
    await fleet.shred(process, late)
    await fleet.end()
  })

  test('stored and used before the destruction', async () => {
    const [maker, operator] = await fleet.processes(2)
    const recreating = await stopAt(maker, 'recreate.entered', 'recreate', { place: late })
    await fleet.rotate(operator)
    const closing = await stopAt(operator, 'close.rescanned', 'closeEpoch')
    await recreating.finish()
    await fleet.store(maker, late)
    await closing.finish()
    await fleet.check()
  })

  test('stored before the destruction, used after it', async () => {
    const [maker, operator] = await fleet.processes(2)
    const recreating = await stopAt(maker, 'recreate.entered', 'recreate', { place: late })
    await fleet.rotate(operator)
    const closing = await stopAt(operator, 'close.rescanned', 'closeEpoch')
    await recreating.finish()
    await closing.finish()
    await fleet.store(maker, late)
    await fleet.check()
  })

  test('stored after the destruction', async () => {
    const [maker, operator] = await fleet.processes(2)
    const recreating = await stopAt(maker, 'recreate.entered', 'recreate', { place: late })
    await fleet.rotate(operator)
    await fleet.close(operator)
    await recreating.finish()
    await fleet.store(maker, late)
    await fleet.check()
  })

  test('never, as its maker dies: another recreates it', async () => {
    const [maker, other, operator] = await fleet.processes(3)
    await stopAt(maker, 'recreate.entered', 'recreate', { place: late })
    await fleet.rotate(operator)
    await fleet.close(operator)
    await fleet.kill(maker)
    expect(await outcome(other.run('encrypt', { place: late, value: 'x' }))).toBe('shredded')
    await other.run('recreate', { place: late })
    await fleet.store(other, late)
    await fleet.check()
  })
})
