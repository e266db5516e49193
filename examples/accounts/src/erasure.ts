/** What must go when somebody leaves, and by when it is promised. */

import { days, hours, type Vault } from '@strongroom/core'
import { createErasure, definePolicy, type Erasure, type Policy } from '@strongroom/erasure'

import { log } from './errors.ts'
import type { Data } from './data.ts'

/** Thirty days to come back; thirty more until no copy of a backup can be read. Whoever rotates less often than that is refused here. */
export const POLICY: Policy = definePolicy({
  deadline: days(60),
  grace: days(30),
  sweep: hours(1),
  epoch: days(14),
  providerDelay: 0,
  copies: days(15),
})

export function erasureOf(vault: Vault, { resources }: Data): Erasure {
  return createErasure(vault, {
    policy: POLICY,
    resources,
    onEvent(event) {
      if (event.type === 'failed') log(`erasure of ${event.about}`, new Error(event.code))
    },
  })
}
