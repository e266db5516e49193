import type { KeyStoreRecord } from '@strongroom/core'

/** The record of a vault, as the store takes any that has its form. */
export const vault: KeyStoreRecord = {
  type: 'vault',
  revision: 1,
  vaultId: new Uint8Array(16),
  homeRegion: 'eu',
  cacheBound: 1000,
  created: 1,
  head: { n: 0, hash: new Uint8Array(32) },
  applied: 0,
  check: new Uint8Array(32),
}
