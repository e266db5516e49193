// A key that is stored late, beneath a person who was shredded and a tenant that was rotated meanwhile.
import { openVault, systemClock } from '@strongroom/core'
import { withFailpoints } from '@strongroom/core/testing'
import { expect, test } from 'vitest'

import { alice, email, ground, outcome } from '../vault/support.ts'

async function toEnd(run: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of run);
}

test('its maker is told that it is shredded, not that something is damaged', async () => {
  const made = await ground({ clock: systemClock, cacheBound: 100 })
  const vault = await openVault(made.options)
  await vault.tenants.create('acme')
  await alice(vault).encrypt(email, 'ada')
  let reached: () => void = () => undefined
  const held = new Promise<void>((resolve) => (reached = resolve))
  let letGo: () => void = () => undefined
  const released = new Promise<void>((resolve) => (letGo = resolve))
  const slow = await openVault(
    withFailpoints(made.options, async (name) => {
      if (name !== 'node.made') return
      reached()
      await released
    }),
  )
  const late = outcome(() => alice(slow).item('phone').encrypt(email, 'x'))
  await held
  await alice(vault).shred()
  await toEnd(vault.rotateRootKey())
  letGo()
  expect(await late).toBe('shredded')
  expect(await outcome(() => alice(slow).item('phone').encrypt(email, 'x'))).toBe('shredded')
})
