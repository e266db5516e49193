// What is shredded while its tenant is rotated stays dead: in the vault, and in every copy once the root versions are gone that the
// ledger names.
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'

import {
  ACME,
  alice,
  bob,
  carol,
  endProcesses,
  Fleet,
  hubspot,
  type OpenHow,
  outcome,
  type PlaceNames,
  type Shred,
  stopAt,
  until,
  type Process,
} from './support.ts'

let fleet: Fleet
beforeEach(async () => {
  fleet = await Fleet.make()
})
afterEach(() => fleet.remove())
afterAll(endProcesses)

test.each([alice, hubspot, bob])('%o, shredded between its reading by the mover and its being wrapped anew', async (place) => {
  const [shredder, operator] = await fleet.processes(2)
  const moving = await stopAt(operator, 'move.read', 'rotateRoot')
  const copy = await fleet.copy()
  await fleet.shred(shredder, place)
  await moving.finish()
  await fleet.check()
  await fleet.close(operator)
  await fleet.check()

  // The copy is from before the shred, and what was not moved in it opens no more.
  await fleet.restoreKeys(copy)
  await fleet.expectUnreadable()
})

test('the key store as it was in the middle of the move, put back: shredded, and the rotation ends', async () => {
  const [shredder, operator] = await fleet.processes(2)
  const moving = await stopAt(operator, 'move.read', 'rotateRoot')
  const copy = await fleet.copy()
  await fleet.shred(shredder, bob)
  await moving.finish()
  await fleet.restoreKeys(copy)
  await fleet.check()
  const again = await fleet.process()
  await fleet.rotate(again)
  await fleet.close(again)
  await fleet.check()
})

describe('a shred and a root version made at the same time: the ledger names the new one', () => {
  test('the provider had answered before it was made', async () => {
    const [shredder, operator] = await fleet.processes(2)
    const shredding = await stopAt<Shred>(shredder, 'after provider.versions', 'shred', { place: bob })
    await stopAt(operator, 'root.announced', 'rotateRoot')
    expect((await shredding.finish()).rootVersion).toBe(2)
    fleet.dead(bob)
    await fleet.check()
  })

  test('the entry was about to be written', async () => {
    const [shredder, operator] = await fleet.processes(2)
    const shredding = await stopAt<Shred>(shredder, 'before state.put', 'shred', { place: bob })
    await stopAt(operator, 'root.announced', 'rotateRoot')
    expect((await shredding.finish()).rootVersion).toBe(2)
    fleet.dead(bob)
    await fleet.check()
  })

  test('the key store had not been asked before it was made', async () => {
    const [shredder, operator] = await fleet.processes(2)
    const shredding = await stopAt<Shred>(shredder, 'before keys.get region', 'shred', { place: bob })
    await stopAt(operator, 'root.announced', 'rotateRoot')
    expect((await shredding.finish()).rootVersion).toBe(2)
    fleet.dead(bob)
    await fleet.check()
  })

  test('it was made, and the ledger does not know it yet', async () => {
    const [shredder, operator] = await fleet.processes(2)
    const rotating = await stopAt(operator, 'root.created', 'rotateRoot')
    expect((await fleet.shred(shredder, bob)).rootVersion).toBe(2)
    await rotating.finish()
    await fleet.check()
  })

  test('many at once', async () => {
    const [shredder, operator] = await fleet.processes(2)
    const shredding = await stopAt<Shred>(shredder, 'before state.put', 'shredMany', { tenant: ACME, subjects: ['alice', 'bob'] })
    await stopAt(operator, 'root.announced', 'rotateRoot')
    await shredding.finish()
    for (const place of [alice, bob]) fleet.dead(place)
    await fleet.check()
  })
})

