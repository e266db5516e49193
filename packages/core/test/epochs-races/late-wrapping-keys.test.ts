// A wrapping key that is stored after the root version that wraps it has begun to close, or is gone.
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'

import { alice, carol, endProcesses, Fleet, GLOBEX, outcome, type Stopped, stopAt, type Process } from './support.ts'

let fleet: Fleet
beforeEach(async () => {
  fleet = await Fleet.make()
})
afterEach(() => fleet.remove())
afterAll(endProcesses)

const INITECH = 'initech'
const someone = { tenant: INITECH, subject: 'someone' }
const late = { tenant: GLOBEX, subject: 'late' }

const kinds = [
  // `again`: what a second call says where the first was completed. `place`: of the tenant whose wrapping key it is.
  { what: 'the first of a tenant', task: 'create', args: { tenant: INITECH }, again: 'already_exists', place: someone },
  // Nothing of this tenant was shredded, so that the rotation makes no wrapping key of its own.
  { what: 'the next of a tenant', task: 'rotateTenant', args: { tenant: GLOBEX }, again: 'ok', place: late },
]

describe.each(kinds)('$what, made before a rotation', ({ task, args, again, place }) => {
  let maker: Process
  let other: Process
  let operator: Process
  let making: Stopped<unknown>
  beforeEach(async () => {
    ;[maker, other, operator] = await fleet.processes(3)
    making = await stopAt(maker, 'wrapping-key.made', task, args)
  })

  test('stored and used before the destruction: what it protects reads after it', async () => {
    await fleet.rotate(operator)
    const closing = await stopAt(operator, 'close.rescanned', 'closeEpoch')
    await making.finish()
    await fleet.store(maker, place)
    await closing.finish()
    await fleet.check()
  })

  test('stored before the destruction, used after it', async () => {
    await fleet.rotate(operator)
    const closing = await stopAt(operator, 'close.rescanned', 'closeEpoch')
    await making.finish()
    await closing.finish()
    await fleet.store(maker, place)
    await fleet.check()
  })

  test('stored after the destruction: whoever is refused repeats it, and nothing is in the way of the next rotation', async () => {
    await fleet.rotate(operator)
    await fleet.close(operator)
    if ((await outcome(making.finish())) !== 'ok') expect(await outcome(other.run(task, args))).toBe('ok')
    await fleet.store(other, place)
    await fleet.check()
    await fleet.rotate(operator)
    await fleet.close(operator)
    await fleet.check()
  })

  test('stored by a process that dies at that moment, before the rotation, and completed after the destruction', async () => {
    await making.until('wrapping-key.stored')
    await fleet.kill(maker)
    await fleet.rotate(operator)
    await fleet.close(operator)
    expect(await outcome(other.run(task, args))).toBe('ok')
    await fleet.store(other, place)
    await fleet.check()
  })

  test('stored by a process that dies at that moment, before the last look, and completed after the destruction', async () => {
    await fleet.rotate(operator)
    const closing = await stopAt(operator, 'close.waited', 'closeEpoch')
    await making.until('wrapping-key.stored')
    await fleet.kill(maker)
    await closing.finish()
    expect(await outcome(other.run(task, args))).toBe('ok')
    await fleet.store(other, place)
    await fleet.check()
  })

  test('stored by a process that dies at that moment, and completed by another before the destruction', async () => {
    await fleet.rotate(operator)
    const closing = await stopAt(operator, 'close.rescanned', 'closeEpoch')
    await making.until('wrapping-key.stored')
    await fleet.kill(maker)
    expect(await outcome(other.run(task, args))).toBe('ok')
    await fleet.store(other, place)
    await closing.finish()
    await fleet.check()
  })

  test('stored by a process that dies at that moment, and completed after the destruction', async () => {
    await fleet.rotate(operator)
    const closing = await stopAt(operator, 'close.rescanned', 'closeEpoch')
    await making.until('wrapping-key.stored')
    await fleet.kill(maker)
    await closing.finish()
    expect(await outcome(other.run(task, args))).toBe('ok')
    await fleet.store(other, place)
    await fleet.check()
    await fleet.rotate(operator)
    await fleet.close(operator)
    await fleet.check()
  })

  test('stored after the rotation: the backup that the close is given opens all that was in it', async () => {
    await fleet.rotate(operator)
    await making.finish()
    await fleet.store(maker, place)
    const startedAt = Date.now()
    const copy = await fleet.copy()
    await operator.run('closeEpoch', { backup: { marker: await other.run('marker', copy), startedAt } })
    await fleet.check()
    await fleet.restoreKeys(copy)
    await fleet.check()
  })

  test('stored while another does the same: one is made', async () => {
    expect(await outcome(other.run(task, args))).toBe('ok')
    await fleet.store(other, place)
    const before = await fleet.state(other)
    await fleet.rotate(operator)
    const closing = await stopAt(operator, 'close.rescanned', 'closeEpoch')
    expect(await outcome(making.finish())).toBe(again)
    await closing.finish()
    const known = new Set(before.wrappingKeys.map(({ id }) => id))
    const added = (await fleet.state(other)).wrappingKeys.filter(({ id }) => !known.has(id))
    // That of the tenant which the rotation moves.
    expect(added).toHaveLength(1)
    await fleet.check()
  })
})

test.each(kinds)("$what that dies unused with its root version is in nobody's way", async ({ task, args }) => {
  const [maker, other, operator] = await fleet.processes(3)
  const making = await stopAt(maker, 'wrapping-key.made', task, args)
  await fleet.rotate(operator)
  const closing = await stopAt(operator, 'close.rescanned', 'closeEpoch')
  await making.until('wrapping-key.stored')
  await fleet.kill(maker)
  await closing.finish()
  for (const place of [alice, carol, late]) await fleet.store(other, place)
  await fleet.check()
  await fleet.rotate(operator)
  await fleet.close(operator)
  await fleet.check()
})
