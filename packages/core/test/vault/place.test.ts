// Where a key stands, found by several calls at once.
import { expect, test } from 'vitest'

import { anything, BOUND, openGround } from './support.ts'

test('two calls at once through one handle, when none of the keys is in memory any more', async () => {
  const { vault, clock } = await openGround()
  await vault.tenant('acme').subject('alice').encrypt(anything, 1)
  clock.advance(BOUND + 1)
  const tenant = vault.tenant('acme')
  const series = tenant.rawPeriodKeys({ use: 'pseudonym-token', name: 'log', length: 86_400_000, retain: 86_400_000 })
  const opened = await Promise.all(
    [1, 2].map(() => series.open(clock.now(), { make: (key) => Buffer.from(key).toString('hex'), end: () => undefined })),
  )
  const [first, second] = opened.map((lease) => lease.use())
  expect(first).toMatch(/^[0-9a-f]{64}$/)
  expect(second).toBe(first)
})