describe('dead in every copy, once the versions are gone that the ledger names', () => {
  // Of a tenant of which nothing else was shredded: all marks are this one's.
  test('marked before a rotation, entered after it', async () => {
    const [shredder, operator] = await fleet.processes(2)
    const shredding = await stopAt<Shred>(shredder, 'shred.marked', 'shred', { place: carol })
    const copies = await copyAtEach(operator, 'rotateRoot')
    for (const point of ['shred.entered', 'shred.applied', 'shred.marked-again', 'shred.done']) {
      await shredding.until(point)
      copies.push(await fleet.copy())
    }
    const { rootVersion } = await shredding.finish()
    fleet.dead(carol)
    await fleet.check()
    await fleet.destroyUpTo(operator, rootVersion)
    await fleet.expectDeadIn(copies)
    await fleet.check()
  })

  // All that is said of it is that it outlives the first: so nothing of it may be under the second.
  test('entered when a root version was made that the ledger does not know', async () => {
    const [shredder, operator, other] = await fleet.processes(3)
    const shredding = await stopAt<Shred>(shredder, 'after provider.versions', 'shred', { place: carol })
    const rotating = await stopAt(operator, 'root.created', 'rotateRoot')
    const copies = [await fleet.copy()]
    await shredding.until('shred.entered')
    for (const point of ['root.announced', 'wrapping-key.stored', 'move.rewrapped', 'epoch.marked']) {
      await rotating.until(point)
      // Whoever uses a key wraps it anew.
      expect(await outcome(other.run('encrypt', { place: carol, value: 'x' }))).toBe('shredded')
      copies.push(await fleet.copy())
    }
    await rotating.finish()
    const { rootVersion } = await shredding.finish()
    fleet.dead(carol)
    expect(rootVersion).toBe(1)
    await fleet.check()
    await fleet.destroyUpTo(operator, rootVersion)
    await fleet.expectDeadIn(copies)
    await fleet.check()
  })

  test.each(['wrap.made', 'wrap.stored'])('the first shred of a tenant, when its wrapping key is wrapped anew: %s', async (point) => {
    const [shredder, operator] = await fleet.processes(2)
    // The vault itself and the tenant of which nothing was shredded.
    const rotating = await stopAt(operator, point, 'rotateRoot', {}, 2)
    const copies = [await fleet.copy()]
    const { rootVersion } = await fleet.shred(shredder, carol)
    copies.push(await fleet.copy())
    await rotating.finish()
    copies.push(await fleet.copy())
    await fleet.check()
    await fleet.destroyUpTo(operator, rootVersion)
    await fleet.expectDeadIn(copies)
    await fleet.check()
  })

  test('one marked before a rotation and one not yet begun, at each step of it', async () => {
    const [shredder, other, operator, rotator] = await fleet.processes(4)
    const steps = 13
    const subjects = (what: string): PlaceNames[] => Array.from({ length: steps }, (_, i) => ({ tenant: ACME, subject: `${what} ${i}` }))
    const marked = subjects('marked')
    const whole = subjects('whole')
    for (const place of [...marked, ...whole]) await fleet.store(other, place)
    const { rootVersion: before } = await fleet.shred(other, alice)
    await shredder.run('hold', { point: 'shred.marked' })
    const named = new Set([before])
    let done = 0
    const shredding = marked.map(async (place) => {
      const { rootVersion } = await shredder.run<Shred>('shred', { place })
      named.add(rootVersion)
      done++
    })
    await shredder.run('reached', { point: 'shred.marked', count: steps })

    const copies = await copyAtEach(rotator, 'rotateRoot', async (step) => {
      await shredder.run('releaseOne', { point: 'shred.marked' })
      await until(() => done > step, 'a shred was done')
      const { rootVersion } = await fleet.shred(other, whole[step] as PlaceNames)
      named.add(rootVersion)
    })
    expect(copies).toHaveLength(steps)
    await Promise.all(shredding)
    for (const place of marked) fleet.dead(place)
    await fleet.check()
    expect([...named]).toEqual([1, 2])
    await fleet.destroyUpTo(operator, 2)
    await fleet.expectDeadIn(copies)
    await fleet.check()
  })

  /** Copies of both stores, each time a task comes to a point that it was not at before. */
  async function copyAtEach(
    process: Process,
    task: string,
    then: (step: number) => Promise<void> = () => Promise.resolve(),
  ): Promise<OpenHow[]> {
    const copies: OpenHow[] = []
    const seen = new Set<string>()
    await process.run('tour', { task, args: { concurrency: 1 } })
    for (;;) {
      const point = await process.run<string | undefined>('next')
      if (point === undefined) return copies
      if (seen.has(point)) continue
      copies.push(await fleet.copy())
      await then(seen.size)
      seen.add(point)
    }
  }
})

describe('a process that dies in the middle of a shred', () => {
  test.each([
    { point: 'shred.marked', entered: false },
    { point: 'shred.entered', entered: true },
    { point: 'shred.applied', entered: true },
    { point: 'shred.marked-again', entered: true },
    { point: 'shred.done', entered: true },
  ])('at $point', async ({ point, entered }) => {
    const shredder = await fleet.process()
    await stopAt(shredder, point, 'shred', { place: bob })
    await fleet.kill(shredder)
    if (entered) fleet.dead(bob)
    await fleet.check()
    const operator = await fleet.process()
    await fleet.rotate(operator)
    await fleet.close(operator)
    await fleet.check()
    expect(await outcome(operator.run('shred', { place: bob }))).toBe('ok')
    fleet.dead(bob)
    await fleet.check()
  })
})

test.each(['move.begun', 'move.read', 'move.rewrapped'])('a tenant shredded during its rotation, at %s', async (point) => {
  const [shredder, operator] = await fleet.processes(2)
  const moving = await stopAt(operator, point, 'rotateRoot')
  await fleet.shred(shredder, { tenant: ACME })
  await moving.finish()
  await fleet.check()
  await fleet.close(operator)
  await fleet.check()
})
