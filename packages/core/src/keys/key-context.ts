import type { Clock } from '../clock.ts'
import type { KeyStore } from './key-store.ts'
import type { Providers } from './providers.ts'
import type { StateStore } from './state-store.ts'

/** What every part of the key tree works with. The stores are guarded: they throw typed errors only. */
export interface KeyContext {
  readonly vaultId: Uint8Array
  readonly clock: Clock
  readonly keyStore: KeyStore
  readonly stateStore: StateStore
  readonly providers: Providers
}
