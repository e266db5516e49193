// Sweeping when 1,000 are due, of so many whose request is pending: what is read of the stores, and how long it takes.
import { randomBytes } from 'node:crypto'

import { hours } from '@strongroom/core'

import { GRACE, openGround } from './ground.mjs'

const DUE = 1000
const AT_ONCE = 2000

/** @param others - how many requests are pending that are not due */
export async function sweepAmong(others) {
  const ground = await openGround()
  const { vault, tenant, stateStore, read, erasure, pass } = ground
  const subjects = Array.from({ length: DUE }, (_, i) => tenant.subject(`user-${i}`))
  for (const subject of subjects) await erasure.request(subject, { reason: 'accountDeleted' })
  await plant(vault, stateStore, (await tenant.self().references())[0], others)
  pass(GRACE - hours(2))
  for (let i = 0; i < 2; i++) {
    await erasure.sweep()
    pass(hours(1))
  }
  await erasure.sweep()
  pass(hours(1))
  Object.assign(read, { calls: 0, entries: 0, erasures: 0, keyRecords: 0 })
  const start = performance.now()
  const { done } = await erasure.sweep()
  const seconds = (performance.now() - start) / 1000
  const states = await Promise.all(subjects.map((subject) => subject.state()))
  if (done !== DUE || states.some((state) => state !== 'shredded')) throw new Error(`${done} were erased`)
  const result = { others, seconds, ...read }
  Object.assign(read, { calls: 0, entries: 0, erasures: 0, keyRecords: 0 })
  await erasure.sweep()
  await ground.close()
  return { ...result, idle: { ...read } }
}

// Entries of the size and at the places of real ones, due later: sweeping never opens them.
async function plant({ id, clock }, stateStore, tenantRef, count) {
  const due = clock.now() + 2 * GRACE
  for (let i = 0; i < count; i += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - i) }, () =>
      [id, tenantRef, randomBytes(16).toString('hex'), 'open'].join('/'),
    )
    await Promise.all(some.map((key) => stateStore.put('strongroom/erasures', key, randomBytes(600), { expected: 'absent', due })))
  }
}
