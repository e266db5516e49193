import type { Clock } from '../clock.ts'
import type { RootVersion } from '../format/records.ts'
import type { AtFailpoint } from './failpoints.ts'
import type { KeyStore } from './key-store.ts'
import type { Providers } from './providers.ts'
import type { StateStore } from './state-store.ts'

/** What every part of the key tree works with. The stores are guarded: they throw typed errors only. */
export interface KeyContext {
  readonly vaultId: Uint8Array
  /** Milliseconds that any process of the fleet may use a key before it reads the store again. */
  readonly cacheBound: number
  readonly clock: Clock
  readonly keyStore: KeyStore
  readonly stateStore: StateStore
  readonly providers: Providers
  /** Tells the ledger of a root version, before anything that it wrapped is stored. @throws StrongroomError `wrong_root_key` */
  readonly announce: (region: string, rootVersion: RootVersion) => Promise<void>
  readonly failpoint: AtFailpoint
}
