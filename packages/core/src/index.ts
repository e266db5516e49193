export { type Clock, systemClock } from './clock.ts'
export { StrongroomError, type StrongroomErrorCode, type StrongroomErrorOptions } from './errors.ts'
export { hkdfSha256, equalBytes, wipe } from './crypto/hash.ts'
export { randomBytes } from './crypto/random.ts'
export { xaesOpen, xaesSeal } from './crypto/xaes-256-gcm.ts'
export {
  KeyState, NodeKind, Reason,
} from './format/records.ts'
export type {
  KeyStoreRecord,
  KeyVersion,
  LedgerPosition,
  LiveVersion,
  NodeRecord,
  ProviderWrap,
  RegionRecord,
  RootVersion,
  ShreddedVersion,
  VaultRecord,
  WrappingKeyRecord,
} from './format/records.ts'
export type { Destruction, KeyProvider, ProviderVersion } from './keys/key-provider.ts'
export type { KeyStore, KeyStoreKey, KeyStoreQuery } from './keys/key-store.ts'
export type { DueEntry, StateEntry, StateStore, StateVersion } from './keys/state-store.ts'
export { Secret } from './secret.ts'
