// Rotations beside each other, beside a provider that rotates by itself, and beside suspensions.
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'

import { ACME, alice, bob, carol, endProcesses, Fleet, GLOBEX, hubspot, type PlaceNames, stopAt, type Process } from './support.ts'

let fleet: Fleet
beforeEach(async () => {
  fleet = await Fleet.make()
})
afterEach(() => fleet.remove())
afterAll(endProcesses)

const INITECH = 'initech'
const someone = { tenant: INITECH, subject: 'someone' }

async function numbers(process: Process): Promise<number[]> {
  return (await fleet.state(process)).rootVersions.map(({ number }) => number)
}

/** One rotation was made: one root version, one wrapping key for the tenant that is moved, and everything is under it. */
async function expectOneRotation(process: Process): Promise<void> {
  const { wrappingKeys, rotatedTo } = await fleet.state(process)
  expect(await numbers(process)).toEqual([1, 2])
  expect(rotatedTo).toBe(2)
  // The vault's, that of the tenant that is not moved, and two.
  expect(wrappingKeys).toHaveLength(4)
  await fleet.expectMoved(process)
}

describe('two rotations at once are one', () => {
  test('begun together', async () => {
    const both = await fleet.processes(2)
    // Each has seen that there is nothing to go on with: without that, on a busy machine, one may end before the other begins.
    const begun = await Promise.all(both.map((process) => stopAt(process, 'before provider.createVersion', 'rotateRoot')))
    await Promise.all(begun.map((rotating) => rotating.finish()))
    await expectOneRotation(both[0])
    await Promise.all(both.map((process) => fleet.close(process)))
    await fleet.check()
  })

  test.each([
    'before provider.createVersion',
    'root.created',
    'root.announced',
    'wrap.made',
    'wrap.stored',
    'wrapping-key.made',
    'wrapping-key.stored',
    'move.begun',
    'move.waited',
    'move.read',
    'move.rewrapped',
    'move.rescanned',
    'move.retired',
  ])('the second begun and ended while the first stands at %s', async (point) => {
    const [first, second] = await fleet.processes(2)
    const rotating = await stopAt(first, point, 'rotateRoot')
    await fleet.rotate(second)
    await expectOneRotation(second)
    const { marker } = await fleet.state(second)
    await rotating.finish()
    await expectOneRotation(second)
    expect((await fleet.state(second)).marker).toBe(marker)
    await fleet.close(second)
    await fleet.check()
  })

  test('the first ends after the epoch of the second was closed', async () => {
    const [first, second] = await fleet.processes(2)
    const rotating = await stopAt(first, 'move.read', 'rotateRoot')
    await fleet.rotate(second)
    await fleet.close(second)
    await rotating.finish()
    await expectOneRotation(second)
    await fleet.check()
  })

  test('the first goes on after a whole epoch more, with another shred in it', async () => {
    const [first, second] = await fleet.processes(2)
    const rotating = await stopAt(first, 'move.read', 'rotateRoot')
    await fleet.rotate(second)
    await fleet.close(second)
    await fleet.shred(second, bob)
    await fleet.rotate(second)
    await fleet.close(second)
    await rotating.finish()
    await fleet.expectMoved(second)
    expect((await fleet.state(second)).rotatedTo).toBe(3)
    await fleet.check()
  })
})

