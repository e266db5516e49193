// Wall clocks that jump while keys are rotated, and processes that live by what they read before.
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'

import { ACME, alice, bob, carol, endProcesses, Fleet, GLOBEX, hubspot, outcome, stopAt, type Process } from './support.ts'

let fleet: Fleet
beforeEach(async () => {
  fleet = await Fleet.make()
})
afterEach(() => fleet.remove())
afterAll(endProcesses)

const DAY = 86_400_000
const late = { tenant: ACME, subject: 'late' }

/** Every wrapping key that follows another is later than that. */
async function expectRising(process: Process, following: number): Promise<void> {
  const { wrappingKeys } = await fleet.state(process)
  const steps = wrappingKeys.flatMap((key) => wrappingKeys.filter(({ id }) => id === key.next).map(({ created }) => created - key.created))
  expect(steps).toHaveLength(following)
  expect(Math.min(...steps)).toBeGreaterThan(0)
}

describe.each([
  { what: 'forward', ms: DAY },
  { what: 'back', ms: -DAY },
])('the wall clock of the operator jumps a day $what', ({ ms }) => {
  test.each(['root.created', 'move.begun', 'move.read'])('at %s', async (point) => {
    const [operator, other] = await fleet.processes(2)
    const rotating = await stopAt(operator, point, 'rotateRoot')
    await operator.run('jump', { ms })
    await rotating.finish()
    await fleet.expectMoved(other)
    for (const process of [operator, other]) await fleet.store(process, late, `late ${ms}`)
    await fleet.close(operator)
    await fleet.check()
    // Whoever has the right time goes on, and the next wrapping key is later than one that was made in the future.
    await fleet.shred(other, bob)
    await other.run('rotateTenant', { tenant: GLOBEX })
    await fleet.rotate(other)
    await fleet.expectMoved(other)
    await expectRising(other, 3)
    await fleet.close(other)
    await fleet.check()
  })
})

test('a wrapping key follows one that was made a day ahead', async () => {
  const [ahead, process] = await fleet.processes(2)
  await ahead.run('jump', { ms: DAY })
  await ahead.run('create', { tenant: 'initech' })
  const someone = { tenant: 'initech', subject: 'someone' }
  await fleet.store(process, someone)
  for (let n = 0; n < 2; n++) await process.run('rotateTenant', { tenant: 'initech' })
  await fleet.expectMoved(process)
  await expectRising(process, 2)
  await fleet.rotate(process)
  await fleet.close(process)
  await fleet.check()
})

test.each([
  { task: 'rotateRoot', args: {}, from: 'move.begun', to: 'move.waited' },
  { task: 'rotateTenant', args: { tenant: GLOBEX }, from: 'move.begun', to: 'move.waited' },
  { task: 'rotateSubject', args: { place: alice }, from: 'version.stored', to: 'version.waited' },
  { task: 'retire', args: { place: alice }, from: 'before countValues', to: 'version.counted' },
  { task: 'closeEpoch', args: {}, from: 'close.announced', to: 'close.waited' },
])('$task waits by the monotonic clock: a jump of the wall clock does not end it', async ({ task, args, from, to }) => {
  const [operator, stale] = await fleet.processes(2)
  if (task === 'closeEpoch') await fleet.rotate(operator)
  if (task === 'retire') {
    await operator.run('rotateSubject', { place: alice })
    await fleet.reencrypt(operator, alice)
  }
  await fleet.store(stale, alice, 'before')
  await fleet.store(stale, carol, 'before')
  await stale.run('freeze')
  const waiting = await stopAt(operator, from, task, args)
  // For it, no time passes from here on.
  await operator.run('freeze')
  let waited = false
  const arrived = waiting.until(to).then(() => (waited = true))
  for (const ms of [DAY, -2 * DAY]) {
    await operator.run('jump', { ms })
    for (let n = 0; n < 3; n++) await operator.run('pause')
    expect(waited).toBe(false)
  }
  for (const place of [late, { tenant: GLOBEX, subject: 'late' }, { ...alice, item: 'late' }]) await fleet.store(stale, place)
  await stale.run('thaw')
  await operator.run('thaw')
  await arrived
  await waiting.finish()
  await fleet.check()
})

describe('a process that has read a tenant before it is moved', () => {
  // For it, no time passes: it is within the cache bound of what it read.
  test('what it writes before the bound is over lives', async () => {
    const [stale, operator] = await fleet.processes(2)
    await fleet.store(stale, alice, 'before')
    await stale.run('freeze')
    const moving = await stopAt(operator, 'move.begun', 'rotateRoot')
    for (const place of [alice, hubspot, late, { ...late, item: 'late' }, { ...bob, item: 'late' }])
      await fleet.store(stale, place, 'stale')
    await stale.run('thaw')
    await moving.finish()
    await fleet.expectMoved(operator)
    await fleet.close(operator)
    await fleet.check()
  })

  test('it moves nothing back, whatever it meets', async () => {
    const [stale, operator] = await fleet.processes(2)
    // His key it has not read.
    await fleet.store(stale, alice, 'before')
    await fleet.store(stale, carol, 'before')
    await stale.run('freeze')
    await fleet.rotate(operator)
    await fleet.expectMoved(operator)
    await fleet.store(stale, alice, 'with what it has read')
    await fleet.store(stale, bob, 'with what was moved')
    await fleet.store(stale, alice, 'and again')
    await fleet.store(stale, hubspot, 'beneath')
    await fleet.expectMoved(operator)
    await stale.run('thaw')
    await fleet.close(operator)
    await fleet.check()
  })

  test('it shreds and suspends what was moved', async () => {
    const [stale, operator] = await fleet.processes(2)
    await fleet.store(stale, alice, 'before')
    await fleet.store(stale, bob, 'before')
    await stale.run('freeze')
    await fleet.rotate(operator)
    expect((await fleet.shred(stale, bob)).rootVersion).toBe(2)
    await stale.run('suspend', { place: alice })
    await fleet.expectSuspended(alice)
    await stale.run('resume', { place: alice })
    await fleet.expectMoved(operator)
    await stale.run('thaw')
    await fleet.close(operator)
    await fleet.check()
  })

  test('it uses what hangs beneath a version that it has not read', async () => {
    const [stale, operator] = await fleet.processes(2)
    await fleet.store(stale, alice, 'before')
    await stale.run('freeze')
    await operator.run('rotateSubject', { place: alice })
    await fleet.store(stale, hubspot, 'beneath')
    await stale.run('thaw')
    await fleet.reencrypt(operator, alice)
    expect(await fleet.retire(operator, alice)).toBe('ok')
    await fleet.check()
  })

  test('it does not hang a new item beneath an old version for good', async () => {
    const [stale, operator] = await fleet.processes(2)
    await fleet.store(stale, alice, 'before')
    await stale.run('freeze')
    const rotating = await stopAt(operator, 'version.stored', 'rotateSubject', { place: alice })
    await fleet.store(stale, { ...alice, item: 'late' })
    await fleet.store(stale, alice, 'with the old version')
    await stale.run('thaw')
    await rotating.finish()
    await fleet.reencrypt(operator, alice)
    expect(await fleet.retire(operator, alice)).toBe('ok')
    await fleet.check()
    expect(await outcome(stale.run('encrypt', { place: alice, value: 'x' }))).toBe('ok')
  })
})
