// rotateSubjectKey and retireVersion beside writers that make new items beneath the subject.
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'

import { alice, endProcesses, Fleet, hubspot, outcome, stopAt } from './support.ts'

let fleet: Fleet
beforeEach(async () => {
  fleet = await Fleet.make()
})
afterEach(() => fleet.remove())
afterAll(endProcesses)

const late = { ...alice, item: 'late' }
const rotate = { place: alice }

describe('an item made before its subject is rotated', () => {
  test('stored after the rotation: its value reads, and the old version can be retired', async () => {
    const [maker, operator] = await fleet.processes(2)
    const making = await fleet.stopStore(maker, 'node.made', late)
    await operator.run('rotateSubject', rotate)
    await making.finish()
    await fleet.check()
    await fleet.reencrypt(operator, alice)
    expect(await fleet.retire(operator, alice)).toBe('ok')
    await fleet.check()
  })

  test('stored by a process that dies at that moment: the old version is not retired before the item was moved', async () => {
    const [maker, operator] = await fleet.processes(2)
    const making = await fleet.stopStore(maker, 'node.made', late)
    await operator.run('rotateSubject', rotate)
    await making.stopped.until('node.stored')
    await fleet.kill(maker)
    await fleet.reencrypt(operator, alice)
    expect(await fleet.retire(operator, alice)).toBe('still_referenced')
    await fleet.check()
    await operator.run('rotateSubject', rotate)
    expect(await fleet.retire(operator, alice)).toBe('ok')
    await fleet.store(operator, late)
    await fleet.check()
  })

  test('stored by a process that dies at that moment, and used by another: it is moved by that', async () => {
    const [maker, other, operator] = await fleet.processes(3)
    const making = await fleet.stopStore(maker, 'node.made', late)
    await operator.run('rotateSubject', rotate)
    await making.stopped.until('node.stored')
    await fleet.kill(maker)
    await fleet.store(other, late)
    await fleet.reencrypt(operator, alice)
    expect(await fleet.retire(operator, alice)).toBe('ok')
    await fleet.check()
  })

  test('stored between the two counts by a process that dies at that moment: the second count finds it', async () => {
    const [maker, operator] = await fleet.processes(2)
    const making = await fleet.stopStore(maker, 'node.made', late)
    await operator.run('rotateSubject', rotate)
    await fleet.reencrypt(operator, alice)
    const retiring = await stopAt(operator, 'before countValues', 'retire', rotate)
    await making.stopped.until('node.stored')
    await fleet.kill(maker)
    expect(await outcome(retiring.finish())).toBe('still_referenced')
    await fleet.check()
  })

  test.each(['version.counted', 'shred.marked', 'shred.entered', 'shred.applied'])(
    'stored and used after the second count, at %s',
    async (point) => {
      const [maker, operator] = await fleet.processes(2)
      const making = await fleet.stopStore(maker, 'node.made', late)
      await operator.run('rotateSubject', rotate)
      await fleet.reencrypt(operator, alice)
      const retiring = await stopAt(operator, point, 'retire', rotate)
      await making.finish()
      await retiring.finish()
      fleet.retired()
      await fleet.check()
    },
  )

  test('stored after the second count, used when the old version is gone', async () => {
    const [maker, operator] = await fleet.processes(2)
    const making = await fleet.stopStore(maker, 'node.made', late)
    await operator.run('rotateSubject', rotate)
    await fleet.reencrypt(operator, alice)
    const retiring = await stopAt(operator, 'version.counted', 'retire', rotate)
    await making.stopped.until('node.stored')
    await retiring.finish()
    fleet.retired()
    await making.finish()
    await fleet.check()
  })

  test('stored when the old version is gone', async () => {
    const [maker, operator] = await fleet.processes(2)
    const making = await fleet.stopStore(maker, 'node.made', late)
    await operator.run('rotateSubject', rotate)
    await fleet.reencrypt(operator, alice)
    expect(await fleet.retire(operator, alice)).toBe('ok')
    await making.finish()
    await fleet.check()
  })

  test('stored after the subject was rotated, its tenant as well, and the epoch was closed', async () => {
    const [maker, operator] = await fleet.processes(2)
    const making = await fleet.stopStore(maker, 'node.made', late)
    await operator.run('rotateSubject', rotate)
    await fleet.rotate(operator)
    await fleet.close(operator)
    await making.finish()
    await fleet.expectMoved(operator)
    await fleet.check()
  })
})

describe('the rotation of a subject and that of its tenant, each in the middle of the other', () => {
  test.each(['version.stored', 'version.waited', 'move.read', 'child.moved'])('the subject stands at %s', async (point) => {
    const [one, two] = await fleet.processes(2)
    const rotating = await stopAt(one, point, 'rotateSubject', rotate)
    await fleet.rotate(two)
    await fleet.close(two)
    await rotating.finish()
    await fleet.expectMoved(two)
    await fleet.check()
    await fleet.reencrypt(two, alice)
    expect(await fleet.retire(two, alice)).toBe('ok')
    await fleet.check()
  })

  test.each(['move.begun', 'move.waited', 'move.read', 'move.rewrapped'])('the tenant stands at %s', async (point) => {
    const [one, two] = await fleet.processes(2)
    const rotating = await stopAt(one, point, 'rotateRoot')
    await two.run('rotateSubject', rotate)
    await rotating.finish()
    await fleet.expectMoved(two)
    await fleet.close(one)
    await fleet.check()
    await fleet.reencrypt(two, alice)
    expect(await fleet.retire(two, alice)).toBe('ok')
    await fleet.check()
  })
})

test.each(['version.stored', 'version.waited', 'move.read'])(
  'a second rotation of a subject, begun while the first stands at %s, is the same',
  async (point) => {
    const [first, second] = await fleet.processes(2)
    const rotating = await stopAt(first, point, 'rotateSubject', rotate)
    await second.run('rotateSubject', rotate)
    await rotating.finish()
    const { nodes } = await fleet.state(second)
    expect(nodes.map(({ wrappingKeys }) => wrappingKeys.length).filter((versions) => versions > 1)).toEqual([2])
    await fleet.reencrypt(second, alice)
    expect(await fleet.retire(second, alice)).toBe('ok')
    await fleet.check()
  },
)

test('a subject shredded in the middle of its rotation', async () => {
  const [one, two] = await fleet.processes(2)
  const rotating = await stopAt(one, 'version.waited', 'rotateSubject', rotate)
  await fleet.shred(two, alice)
  expect(await outcome(rotating.finish())).toBe('shredded')
  await fleet.check()
})

test('an item suspended, its subject rotated after any of the reads of that', async () => {
  const [suspender, operator] = await fleet.processes(2)
  const point = 'after keys.get node'
  // How many there are depends on what is in memory.
  let met = 0
  for (let skip = 0; skip < 8; skip++) {
    await suspender.run('hold', { point, skip })
    const suspending = outcome(suspender.run('suspend', { place: hubspot }))
    if (await Promise.race([suspender.run('reached', { point }).then(() => true), suspending.then(() => false)])) {
      await operator.run('rotateSubject', rotate)
      met++
    }
    await suspender.run('release', { point })
    expect(await suspending, `after read ${skip + 1}`).toBe('ok')
    await fleet.expectSuspended(hubspot)
    await operator.run('resume', { place: hubspot })
  }
  expect(met).toBeGreaterThan(3)
  await fleet.check()
})