describe('a provider that rotates by itself', () => {
  test('before a new tenant is wrapped: the rotation adopts the version, and shreds name it', async () => {
    const process = await fleet.process()
    await process.run('rotateItself')
    await process.run('create', { tenant: INITECH })
    await fleet.store(process, someone)
    expect(await numbers(process)).toEqual([1, 2])
    expect((await fleet.shred(process, bob)).rootVersion).toBe(2)
    await fleet.rotate(process)
    expect(await numbers(process)).toEqual([1, 2])
    expect((await fleet.state(process)).rotatedTo).toBe(2)
    await fleet.close(process)
    await fleet.check()
  })

  test('for a wrap that is never stored: shreds name the version all the same', async () => {
    const [maker, process] = await fleet.processes(2)
    await maker.run('rotateItself')
    await stopAt(maker, 'wrapping-key.made', 'create', { tenant: INITECH })
    await fleet.kill(maker)
    expect((await fleet.shred(process, bob)).rootVersion).toBe(2)
    await fleet.rotate(process)
    expect(await numbers(process)).toEqual([1, 2])
    await fleet.close(process)
    await fleet.check()
  })

  test.each(['root.created', 'root.announced', 'wrap.stored', 'move.read'])('in the middle of a rotation, at %s', async (point) => {
    const [process, other] = await fleet.processes(2)
    const rotating = await stopAt(process, point, 'rotateRoot')
    await other.run('rotateItself')
    await other.run('create', { tenant: INITECH })
    await fleet.store(other, someone)
    expect((await fleet.shred(other, bob)).rootVersion).toBe(3)
    await rotating.finish()
    await fleet.close(process)
    await fleet.check()
    await fleet.rotate(process)
    expect(await numbers(process)).toEqual([1, 2, 3])
    await fleet.close(process)
    await fleet.check()
  })

  test('before the wraps of the rotation itself', async () => {
    const process = await fleet.process()
    const rotating = await stopAt(process, 'root.announced', 'rotateRoot')
    await process.run('rotateItself')
    await rotating.finish()
    expect(await numbers(process)).toEqual([1, 2, 3])
    await fleet.close(process)
    await fleet.check()
    await fleet.rotate(process)
    expect(await numbers(process)).toEqual([1, 2, 3])
    await fleet.close(process)
    await fleet.check()
  })
})

describe('a suspended place is carried along', () => {
  const everything: readonly { readonly what: string; readonly place: PlaceNames }[] = [
    { what: 'an item', place: hubspot },
    { what: 'a subject', place: bob },
    { what: 'a subject with an item', place: alice },
    { what: 'a tenant that is moved', place: { tenant: ACME } },
    { what: 'a tenant that is not', place: { tenant: GLOBEX } },
  ]

  test.each(everything)('$what, suspended before the rotation', async ({ place }) => {
    const process = await fleet.process()
    await process.run('suspend', { place })
    await fleet.rotate(process)
    await fleet.expectMoved(process)
    await fleet.close(process)
    await fleet.expectSuspended(place)
    await process.run('resume', { place })
    await fleet.check()
  })

  test.each(everything)('$what, suspended when the mover has read it', async ({ place }) => {
    const [process, operator] = await fleet.processes(2)
    const rotating = await stopAt(operator, 'move.read', 'rotateRoot')
    await process.run('suspend', { place })
    await rotating.finish()
    await fleet.expectMoved(process)
    await fleet.close(operator)
    await fleet.expectSuspended(place)
    await process.run('resume', { place })
    await fleet.check()
  })

  test.each(['before state.put', 'before keys.put node'])('moved in the middle of being suspended, %s', async (point) => {
    const [process, operator] = await fleet.processes(2)
    const suspending = await stopAt(process, point, 'suspend', { place: bob })
    await fleet.rotate(operator)
    await fleet.close(operator)
    await suspending.finish()
    await fleet.expectMoved(process)
    await fleet.expectSuspended(bob)
    await process.run('resume', { place: bob })
    await fleet.check()
  })

  test('resumed during the rotation', async () => {
    const [process, operator] = await fleet.processes(2)
    await process.run('suspend', { place: bob })
    const rotating = await stopAt(operator, 'move.read', 'rotateRoot')
    await process.run('resume', { place: bob })
    await rotating.finish()
    await fleet.close(operator)
    await fleet.check()
  })
})

test('a version that only decrypts is carried along', async () => {
  const process = await fleet.process()
  await process.run('rotateSubject', { place: alice })
  await fleet.store(process, alice, 'under the second version')
  await fleet.rotate(process)
  await fleet.expectMoved(process)
  await fleet.close(process)
  await fleet.check()
  await fleet.store(process, alice, 'after the epoch')
  await fleet.store(process, carol, 'after the epoch as well')
  await fleet.check()
})
