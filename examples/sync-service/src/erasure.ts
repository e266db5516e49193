/** What is promised of deletion: from all systems within thirty days. */

import { days, hours } from '@strongroom/core'
import { definePolicy, type Policy } from '@strongroom/erasure'

/** At once here; in every backup once an epoch of two weeks is closed and the last copy of the old root key is gone. */
export const POLICY: Policy = definePolicy({
  deadline: days(30),
  grace: 0,
  sweep: hours(1),
  epoch: days(14),
  providerDelay: 0,
  copies: days(15),
})
