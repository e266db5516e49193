/** What ends each thing that keeps shreds from being final. */

import type { ClosureBlocker } from '@strongroom/core'

const WAYS: Readonly<Record<ClosureBlocker, (region: string) => string>> = {
  wrong_root_key: () => 'put the newest root key back',
  provider_unavailable: () => 'bring the provider back, or run this where it is configured',
  rotation_unfinished: (region) => `strongroom rotate root --region ${region}, to its end`,
  rotation_needed: (region) => `strongroom rotate root --region ${region}`,
  close_unfinished: (region) => `strongroom close-epoch --region ${region} again, to its end`,
  close_needed: (region) => `a backup of the rotated key store, then strongroom close-epoch --region ${region}`,
  not_destroyed: (region) => `put the newest root key back, or strongroom close-epoch --region ${region} again`,
  scheduled: () => 'the provider destroys the root version later',
  copies_live: () => 'delete older copies of the root key; time does the rest',
}

/** @param region - the one that is to be acted on */
export function whatToDo(blocker: ClosureBlocker, region: string): string {
  return WAYS[blocker](region)
}
